#!/bin/bash
set -eu
here=$(dirname "$0")
# Workers run as another user, who may not reach the folder of the build.
top=$(mktemp -d -p /tmp)
chmod 755 "$top"
bash "$here/server.sh" 17003 "$top" & server=$!
trap 'kill -QUIT "$(cat "$top/nginx.pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$top"' EXIT
until curl -fsS -o /dev/null http://127.0.0.1:17003/version 2> /dev/null; do sleep 0.05; done
bash "$here/client.sh" 127.0.0.1 17003
wait "$server"
