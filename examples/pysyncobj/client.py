"""Adds values through all nodes for some time, then reads the set. Exits with 1 when a value that was acknowledged is not in it."""
import http.client, json, os, random, socket, sys, time

NODES = ["n1", "n2", "n3"]
WORK, END = 30, 55  # seconds after the start: when the work ends, and when the set must have been read


def ask(node, method, path, timeout=3):
    connection = http.client.HTTPConnection(node, 80, timeout=timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(answer)
    return answer


def until_answered(path, began):
    while True:
        for node in NODES:
            try:
                return ask(node, "GET", path)
            except (OSError, http.client.HTTPException, ValueError) as error:
                if time.monotonic() - began > END:
                    sys.exit(f"the set cannot be read: {error}")
        time.sleep(0.5)


def main():
    me, began = socket.gethostname(), time.monotonic()
    draw = random.Random(os.urandom(8))
    number, acknowledged = 0, []
    while time.monotonic() - began < WORK:
        number += 1
        value = f"{me}-{number}"
        try:
            ask(draw.choice(NODES), "PUT", "/" + value)
            acknowledged.append(value)
        except (OSError, http.client.HTTPException, ValueError):
            pass
        time.sleep(draw.uniform(0, 0.2))
    time.sleep(10)
    held = set(until_answered("/", began))
    lost = [value for value in acknowledged if value not in held]
    print(f"{len(acknowledged)} of {number} values were acknowledged, {len(lost)} of them are lost: {' '.join(lost)}")
    sys.exit(1 if lost else 0)


main()
