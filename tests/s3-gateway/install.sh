#!/usr/bin/env bash
# install.sh ROOT
# Installs Ceph's object gateway into a Debian tree of its own, which is used through chroot: the packages of this machine's release are too old for
# conditional writes. Requires root and debootstrap. Takes 1 to 9 minutes, and 1.1 GB.
set -euo pipefail
root=$1
[ -x "$root/usr/bin/radosgw" ] && exit 0
command -v debootstrap >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap; }

# The mirror that this machine uses. The debootstrap of Debian 12 has no script for the next release; that of unstable fits.
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
mkdir -p "$root"
debootstrap --variant=minbase forky "$root" "$mirror" /usr/share/debootstrap/scripts/sid > "$root.log"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
for directory in proc dev sys; do mountpoint -q "$root/$directory" || mount --bind "/$directory" "$root/$directory"; done
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update -q >> "$root.log"
chroot "$root" apt-get install -y -q --no-install-recommends radosgw ceph-mon ceph-osd ceph-common >> "$root.log"
