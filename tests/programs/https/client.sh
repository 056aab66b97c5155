#!/bin/bash
set -eu
host=$1 plain=$2 tls=$3 top=$4
until curl -fsS -o /dev/null "http://$host:$plain/kilobyte" 2> /dev/null; do sleep 0.1; done
ask() { curl -sS --cacert "$top/certificate" "$@"; }
ask "https://$host:$tls/hello"
ask --tls-max 1.2 "https://$host:$tls/hello"
ask --http1.1 -o /dev/null -w '%{http_version} %{http_code}\n' "https://$host:$tls/hello"
ask --http2 -o /dev/null -w '%{http_version} %{http_code}\n' "https://$host:$tls/hello"
ask "https://$host:$tls/megabyte" | cksum
curl -sS "https://$host:$tls/hello" 2>&1 | grep -o 'SSL certificate problem: [a-z -]*'
(printf 'GET /hello HTTP/1.0\r\n\r\n'; sleep 0.5) | openssl s_client -quiet -no_ign_eof -connect "$host:$tls" -CAfile "$top/certificate" 2> /dev/null | tail -n 1
openssl s_client -connect "$host:$tls" -CAfile "$top/certificate" < /dev/null 2> /dev/null | grep -E '^(New|Verify)'
wrk -t 2 -c 16 -d 1 "http://$host:$plain/kilobyte" > told
awk '/requests in/ { print "requests", ($1 > 10) } /Non-2xx|Socket errors/' told
wrk -t 1 -c 4 -d 1 "https://$host:$tls/kilobyte" > told
awk '/requests in/ { print "requests", ($1 > 10) } /Non-2xx|Socket errors/' told
