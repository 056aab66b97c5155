#!/bin/bash
# Pipelines, traps, here-documents, background jobs, substitutions, and thousands of forks.
set -u
cd "$(mktemp -d)" || exit 1

echo '-- pipelines'
printf '%s\n' pear apple fig apple | sort | uniq -c | sed 's/^ *//'
seq 1 20000 | tee copy | wc -l
wc -l < copy
yes | head -n 3 | tr -d '\n'; echo
false | true | cat; echo "statuses ${PIPESTATUS[*]}"
(set -o pipefail; false | true; echo "pipefail $?")
mkfifo pipe
seq 5 > pipe & paste -s -d + pipe; wait

echo '-- here-documents'
name=world
cat <<END
hello $name $((6 * 7))
END
cat <<'END'
hello $name
END
tr a-z A-Z <<< 'here string'
big=$(head -c 200000 /dev/zero | tr '\0' x)
wc -c <<< "$big"

echo '-- substitutions and arrays'
diff <(seq 1 3) <(seq 1 4)
declare -A colour=([sky]=blue [grass]=green)
for thing in sky grass; do echo "$thing ${colour[$thing]}"; done
text=abcabc; echo "${text//b/-} ${text:1:2} ${#text} ${text^^}"
while read -r number word; do echo "$word=$number"; done < <(printf '1 one\n2 two\n')
[[ 2027-01-01 =~ ^([0-9]+)- ]] && echo "year ${BASH_REMATCH[1]}"

echo '-- jobs'
for status in 3 0 7; do (exit "$status") & ids+=("$!"); done
for id in "${ids[@]}"; do wait "$id"; echo "child ended with $?"; done
set -m
sleep 100 & job=$!
kill -STOP %%; kill -CONT %%; kill -TERM %%
wait "$job" 2> /dev/null; echo "stopped, continued and ended: $?"
set +m
coproc DOUBLE { while read -r n; do echo $((2 * n)); done; }
echo 21 >&"${DOUBLE[1]}"; read -r answer <&"${DOUBLE[0]}"; echo "coprocess says $answer"
eval "exec ${DOUBLE[1]}>&-"; wait "$DOUBLE_PID" 2> /dev/null

echo '-- traps'
trap 'echo caught USR1' USR1
kill -USR1 $$
(trap 'echo subshell leaves with $?' EXIT; exit 5); echo "status $?"
bash -c 'kill -TERM $$'; echo "by signal: $?"
bash -c 'trap "" TERM; kill -TERM $$; echo survived'
sleep 100 & sleeper=$!
(sleep 0.2; kill -USR1 $$) &
wait "$sleeper"; echo "wait was interrupted: $?"
kill "$sleeper"; wait "$sleeper" 2> /dev/null
read -r -t 0.1 line < <(sleep 1); echo "read gave up: $?"

echo '-- forks'
sum=0
for ((i = 1; i <= 2000; i++)); do sum=$((sum + $(echo "$i"))); done
echo "sum $sum"
for ((i = 0; i < 100; i++)); do /bin/true || echo failed; done
trap 'echo goodbye' EXIT
