#!/bin/sh
# Some commands, a small benchmark, and the end of the server, which ends the world.
set -eu
redis() { redis-cli -h "$REDIS_HOST" -p "${REDIS_PORT:-6379}" "$@"; }
redis set greeting hello
redis get greeting
redis zadd scores 3 carol 1 alice 2 bob > /dev/null
redis zrange scores 0 -1
redis-benchmark -h "$REDIS_HOST" -p "${REDIS_PORT:-6379}" -t set,get -n 2000 -c 20 -q > /dev/null
redis info keyspace | tr -d '\r' | grep '^db0'
redis shutdown nosave
