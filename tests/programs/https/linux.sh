#!/bin/bash
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Workers run as another user, who may not reach the folder of the build.
top=$(mktemp -d -p /tmp)
chmod 755 "$top"
cd "$TMPDIR"
bash "$here/server.sh" 17051 17052 "$top" & server=$!
trap 'kill -QUIT $server 2> /dev/null || true; wait; rm -rf "$top"' EXIT
bash "$here/client.sh" 127.0.0.1 17051 17052 "$top"
