# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The end in order, and what the operator asks of a running calf.

. tests/system/calfpen.sh

released() { grep -q DHCPRELEASE "$LAB_SERVER_LOG"; }

test_stop_keeps_the_lease() {
	lease
	stop calfpen || fail "exit code $?"
	assert_nothing_left
	has_address || fail "the address must stay until the lease is over"
	! released || fail "nobody asked for a RELEASE"
}

# The server hears of it, and the host has the address no more.
test_release_at_stop() {
	echo 'calves: {dhcp4: {release_at_stop: "1"}}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	lease
	stop calfpen || fail "exit code $?"
	assert_nothing_left
	wait_for 2 released
	! has_address || fail "the address is the server's again"
	[ -z "$(ip -4 route show default)" ] || fail "so is the route"
}

# What was given back stays so when something crashes, and until the operator
# starts the instance anew.
test_release_lasts() {
	lease
	calfpen set /control/dhcp4/release now
	wait_for 5 is_released
	kill -KILL "$(calf_pid)"
	wait_for 5 stays_released 1
	kill -KILL "$(supervisor_pid)"
	wait_for 2 not pgrep 'calfpen-|calf-dhcp4'
	calfpen_start
	wait_for 10 stays_released 2
	sleep 0.5
	is_released || fail "a lease is asked for again"
	assert_eq 1 "$(grep -c DHCPDISCOVER "$LAB_SERVER_LOG")"
	stop calfpen || fail "exit code $?"
	lease
}
is_released() { [ "$(calfpen get /lease/state)" = released ] && not has_address; }
# stays_released LIVES - so many have begun so
stays_released() { [ "$(grep -c 'lease released by the operator' "$LAB_DIR/calfpen.log")" = "$1" ]; }

test_operator_releases_and_renews() {
	lease
	calfpen set /control/dhcp4/release now
	wait_for 5 released
	wait_for 5 not has_address
	assert_eq released "$(calfpen get /lease/state)"
	calfpen set /control/dhcp4/renew now
	wait_for 10 has_lease
	assert_eq bound "$(calfpen get /lease/state)"
	local code=0
	calfpen get /control/dhcp4/renew || code=$?
	assert_eq 3 "$code" "a request that was acted on is gone"
}
