#!/bin/bash
# So many bytes by TCP, both ways and in several streams, and by UDP.
set -eu
host=$1 port=$2
# A server that has not begun yet, or not ended its last test, refuses; with -J that is told in the answer, not by the status.
try() {
    local name=$1 least=$2
    shift 2
    until iperf3 -J -c "$host" -p "$port" "$@" > told && ! grep -q '"error"' told; do sleep 0.2; done
    /usr/bin/python3 -c '
import json, sys
end = json.load(open("told"))["end"]
sum = end.get("sum_sent") or end["sum"]
print(sys.argv[1], sum["bytes"] >= int(sys.argv[2]), "lost" if sum.get("lost_packets") else "whole")' "$name" "$least"
}
try tcp 1000000 -n 1M
try reverse 2000000 -n 2M -R
try three 1000000 -n 2M -P 3
try udp 300000 -u -b 4M -n 400K -l 1000
