#!/bin/bash
# Serves from a folder with an append-only file and snapshots; starts again once after a client has stopped it.
set -eu
serve() {
    /usr/bin/redis-server --bind 0.0.0.0 --protected-mode no --port "$1" --dir "$2" --daemonize no --loglevel warning \
        --appendonly yes --appendfsync always --save 3600 1 > /dev/null
}
serve "$@"
serve "$@"
