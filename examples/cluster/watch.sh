#!/bin/sh
# Prints three changes of the key `city` as another host makes them.
set -eu
etcdctl watch city > /tmp/changes &
watch=$!
# Ends the watch by its id once the last change is there.
until grep -q Lisbon /tmp/changes; do sleep 0.1; done
kill "$watch"
grep -v '^city$' /tmp/changes | paste -s -d ' '
