# Writes into the volume, and says what is there and what lies above it.
cd /data 2> /dev/null || cd /srv/data 2> /dev/null || cd /mnt/shared
sleep "$2"
echo "there: $(ls | tr '\n' ' ')"
echo "of $1" 2> /dev/null > "file-of-$1" && echo "written" || echo "not written"
[ "$1" != last ] || echo "seen: $(cat file-of-first)"
echo "here: $(/bin/pwd -P)"
echo "above: $(cd .. && /bin/pwd -P)"
echo "host: $(cat ../etc/hostname ../../etc/hostname 2> /dev/null)"
echo "mode: $(grep -m 1 " $(/bin/pwd -P) " /proc/mounts | cut -d ' ' -f 4)"
