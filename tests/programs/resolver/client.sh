#!/bin/bash
# The world's own name service, asked by several programs.
set -eu
grep ^nameserver /etc/resolv.conf
dig +short one
dig +short +tcp one
dig +short AAAA one
dig +short both | sort
for _ in 1 2 3 4; do dig +short both | head -n 1; done | sort | uniq -c | sed 's/^ *//'
dig +short -x "$(dig +short one)"
dig nothing.at.all | grep -o 'status: [A-Z]*'
dig +short MX one | wc -l
dig @127.0.0.11 AAAA four | grep -o 'status: [A-Z]*, \|ANSWER: [0-9]*'
getent hosts four | awk '{ print $1 }'
getent hosts two | awk '{ print $1, $2 }'
getent ahosts one | awk '{ print $1, $2 }' | sort -u
busybox nslookup one 2> /dev/null | awk '/^Address/ && !/:53/ { print $NF }' | head -n 1
/usr/bin/python3 -c 'import socket; print(sorted({a[4][0] for a in socket.getaddrinfo("both", 80)}))'
/usr/bin/python3 -c 'import socket
try: socket.gethostbyname("nobody")
except socket.gaierror as e: print(e.errno == socket.EAI_NONAME or e)'
