#!/bin/bash
set -eu
cd "$(dirname "$0")"
/usr/bin/javac Main.java
