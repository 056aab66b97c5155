#!/bin/bash
# nginx on a port with a folder of its own. A helper on the same host changes the configuration and asks for a reload
# when a client has put a file named `reload` there, and ends it when there is one named `quit`.
set -eu
port=$1 top=$2
mkdir -p "$top/pages" "$top/uploads" "$top/temporary"
chmod 777 "$top/uploads" "$top/temporary"
head -c 3000000 /dev/zero | tr '\0' 's' > "$top/pages/large"
echo 'a page' > "$top/pages/page"
configure() {
    cat > "$top/nginx.conf" <<END
daemon off;
worker_processes 2;
pid $top/nginx.pid;
events { worker_connections 128; }
http {
    access_log off;
    sendfile on;
    gzip on;
    gzip_types *;
    client_max_body_size 4m;
    client_body_temp_path $top/temporary/body;
    proxy_temp_path $top/temporary/proxy;
    fastcgi_temp_path $top/temporary/fastcgi;
    uwsgi_temp_path $top/temporary/uwsgi;
    scgi_temp_path $top/temporary/scgi;
    upstream self { server 127.0.0.1:$port; keepalive 4; }
    server {
        listen $port;
        root $top/pages;
        default_type text/plain;
        location /version { return 200 "$1\n"; }
        location /uploads/ { root $top; dav_methods PUT; }
        location /proxy/ { proxy_pass http://self/; }
    }
}
END
}
configure one
/usr/sbin/nginx -e stderr -c "$top/nginx.conf" & server=$!
until [ -e "$top/uploads/reload" ]; do sleep 0.1; done
configure two
kill -HUP "$server"
until [ -e "$top/uploads/quit" ]; do sleep 0.1; done
kill -QUIT "$server"
wait "$server"
