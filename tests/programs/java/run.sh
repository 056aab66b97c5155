#!/bin/bash
exec /usr/bin/java -cp "$(dirname "$0")" Main
