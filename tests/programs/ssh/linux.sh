#!/bin/bash
set -eu
here=$(dirname "$0")
top=$(mktemp -d)
bash "$here/server.sh" 17012 "$top" & server=$!
trap 'kill $server 2> /dev/null || true; wait; rm -rf "$top"' EXIT
bash "$here/client.sh" 127.0.0.1 17012 "$top"
