#!/bin/sh
# One host of three: a redis server and a sentinel that watches the primary. The first host is the primary at the beginning.
#   sh node.sh HOST [OPTION OF REDIS ...]
set -eu
host=$1
shift
mkdir -p /tmp/redis /tmp/sentinel
[ "$host" = redis1 ] || set -- --replicaof redis1 6379 "$@"
cat > /tmp/sentinel/sentinel.conf <<END
port 26379
dir /tmp/sentinel
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $host
sentinel monitor main redis1 6379 2
sentinel down-after-milliseconds main 2000
sentinel failover-timeout main 6000
END
/usr/bin/redis-server /tmp/sentinel/sentinel.conf --sentinel > /tmp/sentinel/log &
exec /usr/bin/redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save '' --dir /tmp/redis --loglevel warning --replica-announce-ip "$host" "$@"
