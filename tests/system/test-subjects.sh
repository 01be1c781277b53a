# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Calves that are named in another order, added or removed: what is whose.

. tests/system/calfpen.sh

# $LAB_DIR/calf is dhcp4, $LAB_DIR/observer a calf without frames; only those of the command line
# are started
make_calves() {
	own_description
	mkdir -p /etc/calfpen
	echo 'calves: {}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	mkdir -p "$LAB_DIR/observer"
	chmod 755 "$LAB_DIR/observer"
	cp "$tools/idle-calf" "$LAB_DIR/observer/"
	cat >"$LAB_DIR/observer/calf.yaml" <<-END
		name: observer
		executable: idle-calf
		limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
		keys:
		  - {path: /seen/, type: text, count: 8, max_length: 16, access: [read, write, delete]}
	END
}
dhcp4=(--calf "$LAB_DIR/calf")
observer=(--calf "$LAB_DIR/observer")

observe() { "$tools/gate" "$pins/gate_observer" write "$1" "$2" >/dev/null; }

# runs NAME - its process is there
runs() { [ "$(supervisor_pid)" = "$(pgrep -o calfpen-priv)" ] && alive "$(calf "$1" pid)"; }

# A calf is added, the order is swapped, each after a kill -9.
test_numbers_stay() {
	local before dhcp4_uids observer_uids n
	make_calves
	lease "${dhcp4[@]}"
	dhcp4_uids=$(uids dhcp4)
	assert_eq $'1879048198\n1879048199' "$dhcp4_uids"
	kill_all
	lease "${observer[@]}" "${dhcp4[@]}"
	wait_for 5 runs observer
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	observer_uids=$(uids observer)
	assert_eq $'1879048200\n1879048201' "$observer_uids"
	observe /seen/a 1
	observe /seen/b 2
	n=$(accepted dhcp4)
	[ "$n" -gt 0 ] || fail "no commits of dhcp4"
	kill_all
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for 5 runs observer
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	assert_eq "$observer_uids" "$(uids observer)"
	assert_eq dhcp4 "$(writer /ip)"
	assert_eq observer "$(writer /seen/a)"
	assert_eq 2 "$(accepted observer)"
	[ "$(accepted dhcp4)" -ge "$n" ] || fail "commits of dhcp4 were lost"
	observe /seen/a 3
	wait_for_line "$audit" '"subject":"observer","verb":"write","path":"/seen/a","verdict":"ok","value":"3"' 5
	assert_fails grep -q '"verb":"orphan"' "$audit"
}

nothing_is_configured() {
	[ -z "$(address)" ] && [ -z "$(ip -4 route show default)" ] && ! grep -q ^nameserver "$LAB_RESOLV"
}

# What a removed calf has set goes; it comes back as the subject that it was.
test_orphans_go() {
	local dhcp4_uids line
	make_calves
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for 5 runs observer
	dhcp4_uids=$(uids dhcp4)
	observe /seen/a 1
	kill_all
	calfpen_start "${observer[@]}"
	wait_for 10 runs observer
	wait_for 10 nothing_is_configured
	wait_for_line "$audit" '"subject":"dhcp4","verb":"orphan","path":"/ip","verdict":"ok"' 5
	assert_fails calfpen get /ip
	assert_eq 1 "$(calfpen get /seen/a)"
	# in one commit
	assert_eq 1 "$(grep '"verb":"orphan"' "$audit" | sed 's/.*"revision":\([0-9]*\).*/\1/' | sort -u | wc -l)"
	wait_for_line "$LAB_DIR/calfpen.log" 'deleted [0-9]+ keys of dhcp4 that no calf writes any more' 5
	stop calfpen || fail "exit code $?"
	lease "${dhcp4[@]}"
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	assert_fails calfpen get /seen/a
	wait_for_line "$audit" '"subject":"observer","verb":"orphan","path":"/seen/a"' 5
}

# A calf is added that needs more keys than the store was made for.
test_more_keys_than_before() {
	make_calves
	sed -i 's/count: 8/count: 300/' "$LAB_DIR/observer/calf.yaml"
	lease "${dhcp4[@]}"
	kill_all
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for_line "$LAB_DIR/calfpen.log" 'store: made room for [0-9]+ keys' 5
	assert_eq True "$(state store_adopted)"
	assert_eq dhcp4 "$(writer /ip)"
	wait_for 5 runs observer
	observe /seen/a 1
	kill_all
	lease "${dhcp4[@]}"
	assert_eq 1 "$(grep -c 'made room' "$LAB_DIR/calfpen.log")"
}

# A store that cannot be adopted is not touched, and neither is the host.
swap_pins() {
	mv "$pins/kv" "$pins/other"
	mv "$pins/slots" "$pins/kv"
	mv "$pins/other" "$pins/slots"
}
test_refused_store_stays() {
	local output
	lease
	kill_all
	swap_pins
	[ -e "$pins/link_uplink" ] || fail "nothing is attached"
	! output=$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1) || fail "started"
	assert_match "kv: cannot adopt the store of the previous run: wrong type" "$output"
	[ -e "$pins/link_uplink" ] || fail "what the killed run attached was detached"
	swap_pins
	lease
	assert_eq True "$(state store_adopted)"
}
