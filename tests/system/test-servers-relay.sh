# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# A server on another segment: broadcasts reach it by a relay (giaddr), unicasts
# by the router.

. tests/system/server-cases.sh

place=behind

test_is_renumbered_while_away() { case_is_renumbered_while_away dhcpd; }
test_restarts_with_memory() { case_restarts_with_memory dhcpd; }
test_reboots_with_memory() { case_reboots_with_memory dhcpd; }
test_classless_routes() { case_classless_routes dhcpd; }
test_long_options() { case_long_options dhcpd; }

test_lease() {
	bound_by dhcpd
	assert_match '^10\.77\.0\.1[0-9]{2}/24$' "$(address)"
	assert_eq 10.78.0.2 "$(calfpen get /lease/server)"
	assert_match 'via 10\.77\.0\.1 ' "$(ip -4 route show default)"
	assert_match ' giaddr=10.77.0.1 .* 54=10.78.0.2 ' "$(wire '^ACK')"
	assert_wire_is_clean
}

# Unicast to the server itself, not to the relay that its replies came from
test_renews_and_releases_past_the_relay() {
	local address
	t1=3
	bound_by dhcpd
	address=$(host)
	wire_wait "^REQUEST ip=$address>10.78.0.2 to=unicast .* ciaddr=$address" 20
	wait_for 15 wire_has '^ACK' 2
	wait_for 15 state_is bound
	assert_eq "$address/24" "$(address)"
	calfpen set /control/dhcp4/release now
	wire_wait "^RELEASE ip=$address>10.78.0.2 to=unicast .* 54=10.78.0.2" 20
	wait_for 15 grep -q 'binding state free' "$LAB_DIR/dhcpd@behind/leases"
	wait_for 15 not has_address
}

# The relay is away at T1 and back at T2; there is no router. (With it there the
# relay would take what is unicast, too: it reads all frames.)
test_rebinds_by_the_relay() {
	local address n_unicast
	t1=3 t2=6
	bound_by dhcpd
	address=$(host)
	at server sysctl -q -w net.ipv4.ip_forward=0
	stop relay || true
	n_unicast=$(wire "^REQUEST ip=$address>10.78.0.2" | wc -l) || true
	wait_for 15 wire_has "^REQUEST ip=$address>10.78.0.2" $((n_unicast + 1))
	relay_start
	wire_wait "^REQUEST ip=$address>255.255.255.255 to=broadcast .* ciaddr=$address" 20
	wait_for 15 state_is bound
	assert_eq "$address/24" "$(address)"
	assert_eq 0 "$(counter calf_dhcp4_lease_lost_total)"
}
