#!/bin/bash
# Pages large and small, ranges, compression, uploads, a proxy, many requests on one connection, and a reload.
set -eu
url=http://$1:$2
get() { curl -sS "$@"; }
cd "$(mktemp -d)"
get "$url/version"
get "$url/page"
get "$url/large" | cksum
get -r 10-19 "$url/large"; echo
get --compressed "$url/large" | cksum
get -o /dev/null -w '%{http_code}\n' "$url/no-such-page"
get -I "$url/page" | tr -d '\r' | grep -E '^(HTTP|Content-Length)'
get "$url/proxy/page"
seq -f "$url/page?%g" 50 | sed 's/^/url = /' | get -K - | sort | uniq -c | sed 's/^ *//'
seq 8 | xargs -P 8 -I{} curl -sS -o large{} "$url/large" && cksum large? | sort | uniq -c -w 10 | awk '{ print $1, $2 }'
head -c 2000000 /dev/zero | tr '\0' u > upload
get -T upload -w '%{http_code}\n' "$url/uploads/upload"
get "$url/uploads/upload" -o back -w '%{size_download} of %{http_code}\n' || true
head -c 5000000 /dev/zero > too-large
get -o /dev/null -T too-large -w '%{http_code}\n' "$url/uploads/too-large"
echo now | get -T - "$url/uploads/reload"
until [ "$(get "$url/version")" = two ]; do sleep 0.1; done
get "$url/version"
get "$url/page"
echo now | get -T - "$url/uploads/quit"
while curl -sS -o /dev/null "$url/version" 2> /dev/null; do sleep 0.1; done
echo 'the server has ended'
