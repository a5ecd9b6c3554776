#!/bin/sh
# Installs the programs that `npm run bench` compares with, from Debian. The bench starts and ends them by itself, on
# loopback, high ports and temporary folders; what Debian starts as services is not needed.
set -eu
apt-get install --yes --no-install-recommends redis-server ngircd nats-server
