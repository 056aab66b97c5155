#!/bin/bash
# Takes what comes to a stream's port, to a datagram's, to a file's name, and by another netcat.
set -eu
port=$1
nc.openbsd -k -l -p "$port" < /dev/null > taken & one=$!
nc.openbsd -u -k -l -p $((port + 2)) < /dev/null > datagrams & two=$!
nc.openbsd -U -l door < /dev/null > from_door & three=$!
trap 'kill $one $two $three 2> /dev/null || true' EXIT
mkfifo nothing
busybox nc -l -p $((port + 1)) <> nothing | tr a-z A-Z
until [ -e door ]; do sleep 0.1; done
nc.openbsd -N -U door <<< 'through the door'
wait "$three"
cat from_door
until [ -s datagrams ]; do sleep 0.1; done
cksum < taken
cat datagrams
