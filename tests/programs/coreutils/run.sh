#!/bin/bash
# A tree is made, searched, packed, unpacked and compared; xargs runs four children at a time.
set -eu
umask 022
cd "$(mktemp -d)"

echo '-- tree'
mkdir -p tree/{a,b,c}/{x,y,z}
for folder in tree/*/*; do
    for i in $(seq 1 20); do echo "$folder $i" > "$folder/file$i"; done
done
ln -s ../a/x/file1 tree/b/link
ln tree/a/x/file2 tree/c/hard
touch -d '2020-02-29 12:00:00 UTC' tree/a/old
chmod 640 tree/a/old
stat -c '%s %a %h %Y %F' tree/a/old
stat -c '%s %a %h %F' tree/c/hard tree/b/link
find tree -type f | wc -l
find tree -name 'file1?' -newer tree/a/old | sort | head -n 2
find tree -type f -size -1k -o -type l | sort
du -s --apparent-size --block-size=1 tree/a/x/file1 | cut -f 1

echo '-- texts'
cat tree/a/x/file{1,2,3} | sort -r | nl -w 2 | cut -f 2 | tac
find tree -type f -print0 | sort -z | xargs -0 cat | sha256sum
grep -r --include='file20' -h a/ tree | sort
seq 1 100 | shuf --random-source=<(yes) | sort -n | tail -n 1
split -l 30 -d <(seq 100) part. && wc -l part.* | awk '{ print $1, $2 }'
join <(printf '1 a\n2 b\n') <(printf '1 x\n2 y\n')
comm -12 <(seq 1 6) <(seq 4 9) | paste -s
seq 3 | awk '{ total += $1 } END { print "total", total }'
printf 'b\0a\0' | sort -z | tr '\0' '\n'
od -A d -t x1 <<< hello
date -u -d @1798761600 +%FT%TZ
dd if=/dev/zero of=zeros bs=64K count=16 conv=fsync status=none && cksum zeros
truncate -s 1M sparse && cmp zeros sparse && echo same

echo '-- tar and gzip'
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tree.tar tree
sha256sum < tree.tar | cut -c 1-16
gzip -kn9 tree.tar && gzip -t tree.tar.gz && zcat tree.tar.gz | cmp - tree.tar && echo 'gzip is true'
mkdir out && tar -C out -xzf tree.tar.gz && diff -r tree out/tree && echo 'trees are the same'
tar -tf tree.tar | wc -l

echo '-- moves'
cp -a tree copy && mv copy moved && rm -r tree/a && diff -rq --no-dereference tree moved | sort | head -n 1
install -D -m 755 /bin/true bin/true && bin/true && echo 'installed and run'
ln -sfn moved here && readlink here && basename "$(realpath here)"

echo '-- xargs -P'
seq 1 40 | xargs -P 4 -n 1 sh -c 'echo "$1 squared is $(($1 * $1))"' _ | sort -n | sed -n '1p;20p;40p'
seq 1 8 | xargs -P 8 -I{} sh -c 'sleep 0.{}; exit 0' && echo 'all slept'
seq 1 3 | xargs -n 1 sh -c 'test "$0" -ne 2' || echo "xargs says $?"
timeout 0.2 sleep 10 || echo "timeout says $?"
