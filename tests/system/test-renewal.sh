# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --server-option dhcp-option=option:T1,8s --server-option dhcp-option=option:T2,10s
#
# A renewal where the host has lost what a renewal needs: the address, its route,
# or ARP.

. tests/system/calfpen.sh

config=/etc/calfpen/$LAB_UPLINK.yaml

acks() { grep -c DHCPACK "$LAB_SERVER_LOG"; }
more_acks() { [ "$(acks)" -gt "$1" ]; }
is_bound() { [ "$(calfpen get /lease/state)" = bound ]; }
is_connected() { [ -n "$(ip -4 route show 10.77.0.0/24 dev "$LAB_UPLINK" proto 202)" ]; }
is_usable() {
	[ "$(address)" = "$1" ] && is_connected && [ -n "$(ip -4 route show default proto 202)" ]
}
status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }
now_ms() { echo "$((${EPOCHREALTIME//./} / 1000))"; }

# reach_server - the error of a connection to a port without a listener
reach_server() {
	python3 -c 'import socket
channel = socket.socket()
channel.settimeout(10)
print(channel.connect_ex(("10.77.0.1", 9)))'
}

report_only() {
	mkdir -p /etc/calfpen
	echo 'drift: report' >"$config"
}

# settled_lease - a lease, and nothing of its start is left to do
settled_lease() {
	lease
	wait_for 5 status_is route '^ok'
	wait_for 5 status_is dns '^ok'
	sleep 0.5
}

test_U18_flushed_address_is_usable_after_renew() {
	local kept begun before
	report_only
	settled_lease
	kept=$(address)
	for _ in 1 2 3; do
		before=$(acks)
		ip address flush dev "$LAB_UPLINK"
		begun=$(now_ms)
		calfpen set /control/dhcp4/renew now
		wait_for 1 is_usable "$kept"
		echo "usable after $(($(now_ms) - begun)) ms"
		wait_for 1 more_acks "$before"
		echo "answered after $(($(now_ms) - begun)) ms"
		wait_for 2 is_bound
		wait_for 2 status_is address '^ok'
		assert_eq 111 "$(reach_server)" "refused by the server, not by the host"
	done
	# later, too: the drift was reported before
	ip address flush dev "$LAB_UPLINK"
	wait_for 5 status_is address '^drift: .* was removed'
	calfpen set /control/dhcp4/renew now
	wait_for 1 is_usable "$kept"
	assert_eq 1 "$(grep -c DHCPDISCOVER "$LAB_SERVER_LOG")" "it is the same lease"
}

# Without anybody's doing; what is repaired is no new lease.
test_U18_flushed_address_comes_back_by_itself() {
	local kept before
	settled_lease
	kept=$(address)
	before=$(acks)
	echo '# theirs' >"$LAB_RESOLV"
	ip address flush dev "$LAB_UPLINK"
	wait_for 2 is_usable "$kept"
	wait_for 2 status_is address '^ok'
	assert_eq "$before" "$(acks)"
	ip route del 10.77.0.0/24 dev "$LAB_UPLINK"
	wait_for 5 is_usable "$kept"
	ip route del default
	wait_for 5 is_usable "$kept"
	assert_match 'valid_lft [0-9]+sec' "$(ip -4 address show dev "$LAB_UPLINK")"
	assert_eq '# theirs' "$(cat "$LAB_RESOLV")" "files are left as they are"
}

# Nobody asks for anything, and nothing is repaired: the address is back when the
# lease is renewed, not when it has ended.
test_U18_lease_is_renewed_without_an_address() {
	local kept
	report_only
	settled_lease
	kept=$(address)
	ip address flush dev "$LAB_UPLINK"
	wait_for 5 status_is address '^drift: .* was removed'
	wait_for 30 is_usable "$kept"
	wait_for 2 is_bound
	assert_eq 0 "$(counter calf_dhcp4_lease_lost_total)"
	assert_eq 1 "$(grep -c DHCPDISCOVER "$LAB_SERVER_LOG")"
}

# The way to the server is wrong, and the host does not answer ARP.
test_U18_renew_without_arp() {
	local before
	report_only
	settled_lease
	before=$(acks)
	ip neigh replace 10.77.0.1 lladdr 02:00:00:00:77:ee nud permanent dev "$LAB_UPLINK"
	ip link set "$LAB_UPLINK" arp off
	on_server ip neigh flush dev "$LAB_SERVER_IF"
	calfpen set /control/dhcp4/renew now
	wait_for 2 more_acks "$before"
	wait_for 2 is_bound
}

test_U18_renew_without_a_route() {
	local before kept
	report_only
	settled_lease
	kept=$(address)
	before=$(acks)
	ip route flush dev "$LAB_UPLINK"
	calfpen set /control/dhcp4/renew now
	wait_for 2 more_acks "$before"
	wait_for 2 is_bound
	wait_for 2 is_usable "$kept"
}
