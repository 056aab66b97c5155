"""Prints whom each of five hosts heard of, and what is true of that."""
import socket

port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("", 7))
heard = {}
while len(heard) < 5:
    own, *others = map(int, port.recv(100).split())
    heard[own] = frozenset(others)
for own in sorted(heard):
    print(own, "heard", *sorted(heard[own]))
print("sizes", *sorted(len(group) for group in heard.values()))
print("distinct", len(set(heard.values())))
print("both ways", all((a in heard[b]) == (b in heard[a]) for a in heard for b in heard))
print("majorities", sum(len(group) >= 3 for group in heard.values()))
