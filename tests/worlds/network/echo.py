"""Answers datagrams and streams on port 7 with what came; a datagram's answer says how many came so far."""
import socket
import threading

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("", 7))
listener = socket.create_server(("", 7))


def serve(stream):
    while data := stream.recv(65536):
        stream.sendall(data)
    stream.close()


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
heard = 0
while True:
    data, sender = datagrams.recvfrom(2048)
    heard += 1
    datagrams.sendto(data + b" %d" % heard, sender)
