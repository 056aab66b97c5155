#!/bin/bash
# An address of the network that nobody has, and one of no network.
four=$(hostname -i)
ping -c 2 -i 0.5 -W 5 "${four%.*}.200" | grep -e Unreachable -e received | sed -e "s/$four/own/" -e 's/, time.*//'
curl -sS -m 10 "http://${four%.*}.200/" 2>&1 | grep -o 'No route to host\|after [0-9]* ms' | tail -n 1
ping -c 1 203.0.113.1 2>&1
tracepath -n -m 2 "${four%.*}.200" | grep -c -e !H
