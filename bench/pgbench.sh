#!/bin/bash
# pgbench.sh FOLDER N : N transactions of pgbench against a new PostgreSQL whose data is in the folder.
set -eu
bin=/usr/lib/postgresql/15/bin
if [ "$(id -u)" = 0 ]; then
    top=$(mktemp -d -p "$1")
    chown postgres: "$top"
    trap 'rm -rf "$top"' EXIT
    setpriv --reuid=postgres --regid=postgres --init-groups /bin/bash "$0" "$top" "$2"
    exit
fi
cd "$1"
"$bin/initdb" --auth=trust --encoding=UTF8 --locale=C.UTF-8 -D data > initdb.log
"$bin/pg_ctl" -D data -w -l server.log -o "-k '$PWD' -c listen_addresses=''" start > /dev/null
export PGHOST=$PWD PGDATABASE=postgres
"$bin/pgbench" --initialize --quiet --scale=1 2> /dev/null
"$bin/pgbench" --client=4 --jobs=2 --transactions="$(($2 / 4))" --no-vacuum > pgbench.log 2>&1
"$bin/pg_ctl" -D data -w -m fast stop > /dev/null
