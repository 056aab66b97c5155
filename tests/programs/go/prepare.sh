#!/bin/bash
set -eu
cd "$(dirname "$0")"
CGO_ENABLED=0 GO111MODULE=off GOFLAGS= /usr/bin/go build -o guest main.go
