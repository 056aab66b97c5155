#!/bin/bash
set -eu
host=$1 port=$2
until nc.openbsd -z "$host" "$port" 2> /dev/null; do sleep 0.1; done
seq 20000 | nc.openbsd -N "$host" "$port"
echo 'a datagram' | nc.openbsd -u -w 1 "$host" $((port + 2))
nc.openbsd -z -w 2 "$host" $((port + 7)) || echo 'nobody listens'
until echo 'to the other netcat' | busybox nc -w 2 "$host" $((port + 1)) 2> /dev/null; do sleep 0.1; done
