#!/bin/sh
# Installs the programs that `npm run bench` compares with, from Debian and npm. The bench starts and ends them by itself, on
# loopback, high ports and temporary folders; what Debian starts as services is not needed.
set -eu
apt-get install --yes --no-install-recommends redis-server ngircd nats-server \
  curl lftp pure-ftpd python3-pyftpdlib python3-openssl
# Debian lets one FTP server be installed at a time: of this one only the program is taken.
apt-get install --yes --no-install-recommends libcap2 libpam0g libssl3 libwrap0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download vsftpd && dpkg -x vsftpd_*.deb . && install -m 755 usr/sbin/vsftpd /usr/local/sbin/vsftpd)
# Not recorded anywhere: the next `npm ci` removes it.
npm install --no-save --ignore-scripts ftp-srv@4.6.3
