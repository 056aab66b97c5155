#!/bin/bash
# All of it over loopback.
set -eu
here=$(dirname "$0")
mkdir data
# Each redis-server is a child of this script's child, and is ended by its own process id.
bash "$here/server.sh" 17001 "$PWD/data" & server=$!
trap 'pkill -P "$server" || true; kill "$server" 2> /dev/null || true' EXIT
until redis-cli -p 17001 ping > /dev/null 2>&1; do sleep 0.05; done
for part in client benchmark audit; do
    bash "$here/$part.sh" 127.0.0.1 17001 "$PWD/data" > "$part.out"
done
diff "$here/expected/benchmark.txt" benchmark.out >&2
diff "$here/expected/auditor.txt" audit.out >&2
wait "$server"
cat client.out
