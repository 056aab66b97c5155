#!/bin/bash
# nginx with TLS of two versions.
set -eu
plain=$1 tls=$2 top=$3
mkdir -p "$top/pages"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$top/key" -out "$top/certificate" \
    -days 30 -subj /CN=web -addext 'subjectAltName=DNS:web,IP:127.0.0.1' 2> /dev/null
head -c 1024 /dev/zero | tr '\0' k > "$top/pages/kilobyte"
head -c 1000000 /dev/zero | tr '\0' m > "$top/pages/megabyte"
cat > "$top/nginx.conf" <<END
daemon off;
worker_processes 1;
pid $top/nginx.pid;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $top/body;
    proxy_temp_path $top/proxy;
    fastcgi_temp_path $top/fastcgi;
    uwsgi_temp_path $top/uwsgi;
    scgi_temp_path $top/scgi;
    server {
        listen $plain;
        listen $tls ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $top/certificate;
        ssl_certificate_key $top/key;
        root $top/pages;
        default_type text/plain;
        location = /hello { return 200 "hello by \$ssl_protocol\n"; }
    }
}
END
exec /usr/sbin/nginx -e stderr -c "$top/nginx.conf"
