#!/bin/bash
set -eu
cd "$(dirname "$0")"
erlc world.erl
