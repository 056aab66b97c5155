#!/bin/sh
# One node of the cluster, named by its argument, which is also its host's name.
set -eu
exec /usr/bin/etcd \
    --name "$1" \
    --data-dir /tmp/etcd \
    --listen-peer-urls http://0.0.0.0:2380 \
    --listen-client-urls http://0.0.0.0:2379 \
    --initial-advertise-peer-urls "http://$1:2380" \
    --advertise-client-urls "http://$1:2379" \
    --initial-cluster etcd1=http://etcd1:2380,etcd2=http://etcd2:2380,etcd3=http://etcd3:2380 \
    --initial-cluster-token cluster \
    --logger zap --log-level warn
