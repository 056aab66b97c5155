#!/bin/bash
# All of it over loopback, by a user whom the server accepts.
set -eu
here=$(dirname "$0")
top=$(mktemp -d -p /tmp)
trap 'rm -rf "$top"' EXIT
cp "$here/server.sh" "$here/client.sh" "$top"
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown -R postgres: "$top"
    as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
fi
cd "$top"
export TMPDIR=$top PGHOST=127.0.0.1 PGPORT=17004 PGUSER=postgres PGDATABASE=postgres
as bash "$top/server.sh" 17004 127.0.0.1 > server.out & server=$!
until /usr/lib/postgresql/15/bin/pg_isready -q; do
    kill -0 "$server"
    sleep 0.1
done
as bash "$top/client.sh"
wait "$server"
diff "$here/expected/postgres.txt" server.out >&2
