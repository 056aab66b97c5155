#!/bin/bash
# A server and its client, children, pipes, signals and sorting in Perl.
set -eu
exec perl "$(dirname "$0")/main.pl"
