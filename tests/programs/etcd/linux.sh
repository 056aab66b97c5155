#!/bin/bash
# Three nodes over loopback; nobody waits for an hour.
set -eu
here=$(dirname "$0")
node() {
    TMPDIR=$PWD bash "$here/node.sh" "$1" "$2" "$3" 127.0.0.1 a=127.0.0.1:17121 b=127.0.0.1:17122 c=127.0.0.1:17123 &
    nodes+=("$!")
}
trap 'kill "${nodes[@]}"' EXIT
node a 17111 17121
node b 17112 17122
node c 17113 17123
bash "$here/client.sh" http://127.0.0.1:17111 http://127.0.0.1:17112 http://127.0.0.1:17113 |
    sed 's/^a started/etcd1 started/; s/^b started/etcd2 started/; s/^c started/etcd3 started/'
