#!/bin/bash
# server.sh PORT ADDRESS : initdb, then the server. A client ends it by putting a file into its folder of data.
set -eu
bin=/usr/lib/postgresql/15/bin
top=${TMPDIR:-/tmp}/postgres
mkdir "$top"
"$bin/initdb" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 -D "$top/data" > "$top/initdb.log"
echo 'host all all 0.0.0.0/0 trust' >> "$top/data/pg_hba.conf"
"$bin/postgres" -D "$top/data" -c port="$1" -c listen_addresses="$2" -c unix_socket_directories="$top" \
    -c log_min_messages=fatal -c autovacuum_naptime=5s & server=$!
until "$bin/pg_isready" -q -h "$top" -p "$1"; do sleep 0.2; done
"$bin/psql" -X -q -A -t -h "$top" -p "$1" -c "SELECT 'by the unix socket'"
until [ -e "$top/data/end" ]; do sleep 0.5; done
kill -INT "$server"
wait "$server"
"$bin/pg_controldata" -D "$top/data" | grep 'cluster state'
