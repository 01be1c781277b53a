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

# one_line [-CODE] REGEX COMMAND... - exits with CODE (1) after one line that matches
one_line() {
	local wanted=1 regex output code=0
	[[ $1 != -* ]] || {
		wanted=${1#-}
		shift
	}
	regex=$1
	shift
	output=$("$@" 2>&1 </dev/null) || code=$?
	assert_eq "$wanted" "$code" "exit code of: $* ($output)"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)" "one line of: $output"
	assert_match "$regex" "$output"
	assert_nothing_left
}

test_U47_names_that_are_none() {
	one_line 'no such interface' calfpen run --interface "$long_name"
	one_line -2 'use 1 to 127 printable' calfpen run --interface "$long_name.$long_name"
	one_line -2 'use 1 to 127 printable' calfpen run --interface 'a b'
}

test_U08_without_waiting() {
	one_line 'later0: no such interface; .*--wait-interface' calfpen run --interface later0
}

log_says() { [ "$(grep -cE "$1" "$LAB_DIR/calfpen.log")" -eq 1 ]; }

test_U08_interface_that_comes_later() {
	rename "$LAB_UPLINK" early0
	run_on "$LAB_UPLINK" --wait-interface
	wait_for_line "$LAB_DIR/calfpen.log" "$LAB_UPLINK: no such interface; waiting" 5
	# of no interest
	ip link add other0 type veth peer name other1
	ip link delete other0
	ip link set early0 name "$LAB_UPLINK"
	wait_for 20 has_lease
	log_says waiting || fail "said more than once"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

test_U08_waits_only_so_long() {
	local code=0
	calfpen run --interface later0 --wait-interface=1 2>"$LAB_DIR/error" || code=$?
	assert_eq "1 2" "$code $(wc -l <"$LAB_DIR/error")" "$(cat "$LAB_DIR/error")"
	assert_match 'later0: no such interface; waited 1 s for it' "$(tail -n 1 "$LAB_DIR/error")"
	assert_nothing_left
	printf 'wait_interface: 1\n' >"$LAB_DIR/wait.yaml"
	assert_fails calfpen run --interface later0 --config "$LAB_DIR/wait.yaml" 2>"$LAB_DIR/error"
	assert_match 'waited 1 s' "$(cat "$LAB_DIR/error")"
	# the command line goes first
	one_line 'later0: no such interface; name' \
		calfpen run --interface later0 --config "$LAB_DIR/wait.yaml" --wait-interface=0
}

test_U08_signal_ends_the_wait() {
	local signal begun
	for signal in TERM INT; do
		run_on later0 --wait-interface=forever
		wait_for_line "$LAB_DIR/calfpen.log" 'later0: no such interface; waiting' 5
		begun=${EPOCHREALTIME//./}
		stop calfpen "$signal" || fail "exit code $?"
		[ "$((${EPOCHREALTIME//./} - begun))" -lt 1000000 ] || fail "took too long"
		assert_nothing_left
		: >"$LAB_DIR/calfpen.log"
	done
}

# There is a device of that name, but of another type; then none, then the right one.
test_U08_interface_of_another_type() {
	rename "$LAB_UPLINK" early0
	ip tuntap add dev "$LAB_UPLINK" mode tun
	run_on "$LAB_UPLINK" --wait-interface
	wait_for_line "$LAB_DIR/calfpen.log" "$LAB_UPLINK: not an Ethernet interface; waiting" 5
	ip link delete "$LAB_UPLINK"
	wait_for_line "$LAB_DIR/calfpen.log" "$LAB_UPLINK: no such interface; waiting" 5
	ip link set early0 name "$LAB_UPLINK"
	wait_for 20 has_lease
}

# The kernel sends no event for that.
test_U08_alternative_name_that_comes_later() {
	ip link set "$LAB_UPLINK" down
	run_on "$long_name" --wait-interface=60 --instance "$LAB_UPLINK"
	wait_for_line "$LAB_DIR/calfpen.log" "$long_name: no such interface; waiting" 5
	ip link property add dev "$LAB_UPLINK" altname "$long_name"
	wait_for 20 has_lease
}

test_U22_bridge_without_a_mac() {
	ip link add br0 type bridge
	ip link set "$LAB_UPLINK" master br0
	ip link set "$LAB_UPLINK" nomaster
	assert_eq 00:00:00:00:00:00 "$(cat /sys/class/net/br0/address)"
	one_line 'br0: has no MAC address yet; a bridge gets one with its first port' \
		calfpen run --interface br0 --wait-interface=0
	run_on br0
	wait_for_line "$LAB_DIR/calfpen.log" 'br0: has no MAC address yet; .*; waiting' 5
	ip link set "$LAB_UPLINK" up
	ip link set "$LAB_UPLINK" master br0
	wait_for 20 leased_on br0
	log_says waiting || fail "said more than once"
}

# It keeps its lease until the port is back.
test_U22_bridge_that_loses_its_port() {
	local calf
	ip link add br0 type bridge
	ip link set "$LAB_UPLINK" up
	ip link set "$LAB_UPLINK" master br0
	run_on br0 --instance "$LAB_UPLINK"
	wait_for 20 leased_on br0
	calf=$(calf_pid)
	ip link set "$LAB_UPLINK" nomaster
	wait_for_line "$LAB_DIR/calfpen.log" 'br0 has no MAC address any more; waiting' 5
	ip link set "$LAB_UPLINK" master br0
	wait_for 20 leased_on br0
	assert_eq "$calf" "$(calf_pid)"
	assert_fails grep -q 'cannot\|not an Ethernet' "$LAB_DIR/calfpen.log"
}

test_U22_port_at_the_start() {
	ip link add br0 type bridge
	ip link set "$LAB_UPLINK" master br0
	one_line "$LAB_UPLINK: is a port of br0, which takes its frames; name the bridge" \
		calfpen run --interface "$LAB_UPLINK"
	calfpen_start --wait-interface
	wait_for_line "$LAB_DIR/calfpen.log" "$LAB_UPLINK: is a port of br0, .*; waiting" 5
	ip link set "$LAB_UPLINK" nomaster
	wait_for 20 has_lease
}

link_status_is() { [[ $(calfpen get /status/link) =~ $1 ]]; }

# It is said once, and again when it is over.
test_U22_uplink_that_becomes_a_port() {
	lease
	wait_for 5 link_status_is '^ok'
	ip link add br0 type bridge
	ip link set "$LAB_UPLINK" master br0
	wait_for 5 link_status_is "^error: $LAB_UPLINK is a port of br0, which takes its frames"
	wait_for 5 log_says "watcher: link: $LAB_UPLINK is a port of br0"
	sleep 2.5 # it is tried again after 1 s
	log_says "watcher: link: $LAB_UPLINK is a port of br0" || fail "said more than once"
	has_address || fail "the address was removed"
	ip link set "$LAB_UPLINK" nomaster
	wait_for 5 link_status_is '^ok'
	wait_for 5 log_says 'link: recovered'
}

# The MTU is set in spite of it, and another watcher says it, too.
test_U22_watcher_that_starts_on_a_port() {
	local former
	lease
	ip link add br0 type bridge
	ip link set "$LAB_UPLINK" master br0
	wait_for 5 link_status_is "^error: $LAB_UPLINK is a port of br0"
	ip link set "$LAB_UPLINK" mtu 1500
	former=$(watcher_pid)
	kill -KILL "$former"
	wait_for 5 has_mtu 1400
	wait_for 5 link_status_is "^error: $LAB_UPLINK is a port of br0"
	ip link set "$LAB_UPLINK" nomaster
	wait_for 5 link_status_is '^ok'
}
has_mtu() { [ "$(cat "/sys/class/net/$LAB_UPLINK/mtu")" = "$1" ]; }

read_only() { mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"; }

acks() { grep -c DHCPACK "$LAB_SERVER_LOG"; }
renewed() { [ "$(acks)" -gt "$1" ] && [ "$(calfpen get /lease/state)" = bound ]; }

# The renewal is sent to the server's MAC, which the kernel looks up. It is asked for before
# a broadcast would be sent.
test_U21_read_only_proc_sys() {
	local before
	read_only /proc/sys
	lease
	before=$(acks)
	calfpen set /control/dhcp4/renew 1
	wait_for 10 renewed "$before"
	[ "$(counter out_unicast)" -ge 1 ] || fail "the renewal was not unicast"
	assert_fails grep -iE 'tun|error' "$LAB_DIR/calfpen.log"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# What nothing depends on is said once, also if the tap is made again.
test_U21_ipv6_cannot_be_disabled_on_the_tap() {
	local tap said="cannot disable IPv6: /proc/sys: Read-only file system"
	[ -d /proc/sys/net/ipv6 ] || skip "no IPv6"
	echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	read_only /proc/sys
	lease
	tap=$(state tap)
	assert_eq 0 "$(cat "/proc/sys/net/ipv6/conf/$tap/disable_ipv6")"
	log_says "calfpen: $tap: $said" || fail "not said, or more than once"
	assert_eq "" "$(ip -6 -oneline address show dev "$tap")"
	ip link set "$LAB_UPLINK" address 02:00:00:00:77:04
	wait_for 20 acked 02:00:00:00:77:04
	wait_for 20 has_lease
	log_says "$said" || fail "said more than once"
	assert_eq "" "$(ip -6 -oneline address show dev "$(state tap)")"
}
acked() { grep -q "DHCPACK($LAB_SERVER_IF) .* $1" "$LAB_SERVER_LOG"; }

# Everything that a container's /proc has on it.
test_U21_masked_proc() {
	read_only /proc/sys
	mount --bind /dev/null /proc/interrupts
	mount -t tmpfs -o ro none /proc/irq
	lease
	# also when the container is made anew
	kill -KILL "$(calf_pid)"
	wait_for 10 has_restarted
	wait_for 20 has_lease
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}
has_restarted() { [ "$(state calves 0 restarts)" -ge 1 ] && alive "$(calf_pid)"; }

audit_status_is() { [[ $(calfpen get /status/audit 2>/dev/null) =~ $1 ]]; }

# cannot_audit REASON [OPTION...] - a lease in spite of it, which is told
cannot_audit() {
	local reason=$1
	shift
	lease "$@"
	log_says "audit log .*: cannot open: $reason; records go to a reserve" || fail "not said once"
	wait_for 5 audit_status_is "^error: .*: $reason; records go to .*/audit-reserve; when it is full, calves are refused\$"
	assert_match "handler +audit: error: .*: $reason" "$(calfpen status)"
}

# audit_works FILE - all of it is there
audit_works() {
	audit_status_is '^ok$' && grep -q '"path":"/mac"' "$1" && grep -q '"path":"/ip"' "$1" &&
		grep -q '"path":"/status/audit"' "$1" && calfpen audit --verify
}

test_U14_read_only_directory() {
	mkdir -p /var/log/calfpen
	read_only /var/log/calfpen
	cannot_audit 'Read-only file system'
	mount -o remount,rw,bind /var/log/calfpen
	wait_for 20 audit_works "$audit"
	assert_match '/status/audit' "$(calfpen audit)"
	log_says 'watcher: audit log .*: writable again; [0-9]+ records waited in the reserve, 0 were lost' || fail "not counted"
	stop calfpen || fail "exit code $?"
}

# Nor can the directory be made.
test_U14_read_only_var_log() {
	mount -t tmpfs -o ro none /var/log
	cannot_audit 'Read-only file system'
	mount -o remount,rw /var/log
	wait_for 20 audit_works "$audit"
}

# Full of files, not of octets
test_U14_no_room_for_a_file() {
	mkdir -p /var/log/calfpen
	mount -t tmpfs -o nr_inodes=1 none /var/log/calfpen
	cannot_audit 'No space left on device'
	mount -o remount,nr_inodes=100 /var/log/calfpen
	wait_for 20 audit_works "$audit"
}

# A file that was named gets the same, also if it can never be one.
test_U14_named_file() {
	cannot_audit 'Is a directory' --audit "$LAB_DIR"
	stop calfpen || fail "exit code $?"
	wait_for_line "$LAB_DIR/calfpen.log" 'audit log .*: [0-9]+ records wait in .*/audit-reserve for the next start' 5
	: >"$LAB_DIR/calfpen.log"
	: >"$LAB_DIR/file"
	cannot_audit 'Not a directory' --audit "$LAB_DIR/file/audit"
	# the operator asks for it now, instead of in some seconds
	rm "$LAB_DIR/file"
	mkdir "$LAB_DIR/file"
	kill -HUP "$(supervisor_pid)"
	wait_for 20 audit_works "$LAB_DIR/file/audit"
}

renewal_is_not_audited() {
	calfpen set /control/dhcp4/renew 1 || true
	audit_status_is '^error: .*: No space left on device'
}

# Full at some later time: in the status, too.
test_U14_disk_that_gets_full() {
	mkdir -p /var/log/calfpen
	mount -t tmpfs -o size=64k none /var/log/calfpen
	lease
	assert_fails calfpen get /status/audit
	dd if=/dev/zero of=/var/log/calfpen/fill bs=4k 2>/dev/null || true
	# what is left of the page of the log
	wait_for 20 renewal_is_not_audited
	rm /var/log/calfpen/fill
	wait_for 20 audit_works "$audit"
}

# traced_start FILE - a start, with the calls of the supervisor itself in FILE
traced_start() {
	start calfpen strace -D -qq -T -s 64 -o "$1" calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	wait_for 20 has_lease
	stop calfpen || fail "exit code $?"
	grep -q 'PROG_LOAD' "$1" || fail "it is no trace of a start"
	grep -q '"<info> calfpen: instance ' "$1" || fail "no end of the start in the trace"
}

# long_calls FILE - those of a start that take more than 2 ms, but for loading programs, and for
# futex, by which it waits for the threads that load some: "CALL(COMMAND NUMBER SECONDS", the
# number among all such calls. Of memory as many are requested as happen to be needed: number the
# long ones.
long_calls() {
	awk '/"<info> calfpen: instance / { exit }
		match($0, /^[a-z0-9_]+\((BPF_[A-Z_]+)?/) {
			call = substr($0, 1, RLENGTH)
			is_memory = call ~ /^(brk|madvise|mmap|munmap)/
			number = ++n[call]
			if (!match($0, /<[0-9.]+>$/) || call ~ /^(bpf.BPF_PROG_LOAD|futex)/)
				next
			seconds = substr($0, RSTART + 1, RLENGTH - 2)
			if (seconds > 0.002)
				print call, is_memory ? ++long[call] : number, seconds
		}' "$1"
}

# What waits, waits in each start; what the machine has to do besides delays another call each
# time. The one call is that for the link of the uplink's program. The first start makes the
# store; those that adopt it do the same calls each time.
test_a_start_waits_at_most_once() {
	local i waits starts=6
	skip_if_missing strace
	lease
	stop calfpen || fail "exit code $?"
	for ((i = 1; i <= starts; i++)); do
		traced_start "$LAB_DIR/trace"
		long_calls "$LAB_DIR/trace" >"$LAB_DIR/long"
		sed "s/^/start $i: /" "$LAB_DIR/long"
		awk '{ print $1, $2 }' "$LAB_DIR/long" >>"$LAB_DIR/calls"
	done
	waits=$(sort "$LAB_DIR/calls" | uniq -c | awk -v "starts=$starts" '$1 == starts { print $2, $3 }')
	echo "in each start: ${waits:-none}"
	[ "$(grep -c . <<<"$waits")" -le 1 ] || fail "a start waits more than once: ${waits//$'\n'/, }"
}

# A file in place of the switch of the kernel, which is that of the whole machine.
fast_start_with() { # VALUE
	echo "$1" >"$LAB_DIR/switch"
	[ "$(findmnt -n -o TARGET /sys/kernel/rcu_expedited)" ] || mount --bind "$LAB_DIR/switch" /sys/kernel/rcu_expedited
	echo 'fast_start: yes' >"/etc/calfpen/$LAB_UPLINK.yaml"
	cat >"$LAB_DIR/runtime" <<-END
		#!/bin/sh
		cat /sys/kernel/rcu_expedited >>$LAB_DIR/during
		exec $(command -v runc) "\$@"
	END
	chmod 755 "$LAB_DIR/runtime"
	: >"$LAB_DIR/during"
}

test_fast_start() {
	fast_start_with 0
	lease --runtime "$LAB_DIR/runtime"
	assert_eq 1 "$(head -1 "$LAB_DIR/during")" "at the first command of the runtime"
	assert_eq 0 "$(cat "$LAB_DIR/switch")" "when it has started"
	kill -KILL "$(supervisor_pid)"
	wait "${started[calfpen]}" || true
	assert_eq 0 "$(cat "$LAB_DIR/switch")"
}

# also if the start fails when the host has been changed: another XDP program is there
test_fast_start_that_fails() {
	fast_start_with 0
	"$tools/foreign-program" "$LAB_UPLINK" xdp-generic >"$LAB_DIR/foreign" &
	wait_for 5 grep -q attached "$LAB_DIR/foreign"
	assert_fails calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" \
		--runtime "$LAB_DIR/runtime" --mode native
	assert_eq 1 "$(head -1 "$LAB_DIR/during")" "it was set"
	assert_eq 0 "$(cat "$LAB_DIR/switch")"
	kill "$!"
}

test_fast_start_without_the_switch() {
	echo 'fast_start: yes' >"/etc/calfpen/$LAB_UPLINK.yaml"
	mount --bind /sys/kernel /sys/kernel
	mount -o remount,bind,ro /sys/kernel
	lease
	assert_eq 1 "$(grep -c fast_start "$LAB_DIR/calfpen.log")"
	assert_match 'fast_start: /sys/kernel/rcu_expedited: Read-only file system; starting as without it' \
		"$(cat "$LAB_DIR/calfpen.log")"
}
