#!/bin/bash
set -eu
ask() { dig +short +tries=2 +time=2 -p "$port" @"$host" "$@"; }
host=$1 port=$2
until [ -n "$(ask four.test)" ]; do sleep 0.1; done 2> /dev/null
ask four.test
ask +tcp four.test
ask six.test AAAA
ask text.test TXT
ask alias.test
ask mail.test MX
ask -x 192.0.2.9
dig +tries=1 -p "$port" @"$host" nothing.test | grep -o 'status: [A-Z]*'
seq -f 'name%g.four.test' 50 > names.$$
trap 'rm -f names.$$' EXIT
ask -f names.$$ | sort | uniq -c | sed 's/^ *//'
