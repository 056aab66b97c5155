#!/bin/bash
# Commands, terminals, copies and a tunnel through ssh.
set -eu
host=$1 port=$2 shared=$3
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
ssh-keygen -q -t ed25519 -N '' -f key
cp key.pub "$shared/authorized"
until [ -e "$shared/ready" ]; do sleep 0.1; done
options=(-F none -i "$PWD/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile="$PWD/known" -o LogLevel=ERROR)
there=(ssh "${options[@]}" -p "$port" "root@$host")
until "${there[@]}" true 2> /dev/null; do sleep 0.1; done
"${there[@]}" 'echo from the other side; exit 3' || echo "it ended with $?"
seq 50000 | "${there[@]}" cksum
# Where no login was ever written down, sshd says so on the terminal.
"${there[@]}" -tt 'test -t 0 && echo a terminal' < /dev/null | tr -d '\r' | grep -v ^lastlog
scp -q "${options[@]}" -P "$port" "root@$host:$shared/file" copied
cat copied
echo "get $shared/file fetched" | sftp -q -b - "${options[@]}" -P "$port" "root@$host" > /dev/null
cksum < fetched
mkdir tree
seq 1000 > tree/numbers
rsync -a -e "ssh ${options[*]} -p $port" tree "root@$host:$shared/"
cmp tree/numbers "$shared/tree/numbers" && echo 'the same'
"${there[@]}" -N -L "127.0.0.1:17013:127.0.0.1:$port" & tunnel=$!
until banner=$(exec 3<> /dev/tcp/127.0.0.1/17013 && head -c 8 <&3) 2> /dev/null && [ -n "$banner" ]; do sleep 0.1; done
echo "$banner"
kill "$tunnel"
