#!/bin/bash
# node.sh NAME CLIENT-PORT PEER-PORT ADDRESS HOST.. : one node; the hosts are those of all nodes. Where all nodes share one
# host, HOST has the form NAME=HOST:PEER-PORT.
set -eu
name=$1 client=$2 peer=$3 address=$4
shift 4
cluster=
for host in "$@"; do
    case $host in
        *=*) cluster+=,${host/=/=http://} ;;
        *) cluster+=,$host=http://$host:$peer ;;
    esac
done
if [ "$address" = 0.0.0.0 ]; then own=$name; else own=$address; fi
exec /usr/bin/etcd --name "$name" --data-dir "${TMPDIR:-/tmp}/$name" --logger zap --log-level error \
    --listen-client-urls "http://$address:$client" --advertise-client-urls "http://$own:$client" \
    --listen-peer-urls "http://$address:$peer" --initial-advertise-peer-urls "http://$own:$peer" \
    --initial-cluster "${cluster#,}" --initial-cluster-token test --auto-compaction-retention=10m
