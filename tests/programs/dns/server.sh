#!/bin/bash
# A name server that knows a few names.
set -eu
exec dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --port="$1" \
    --address=/four.test/192.0.2.4 --address=/six.test/2001:db8::6 --txt-record=text.test,"a text" \
    --cname=alias.test,real.test --host-record=real.test,192.0.2.9 --mx-host=mail.test,mx.test,10 2> /dev/null
