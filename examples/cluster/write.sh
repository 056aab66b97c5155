#!/bin/sh
# Gives the watcher a second to begin, writes a key three times, and reads it from each node.
set -eu
sleep 1
members=$(etcdctl member list)
echo "$members" | awk -F', ' '{ print $3, $2 }' | sort
for city in Oslo Quito Lisbon; do
    answer=$(etcdctl put city "$city")
    echo "put city $city: $answer"
done
for node in etcd1 etcd2 etcd3; do
    city=$(ETCDCTL_ENDPOINTS="http://$node:2379" etcdctl get --print-value-only city)
    echo "get city at $node: $city"
done
