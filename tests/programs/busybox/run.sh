# The shell and the tools of one static program. Each tool is called through `busybox` so that it is not the machine's own.
set -eu
b() { /bin/busybox "$@"; }
here=$(b mktemp -d)
cd "$here"

echo '-- pipelines'
b seq 1 1000 | b awk '{ s += $1 } END { print s }'
b printf 'b\na\nc\n' | b sort -r | b tr 'a-c' 'A-C' | b paste -s -
b yes no | b head -n 2 | b md5sum | b cut -c 1-32

echo '-- files'
b mkdir -p tree/one tree/two
for i in 1 2 3 4 5; do b echo "line $i" > "tree/one/$i"; done
b cp -r tree/one/. tree/two
b find tree -type f | b sort | b xargs /bin/busybox cat | b sha1sum | b cut -c 1-40
b tar -czf tree.tgz tree && b tar -tzf tree.tgz | b wc -l
b rm -r tree && b tar -xzf tree.tgz && b ls tree
b sed -i 's/line/row/' tree/one/1 && b cat tree/one/1
b test -x /bin/busybox && b echo 'busybox may be run'

echo '-- shell'
b sh -c 'trap "echo caught TERM; exit 4" TERM; kill -TERM $$; sleep 5' || b echo "status $?"
b sh -c 'cat <<END
here $((3 + 4))
END'
i=0
while [ "$i" -lt 300 ]; do
    i=$(b expr "$i" + 1)
done
b echo "counted to $i"
b sh -c 'exit 9' & b sleep 0.1
wait $! || b echo "child ended with $?"
b ash -c 'for i in 1 2 3; do (sleep 0.$i; echo woke $i) & done; wait'
