#!/bin/sh
# A list and a counter in redis.
set -eu
redis() { redis-cli -h "$REDIS_HOST" -p "${REDIS_PORT:-6379}" "$@"; }
redis rpush queue one two three > /dev/null
echo "queue: $(redis lrange queue 0 -1 | paste -s -d ' ')"
i=0
while [ "$i" -lt 100 ]; do
    redis incr visits > /dev/null
    i=$((i + 1))
done
echo "visits: $(redis get visits)"
