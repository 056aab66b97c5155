#!/bin/bash
# Listens by every protocol.
set -eu
/usr/bin/python3 - <<'END'
import socket, time
tcp = socket.create_server(("0.0.0.0", 7000))
six = socket.create_server(("::", 7001), family=socket.AF_INET6)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("0.0.0.0", 7002))
unix = socket.socket(socket.AF_UNIX); unix.bind("\0door"); unix.listen(3)
connection, _ = tcp.accept()
connection.sendall(b"hello")
connection.recv(1)
END
