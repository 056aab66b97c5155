#!/bin/bash
# The SDKs as their registries have them, and programs that use them. What takes long to build is kept for the next time.
set -eu
cd "$(dirname "$0")"
mkdir -p "$KEEP"
if [ ! -d "$KEEP/python-sdk" ]; then
    rm -rf "$KEEP/python-sdk.new"
    PIP_ROOT_USER_ACTION=ignore /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$KEEP/python-sdk.new" antithesis==0.4.0
    mv "$KEEP/python-sdk.new" "$KEEP/python-sdk"
fi
cp -r "$KEEP/python-sdk" python-sdk
unset CARGO_ENCODED_RUSTFLAGS
cargo build --quiet --locked --manifest-path rust/Cargo.toml --target-dir "$KEEP/rust"
cp "$KEEP/rust/debug/asserts" asserts
# A static program cannot load the library: it writes to the file.
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked --manifest-path rust/Cargo.toml \
    --target-dir "$KEEP/rust-static" --target x86_64-unknown-linux-gnu
cp "$KEEP/rust-static/x86_64-unknown-linux-gnu/debug/asserts" asserts-static
CGO_ENABLED=0 GO111MODULE=off GOFLAGS= GOCACHE="$KEEP/go" /usr/bin/go build -o fallback fallback.go
gcc -O1 -o coverage coverage.c
