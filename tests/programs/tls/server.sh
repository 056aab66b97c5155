#!/bin/bash
# socat serves a command for each connection, and stunnel puts TLS before it.
set -eu
plain=$1 tls=$2
top=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$top/key" -out "$top/certificate" \
    -days 30 -subj /CN=server 2> /dev/null
socat "TCP-LISTEN:$plain,fork,reuseaddr,bind=127.0.0.1" 'SYSTEM:while read -r line; do echo "$line" | tr a-z A-Z; done' & inner=$!
trap 'kill $inner $outer 2> /dev/null || true' EXIT
cat > "$top/configuration" <<END
foreground = yes
pid =
cert = $top/certificate
key = $top/key
[tls]
accept = 0.0.0.0:$tls
connect = 127.0.0.1:$plain
END
stunnel4 "$top/configuration" 2> /dev/null & outer=$!
wait "$outer"
