# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What the host may be like when an instance starts: names of interfaces, interfaces
# that are not there yet, read-only directories, bridges.

. tests/system/calfpen.sh

# run_on INTERFACE [OPTION...] - in the background, as ${started[calfpen]}
run_on() {
	local interface=$1
	shift
	start calfpen calfpen run --interface "$interface" --cgroup-parent "$LAB_CGROUP" "$@"
}

# leased_on INTERFACE - an address, and a route by it
leased_on() {
	[ -n "$(ip -4 -oneline address show dev "$1" proto 202 2>/dev/null || ip -4 -oneline address show dev "$1")" ] &&
		[[ $(ip -4 route show default) == *" dev $1 "* ]]
}

rename() {
	ip link set "$1" down
	ip link set "$1" name "$2"
}

test_U07_capitals() {
	rename "$LAB_UPLINK" enP4p65s0
	run_on enP4p65s0
	wait_for 20 leased_on enP4p65s0
	assert_match '^10\.77\.0\.' "$(calfpen --instance en__p4p65s0 get /ip)"
	wait_for_line "$LAB_DIR/calfpen.log" 'instance en__p4p65s0 running on enP4p65s0' 5
	[ -e /var/log/calfpen/en__p4p65s0.audit.jsonl ] || fail "the audit log has another name"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# The configuration has the name of the instance.
test_U07_configuration_of_an_interface_with_capitals() {
	rename "$LAB_UPLINK" Ethernet0
	echo 'metric: 4321' >/etc/calfpen/__ethernet0.yaml
	run_on Ethernet0
	wait_for 20 leased_on Ethernet0
	assert_match 'metric 4321' "$(ip -4 route show default)"
}

# Both have a lease of their own, so neither is refused by the lock of the other.
test_U47_dot_and_dash() {
	rename "$LAB_UPLINK" u-1
	ip link add link u-1 name u.1 address 02:00:00:00:79:01 type macvlan mode bridge
	run_on u-1
	wait_for 20 leased_on u-1
	start other calfpen run --interface u.1 --cgroup-parent "$LAB_CGROUP" --uid-base 1878001000
	wait_for 20 leased_on_both u.1 u-1
	assert_eq 'u--1 u-1' "$(echo /sys/fs/bpf/calfpen/*/ | sed 's,/sys/fs/bpf/calfpen/\([^/]*\)/,\1,g')"
}
leased_on_both() {
	[[ $(ip -4 route show default) == *" dev $1 "*" dev $2 "* || $(ip -4 route show default | tr '\n' ' ') == *" dev $2 "*" dev $1 "* ]]
}

readonly long_name=the-uplink-of-this-host-to-the-provider.0123456789.0123456789.0123456789.0123456789

test_U47_long_alternative_name() {
	ip link property add dev "$LAB_UPLINK" altname "$long_name"
	run_on "$long_name"
	wait_for 20 leased_on "$LAB_UPLINK"
	wait_for_line "$LAB_DIR/calfpen.log" "$long_name is another name of the interface $LAB_UPLINK" 5
	assert_match '^10\.77\.0\.' "$(calfpen get /ip)"
	# the device goes, and another one gets the alternative name
	server_stop
	ip link delete "$LAB_UPLINK"
	ip link add other0 address "$LAB_UPLINK_MAC" type veth \
		peer name "$LAB_SERVER_IF" netns "$LAB_SERVER_NS"
	on_server ip link set "$LAB_SERVER_IF" up
	on_server ip address add "$LAB_SERVER_ADDR/24" dev "$LAB_SERVER_IF"
	server_start
	wait_for_line "$LAB_DIR/calfpen.log" 'is gone; waiting for an interface named' 5
	ip link property add dev other0 altname "$long_name"
	wait_for 20 leased_on other0
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# An interface has one instance, whatever name it is given.
test_U47_alternative_name_of_an_uplink_in_use() {
	local output
	ip link property add dev "$LAB_UPLINK" altname wan
	lease
	! output=$(calfpen run --interface wan --uid-base 1878001000 --cgroup-parent "$LAB_CGROUP" 2>&1) ||
		fail "started"
	assert_match "instance $LAB_UPLINK is already running on this uplink" "$output"
}

# one_line REGEX COMMAND... - fails with one line that matches
one_line() {
	local regex=$1 output code=0
	shift
	output=$("$@" 2>&1 </dev/null) || code=$?
	assert_eq 1 "$code" "exit code of: $* ($output)"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)" "one line of: $output"
	assert_match "$regex" "$output"
	assert_nothing_left
}

test_U47_names_that_are_none() {
	one_line 'no such interface' calfpen run --interface "$long_name"
	one_line 'use 1 to 127 printable' calfpen run --interface "$long_name.$long_name"
	one_line 'use 1 to 127 printable' calfpen run --interface 'a b'
}
