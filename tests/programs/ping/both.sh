#!/bin/bash
# The client of the world: the other host by its addresses, and an address of the network that nobody has.
set -eu
four=$(getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
six=$(ip -6 addr show dev eth0 scope global | awk '/inet6/ { print $2 }' | sed 's,/.*,,')
bash /scenario/client.sh "$1" "$six" "${four%.*}.200"
bash /scenario/client.sh "$four" "$six"
