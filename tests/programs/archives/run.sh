#!/bin/bash
# Packing, unpacking and copying: tar with four compressors, some of them with threads, and rsync.
set -eu
export TZ=UTC
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
mkdir -p tree/deep/er
seq 20000 > tree/numbers
seq 300 | tac > tree/deep/reverse
ln -s ../numbers tree/deep/link
ln tree/numbers tree/deep/er/hard
chmod 640 tree/deep/reverse
touch -d @1000000000 tree/numbers tree/deep/reverse
for how in gzip bzip2 xz zstd; do
    tar --create --$how --file=tree.$how tree
    mkdir out.$how
    tar --extract --file=tree.$how --directory=out.$how
    diff -r tree out.$how/tree && echo "$how: the same"
done
stat -c '%n %A %h %s %Y' out.xz/tree/numbers out.xz/tree/deep/reverse
readlink out.xz/tree/deep/link
xz -T2 --block-size=64KiB -c tree/numbers | xz -dc | cksum
zstd -q -T2 -c tree/numbers | zstd -dqc | cksum
rsync -aH tree/ copy/
diff -r tree copy && stat -c %h copy/numbers
echo more >> copy/numbers
rm copy/deep/reverse
echo extra > copy/extra
rsync -aHiO --checksum --delete tree/ copy/
diff -r tree copy && echo 'rsync: the same'
