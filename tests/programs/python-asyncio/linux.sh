#!/bin/bash
# Both over loopback.
set -eu
here=$(dirname "$0")
/usr/bin/python3 "$here/server.py" 127.0.0.1 17061 > server.out & server=$!
trap 'kill "$server" 2> /dev/null || true' EXIT
/usr/bin/python3 "$here/client.py" 127.0.0.1 17061
wait "$server"
diff "$here/expected/server.txt" server.out >&2
