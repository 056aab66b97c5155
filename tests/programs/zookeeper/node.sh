#!/bin/bash
# One of three servers; its number is the last character of its host's name.
set -eu
mkdir /tmp/zookeeper
name=$(hostname)
echo "${name: -1}" >/tmp/zookeeper/myid
exec java -Xmx128m -cp "/usr/share/java/zookeeper.jar" org.apache.zookeeper.server.quorum.QuorumPeerMain "$(dirname "$0")/zoo.cfg"
