#!/bin/sh
# An authority of your own (ca.pem) and a certificate by it (own.pem, own.key), in this
# folder, for a year. Scheduler, workers and coordinator get ca.pem, own.pem and own.key;
# ca.key goes to none of them. Needs OpenSSL 3.
#   sh examples/cluster/keys.sh
set -eu

new() {
  openssl req -x509 -newkey rsa:3072 -nodes -days 365 "$@"
}

umask 077
new -subj "/CN=authority" -keyout ca.key -out ca.pem \
  -addext keyUsage=critical,keyCertSign
new -subj "/CN=nbproctor" -keyout own.key -out own.pem -CA ca.pem -CAkey ca.key \
  -addext basicConstraints=critical,CA:FALSE
