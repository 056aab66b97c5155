#!/bin/bash
set -eu
cd "$(dirname "$0")"
g++ -O2 -std=c++17 -fopenmp -pthread main.cpp -o main
