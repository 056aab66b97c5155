#!/bin/bash
# Fifty clients of one thread, then four threads, then pipelines; the rates differ from run to run on plain Linux.
set -eu
run() {
    redis-benchmark -h "$1" -p "$2" -t "$3" -n 5000 --csv "${@:4}" | tail -n +2 | cut -d , -f 1
}
run "$1" "$2" set,get,incr,lpush,lpop,hset,mset -r 1000
run "$1" "$2" get --threads 4
run "$1" "$2" set -P 16 -c 10
redis-cli -h "$1" -p "$2" ping
