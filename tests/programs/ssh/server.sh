#!/bin/bash
# sshd on a port, for the key that the client puts into a shared folder.
set -eu
port=$1 shared=$2
own=$(mktemp -d)
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$own/key"
until [ -e "$shared/authorized" ]; do sleep 0.1; done
cp "$shared/authorized" "$own/authorized"
printf 'one\ntwo\n' > "$shared/file"
touch "$shared/ready"
# A shell that is not the outermost one reads no start-up files: those are the machine's own, and change.
exec /usr/sbin/sshd -D -e -f /dev/null -p "$port" -h "$own/key" -o AuthorizedKeysFile="$own/authorized" \
    -o SetEnv=SHLVL=2 -o StrictModes=no -o UsePAM=no -o PermitRootLogin=yes -o PidFile=none \
    -o 'Subsystem=sftp /usr/lib/openssh/sftp-server' 2> /dev/null
