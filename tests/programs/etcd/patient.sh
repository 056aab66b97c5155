#!/bin/bash
# patient.sh ENDPOINT.. : after 59 minutes the cluster is whole and has lost nothing.
set -eu
all=$(IFS=,; echo "$*")
for minute in $(seq 59); do
    etcdctl --endpoints "$all" put "minute/$minute" x > /dev/null
    sleep 60
done
etcdctl --endpoints "$all" get --prefix minute/ --keys-only | grep -c minute
etcdctl --endpoints "$all" get after --print-value-only
etcdctl --endpoints "$all" endpoint health 2>&1 | grep -c 'is healthy'
