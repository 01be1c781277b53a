# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of any process: the address stays, the process is back within two
# seconds, the stored values are unchanged, nothing is left over.

. tests/system/calfpen.sh

stored() {
	calfpen ls | grep -vE '^/(lease/|status/)'
}

# replaced PID-FUNCTION OLD - is another process in its place, alive?
replaced() {
	local now
	now=$("$1") && [ "$now" != "$2" ] && [ "$now" != 0 ] && alive "$now"
}

survives() {
	local role=$1 old address values
	lease
	old=$("$role")
	address=$(address)
	values=$(stored)
	kill -KILL "$old"
	wait_for 2 replaced "$role" "$old"
	assert_eq "$address" "$(address)" "the address stays"
	assert_eq "$values" "$(stored)" "the values stay"
	wait_for 10 has_lease
	assert_eq "$values" "$(stored)" "also once the new life has its lease"
	assert_eq 1 "$(pgrep -c calf-dhcp4)"
	assert_eq 4 "$(pgrep -c calfpen-)" "supervisor, launcher, watcher, gateway"
}

test_calf_is_killed() { survives calf_pid; }
test_gateway_is_killed() { survives gateway_pid; }
test_watcher_is_killed() { survives watcher_pid; }

test_supervisor_is_killed() {
	local old values address revision
	lease
	old=$(supervisor_pid)
	address=$(address)
	values=$(stored)
	revision=$(calfpen status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["store"]["revision"])')
	kill -KILL "$old"
	wait_for 2 no_process
	assert_eq "$address" "$(address)" "the address stays"
	assert_eq "$values" "$(stored)" "the values stay"
	calfpen_start
	wait_for 2 replaced supervisor_pid "$old"
	wait_for 10 has_lease
	assert_eq "$address" "$(address)"
	assert_eq "$values" "$(stored)"
	[ "$(calfpen status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["store"]["revision"])')" -gt "$revision" ] ||
		fail "the revision must go on"
	assert_eq 1 "$(pgrep -c calf-dhcp4)"
	assert_eq 4 "$(pgrep -c calfpen-)"
	assert_eq 1 "$(ip -brief link show | grep -c '^calf')" "one tap"
}
no_process() { [ -z "$(pgrep 'calfpen-|calf-dhcp4')" ]; }

# A gateway that cannot notice the supervisor's end is ended by the next start.
test_leftover_gateway_is_ended() {
	local gateway
	lease
	gateway=$(gateway_pid)
	kill -STOP "$gateway"
	kill -KILL "$(supervisor_pid)"
	wait_for 2 not pgrep calfpen-priv
	alive "$gateway" || fail "a stopped process should be there"
	calfpen_start
	wait_for 10 not alive "$gateway"
	wait_for 10 replaced gateway_pid "$gateway"
	assert_eq 4 "$(pgrep -c calfpen-)"
}

# What a killed supervisor of another version left is told, and replaced.
test_state_of_another_version_is_replaced() {
	lease
	kill -KILL "$(supervisor_pid)"
	wait_for 2 no_process
	sed -i 's/"version": 1/"version": 7/' "$run/state.json"
	assert_eq 7 "$(state version)"
	calfpen_start
	wait_for 10 has_lease
	assert_eq 1 "$(state version)"
	assert_eq 1 "$(grep -c 'state.json: version 7, this calfpen reads version 1; replacing it' "$LAB_DIR/calfpen.log")"
}

# The watcher was away while the calf wrote: nothing is lost.
test_watcher_catches_up() {
	local old
	lease
	old=$(watcher_pid)
	kill -STOP "$old"
	"$tools/gate" "$pins/gate_dhcp4" delete /gateway
	"$tools/gate" "$pins/gate_dhcp4" write /mtu 1300
	kill -KILL "$old"
	wait_for 3 replaced watcher_pid "$old"
	wait_for 3 caught_up
}
caught_up() {
	[ -z "$(ip -4 route show default)" ] && [ "$(cat "/sys/class/net/$LAB_UPLINK/mtu")" = 1300 ]
}

# The new calf asks for what it had (INIT-REBOOT): one round trip, and nothing
# is taken from the host meanwhile.
test_V4_14_calf_resumes_its_lease() {
	local old requests
	lease
	old=$(calf_pid)
	requests=$(grep -c DHCPREQUEST "$LAB_SERVER_LOG")
	start monitor ip monitor address route dev "$LAB_UPLINK"
	kill -KILL "$old"
	wait_for 2 replaced calf_pid "$old"
	wait_for 5 resumed
	assert_eq 1 "$(grep -c 'DHCPDISCOVER' "$LAB_SERVER_LOG")" "no second DISCOVER"
	assert_eq $((requests + 1)) "$(grep -c DHCPREQUEST "$LAB_SERVER_LOG")"
	assert_eq 2 "$(grep -c DHCPACK "$LAB_SERVER_LOG")"
	assert_eq "" "$(grep Deleted "$LAB_DIR/monitor.log" || true)" "nothing flaps"
	assert_match 'valid_lft (11[0-9]|120)sec' "$(ip -4 address show dev "$LAB_UPLINK")"
}
resumed() {
	[ "$(grep -c DHCPACK "$LAB_SERVER_LOG")" -ge 2 ] && [ "$(calfpen get /lease/state)" = bound ]
}
