#!/bin/bash
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bash "$here/server.sh" 17031 & server=$!
trap 'kill $server 2> /dev/null || true; wait' EXIT
cd "$TMPDIR"
bash "$here/client.sh" 127.0.0.1 17031
