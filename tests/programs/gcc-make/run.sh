#!/bin/bash
# Builds a project of several files with four jobs, runs it, changes one file, and builds again.
set -eu
here=$(dirname "$(readlink -f "$0")")
cd "$(mktemp -d)"
cp -r "$here/project/." .
make -j4 --no-print-directory > log
sort log
./calc '1 + 2 * 3' '(1 + 2) * 3' '2 * (3 - 10) / 7'
echo '-- nothing to do'
make -j4 --no-print-directory
echo '-- one file changed'
sleep 1.1
sed -i 's/"= "/"is "/' main.c
make -j4 --no-print-directory
./calc '40 + 2'
echo '-- an error'
echo 'int broken(void) { return missing; }' > broken.c
gcc -c broken.c 2> errors || grep -c 'undeclared' errors
echo '-- optimised, static, with debug information'
gcc -O2 -g -static -o calc-static main.c lex.c parse.c
./calc-static '6 * 7'
printf 'int f(int a) { return a * 8; }' | gcc -O2 -S -x c -o - - | grep -c 'leal'
make --no-print-directory clean
ls
