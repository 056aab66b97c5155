#!/bin/bash
# The client of the world: the other host by its addresses.
set -eu
four=$(dig +short server)
exec bash /scenario/client.sh "$four" "$(dig +short AAAA server)"
