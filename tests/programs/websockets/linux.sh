#!/bin/bash
set -eu
here=$(dirname "$0")
/usr/bin/python3 "$here/server.py" 17061 & server=$!
trap 'kill $server 2> /dev/null || true; wait' EXIT
/usr/bin/python3 "$here/client.py" 127.0.0.1 17061
