#!/bin/bash
# What ip, ss and /proc/net tell of a host's interfaces and sockets.
set -eu
server=$1
until exec 3<> "/dev/tcp/$server/7000"; do sleep 0.1; done 2> /dev/null
sleep 0.1
ip -o link | awk '{ print $2, $3, $4, $5 }'
ip -o addr | awk '{ print $2, $3, $4, $5, $6 }'
ip addr show dev eth0 | awk 'NR == 1 { print $2, $9 }'
ip route
ip route show table local
ip -6 route
ip rule
ip neigh | sed 's/ \(REACHABLE\|STALE\)$//'
four=$(getent ahostsv4 "$server" | awk 'NR == 1 { print $1 }')
ip route get "$four" | head -n 1
ip route get 127.0.0.1 | head -n 1
ip link set lo down 2>&1 || true
ip -br link | awk '{ print $1, $2 }'
echo sockets
ss -Htan | awk '{ print $1, $2, $3, $5 }'
ss -Htani | grep -c -o 'mss:[0-9]*'
ss -Htan state established '( dport = :7000 )' | wc -l
socat -u UDP-LISTEN:6000 - & first=$!
socat -u UNIX-LISTEN:door - & second=$!
until [ "$(ss -Huan | wc -l)" -ge 1 ] && [ -e door ]; do sleep 0.1; done
ss -Huan | awk '{ print $1, $4 }'
ss -Hxl | awk '{ print $1, $2, $4, $5 }' | sed 's,/.*/,,'
ss -Hltnp | wc -l
kill "$first" "$second"
ss -s > /dev/null
echo files
awk 'NR > 1 { print $3, $4 }' /proc/net/tcp
for file in tcp tcp6 udp udp6 raw raw6 icmp unix dev route arp if_inet6 snmp netstat sockstat sockstat6 netlink packet; do
    [ "$(head -c 1 "/proc/net/$file" | wc -c)" = 1 ] || [ "$file" = if_inet6 ] || echo "$file is empty"
done
awk '/^Tcp: [0-9]/ { print "established", $10 }' /proc/net/snmp
awk '/^TCP:/ { print $1, $3 }' /proc/net/sockstat
busybox netstat -tn | awk 'NR > 2 { print $1, $5, $6 }'
/usr/bin/netstat -i | awk 'NR > 2 { print $1, $2 }'
/usr/sbin/arp -an | sed 's/ \[ether\]//'
/usr/sbin/ifconfig eth0 | awk 'NR <= 2 { print $1, $2 }'
echo x >&3
