#!/bin/sh
# Says what SDKs say when a system is set up, three seconds late.
sleep 3
echo '{"antithesis_setup":{"status":"complete","details":null}}' >> "$ANTITHESIS_OUTPUT_DIR/sdk.jsonl"
