#!/usr/bin/env bash
# start.sh ROOT DIRECTORY
# Starts one monitor, one OSD in memory and the gateway in the tree ROOT, with their data in DIRECTORY (a path within the tree). Prints the URL of the gateway. The ports
# are free ones. The access key is "test", the secret key "testtest". stop.sh ends the processes.
set -euo pipefail
root=$1
directory=$2
for mounted in proc dev sys; do mountpoint -q "$root/$mounted" || mount --bind "/$mounted" "$root/$mounted"; done
find_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(find_port)
monitor=$(find_port)

rm -rf "${root:?}/${directory:?}"
mkdir -p "$root/$directory"/{mon/a,osd/0,run,log,rgw}
cat > "$root/$directory/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$monitor/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $directory/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon max pg per osd = 5000
mon osd full ratio = 0.99
admin socket = $directory/run/\$name.asok
pid file = $directory/run/\$name.pid
log file = $directory/log/\$name.log
crash dir = $directory/log
[mon]
mon data = $directory/mon/\$id
mon cluster log file = $directory/log/cluster.log
[osd]
osd data = $directory/osd/\$id
osd objectstore = memstore
memstore device bytes = 10G
osd class load list = *
osd class default list = *
[client]
rgw enable ops log = false
rgw thread pool size = 16
rgw data = $directory/rgw
rgw override bucket index max shards = 1
CONF

in_tree() { chroot "$root" env CEPH_CONF="$directory/ceph.conf" "$@"; }
await() { for _ in $(seq 600); do "$@" && return 0; sleep 0.1; done; echo "Gave up waiting: $*" >&2; return 1; }
is_osd_up() { in_tree ceph osd stat 2>/dev/null | grep -q '1 up'; }
is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

in_tree ceph-authtool --create-keyring "$directory/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
in_tree ceph-authtool "$directory/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
in_tree ceph-authtool "$directory/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' >/dev/null
in_tree ceph-authtool "$directory/keyring" --gen-key -n client.rgw --cap mon 'allow rwx' --cap osd 'allow rwx' >/dev/null
in_tree monmaptool --create --addv a "[v2:127.0.0.1:$monitor]" --fsid "$(awk '/^fsid/ { print $3 }' "$root/$directory/ceph.conf")" "$directory/monmap" >/dev/null
in_tree ceph-mon --mkfs -i a --monmap "$directory/monmap" --keyring "$directory/keyring" >/dev/null
in_tree ceph-mon -i a --public-addrv "[v2:127.0.0.1:$monitor]" >/dev/null
osd=$(cat /proc/sys/kernel/random/uuid)
in_tree ceph osd new "$osd" >/dev/null
in_tree ceph-osd -i 0 --mkfs --osd-uuid "$osd" >/dev/null 2>&1
in_tree ceph-osd -i 0 >/dev/null 2>&1
await is_osd_up
in_tree radosgw -n client.rgw --rgw-frontends "beast endpoint=127.0.0.1:$port" >/dev/null
await is_listening
in_tree radosgw-admin user create --uid=test --display-name=test --access-key=test --secret=testtest >/dev/null 2>&1
echo "http://127.0.0.1:$port"
