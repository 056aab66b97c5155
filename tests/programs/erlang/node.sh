#!/bin/bash
# One of two nodes that know each other by the port mapper of their hosts.
set -eu
role=$1 name=$2
here=$(cd "$(dirname "$0")" && pwd)
export HOME=${TMPDIR:-/tmp}
exec erl -noshell -pa "$here" -sname "$name" -setcookie secret -s world "$role" "${@:3}"
