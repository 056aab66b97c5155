#!/bin/bash
# client.sh ENDPOINT.. : a leader is elected; put, get, watch, transactions, leases, locks; a new leader takes over.
set -eu
cd "$(mktemp -d)"
nodes=("$@")
etcd() { etcdctl --endpoints "$all" "$@"; }
all=$(IFS=,; echo "${nodes[*]}")
until etcd endpoint health > /dev/null 2>&1; do sleep 0.2; done
leaders() { etcd endpoint status --write-out=fields | grep -E '"(MemberID|Leader)"' | awk '{ print $3 }' | paste - - | awk '$1 == $2'; }

echo '-- a leader'
etcd member list | awk -F', ' '{ print $3, $2 }' | sort
leaders | wc -l

echo '-- put and get'
for i in 1 2 3 4 5; do etcdctl --endpoints "${nodes[i % 3]}" put "key/$i" "value $i"; done
for node in "${nodes[@]}"; do etcdctl --endpoints "$node" get --prefix key/ --print-value-only | paste -s -d ,; done
etcd get key/2 key/4 --keys-only | grep -v '^$' | paste -s -d ' '
etcd del key/1
etcd get --prefix key/ --write-out=fields | grep Count
printf 'value("key/2") = "value 2"\n\nput key/2 changed\n\nput key/2 wrong\n\n' | etcd txn | paste -s -d ' '
etcd get key/2 --print-value-only

echo '-- watch'
etcdctl --endpoints "${nodes[2]}" watch --prefix seen/ > changes & watch=$!
# A watch says nothing when it begins; the first change is repeated until it is heard.
until [ -s changes ]; do etcdctl --endpoints "${nodes[0]}" put seen/begin x > /dev/null; sleep 0.2; done
for i in 1 2 3; do etcdctl --endpoints "${nodes[1]}" put "seen/$i" "$i" > /dev/null; done
etcd del seen/2 > /dev/null
until [ "$(grep -c DELETE changes)" = 1 ]; do sleep 0.1; done
kill "$watch"
grep -v -E 'begin|^x$' changes | paste -s -d ' ' | sed 's/^\(PUT \)*PUT PUT/PUT/; s/  */ /g' | grep -o 'PUT seen/1.*seen/2'

echo '-- leases and locks'
lease=$(etcd lease grant 3 | awk '{ print $2 }')
etcd put --lease "$lease" brief gone > /dev/null
etcd get brief --print-value-only
while [ -n "$(etcd get brief --print-value-only)" ]; do sleep 0.5; done
echo 'the lease has ended'
for i in 1 2 3; do
    etcd lock mutex -- sh -c "echo enter >> log; sleep 0.3; echo leave >> log" &
    holders+=("$!")
done
wait "${holders[@]}"
uniq -c log | awk '{ print $1, $2 }' | sort | uniq -c | awk '{ print $1, $2, $3 }'

echo '-- another leader'
leader=$(leaders | cut -f 1)
other=$(etcd endpoint status --write-out=fields | grep '"MemberID"' | awk '{ print $3 }' | grep -v "$leader" | head -n 1)
for node in "${nodes[@]}"; do
    etcdctl --endpoints "$node" move-leader "$(printf %x "$other")" > moved 2>&1 && break
done
cut -d ' ' -f 1-2 moved | head -n 1
until [ "$(leaders | cut -f 1)" = "$other" ]; do sleep 0.1; done
echo 'the other leads'
etcd put after change
etcd get after --print-value-only
