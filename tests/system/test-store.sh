# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The store of a running instance: reboot, rotation, the operator, watching.

. tests/system/calfpen.sh

saved=/var/lib/calfpen/$LAB_UPLINK/store

# also of a stopped instance
revision() {
	{ calfpen status --json || [ $? -eq 8 ]; } | python3 -c 'import json, sys; print(json.load(sys.stdin)["store"]["revision"])'
}

# The operator may write what a calf deletes when it is done; these it leaves.
lease_with_requests() {
	own_description
	sed -i '/path: \/control\/dhcp4\/renew,/ { p; s/renew/test/p; s/test/seen/ }' "$LAB_DIR/calf/calf.yaml"
	lease --calf "$LAB_DIR/calf"
}

# What a reboot takes: pins, run directory, the address; not the snapshot.
reboot() {
	stop calfpen
	rm -r "$pins" "$run"
	ip address flush dev "$LAB_UPLINK"
	ip link set "$LAB_UPLINK" down
}

saved_holds() {
	[ -s "$saved" ] && grep -qa "$1" "$saved"
}

test_revision_and_lease_survive_a_reboot() {
	local before server
	lease
	server=$(calfpen get /lease/server)
	wait_for 5 saved_holds "$server"
	before=$(revision)
	reboot
	server_stop
	calfpen_start
	wait_for 5 calfpen get /lease/server
	assert_eq "$server" "$(calfpen get /lease/server)"
	[ "$(revision)" -ge "$before" ] || fail "revision $(revision) after $before"
	assert_fails calfpen get /ip
}

# first_revision - of the audit log
first_revision() {
	python3 -c 'import json, sys
print(next(r["revision"] for r in map(json.loads, sys.stdin) if "revision" in r))' <"$audit"
}

# A clean end, then a boot: the revision goes on, without a gap. The first
# revisions of a start are the supervisor's keys.
test_revision_has_no_gap_over_a_clean_reboot() {
	local before first
	lease
	stop calfpen
	before=$(revision)
	rm -r "$pins" "$run"
	rm "$audit"
	calfpen_start
	wait_for_line "$audit" '"revision":' 5
	first=$(first_revision)
	assert_eq "$((before + 1))" "$first"
}

# A power cut: no end of ours, and what was not synced is gone. What anybody
# was told before is not told again of something else.
test_no_revision_twice_over_a_power_cut() {
	local before first
	lease_with_requests
	wait_for 5 saved_holds 10.77.0.1
	cp -a "${saved%/*}" "$LAB_DIR/state"
	for _ in {1..50}; do
		calfpen set /control/dhcp4/test again
	done
	before=$(revision)
	kill -KILL "$(supervisor_pid)"
	wait_for 2 no_process
	rm -r "$pins" "$run" "${saved%/*}"
	cp -a "$LAB_DIR/state" "${saved%/*}"
	rm "$audit"
	calfpen_start
	wait_for_line "$audit" '"revision":' 5
	first=$(first_revision)
	[ "$first" -gt "$before" ] || fail "revision $first again, after $before"
	# all of it is gone but the file of the revision
	stop calfpen
	before=$first
	rm -r "$pins" "$run" "$saved"
	rm "$audit"
	calfpen_start
	wait_for_line "$audit" '"revision":' 5
	first=$(first_revision)
	[ "$first" -gt "$before" ] || fail "revision $first again, after $before"
}
no_process() { [ -z "$(pgrep 'calfpen-|calf-dhcp4')" ]; }

test_damaged_snapshot_is_set_aside() {
	lease
	wait_for 5 saved_holds 10.77.0.1
	reboot
	printf '\377' | dd of="$saved" bs=1 seek=40 conv=notrunc status=none
	lease
	[ -e "$(echo "$saved".damaged-*)" ] || fail "not set aside"
	assert_match 'damaged' "$(cat "$LAB_DIR/calfpen.log")"
}

test_audit_log_is_rotated() {
	lease
	mv "$audit" "$audit.1"
	kill -HUP "$(supervisor_pid)"
	wait_for 5 test -e "$audit"
	wait_for_line "$LAB_DIR/calfpen.log" 'watcher: reopened the audit log' 5
	"$tools/gate" "$pins/gate_dhcp4" delete /mtu
	wait_for_line "$audit" '"path":"/mtu"' 5
	assert_fails grep -q '"verb":"delete","path":"/mtu"' "$audit.1"
}

test_operator_is_a_subject() {
	local code=0 path
	lease_with_requests
	calfpen set /control/dhcp4/test one
	assert_eq one "$(calfpen get /control/dhcp4/test)"
	calfpen set /ip 10.0.0.1/24 || code=$?
	assert_eq 4 "$code" "the operator may not write /ip"
	for path in /control/dhcp4/renwe /control/dhcp4/stop /control; do
		code=0
		calfpen set "$path" now || code=$?
		assert_eq 3 "$code" "no calf takes $path from the operator, and there is none"
	done
	code=0
	wait_for_line "$audit" '"subject":"operator","verb":"write","path":"/ip","verdict":"EACCES"' 5
	code=0
	calfpen set --create /control/dhcp4/test two || code=$?
	assert_eq 5 "$code" "conflict"
	calfpen del /control/dhcp4/test
	code=0
	calfpen get /control/dhcp4/test || code=$?
	assert_eq 3 "$code"
}

test_watch_shows_what_is_there_and_what_comes() {
	lease_with_requests
	start watch calfpen watch
	wait_for_line "$LAB_DIR/watch.log" '^synced [0-9]+$' 5
	grep -qE '/ip ' "$LAB_DIR/watch.log" || fail "/ip was there"
	calfpen set /control/dhcp4/seen yes
	wait_for_line "$LAB_DIR/watch.log" 'set /control/dhcp4/seen yes' 5
	calfpen del /control/dhcp4/seen
	wait_for_line "$LAB_DIR/watch.log" 'del /control/dhcp4/seen' 5
	stop watch INT || fail "exit code $?"
}

# operator_watches - the gate fills the operator's ring
operator_watches() {
	calfpen status | grep 'operator: .*, watches' >/dev/null
}

# Two follow everything, a third a prefix; one is killed, one does not read.
test_U48_any_number_watches() {
	lease_with_requests
	mkfifo "$LAB_DIR/unread"
	start unread sh -c "exec calfpen watch >'$LAB_DIR/unread'"
	exec 9<"$LAB_DIR/unread"
	start first calfpen watch
	start second calfpen watch --json
	start third calfpen watch /control
	for name in first third; do
		wait_for_line "$LAB_DIR/$name.log" '^synced [0-9]+$' 5
	done
	wait_for_line "$LAB_DIR/second.log" '"event":"synced"' 5
	operator_watches
	for i in {1..100}; do
		calfpen set /control/dhcp4/seen "$i" >/dev/null
	done
	for name in first third; do
		wait_for_line "$LAB_DIR/$name.log" 'set /control/dhcp4/seen 100$' 5
		assert_eq 100 "$(grep -c 'set /control/dhcp4/seen' "$LAB_DIR/$name.log")"
		assert_eq 0 "$(grep -c resync "$LAB_DIR/$name.log" || true)"
	done
	wait_for_line "$LAB_DIR/second.log" '"path":"/control/dhcp4/seen","value":"100"' 5
	kill -KILL "${started[first]}"
	calfpen set /control/dhcp4/seen last >/dev/null
	wait_for_line "$LAB_DIR/third.log" 'set /control/dhcp4/seen last$' 5
	stop third INT || fail "exit code $?"
	calfpen set /control/dhcp4/seen more >/dev/null
	wait_for_line "$LAB_DIR/second.log" '"path":"/control/dhcp4/seen","value":"more"' 5
	operator_watches
	kill -KILL "${started[second]}" "${started[unread]}"
	wait_for 5 not operator_watches
	exec 9<&-
}

test_commit_file_is_one_revision() {
	lease_with_requests
	printf 'set /control/dhcp4/test 1\n# comment\n\nset /control/dhcp4/seen 2\n' >"$LAB_DIR/changes"
	calfpen commit "$LAB_DIR/changes"
	wait_for_line "$audit" '"path":"/control/dhcp4/seen"' 5
	assert_eq 1 "$(grep -E '"path":"/control/dhcp4/(test|seen)"' "$audit" | sed 's/.*"revision":\([0-9]*\).*/\1/' | sort -u | wc -l)"
	calfpen del /control/dhcp4/test
	printf 'set /control/dhcp4/test 1\nset /ip 10.0.0.1/24\n' >"$LAB_DIR/changes"
	assert_fails calfpen commit "$LAB_DIR/changes"
	assert_fails calfpen get /control/dhcp4/test
}
