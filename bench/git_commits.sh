#!/bin/bash
# git_commits.sh FOLDER N : N commits into a new repository in the folder, each durable as git can make it.
set -eu
top=$(mktemp -d -p "$1")
trap 'cd /; rm -rf "$top"' EXIT
cd "$top"
git() { /usr/bin/git -c user.name=a -c user.email=a@example.org -c core.fsync=all "$@"; }
git init -q .
for ((i = 0; i < $2; i++)); do
    echo "$i" > "file$((i % 20))"
    git add .
    git commit -q -m "$i"
done
