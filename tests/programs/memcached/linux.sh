#!/bin/bash
set -eu
/usr/bin/memcached -u nobody -t 4 -l 127.0.0.1 -p 17002 -U 17002 & server=$!
trap 'kill "$server"' EXIT
until (exec 3<> /dev/tcp/127.0.0.1/17002) 2> /dev/null; do sleep 0.05; done
/usr/bin/python3 "$(dirname "$0")/client.py" 127.0.0.1 17002
