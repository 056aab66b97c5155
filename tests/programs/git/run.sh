#!/bin/bash
# A repository's life: commits, a branch, a merge, a clone, garbage collection, a check. Names and dates are fixed, so
# that every object's name is too.
set -eu
umask 022
cd "$(mktemp -d)"
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
export GIT_AUTHOR_DATE='1798761600 +0000' GIT_COMMITTER_DATE='1798761600 +0000'
git() { /usr/bin/git -c gc.auto=0 "$@"; }

git init -q -b main book
cd book
for i in $(seq 1 200); do
    mkdir -p "part$((i % 7))"
    seq "$i" $((i + 50)) > "part$((i % 7))/page$i"
done
git add .
git commit -q -m 'All pages'
git log --oneline --stat | tail -n 1
git rev-parse HEAD

echo '-- a branch'
git checkout -q -b edit
sed -i 's/^42$/forty-two/' part0/page42 part1/page36
git mv part2/page2 part2/second
git status --short
git commit -q -am 'An edit'
git checkout -q main
echo extra > extra
git add extra
git commit -q -m 'Something else'
git merge -q --no-ff -m 'Merge edit' edit
git log --graph --oneline --format='%h %s'
git diff --stat HEAD~1 HEAD
git blame -s part0/page42 | grep forty

echo '-- a clone'
cd ..
git clone -q book copy
cd copy
git rev-parse HEAD
echo more >> extra
git commit -q -am 'More'
git push -q origin HEAD:refs/heads/more
cd ../book
git branch --list
git cherry-pick more > /dev/null
git log -1 --format='%h %s'
git stash list | wc -l
git grep -c forty

echo '-- upkeep'
git gc -q --prune=now
git fsck --full --strict 2>&1
git count-objects -v | grep -E 'in-pack|packs'
git verify-pack -v .git/objects/pack/*.idx | grep -c ' commit '
git archive HEAD | tar -t | wc -l
git bundle create -q ../all.bundle --all && git bundle verify -q ../all.bundle && echo 'the bundle is whole'
