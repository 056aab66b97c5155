#!/bin/bash
# Threads, queues, sockets, processes and fibres in Ruby.
set -eu
exec ruby "$(dirname "$0")/main.rb"
