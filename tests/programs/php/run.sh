#!/bin/bash
# PHP's own web server and a script that asks it.
set -eu
cd "$(dirname "$0")"
php -n -S 127.0.0.1:17011 -t . page.php 2> /dev/null & server=$!
trap 'kill $server 2> /dev/null || true' EXIT
php -n main.php
