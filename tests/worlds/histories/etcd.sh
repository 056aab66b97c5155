#!/bin/sh
exec etcd --name store --data-dir /data/etcd --log-level error \
    --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://store:2379
