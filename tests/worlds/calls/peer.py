"""Answers on two ports."""
import socket
import threading


def serve(port):
    listener = socket.create_server(("", port))
    while True:
        stream, _ = listener.accept()
        with stream:
            if stream.recv(100):
                stream.sendall(b"hello")


threading.Thread(target=serve, args=(7,), daemon=True).start()
serve(8)
