#!/bin/bash
exec "$(dirname "$0")/guest"
