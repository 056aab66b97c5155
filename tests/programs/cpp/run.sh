#!/bin/bash
# Threads, futures, exceptions and OpenMP in C++.
set -eu
export OMP_NUM_THREADS=4
exec "$(dirname "$0")/main"
