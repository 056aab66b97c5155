#!/bin/sh
# A bank of pgbench, 8 clients, and what its books say.
set -eu
bin=/usr/lib/postgresql/15/bin
"$bin/pgbench" --initialize --quiet --scale=1 postgres 2> /dev/null
"$bin/pgbench" --client=8 --jobs=2 --transactions=25 --no-vacuum postgres 2> /dev/null | grep 'actually processed'
"$bin/psql" -X -q -A -t -c 'SELECT count(*) FROM pgbench_history' postgres
"$bin/psql" -X -q -A -t -c 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)' postgres
