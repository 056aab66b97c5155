#!/bin/bash
# Two servers taken in turn, by two threads, as long as they are well.
set -eu
top=$(mktemp -d)
cat > "$top/configuration" <<END
global
    nbthread 2
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend all
    bind :$1
    http-request return status 200 content-type text/plain string ready if { path /ready } { nbsrv(pages) ge 2 }
    default_backend pages
backend pages
    balance roundrobin
    option httpchk GET /page
    server one $2 check inter 300 fall 1 rise 1
    server two $3 check inter 300 fall 1 rise 1
END
exec /usr/sbin/haproxy -f "$top/configuration" 2> /dev/null
