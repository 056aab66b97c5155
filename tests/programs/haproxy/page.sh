#!/bin/bash
# A web server with one page.
set -eu
top=$(mktemp -d)
echo "page of $1" > "$top/page"
head -c 1000000 /dev/zero | tr '\0' x > "$top/large"
printf 'server.document-root = "%s"\nserver.port = %s\nmimetype.assign = ("" => "text/plain")\n' "$top" "$2" > "$top/configuration"
exec /usr/sbin/lighttpd -D -f "$top/configuration" 2> /dev/null
