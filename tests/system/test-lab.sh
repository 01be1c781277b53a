# shellcheck shell=bash disable=SC2154 # lib.sh sets started
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# The lab itself: what the other system tests rely on.

test_uplink_is_down_and_alone() {
	assert_eq "$LAB_UPLINK_MAC" "$(cat /sys/class/net/"$LAB_UPLINK"/address)"
	assert_match '^0x[0-9a-f]*[02468ace]$' "$(cat /sys/class/net/"$LAB_UPLINK"/flags)" \
		"the uplink must start down"
	assert_eq "lo $LAB_UPLINK" "$(find /sys/class/net -type l -printf '%f\n' | sort | paste -sd ' ')" \
		"no other device may be seen"
}

test_resolv_conf_is_private() {
	assert_eq "# lab" "$(cat "$LAB_RESOLV")"
	echo nameserver 10.77.0.9 >"$LAB_RESOLV"
	assert_eq "nameserver 10.77.0.9" "$(cat "$LAB_DIR/resolv.conf")"
}

test_bpffs_is_private() {
	# The kernel adds the sticky bit
	assert_match '^bpf_fs 1?700$' "$(stat -f -c %T /sys/fs/bpf) $(stat -c %a /sys/fs/bpf)"
	mkdir /sys/fs/bpf/calfpen
}

test_state_directories_are_empty() {
	local d
	for d in /run/calfpen /etc/calfpen /var/lib/calfpen /var/log/calfpen; do
		assert_eq "" "$(ls -A "$d")" "$d"
		touch "$d/written"
	done
}

test_ipv6_is_off() {
	[ -d /proc/sys/net/ipv6 ] || skip "no IPv6 in this kernel"
	assert_eq 1 "$(cat /proc/sys/net/ipv6/conf/"$LAB_UPLINK"/disable_ipv6)"
}

test_nested_lab_is_refused() {
	local out
	assert_fails tools/lab -- true
	out=$(tools/lab -- true 2>&1) || true
	assert_eq "lab: a lab inside a lab is not supported" "$out"
}

test_server_gives_a_lease() {
	skip_if_missing busybox
	cat >"$LAB_DIR/script" <<'END'
#!/bin/sh
[ "$1" != bound ] || env | grep -E '^(ip|subnet|router|dns|domain|search|mtu|lease|serverid)=' | sort
END
	chmod +x "$LAB_DIR/script"
	ip link set "$LAB_UPLINK" up
	start udhcpc busybox udhcpc -f -q -n -t 10 -T 1 -i "$LAB_UPLINK" \
		-s "$LAB_DIR/script" -O search -O mtu
	wait "${started[udhcpc]}" || fail "no lease"
	wait_for_line "$LAB_SERVER_LOG" "DHCPACK\($LAB_SERVER_IF\) 10\.77\.0\.1[0-9]+ $LAB_UPLINK_MAC" 5
	assert_match 'dns=10\.77\.0\.1 10\.77\.0\.2.*domain=lab\.example.*ip=10\.77\.0\.1[0-9][0-9].*lease=120.*mtu=1400.*router=10\.77\.0\.1.*search=lab\.example corp\.example.*serverid=10\.77\.0\.1.*subnet=255\.255\.255\.0' \
		"$(grep "=" "$LAB_DIR/udhcpc.log" | tr '\n' ' ')"
}

test_server_stops_and_starts() {
	server_stop
	server_start
	alive "$(<"$LAB_SERVER_PIDFILE")"
}

# A container with a user namespace is what every calf runs in.
test_oci_runtime_runs_in_the_lab() {
	local b=$LAB_DIR/bundle
	skip_if_missing runc busybox
	mkdir -p "$b/rootfs/bin" "$b"/rootfs/{proc,dev}
	cp "$(command -v busybox)" "$b/rootfs/bin/sh"
	cat >"$b/config.json" <<END
{
  "ociVersion": "1.0.2",
  "process": {
    "user": {"uid": 0, "gid": 0}, "cwd": "/", "noNewPrivileges": true,
    "args": ["/bin/sh", "-c", "echo from the container"], "env": []
  },
  "root": {"path": "rootfs", "readonly": true},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
  "linux": {
    "cgroupsPath": "/$LAB_CGROUP/test",
    "resources": {"pids": {"limit": 8}},
    "uidMappings": [{"containerID": 0, "hostID": 200000, "size": 1}],
    "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 1}],
    "namespaces": [{"type": "user"}, {"type": "pid"}, {"type": "mount"},
      {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]
  }
}
END
	assert_eq "from the container" "$(runc --root "$LAB_DIR/runc" run -b "$b" calf 2>&1)"
	# What a runtime leaves behind is swept when the lab ends
	mkdir -p "$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$LAB_CGROUP" | sed -n 1p)/left"
}
