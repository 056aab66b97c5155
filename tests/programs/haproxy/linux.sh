#!/bin/bash
set -eu
here=$(dirname "$0")
bash "$here/page.sh" one 17015 & one=$!
bash "$here/page.sh" two 17016 & two=$!
bash "$here/balancer.sh" 17017 127.0.0.1:17015 127.0.0.1:17016 & balancer=$!
trap 'kill $one $two $balancer 2> /dev/null || true; wait' EXIT
bash "$here/client.sh" 127.0.0.1 17017
