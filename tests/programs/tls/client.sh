#!/bin/bash
set -eu
at=$1:$2
until : 2> /dev/null > "/dev/tcp/$1/$2"; do sleep 0.1; done
ask() { (for line in "$@"; do echo "$line"; sleep 0.3; done; sleep 0.5) | openssl s_client -quiet -no_ign_eof -connect "$at" "${version[@]}" 2> /dev/null || true; }
version=(-tls1_3) && ask 'by the newest version' 'two lines'
version=(-tls1_2) && ask 'by an older version'
(sleep 0.5) | openssl s_client -connect "$at" 2> /dev/null | grep -E '^(subject|New)'
(echo 'socat on both sides'; sleep 0.5) | socat -t 1 - "OPENSSL:$at,verify=0"
seq 4 | xargs -P 4 -I{} bash -c '(echo "number {}"; sleep 0.5) | socat -t 1 - "OPENSSL:$0,verify=0"' "$at" | sort
