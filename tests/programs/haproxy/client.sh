#!/bin/bash
set -eu
url=http://$1:$2
until [ "$(curl -sS "$url/ready" 2> /dev/null)" = ready ]; do sleep 0.1; done
sleep 1
for _ in 1 2 3 4; do curl -sS "$url/page"; done | sort | uniq -c | sed 's/^ *//'
curl -sS "$url/large" | cksum
seq 8 | xargs -P 8 -I{} curl -sS -o /dev/null -w '%{http_code} %{size_download}\n' "$url/large" | sort | uniq -c | sed 's/^ *//'
ab -q -k -n 400 -c 8 "$url/page" | grep -E '^(Complete|Failed) requests'
