#!/bin/bash
# Stops the server for good and checks the files that it left.
set -eu
redis-cli -h "$1" -p "$2" set last word
redis-cli -h "$1" -p "$2" save
redis-cli -h "$1" -p "$2" shutdown || true
while redis-cli -h "$1" -p "$2" ping > /dev/null 2>&1; do sleep 0.1; done
sleep 0.5
redis-check-rdb "$3/dump.rdb" | grep -o 'RDB looks OK! .o/'
redis-check-aof "$3"/appendonlydir/*.manifest | tail -n 1
