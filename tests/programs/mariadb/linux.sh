#!/bin/bash
set -eu
here=$(dirname "$0")
# The server runs as another user, who may not reach the folder of the build.
top=$(mktemp -d -p /tmp)
chmod 755 "$top"
bash "$here/server.sh" 17020 "$top" & server=$!
trap 'kill $server 2> /dev/null || true; wait; rm -rf "$top"' EXIT
bash "$here/client.sh" 127.0.0.1 17020
