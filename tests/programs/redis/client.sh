#!/bin/bash
# Commands of many kinds, a snapshot and a rewritten log by forked children, then a restart from the log.
set -eu
cd "$(mktemp -d)"
redis() { redis-cli -h "$1" -p "$2" "${@:3}"; }
r() { redis "$host" "$port" "$@"; }
host=$1 port=$2

echo '-- commands'
r set greeting 'hello there'
r append greeting ' world'
r get greeting
r incrby number 40
r incr number
r rpush list a b c d > /dev/null
r lrange list 1 2
r hset hash one 1 two 2
r hgetall hash | paste -s -d ' '
r zadd scores 3 carol 1 alice 2 bob > /dev/null
r zrevrange scores 0 1 withscores | paste -s -d ' '
r sadd set x y z > /dev/null && r scard set
r eval 'return redis.call("get", KEYS[1]) .. ARGV[1]' 1 number '!'
printf 'multi\nincr number\nincr number\nexec\n' | r | tail -n 2
r set brief gone px 50 && sleep 0.2 && r exists brief
r no-such-command 2>&1 | cut -c 1-24

echo '-- a message'
r --csv subscribe news > heard & listener=$!
until [ "$(r pubsub numsub news | tail -n 1)" = 1 ]; do sleep 0.05; done
r publish news 'it snows'
until grep -q snows heard; do sleep 0.05; done
kill "$listener"
tail -n 1 heard

echo '-- a blocked reader'
r blpop nothing 0.2 | wc -l
r blpop later 5 > popped & reader=$!
sleep 0.2
r lpush later now
wait "$reader"
paste -s -d ' ' popped

echo '-- persistence'
for ((i = 0; i < 10; i++)); do printf 'set key:%d value%d\n' $i $i; done | r | sort | uniq -c | sed 's/^ *//'
ended() { r info persistence | tr -d '\r' | grep -q "^$1:0"; }
r bgsave | cut -c 1-26
until ended rdb_bgsave_in_progress; do sleep 0.05; done
r info persistence | tr -d '\r' | grep rdb_last_bgsave_status
r bgrewriteaof | cut -c 1-41
until ended aof_rewrite_in_progress; do sleep 0.05; done
r info persistence | tr -d '\r' | grep aof_last_bgrewrite_status
r set after rewrite
r shutdown nosave || true
until r ping > /dev/null 2>&1; do sleep 0.1; done
r get after
r get greeting
r dbsize
