#!/bin/bash
set -eu
here=$(dirname "$0")
PORT=17005 /usr/bin/node "$here/server.js" > server.out & server=$!
trap 'kill "$server" 2> /dev/null || true' EXIT
/usr/bin/node "$here/client.js" 127.0.0.1 17005
wait "$server"
diff "$here/expected/server.txt" server.out >&2
