#!/bin/bash
# A new database, and its server with InnoDB's threads and asynchronous I/O.
set -eu
port=$1 top=$2
mkdir -p "$top/data"
chown mysql "$top/data" 2> /dev/null || chown nobody "$top/data"
user=$(stat -c %U "$top/data")
common=(--no-defaults "--datadir=$top/data" "--user=$user" "--tmpdir=$top/data" --innodb-buffer-pool-size=16M --innodb-log-file-size=4M)
mariadb-install-db "${common[@]}" --skip-test-db --auth-root-authentication-method=normal > /dev/null 2>&1
printf "create user 'guest'@'%%' identified by 'secret';\ncreate database things;\n" > "$top/first.sql"
echo "grant all on things.* to 'guest'@'%';" >> "$top/first.sql"
exec /usr/sbin/mariadbd "${common[@]}" --init-file="$top/first.sql" --port="$port" --bind-address=0.0.0.0 --skip-name-resolve \
    --socket="$top/data/socket" --pid-file="$top/data/pid" 2> /dev/null
