#!/bin/bash
# Lisp threads and a garbage collector that protects memory and stops all threads by signals.
set -eu
exec sbcl --script "$(dirname "$0")/main.lisp"
