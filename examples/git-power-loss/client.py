"""Asks for commits for some time, then whether all that were reported can still be read. Exits with 1 when one cannot."""
import http.client, json, sys, time

WORK, END = 14, 25  # seconds after the start: when the work ends, and when the server must be back


def ask(path, value, timeout):
    connection = http.client.HTTPConnection("repo", 80, timeout=timeout)
    try:
        connection.request("POST", path, json.dumps(value))
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(answer)
    return answer


def main():
    began = time.monotonic()
    number, reported = 0, []
    while time.monotonic() - began < WORK:
        number += 1
        try:
            reported.append(ask("/commit", number, 2))
        except (OSError, http.client.HTTPException, ValueError, RuntimeError) as error:
            print(f"commit {number}: {error}", flush=True)
            time.sleep(0.2)
        time.sleep(0.3)
    while True:
        try:
            # A connection that the power loss took with it says nothing: not long, so that there is time to ask again.
            damage = ask("/damage", reported, 4)
            break
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() - began > END:
                sys.exit(f"the server did not come back: {error}")
            time.sleep(0.5)
    for commit, said in damage.items():
        print(f"commit {commit} was reported, and is damaged: {said}")
    print(f"{len(reported)} commits were reported, {len(damage)} of them are damaged or gone")
    sys.exit(1 if damage else 0)


main()
