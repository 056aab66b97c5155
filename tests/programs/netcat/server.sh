#!/bin/bash
# What comes to a port is sent back changed: by one netcat and by the other, by TCP, by UDP and by a file's name.
set -eu
port=$1
mkfifo back
nc.openbsd -k -l -p "$port" < /dev/null > taken & first=$!
nc.openbsd -U -l -k door < /dev/null > from_door &
nc.openbsd -u -k -l -p $((port + 2)) < /dev/null > datagrams &
for _ in 1 2; do busybox nc -l -p $((port + 1)) < back | tr a-z A-Z > back; done
until [ -s datagrams ]; do sleep 0.1; done
nc.openbsd -N -U door <<< 'through the door'
until [ -s from_door ]; do sleep 0.1; done
cat from_door
cksum < taken
sort datagrams
kill %1 %2 %3
