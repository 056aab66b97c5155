#!/bin/bash
exec iperf3 -s -p "$1" > /dev/null
