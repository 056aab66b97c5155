#!/bin/bash
# A root that is an image's, with a static shell and no C library, and the same test commands for both kinds of root.
set -eu
cd "$(dirname "$0")"
mkdir -p image/bin image/etc image/tmp image/opt/antithesis/test
cp "$(dpkg -L busybox-static | grep -m 1 /bin/busybox)" image/bin/busybox
for tool in sh sleep cat echo ls date rm mkdir wc grep touch; do
    ln -s busybox "image/bin/$tool"
done
echo "root:x:0:0:root:/:/bin/sh" > image/etc/passwd
chmod 755 commands/*/*
chmod 644 commands/all/parallel_driver_not_executable
cp -r commands image/opt/antithesis/test/v1
