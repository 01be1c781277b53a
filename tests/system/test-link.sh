# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The key /link: what the kernel says of the uplink, told to whoever watches.

. tests/system/calfpen.sh

link_is() { [ "$(calfpen get /link 2>/dev/null)" = "$1" ]; }

test_link_follows_the_carrier() {
	lease
	wait_for 2 link_is up
	on_server ip link set "$LAB_SERVER_IF" down
	wait_for 1 link_is down
	has_address || fail "a lost carrier is no lost lease"
	on_server ip link set "$LAB_SERVER_IF" up
	# the kernel holds back a carrier that comes and goes for up to a second
	wait_for 2 link_is up
	assert_eq 3 "$(grep -c '"path":"/link"' "$audit")" "only when it changes"
}

test_link_follows_the_operator() {
	lease
	wait_for 2 link_is up
	ip link set "$LAB_UPLINK" down
	wait_for 1 link_is down
	ip link set "$LAB_UPLINK" up
	wait_for 2 link_is up
}

# The watcher is the only one that may say so.
test_link_is_the_watchers() {
	local line
	lease
	wait_for 2 link_is up
	line=$("$tools/gate" "$pins/gate_dhcp4" write /link down 2>&1 || true)
	assert_match 'Permission denied' "$line" "the calf"
	line=$(calfpen set /link down 2>&1 || true)
	assert_match 'denied|may not|no right' "$line" "the operator"
	link_is up || fail "/link was changed"
}

# A watcher that was killed says what is, not what was.
test_link_after_the_watcher() {
	local former
	lease
	wait_for 2 link_is up
	former=$(watcher_pid)
	kill -KILL "$former"
	on_server ip link set "$LAB_SERVER_IF" down
	wait_for 3 link_is down
}

# A carrier that comes back may be another network's: the server is asked
# whether the lease is still good, and the address stays meanwhile.
test_V4_14_lease_is_asked_for_when_the_link_comes_back() {
	local before
	lease
	wait_for 2 link_is up
	before=$(address)
	start monitor ip -4 monitor address dev "$LAB_UPLINK"
	on_server ip link set "$LAB_SERVER_IF" down
	wait_for 2 state_is init-reboot
	assert_eq "$before" "$(address)"
	on_server ip link set "$LAB_SERVER_IF" up
	wait_for 10 state_is bound
	assert_eq "$before" "$(address)"
	assert_eq 1 "$(grep -c DHCPDISCOVER "$LAB_SERVER_LOG")" "INIT-REBOOT is no DISCOVER"
	assert_eq 2 "$(grep -c DHCPACK "$LAB_SERVER_LOG")"
	assert_eq "" "$(grep Deleted "$LAB_DIR/monitor.log" || true)" "the address was there all the time"
}

mac_is() { [ "$(calfpen get /mac)" = "$1" ]; }

acked() { grep -q "DHCPACK($LAB_SERVER_IF) .* $1" "$LAB_SERVER_LOG"; }

# plug MAC - a new device under the uplink's name, with the server behind it
plug() {
	ip link add "$LAB_UPLINK" address "$1" type veth \
		peer name "$LAB_SERVER_IF" netns "$LAB_SERVER_NS"
	on_server ip link set "$LAB_SERVER_IF" up
	on_server ip address add "$LAB_SERVER_ADDR/24" dev "$LAB_SERVER_IF"
	server_start
}

unplug() {
	server_stop
	ip link del "$LAB_UPLINK"
}

# A card that is put back has another index, and may be another card.
test_uplink_that_comes_back() {
	local mac supervisor
	lease
	wait_for 2 link_is up
	supervisor=$(supervisor_pid)
	for mac in "$LAB_UPLINK_MAC" 02:00:00:00:77:03; do
		unplug
		wait_for 2 link_is down
		plug "$mac"
		wait_for 2 link_is up
		wait_for 20 has_lease
		wait_for 5 acked "$mac"
		wait_for 5 state_is bound
		assert_eq "$mac" "$(calfpen get /mac)"
		assert_eq 1 "$(ip -brief link show | grep -c '^calf')" "the former tap is gone"
	done
	assert_eq "$supervisor" "$(supervisor_pid)"
	# it is the new one's frames that are filtered, and let in
	calfpen set /control/dhcp4/renew 1
	wait_for 5 not calfpen get /control/dhcp4/renew
	wait_for 5 state_is bound
}

# The index alone says nothing: here it is the same.
test_uplink_that_comes_back_with_its_index() {
	local index
	lease
	wait_for 2 link_is up
	index=$(<"/sys/class/net/$LAB_UPLINK/ifindex")
	unplug
	wait_for 2 link_is down
	ip link add "$LAB_UPLINK" index "$index" address "$LAB_UPLINK_MAC" type veth \
		peer name "$LAB_SERVER_IF" netns "$LAB_SERVER_NS"
	on_server ip link set "$LAB_SERVER_IF" up
	on_server ip address add "$LAB_SERVER_ADDR/24" dev "$LAB_SERVER_IF"
	: >"$LAB_SERVER_LOG"
	server_start
	wait_for 20 has_lease
	wait_for 5 acked "$LAB_UPLINK_MAC"
}

# What comes back may be nothing we can use: said, tried again, and no end.
test_uplink_that_cannot_be_used() {
	local supervisor
	lease --mode native
	supervisor=$(supervisor_pid)
	unplug
	ip link add under0 type veth peer name under1
	ip link add link under0 name "$LAB_UPLINK" type macvlan # has no native XDP
	wait_for_line "$LAB_DIR/calfpen.log" 'cannot attach native XDP' 5
	sleep 2.5 # one more time a second later, the next two seconds after that
	[ "$(grep -c 'cannot attach native XDP' "$LAB_DIR/calfpen.log")" -le 3 ] || fail "too often"
	assert_eq "" "$(ip -brief link show | grep '^calf' || true)" "a tap without a filter"
	ip link del "$LAB_UPLINK"
	plug "$LAB_UPLINK_MAC"
	wait_for 20 has_lease
	wait_for 5 state_is bound
	assert_eq "$supervisor" "$(supervisor_pid)"
}

test_another_mac_address() {
	local supervisor
	lease
	supervisor=$(supervisor_pid)
	ip link set "$LAB_UPLINK" address 02:00:00:00:77:04
	wait_for 5 mac_is 02:00:00:00:77:04
	wait_for 20 acked 02:00:00:00:77:04
	wait_for 20 has_lease
	assert_eq "$supervisor" "$(supervisor_pid)"
}

state_is() { [ "$(calfpen get /lease/state 2>/dev/null)" = "$1" ]; }
