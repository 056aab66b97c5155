# A shell at work: pipelines, background jobs, traps, here-documents, subshells, exit codes.
set -u
fail() { echo "$0: $1" >&2; exit 1; }
folder=$(mktemp -d /tmp/guest-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

[ "$(printf 'c\na\nb\n' | sort | tr '\n' -)" = "a-b-c-" ] || fail "pipeline"
[ "$(seq 1 1000 | while read -r n; do echo "$n"; done | tail -n 1)" = 1000 ] || fail "read loop"
text=$(cat <<END
one $((1 + 1))
END
)
[ "$text" = "one 2" ] || fail "here-document"
(exit 7); [ $? = 7 ] || fail "exit code"
{ sh -c 'kill -TERM $$'; } 2> /dev/null; [ $? = 143 ] || fail "death by signal"
false | true || fail "pipeline status"

for n in 1 2 3 4 5; do (exit $n) & eval "job$n=$!"; done
for n in 5 3 1 2 4; do eval "wait \$job$n"; [ $? = $n ] || fail "wait for $n"; done

trapped=
trap 'trapped=yes' USR1
kill -USR1 $$
[ "$trapped" = yes ] || fail "trap"
sleep 5 & sleeper=$!
(sleep 0.1; kill -USR1 $$) &
trapped=
wait $sleeper; [ $? -gt 128 ] || fail "interrupted wait"
[ "$trapped" = yes ] || fail "trap during wait"
kill $sleeper
{ wait $sleeper; } 2> /dev/null; [ $? = 143 ] || fail "killed job"

mkfifo fifo
(echo through > fifo) &
read -r word < fifo
[ "$word" = through ] || fail "fifo"
echo a > file; echo b >> file; exec 5< file; read -r first <&5; read -r second <&5; exec 5<&-
[ "$first$second" = ab ] || fail "redirection"
umask 077; : > private; [ "$(stat -c %a private)" = 600 ] || fail "umask"
for n in $(seq 1 100); do /bin/true || fail "fork $n"; done
find . -type f | xargs -n 1 -P 4 wc -c > /dev/null || fail "xargs"
wait
exit 0
