"""Tells all the others its number all the time, and the referee whom it heard of while the partition went on."""
import select
import socket
import time

own = int(socket.gethostname().rsplit("-", 1)[1])
others = [number for number in range(1, 6) if number != own]
port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("", 7))
began = time.monotonic()
heard, told = {own}, False
time.sleep(0.2)
while True:
    age = time.monotonic() - began
    for other in others:
        port.sendto(b"%d" % own, (f"n-{other}", 7))
    while select.select([port], [], [], 0.1)[0]:
        number = int(port.recv(100))
        if 1.1 < age < 2.8:
            heard.add(number)
    if age > 2.9 and not told:
        told = True
        port.sendto(b"%d " % own + " ".join(map(str, sorted(heard))).encode(), ("referee", 7))
