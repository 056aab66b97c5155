#!/bin/bash
# SQL of many kinds, locks between sessions, notifications, pgbench with 8 clients, a backend ended by another, a dump.
set -eu
bin=/usr/lib/postgresql/15/bin
cd "$(mktemp -d)"
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

echo '-- sql'
sql -c "SELECT version() LIKE 'PostgreSQL 15%'"
sql <<'END'
CREATE TABLE city (id serial PRIMARY KEY, name text UNIQUE, people int CHECK (people > 0), data jsonb);
INSERT INTO city (name, people, data) SELECT 'city ' || n, n * 10, jsonb_build_object('n', n) FROM generate_series(1, 5000) n;
CREATE INDEX by_data ON city USING gin (data);
ANALYZE city;
SELECT count(*), sum(people) FROM city;
SELECT name FROM city WHERE data @> '{"n": 77}';
WITH RECURSIVE fib(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM fib WHERE b < 100) SELECT string_agg(a::text, ' ') FROM fib;
BEGIN;
UPDATE city SET people = people + 1;
SAVEPOINT here;
DELETE FROM city;
ROLLBACK TO here;
COMMIT;
SELECT count(*), sum(people) FROM city;
END
sql -c 'INSERT INTO city (name, people) VALUES ($$x$$, -1)' 2>&1 | head -n 1
printf '1\tone\n2\ttwo\n' > rows
sql -c 'CREATE TABLE pair (a int, b text)' -c '\copy pair from rows' -c 'SELECT count(*) FROM pair'
seq 1 200000 | sql -c 'CREATE TEMP TABLE number (n int)' -c '\copy number from pstdin' \
    -c "SET work_mem = '64kB'" -c 'SELECT sum(n) FROM (SELECT n FROM number ORDER BY n DESC) AS sorted'
sql -c 'SET max_parallel_workers_per_gather = 2' -c 'SET parallel_setup_cost = 0' -c 'SET min_parallel_table_scan_size = 0' \
    -c 'SET parallel_tuple_cost = 0' -c 'SELECT avg(people)::int FROM city'

echo '-- sessions'
sql -c 'CREATE TABLE counter (n int)' -c 'INSERT INTO counter VALUES (0)'
for i in 1 2 3 4; do
    for j in 1 2 3 4 5; do echo 'UPDATE counter SET n = n + 1;'; done | sql &
    sessions+=("$!")
done
wait "${sessions[@]}"
sql -c 'SELECT n FROM counter'
sql -c 'BEGIN' -c 'LOCK counter' -c 'SELECT pg_sleep(1)' > /dev/null & holder=$!
sleep 0.3
sql -c "SET lock_timeout = '100ms'" -c 'SELECT n FROM counter' 2>&1 | head -n 1
wait "$holder"
sql -c "SET statement_timeout = '100ms'" -c 'SELECT pg_sleep(10)' 2>&1 | head -n 1
"$bin/psql" -X -q -c 'LISTEN news' -c 'SELECT pg_sleep(1)' -c 'SELECT 1' > heard & listener=$!
sleep 0.3
sql -c "NOTIFY news, 'it snows'"
wait "$listener"
grep -o 'notification "news" with payload "it snows"' heard
sql -c 'SELECT pg_sleep(30)' 2> /dev/null & sleeper=$!
sleep 0.3
sql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"
wait "$sleeper" || echo "the sleeper was ended: $?"

echo '-- pgbench'
"$bin/pgbench" --initialize --quiet --scale=2 2> /dev/null
"$bin/pgbench" --client=8 --jobs=4 --transactions=50 --no-vacuum 2> /dev/null | grep -E 'actually processed|failed'
"$bin/pgbench" --client=8 --jobs=2 --transactions=50 --select-only --protocol=prepared --no-vacuum 2> /dev/null | grep 'actually'
sql -c 'SELECT count(*) FROM pgbench_history' \
    -c 'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)'

echo '-- upkeep'
sql -c 'VACUUM FULL city' -c 'REINDEX TABLE city' -c 'CHECKPOINT'
sql -c 'CREATE DATABASE copy'
"$bin/pg_dump" --table=city | "$bin/psql" -X -q -v ON_ERROR_STOP=1 copy > /dev/null
sql -d copy -c 'SELECT count(*), sum(people) FROM city'
sql -c "COPY (SELECT 1) TO PROGRAM 'cat > end'"
until ! "$bin/pg_isready" -q; do sleep 0.2; done
echo 'the server has ended'
