#!/bin/bash
# Subscriptions, retained messages, a will, and all three qualities of service.
set -eu
at=(-h "$1" -p "$2")
until mosquitto_pub "${at[@]}" -t kept/greeting -m hello -r 2> /dev/null; do sleep 0.1; done
mosquitto_sub "${at[@]}" -t 'kept/#' -v -C 1
mosquitto_sub "${at[@]}" -t 'numbers/+' -v -C 6 -q 2 > seen.$$ & reader=$!
trap 'rm -f seen.$$' EXIT
sleep 0.5
for quality in 0 1 2; do
    mosquitto_pub "${at[@]}" -t "numbers/$quality" -q $quality -m "quality $quality"
    seq -f '%g of many' $quality $quality | mosquitto_pub "${at[@]}" -t numbers/more -q $quality -l
done
wait "$reader"
cat seen.$$
mosquitto_sub "${at[@]}" -t last -C 1 & watcher=$!
sleep 0.5
mosquitto_sub "${at[@]}" -t nothing --will-topic last --will-payload 'it is gone' & dies=$!
sleep 0.5
kill -KILL "$dies"
wait "$watcher"
