#!/bin/bash
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$TMPDIR"
bash "$here/server.sh" 17041 & server=$!
trap 'kill $server 2> /dev/null || true; wait' EXIT
bash "$here/client.sh" 127.0.0.1 17041 > /dev/null
wait "$server"
