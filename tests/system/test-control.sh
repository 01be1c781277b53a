# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What an operator asks of the calf through /control, and what the link tells
# it through /link: from the command to the server.

. tests/system/calfpen.sh

logged() { [ "$(grep -c "$1" "$LAB_SERVER_LOG")" -ge "$2" ]; }
absent() { ! calfpen get "$1" >/dev/null 2>&1; }

test_renew_now() {
	local before
	lease
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	calfpen set /control/dhcp4/renew now
	wait_for 3 logged DHCPACK $((before + 1))
	wait_for 2 absent /control/dhcp4/renew
	wait_for 2 state_is bound
	has_address
	# asked for again, it is done again
	calfpen set /control/dhcp4/renew now
	wait_for 3 logged DHCPACK $((before + 2))
}
state_is() { [ "$(calfpen get /lease/state)" = "$1" ]; }

test_release_and_lease_again() {
	lease
	calfpen set /control/dhcp4/release now
	wait_for 3 logged DHCPRELEASE 1
	wait_for 2 not has_address
	wait_for 2 absent /control/dhcp4/release
	assert_eq "" "$(ip -4 route show default)"
	absent /ip || fail "/ip is left"
	sleep 1
	assert_fails has_address
	calfpen set /control/dhcp4/renew now
	wait_for 10 has_lease
	wait_for 2 absent /control/dhcp4/renew
}

# What the calf writes there, or anybody but the operator, is refused.
test_control_is_the_operators() {
	local line
	lease
	line=$("$tools/gate" "$pins/gate_dhcp4" write /control/dhcp4/renew now 2>&1 || true)
	assert_match 'Permission denied' "$line"
}

# Without a carrier nothing is sent; with one again the lease is asked for.
test_link_return_asks_for_the_lease() {
	local before kept
	lease
	kept=$(address)
	on_server ip link set "$LAB_SERVER_IF" down
	wait_for 2 link_is down
	before=$(counter out_accepted)
	sleep 2
	assert_eq "$before" "$(counter out_accepted)" "sent without a carrier"
	before=$(grep -c DHCPREQUEST "$LAB_SERVER_LOG")
	on_server ip link set "$LAB_SERVER_IF" up
	wait_for 5 logged DHCPREQUEST $((before + 1))
	assert_eq 1 "$(grep -c DHCPDISCOVER "$LAB_SERVER_LOG")" "INIT-REBOOT, not INIT"
	assert_eq "$kept" "$(address)"
}
link_is() { [ "$(calfpen get /link 2>/dev/null)" = "$1" ]; }
