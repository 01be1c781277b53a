# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Several calves on one instance: each has its own and nothing of another.

. tests/system/calfpen.sh

# observer_calf - make $LAB_DIR/observer, a calf without frames
observer_calf() {
	mkdir -p "$LAB_DIR/observer"
	chmod 755 "$LAB_DIR" "$LAB_DIR/observer"
	cp "$tools/observer-calf" "$LAB_DIR/observer/"
	cat >"$LAB_DIR/observer/calf.yaml" <<'END'
name: observer
executable: observer-calf
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
  - {path: /ip, type: ipv4-net, access: [read, watch]}
  - {path: /observer/ip, type: text, max_length: 32, access: [write]}
END
}

# descriptors PID - number and kind of each, without inode numbers
descriptors() {
	find "/proc/$1/fd" -mindepth 1 -printf '%f %l\n' | sort -n | sed 's/\[.*//' | paste -sd ' '
}

# tap_holders - number of processes with the descriptor of a tap
tap_holders() { find /proc/[0-9]*/fd -lname /dev/net/tun -printf '%h\n' 2>/dev/null | sort -u | wc -l; }

is_observed() { [ "$(calfpen get /observer/ip)" = "$(calfpen get /ip)" ]; }

test_calf_without_frames_has_no_tap() {
	local dhcp4 observer
	observer_calf
	lease --calf "$TOP/build/lib/calfpen/calves/dhcp4" --calf "$LAB_DIR/observer"
	wait_for 10 is_observed
	dhcp4=$(state calves 0 pid)
	observer=$(state calves 1 pid)
	assert_eq "0 /dev/null 1 pipe: 2 pipe: 3 /dev/net/tun 4 socket: 5 /memfd:calfpen-report (deleted)" \
		"$(descriptors "$dhcp4")"
	assert_eq "0 /dev/null 1 pipe: 2 pipe: 3 /dev/null 4 socket: 5 /memfd:calfpen-report (deleted)" \
		"$(descriptors "$observer")"
	assert_eq "$(state tap)" "$(sed -n 's/^iff:[[:space:]]*//p' "/proc/$dhcp4/fdinfo/3")"
	assert_eq 0 "$(state calves 1 restarts)" "restarts of the calf without frames"
	assert_eq "calfpen $LAB_UPLINK dhcp4" "$(cat "/sys/class/net/$(state tap)/ifalias")"
	assert_eq 2 "$(tap_holders)" "the supervisor and dhcp4 only"
}
