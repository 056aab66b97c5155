#!/bin/bash
set -eu
here=$(dirname "$0")
bash "$here/client.sh" 127.0.0.1 ::1
