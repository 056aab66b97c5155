#!/bin/bash
set -eu
here=$(dirname "$0")
export ERL_EPMD_PORT=17022
host=$(hostname -s)
bash "$here/node.sh" server one & server=$!
trap 'kill $server 2> /dev/null || true; epmd -kill > /dev/null 2>&1 || true' EXIT
bash "$here/node.sh" client two "one@$host"
wait "$server" || true
