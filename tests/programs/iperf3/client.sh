#!/bin/bash
# So many bytes by TCP, both ways and in several streams, and by UDP.
set -eu
told() { /usr/bin/python3 -c '
import json, sys
end = json.load(sys.stdin)["end"]
sum = end.get("sum_sent") or end["sum"]
print(sys.argv[1], sum["bytes"] >= int(sys.argv[2]), "lost" if sum.get("lost_packets") else "whole")' "$@"; }
until iperf3 -J -c "$1" -p "$2" -n 1M > first; do sleep 0.2; done
told tcp 1000000 < first
iperf3 -J -c "$1" -p "$2" -n 2M -R | told reverse 2000000
iperf3 -J -c "$1" -p "$2" -n 2M -P 3 | told three 1000000
iperf3 -J -c "$1" -p "$2" -u -b 4M -n 400K -l 1000 | told udp 300000
