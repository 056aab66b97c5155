#!/bin/sh
# Makes a database cluster once and serves it.
set -eu
bin=/usr/lib/postgresql/15/bin
if [ ! -e /data/ready ]; then
    rm -rf /data/db
    "$bin/initdb" --auth=trust --encoding=UTF8 --locale=C -D /data/db > /dev/null
    echo 'host all all 0.0.0.0/0 trust' >> /data/db/pg_hba.conf
    sync
    touch /data/ready
fi
rm -f /data/db/postmaster.pid
exec "$bin/postgres" -D /data/db -c listen_addresses='*' -c unix_socket_directories=/tmp
