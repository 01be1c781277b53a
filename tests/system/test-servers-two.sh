# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# Two servers on one segment that know nothing of each other.

. tests/system/server-cases.sh

# two_servers KIND KIND - one lease, and all that concerns it with one server
two_servers() {
	local chosen address
	t1=3
	second_segment
	wire_start
	pool=100-149
	dhcp_server_start "$1@server"
	pool=150-199
	dhcp_server_start "$2@second"
	lease
	chosen=$(calfpen get /lease/server)
	address=$(host)
	wait_for 15 wire_has '^OFFER' 2
	assert_eq "10.77.0.1 10.77.0.3" "$(wire '^OFFER' | sed 's/.* 54=\(\S*\).*/\1/' | sort -u | xargs)"
	assert_eq 1 "$(wire '^REQUEST ip=0' | wc -l)"
	assert_match " 54=$chosen 50=$address " "$(wire '^REQUEST ip=0')"
	wait_for 15 lost_is_counted
	wire_wait "^REQUEST ip=$address>$chosen to=unicast" 20
	wait_for 15 wire_has '^ACK' 2
	assert_eq "$chosen" "$(wire '^ACK' | sed 's/.* 54=\(\S*\).*/\1/' | sort -u)"
	assert_eq "$address/24" "$(address)"
	# An authoritative dnsmasq refuses a REQUEST that names another server (Q19)
	assert_eq 0 "$(counter calf_dhcp4_nak_received_total)"
	assert_eq 0 "$(counter calf_dhcp4_lease_lost_total)"
	assert_wire_is_clean
}
lost_is_counted() {
	[ "$(counter calf_dhcp4_discarded_state_total)" -ge 1 ]
}

test_dnsmasq_and_dhcpd() { two_servers dnsmasq dhcpd; }
test_kea_and_udhcpd() { two_servers kea udhcpd; }
