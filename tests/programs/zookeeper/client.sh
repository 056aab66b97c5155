#!/bin/bash
# Three servers have one leader, and what one was given another has.
set -eu
client() {
    local server=$1
    shift
    java -Xmx64m -cp /usr/share/java/zookeeper.jar org.apache.zookeeper.ZooKeeperMain -server "$server:2181" "$@" 2>/dev/null
}
mode() {
    exec 3<>"/dev/tcp/$1/2181" || return 0
    echo srvr >&3
    grep Mode <&3 || true
    exec 3>&-
}
for tries in {1..60}; do
    modes=$(for server in zookeeper1 zookeeper2 zookeeper3; do mode "$server" 2>/dev/null; done)
    [ "$(wc -l <<<"$modes")" = 3 ] && break
    sleep 1
done
sort <<<"$modes"
client zookeeper1 create /town Athens | grep -c WatchedEvent
client zookeeper2 get /town | tail -1
client zookeeper3 set /town Sparta >/dev/null
client zookeeper1 get /town | tail -1
