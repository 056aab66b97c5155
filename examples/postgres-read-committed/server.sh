#!/bin/sh
# Makes a database cluster in the host's own /tmp and serves it.
set -eu
bin=/usr/lib/postgresql/15/bin
"$bin/initdb" --auth=trust --encoding=UTF8 --locale=C --no-sync -D /tmp/data > /dev/null
echo 'host all all 0.0.0.0/0 trust' >> /tmp/data/pg_hba.conf
exec "$bin/postgres" -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off "$@"
