# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# server-cases.sh - what must work with every server: case_NAME KIND
#
# Usage: . tests/system/server-cases.sh, in test-servers-KIND.sh with
# "# lab: --no-server". Each case is a whole test.

. tests/system/calfpen.sh
. tests/system/servers.sh

host() { address | cut -d/ -f1; }
address_is() { [ "$(address)" = "$1" ]; }
address_in() { [[ $(address) == "$1."* ]]; }
key_is() { [ "$(calfpen get "$1")" = "$2" ]; }
state_is() { key_is /lease/state "$1"; }
route_is() { ip -4 route show "$1" | grep -cE "$2" >/dev/null; }
# lines of the wire log that match
wire_has() { [ "$(wire "$1" | wc -l)" -ge "$2" ]; }

# lease_time is 120, T1 at most a few seconds
is_refreshed() {
	ip -4 address show dev "$LAB_UPLINK" | grep -cE 'valid_lft (11[89]|120)sec' >/dev/null
}

# bound_by KIND - a lease from it, at $place, and all the wire to read
bound_by() {
	[ "$place" != behind ] || relay_segment
	wire_start
	dhcp_server_start "$1@$place"
	[ "$place" != behind ] || relay_start
	lease
}

# Everything our messages said could be read by strict rules.
assert_wire_is_clean() {
	assert_eq "" "$(grep '^bad' "$LAB_DIR/wire.log")" "frames that break a rule"
}

case_lease() {
	local request
	bound_by "$1"
	assert_match '^10\.77\.0\.1[0-9]{2}/24$' "$(address)"
	assert_eq "$(address)" "$(calfpen get /ip)"
	assert_match "via 10\.77\.0\.1 .*src $(host)" "$(ip -4 route show default)"
	assert_match "mtu 1400" "$(ip link show dev "$LAB_UPLINK")"
	assert_match $'search lab.example corp.example\nnameserver 10.77.0.1\nnameserver 10.77.0.2' \
		"$(cat "$LAB_RESOLV")"
	assert_eq 10.77.0.1 "$(calfpen get /lease/server)"
	assert_match ' 80=' "$(wire '^DISCOVER')" "rapid commit is asked of every server"
	assert_match '^OFFER ' "$(wire '^OFFER')" "one that does not have it offers"
	assert_eq "" "$(wire '^ACK.* 80=')"
	request=$(wire '^REQUEST')
	assert_eq 1 "$(wc -l <<<"$request")" "one REQUEST"
	assert_match "ip=0.0.0.0>255.255.255.255 to=broadcast .* ciaddr=0.0.0.0 " "$request"
	assert_match " order=53,.* 54=10.77.0.1 50=$(host) " "$request"
	assert_eq "$(wire '^DISCOVER' | grep -o 'xid=.* secs=[0-9]*')" \
		"$(grep -o 'xid=.* secs=[0-9]*' <<<"$request")" "xid and secs of the DISCOVER"
	assert_wire_is_clean
}

case_renews() {
	local address line
	t1=3
	bound_by "$1"
	address=$(host)
	wire_wait "^REQUEST ip=$address>" 20
	line=$(wire "^REQUEST ip=$address>")
	assert_match "^REQUEST ip=$address>10.77.0.1 to=unicast .* ciaddr=$address " "$line"
	assert_fails grep -qE ' (50|54)=' <<<"$line"
	wait_for 15 wire_has '^ACK' 2
	wait_for 15 state_is bound
	assert_eq "$address/24" "$(address)"
	wait_for 15 is_refreshed
	assert_eq "" "$(wire '^NAK')"
	assert_wire_is_clean
}

# The server dies, another one has a copy of what it knew.
case_rebinds() {
	local address line
	t1=3 t2=4
	second_segment
	bound_by "$1"
	address=$(host)
	dhcp_server_stop "$1@server"
	mkdir -p "$LAB_DIR/$1@second"
	cp "$LAB_DIR/$1@server/leases" "$LAB_DIR/$1@second/leases"
	dhcp_server_start "$1@second"
	wire_wait "^REQUEST ip=$address>255" 20
	line=$(wire "^REQUEST ip=$address>255")
	assert_match "to=broadcast .* ciaddr=$address " "$line"
	assert_fails grep -qE ' (50|54)=' <<<"$line"
	wait_for 15 key_is /lease/server 10.77.0.3
	wait_for 15 state_is bound
	assert_eq "$address/24" "$(address)" "the address stays"
	assert_eq 0 "$(counter calf_dhcp4_lease_lost_total)"
	# And the next renewal goes to the new server
	wire_wait "^REQUEST ip=$address>10.77.0.3 to=unicast" 20
	assert_wire_is_clean
}

# renumber KIND - another subnet; the server's old address still answers
renumber() {
	dhcp_server_stop "$1@$place"
	[ "$place" != behind ] || stop relay || true
	at server ip address flush dev "$LAB_SERVER_IF"
	at server ip address add 10.79.0.1/24 dev "$LAB_SERVER_IF"
	at server ip address add 10.77.0.1/32 dev "$LAB_SERVER_IF"
	net=10.79.0
	dhcp_server_start "$1@$place"
	[ "$place" != behind ] || relay_start
}

assert_renumbered() {
	wait_for 15 route_is default 'via 10\.79\.0\.1 '
	wait_for 15 grep -q 'nameserver 10.79.0.1' "$LAB_RESOLV"
	assert_eq 1 "$(ip -4 -oneline address show dev "$LAB_UPLINK" | wc -l)" "the old one is gone"
	assert_fails grep -q "$1" <(ip -4 route show table all)
	assert_wire_is_clean
}

# Found out at T1 or T2
case_is_renumbered() {
	local old
	t1=3 t2=4
	bound_by "$1"
	old=$(host)
	renumber "$1"
	wire_wait '^NAK' 20
	wait_for 15 address_in 10.79.0
	assert_renumbered "$old"
}

# The subnet is another one, which a server may tell only who asks for an address
# by name (INIT-REBOOT): those that ignore renewals they know nothing of. With
# "silent" the server is not heard to say no, and DISCOVER finds the new one (Q23).
case_is_renumbered_while_away() {
	local old
	bound_by "$1"
	old=$(host)
	stop calfpen
	renumber "$1"
	calfpen_start
	wire_wait "^REQUEST ip=0.0.0.0>255.255.255.255 .* 50=$old " 20
	[ "${2-}" = silent ] || wire_wait '^NAK' 20
	wait_for 30 address_in 10.79.0
	assert_renumbered "$old"
}

# By the operator: the server is told, the host has nothing of it any more.
case_releases() {
	local address line
	bound_by "$1"
	address=$(host)
	wait_for 15 has_lease
	calfpen set /control/dhcp4/release now
	wire_wait '^RELEASE' 20
	line=$(wire '^RELEASE')
	assert_match "ip=$address>10.77.0.1 to=unicast .* ciaddr=$address " "$line"
	assert_match ' 54=10.77.0.1' "$line"
	assert_eq "$(wire '^DISCOVER' | grep -o ' 61=[^ ]*')" "$(grep -o ' 61=[^ ]*' <<<"$line")"
	assert_fails grep -qE ' (50|51|55)=' <<<"$line"
	wait_for 15 not has_address
	wait_for 15 not grep -q '^nameserver' "$LAB_RESOLV"
	assert_eq "" "$(ip -4 route show default)"
	assert_fails calfpen get /ip
	wait_for 15 "$1_has_released" "$LAB_DIR/$1@server" "$address"
	# and again, when it is wanted
	calfpen set /control/dhcp4/renew now
	wait_for 15 has_lease
	assert_wire_is_clean
}
dnsmasq_has_released() { ! grep -q "$2" "$1/leases"; }
dhcpd_has_released() { grep -q 'binding state free' "$1/leases"; }
kea_has_released() { grep -q DHCP4_RELEASE "$1.log"; }
udhcpd_has_released() {
	kill -USR1 "${started[${1##*/}]}"
	busybox dumpleases -f "$1/leases" | grep -c expired >/dev/null
}

# reboot_asks ADDRESS - the last REQUEST was one of INIT-REBOOT (V4-14)
reboot_asks() {
	local line
	line=$(wire '^REQUEST' | tail -n 1)
	assert_match "ip=0.0.0.0>255.255.255.255 to=broadcast .* ciaddr=0.0.0.0 " "$line"
	assert_match " 50=$1 " "$line"
	assert_fails grep -q ' 54=' <<<"$line"
}

# The service starts anew, the machine does not: the address is never away.
case_restarts_with_memory() {
	local address
	bound_by "$1"
	address=$(host)
	stop calfpen
	start address ip -4 monitor address
	calfpen_start
	wait_for 15 wire_has '^ACK' 2
	wait_for 15 state_is bound
	reboot_asks "$address"
	assert_eq 1 "$(wire '^DISCOVER' | wc -l)"
	wait_for 15 has_lease
	assert_eq "$address/24" "$(address)"
	assert_fails grep -q Deleted "$LAB_DIR/address.log"
	assert_eq "" "$(wire '^NAK')"
	assert_wire_is_clean
}

# The machine is booted: nothing is left but the snapshot of the store.
case_reboots_with_memory() {
	local address
	bound_by "$1"
	address=$(host)
	wait_for 15 grep -qa "$address" "/var/lib/calfpen/$LAB_UPLINK/store"
	stop calfpen
	rm -r "$pins" "$run"
	ip address flush dev "$LAB_UPLINK"
	ip link set "$LAB_UPLINK" down
	lease
	reboot_asks "$address"
	assert_eq 1 "$(wire '^DISCOVER' | wc -l)"
	assert_eq "$address/24" "$(address)"
	assert_wire_is_clean
}

# One round trip (RFC 4039)
case_rapid_commit() {
	bound_by "$1"
	assert_match ' 80=' "$(wire '^DISCOVER')"
	assert_match ' 80=' "$(wire '^ACK')"
	assert_eq 1 "$(wire '^(DISCOVER|REQUEST|OFFER)' | wc -l)"
	assert_eq 10.77.0.1 "$(calfpen get /lease/server)"
	assert_wire_is_clean
}

case_classless_routes() {
	routes=("0.0.0.0/0 10.77.0.9" "10.99.0.0/16 10.77.0.2" "192.0.2.128/25 10.77.0.3"
		"198.51.100.7/32 10.77.0.4" "203.0.113.0/24 0.0.0.0")
	bound_by "$1"
	wait_for 15 route_is default 'via 10\.77\.0\.9 '
	assert_eq 1 "$(ip -4 route show default | wc -l)" "the router option is ignored"
	wait_for 15 route_is 203.0.113.0/24 'scope link'
	wait_for 15 route_is 10.99.0.0/16 'via 10\.77\.0\.2 '
	wait_for 15 route_is 192.0.2.128/25 'via 10\.77\.0\.3 '
	wait_for 15 route_is 198.51.100.7 'via 10\.77\.0\.4 '
	assert_eq 10.77.0.9 "$(calfpen get /gateway)"
}

# many_routes N - and the default route
many_routes() {
	local i
	routes=("0.0.0.0/0 10.77.0.1")
	for ((i = 1; i <= $1; i++)); do
		routes+=("10.200.$i.0/24 10.77.0.2")
	done
}

# More routes than one instance of an option can carry (RFC 3396)
case_long_options() {
	many_routes 40
	bound_by "$1"
	wait_for 15 route_is 10.200.40.0/24 'via 10\.77\.0\.2'
	assert_eq 40 "$(ip -4 route show | grep -c '^10\.200\.')"
	assert_match "order=.*121,(.*,)?121" "$(wire '^ACK')" "split by the server"
}

# More than the message has room for: the last options are in file and sname
# (option 52). What they hold is as good as the rest.
case_overload() {
	many_routes 14
	bound_by "$1"
	wait_for 15 route_is 10.200.14.0/24 'via 10\.77\.0\.2'
	assert_match " 52=0[123]" "$(wire '^ACK')"
	assert_eq "" "$(wire '^ACK' | grep ' 121=.* 6=')" "not all are in the options field"
	assert_match 'mtu 1400' "$(ip link show dev "$LAB_UPLINK")"
	assert_match $'nameserver 10.77.0.1\nnameserver 10.77.0.2' "$(cat "$LAB_RESOLV")"
	assert_eq lab.example "$(calfpen get /domain)"
	assert_wire_is_clean
}
