#!/bin/bash
# Echoes by both versions of IP, from ping sockets and raw ones; and the way to a host.
set -eu
host=$1 six=$2
plain() { sed -E 's/time=[0-9.]+ ms/time=T/; s/, time [0-9]+ms.*//; /^rtt/d; /^PING/d; s/^([0-9]+ bytes from) .*: icmp/\1 X: icmp/; s/^From [^ ]+/From X/' | grep -v -e '^---' -e '^$'; }
ping -c 3 -i 0.2 "$host" | plain
ping -c 2 -i 0.2 -s 1000 -t 5 "$host" | plain
ping -6 -c 2 -i 0.2 "$six" | plain
ping -q -c 1 "$host" | plain
busybox ping -c 1 "$host" | grep -c 'seq=0'
tracepath -n -m 3 "$host" | grep -o -e reached -e 'hops [0-9]' | sort -u
traceroute -n -m 3 -q 1 "$host" | tail -n +2 | awk '{ print $1, NF }'
traceroute -n -I -m 3 -q 1 "$host" | tail -n +2 | awk '{ print $1, NF }'
