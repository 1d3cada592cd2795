#!/usr/bin/env bash
# A Ceph RADOS Gateway of one's own: one monitor, one manager, one OSD on a file, one gateway, from Debian's packages,
# as root and without systemd. Loopback only, about 20 s.
#   ceph.sh start DIRECTORY PORT     the gateway on PORT, the rest on PORT+1 to PORT+60
#   ceph.sh stop DIRECTORY           ends it all; `rm -r DIRECTORY` then forgets it
#   ceph.sh add-user DIRECTORY NAME KEY SECRET
#   ceph.sh gateway-stop DIRECTORY   ends the gateway alone;  gateway-start DIRECTORY starts it again
# The user's keys are pawltest and pawltestsecret.
set -euo pipefail

action=${1:?start, stop, add-user, gateway-start or gateway-stop}
base=${2:?a directory}
conf=$base/ceph.conf

ceph_() { timeout 60 ceph -c "$conf" "$@"; }

wait_for() {  # wait_for SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { echo "ceph.sh: gave up waiting for: $*" >&2; exit 1; }
    sleep 0.2
  done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
osd_is_up() { ceph_ osd stat | grep -q '1 up'; }

write_conf() {
  local port=$1 fsid=$2
  cat >"$conf" <<CONF
[global]
fsid = $fsid
mon_initial_members = a
mon_host = v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_bind_ipv6 = false
ms_bind_port_min = $((port + 10))
ms_bind_port_max = $((port + 60))
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
run_dir = $base/run
admin_socket = $base/run/\$name.asok
pid_file = $base/run/\$name.pid
log_file = $base/log/\$name.log
mon_cluster_log_file = $base/log/cluster.log
crash_dir = $base/log
[mon.a]
mon_data = $base/mon
host = localhost
[mgr]
mgr_data = $base/mgr
mgr_initial_modules =
[osd.0]
osd_data = $base/osd
osd_objectstore = bluestore
bluestore_block_size = 4294967296
bluestore_block_create = true
osd_memory_target = 939524096
[client.rgw.a]
rgw_data = $base/rgw
# The gateway's own default is a secure channel to the monitor, which authentication "none" can't make: it would wait 300 s.
ms_mon_client_mode = crc
# Without tcp_nodelay a 412 takes 44 ms: the answer's two writes meet the client's delayed acknowledgement.
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_thread_pool_size = 64
debug_rgw = 0/0
CONF
}

start_gateway() {
  local port
  port=$(sed -nE 's/.*endpoint=127\.0\.0\.1:([0-9]+).*/\1/p' "$conf")
  timeout 120 radosgw -n client.rgw.a -c "$conf"
  wait_for 60 listens "$port"
}

end_daemon() {  # end_daemon NAME: by its own pid file
  local file=$base/run/$1.pid pid
  [[ -f $file ]] || return 0
  pid=$(cat "$file")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

start() {
  local port=$1 fsid osd
  mkdir -p "$base"/{mon,mgr,osd,rgw,run,log}
  fsid=$(cat /proc/sys/kernel/random/uuid)
  write_conf "$port" "$fsid"
  monmaptool --create --clobber --fsid "$fsid" \
    --addv a "[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]" "$base/monmap" >/dev/null
  ceph-mon --mkfs -i a --monmap "$base/monmap" -c "$conf"
  ceph-mon -i a -c "$conf"
  ceph-mgr -i a -c "$conf"
  osd=$(cat /proc/sys/kernel/random/uuid)
  ceph_ osd new "$osd" 0 >/dev/null
  ceph-osd -i 0 --mkfs --osd-uuid "$osd" -c "$conf"
  ceph-osd -i 0 -c "$conf"
  ceph_ osd crush add osd.0 1.0 root=default host=localhost >/dev/null
  wait_for 60 osd_is_up
  start_gateway
  add_user pawl pawltest pawltestsecret
}

add_user() {  # add_user NAME KEY SECRET
  timeout 120 radosgw-admin -c "$conf" user create --uid="$1" --display-name="$1" \
    --access-key="$2" --secret-key="$3" >/dev/null
}

case $action in
  start) start "${3:?the port of the gateway}" ;;
  stop) for daemon in client.rgw.a osd.0 mgr.a mon.a; do end_daemon "$daemon"; done ;;
  add-user) add_user "${3:?its name}" "${4:?its key}" "${5:?its secret}" ;;
  gateway-start) start_gateway ;;
  gateway-stop) end_daemon client.rgw.a ;;
  *) echo "ceph.sh: no action $action" >&2; exit 2 ;;
esac
