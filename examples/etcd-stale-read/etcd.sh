#!/bin/sh
# One member of three: sh etcd.sh NAME
exec /usr/bin/etcd --name="$1" --data-dir=/var/lib/etcd \
	--initial-cluster=etcd1=http://etcd1:2380,etcd2=http://etcd2:2380,etcd3=http://etcd3:2380 \
	--initial-advertise-peer-urls="http://$1:2380" --listen-peer-urls=http://0.0.0.0:2380 \
	--advertise-client-urls="http://$1:2379" --listen-client-urls=http://0.0.0.0:2379 --logger=zap --log-level=error
