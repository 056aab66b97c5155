#!/bin/bash
set -eu
here=$(dirname "$0")
gcc -O2 -Wall -Wextra -static-pie -pthread -o "$here/guest" "$here/guest.c"
