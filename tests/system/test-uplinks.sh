# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Two uplinks of one host, in two networks with a server each: two instances,
# which know of each other only what they say in /run/calfpen.

. tests/system/calfpen.sh

original='# what the operator had
nameserver 192.0.2.53'

# instance NAME METRIC [OPTION...] - start it; its lease ends with it
instance() {
	local name=$1
	printf 'metric: %s\ncalves: {dhcp4: {release_at_stop: "1"}}\n' "$2" >"/etc/calfpen/$name.yaml"
	shift 2
	start "$name" calfpen run --interface "$name" --cgroup-parent "$LAB_CGROUP" "$@"
}

# default_instance NAME [OPTION...] - without a configuration
default_instance() {
	local name=$1
	shift
	start "$name" calfpen run --interface "$name" --cgroup-parent "$LAB_CGROUP" "$@"
}

# two_defaults - both instances, without a configuration
two_defaults() {
	echo "$original" >"$LAB_RESOLV"
	second_network
	default_instance "$LAB_UPLINK"
	default_instance "$second"
	wait_for 20 both_leased
}
both_leased() { [ "$(default_routes | wc -l)" -eq 2 ] && resolv_is "${both_names[@]}"; }
both_names=('search lab.example corp.example second.example'
	'nameserver 10.77.0.1' 'nameserver 10.77.0.2' 'nameserver 10.78.0.53')

first_instance() { instance "$LAB_UPLINK" "$1"; }
second_instance() { instance "$second" "$1"; }

resolv_is() {
	[ "$(grep -v '^#' "$LAB_RESOLV")" = "$(printf '%s\n' "$@")" ]
}

default_routes() {
	ip -4 route show default | sed -E 's/.* via ([0-9.]*) dev ([a-z0-9]*) .* metric ([0-9]*).*/\1 \2 \3/'
}

# both FIRST SECOND - with these metrics
both() {
	echo "$original" >"$LAB_RESOLV"
	second_network
	first_instance "$1"
	wait_for 20 resolv_is 'search lab.example corp.example' 'nameserver 10.77.0.1' 'nameserver 10.77.0.2'
	second_instance "$2"
}

only_first='search lab.example corp.example
nameserver 10.77.0.1
nameserver 10.77.0.2'

test_resolv_conf_in_order_of_metric() {
	both 100 200
	wait_for 20 resolv_is 'search lab.example corp.example second.example' \
		'nameserver 10.77.0.1' 'nameserver 10.77.0.2' 'nameserver 10.78.0.53'
	assert_eq "10.77.0.1 $LAB_UPLINK 100
10.78.0.1 $second 200" "$(default_routes)"
	assert_match '^10\.77\.0\.' "$(calfpen --instance "$LAB_UPLINK" get /ip)"
	assert_match '^10\.78\.0\.' "$(calfpen --instance "$second" get /ip)"
	# one ends, the other's stays
	stop "$second" || fail "exit code $?"
	assert_eq "$only_first" "$(grep -v '^#' "$LAB_RESOLV")"
	# and comes back
	second_instance 200
	wait_for 20 resolv_is 'search lab.example corp.example second.example' \
		'nameserver 10.77.0.1' 'nameserver 10.77.0.2' 'nameserver 10.78.0.53'
	stop "$LAB_UPLINK" || fail "exit code $?"
	resolv_is 'domain second.example' 'nameserver 10.78.0.53' || fail "$(cat "$LAB_RESOLV")"
	assert_eq "10.78.0.1 $second 200" "$(default_routes)"
	stop "$second" || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
	assert_eq "" "$(default_routes)"
	assert_eq "" "$(pgrep -a 'calfpen-|calf-dhcp4' || true)" "processes left"
}

test_the_later_one_goes_first_by_its_metric() {
	both 100 50
	wait_for 20 resolv_is 'search second.example lab.example corp.example' \
		'nameserver 10.78.0.53' 'nameserver 10.77.0.1' 'nameserver 10.77.0.2'
	stop "$LAB_UPLINK" || fail "exit code $?"
	resolv_is 'domain second.example' 'nameserver 10.78.0.53' || fail "$(cat "$LAB_RESOLV")"
	stop "$second" || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
}

# Nobody composes anew when an instance is killed: its lease holds. Its next
# life, and the other's, go on from what it left.
test_killed_instance_keeps_its_share() {
	local pid
	both 100 200
	wait_for 20 resolv_is 'search lab.example corp.example second.example' \
		'nameserver 10.77.0.1' 'nameserver 10.77.0.2' 'nameserver 10.78.0.53'
	pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "/run/calfpen/$second/state.json")
	kill -KILL "$pid"
	wait_for 5 not alive "$pid"
	stop "$second" || true
	stop "$LAB_UPLINK" || fail "exit code $?"
	resolv_is 'domain second.example' 'nameserver 10.78.0.53' || fail "$(cat "$LAB_RESOLV")"
	second_instance 200
	wait_for 20 leased_twice "$second"
	stop "$second" || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
}
leased_twice() { [ "$(grep -c 'lease of' "$LAB_DIR/$1.log")" -eq 2 ]; }

# The uplink gets another name while nothing runs: what was set under its old name
# is not composed for ever, and the operator's file comes back at the end.
test_U23_renamed_uplink() {
	echo "$original" >"$LAB_RESOLV"
	lease
	stop calfpen || fail "exit code $?"
	grep -q "(instance $LAB_UPLINK)" "$LAB_RESOLV" || fail "the lease is valid, so it stays"
	ip link set "$LAB_UPLINK" down
	ip link set "$LAB_UPLINK" name renamed0
	instance renamed0 100
	wait_for 20 grep -q '(instance renamed0)' "$LAB_RESOLV"
	stop renamed0 || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
}

# With nobody running, the operator asks for it.
test_U23_forget() {
	local ours
	echo "$original" >"$LAB_RESOLV"
	lease
	assert_match 'it is running; stop it first' "$(calfpen forget "$LAB_UPLINK" 2>&1 || true)"
	assert_match 'there is no such instance' "$(calfpen forget nobody 2>&1 || true)"
	calfpen forget || fail "exit code $?"
	stop calfpen || fail "exit code $?"
	ours=$(cat "$LAB_RESOLV")
	calfpen forget || fail "exit code $?"
	assert_eq "$ours" "$(cat "$LAB_RESOLV")" "its lease is valid"
	calfpen forget "$LAB_UPLINK" || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
	assert_eq "" "$(find /run/calfpen /var/lib/calfpen /sys/fs/bpf/calfpen -name "$LAB_UPLINK*")"
	# and once it is over, without the name
	lease
	stop calfpen || fail "exit code $?"
	sed -i 's/^[0-9]*/1/' "$run"/*.until
	# what another calf said never ends
	echo https://ra.example/ >"$run/captive-portal"
	echo '18446744073709551615 0 0' >"$run/captive-portal.until"
	calfpen forget || fail "exit code $?"
	assert_eq "$original" "$(cat "$LAB_RESOLV")"
	assert_eq https://ra.example/ "$(cat "$run/captive-portal")"
	assert_eq "" "$(find "$run" -name 'resolv.conf*')"
}

# A watcher that composed from what a dead instance left composes again when that is
# over, without any other event.
test_U23_lease_of_a_dead_instance_ends() {
	local dead=/run/calfpen/dead
	mkdir -p "$dead"
	printf '%s\n' '# Generated by calfpen (instance dead)' '# metric 1 /etc/resolv.conf' \
		'nameserver 192.0.2.77' >"$dead/resolv.conf"
	python3 -c 'import time
print(time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 10 * 10**9, 0, 0)' >"$dead/resolv.conf.until"
	lease
	wait_for 5 grep -q "(instances dead, $LAB_UPLINK)" "$LAB_RESOLV"
	wait_for 15 grep -q "(instance $LAB_UPLINK)" "$LAB_RESOLV"
	assert_match '^ok' "$(calfpen get /status/dns)"
	stop calfpen || fail "exit code $?"
}

metric_of() { echo "$((1000 + $(cat "/sys/class/net/$1/ifindex")))"; }

# Nothing is configured: each has its default route, in the order of the uplinks.
test_U10_two_default_configurations() {
	two_defaults
	assert_eq "10.77.0.1 $LAB_UPLINK $(metric_of "$LAB_UPLINK")
10.78.0.1 $second $(metric_of "$second")" "$(default_routes)"
	assert_match '^ok' "$(calfpen --instance "$LAB_UPLINK" get /status/route)"
	assert_match '^ok' "$(calfpen --instance "$second" get /status/route)"
}

# Another device in the place of the uplink has another index.
test_U10_replaced_uplink_has_its_own_metric() {
	two_defaults
	ip link delete "$second"
	ip link add "$second" address 02:00:00:00:78:03 type veth peer name server1 netns second
	ip -netns second link set server1 up
	ip -netns second address add 10.78.0.1/24 dev server1
	wait_for 20 routes_by_uplink
}
routes_by_uplink() {
	[ "$(default_routes)" = "10.77.0.1 $LAB_UPLINK $(metric_of "$LAB_UPLINK")
10.78.0.1 $second $(metric_of "$second")" ]
}

now_ms() { echo "$((${EPOCHREALTIME//./} / 1000))"; }
uses() { # uses UPLINK SERVER - for what is sent elsewhere, and for names
	[[ $(ip -4 route get 192.0.2.9) =~ dev\ $1 ]] &&
		[ "$(grep -m1 ^nameserver "$LAB_RESOLV")" = "nameserver $2" ]
}

# The cable of the preferred uplink is pulled, and put back.
test_U09_failover_without_carrier() {
	local begun took
	both 100 200
	wait_for 20 resolv_is "${both_names[@]}"
	uses "$LAB_UPLINK" 10.77.0.1 || fail "$(ip -4 route)"
	for _ in 1 2 3; do
		begun=$(now_ms)
		ip -netns server link set server0 down
		wait_for 5 uses "$second" 10.78.0.53
		took=$(($(now_ms) - begun))
		[ "$took" -le 1000 ] || fail "$took ms until the other uplink is used"
		assert_match 'no carrier' "$(calfpen --instance "$LAB_UPLINK" get /status/route)"
		ip -netns server link set server0 up
		wait_for 5 uses "$LAB_UPLINK" 10.77.0.1
	done
}

another_on() { # another_on UPLINK [OPTION...]
	local name=$1
	shift
	calfpen run --interface "$name" --instance another \
		--cgroup-parent "$LAB_CGROUP" "$@"
}
refuses_another_on() {
	local output
	! output=$(another_on "$@" 2>&1) || fail "started"
	assert_match "$1: instance $LAB_UPLINK is already running on this uplink" "$output"
}

# Two instances on one uplink would take each other's replies.
test_U20_second_instance_on_an_uplink_is_refused() {
	default_instance "$LAB_UPLINK"
	wait_for 20 has_lease
	refuses_another_on "$LAB_UPLINK"
	refuses_another_on "$LAB_UPLINK" --takeover
	# by whatever name
	ip link set "$LAB_UPLINK" down
	ip link set "$LAB_UPLINK" name renamed0
	ip link set renamed0 up
	refuses_another_on renamed0
	# it was down, so the lease is confirmed first
	wait_for 20 first_leased
	stop "$LAB_UPLINK" || fail "exit code $?"
	assert_eq "" "$(compgen -G '/run/calfpen/uplink.*' || true)"
	start another another_on renamed0
	wait_for 20 another_leased
}
first_leased() { [[ $(calfpen --instance "$LAB_UPLINK" get /lease/state 2>/dev/null) = bound ]]; }
another_leased() { [[ $(calfpen --instance another get /lease/state 2>/dev/null) = bound ]]; }

# A supervisor that was killed holds nothing.
test_U20_killed_instance_frees_its_uplink() {
	default_instance "$LAB_UPLINK"
	wait_for 20 has_lease
	kill -KILL "$(supervisor_pid)"
	stop "$LAB_UPLINK" || true
	start another another_on "$LAB_UPLINK"
	wait_for 20 another_leased
}

# Whoever composes, the file is the same: what is first of both, the leases' by
# metric, what is last; options of the first that has some.
test_U24_configurations_of_two_instances() {
	local merged=('search lab.example corp.example second.example' 'nameserver 127.0.0.1'
		'nameserver ::1' 'nameserver 10.77.0.1' 'options rotate' 'sortlist 10.0.0.0')
	printf '%s\n' "$original" 'options edns0' 'sortlist 10.0.0.0' >"$LAB_RESOLV"
	second_network
	instance "$second" $'200\ndns: {prepend: 127.0.0.1 ::1, options: rotate}'
	wait_for 20 resolv_is 'domain second.example' 'nameserver 127.0.0.1' 'nameserver ::1' \
		'nameserver 10.78.0.53' 'options rotate' 'sortlist 10.0.0.0'
	instance "$LAB_UPLINK" $'100\ndns: {prepend: 127.0.0.1, append: 192.0.2.9}'
	wait_for 20 resolv_is "${merged[@]}"
	stop "$second" || fail "exit code $?"
	resolv_is 'search lab.example corp.example' 'nameserver 127.0.0.1' 'nameserver 10.77.0.1' \
		'nameserver 10.77.0.2' 'options edns0' 'sortlist 10.0.0.0' || fail "$(cat "$LAB_RESOLV")"
	stop "$LAB_UPLINK" || fail "exit code $?"
	assert_eq "$original"$'\noptions edns0\nsortlist 10.0.0.0' "$(cat "$LAB_RESOLV")"
}

# one_after_the_other - as two_defaults, so that it is known whose uids come first
one_after_the_other() {
	echo "$original" >"$LAB_RESOLV"
	second_network
	default_instance "$LAB_UPLINK"
	wait_for 20 has_lease
	default_instance "$second"
	wait_for 20 both_leased
}

# uids_of INSTANCE - of its gateway and its calf
uids_of() {
	local pid
	for pid in $(python3 -c 'import json, sys
calf = json.load(open(sys.argv[1]))["calves"][0]
print(calf["gateway_pid"], calf["pid"])' "/run/calfpen/$1/state.json"); do
		awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status"
	done
}
uid_table() { cat /run/calfpen/uids; }

# Nobody chooses uids: each instance has its own, also when it starts again.
test_U35_uids_of_two_instances() {
	one_after_the_other
	assert_eq "$LAB_UPLINK:1879048192:128
$second:1879048320:128" "$(uid_table)"
	assert_eq $'1879048198\n1879048199' "$(uids_of "$LAB_UPLINK")"
	assert_eq $'1879048326\n1879048327' "$(uids_of "$second")"
	stop "$LAB_UPLINK" || fail "exit code $?"
	kill -KILL "$(pid_of "$second")"
	stop "$second" || true
	default_instance "$second"
	default_instance "$LAB_UPLINK"
	wait_for 20 both_run_again
	assert_eq $'1879048198\n1879048199' "$(uids_of "$LAB_UPLINK")"
	assert_eq $'1879048326\n1879048327' "$(uids_of "$second")"
	# one that is forgotten makes room
	stop "$LAB_UPLINK" || fail "exit code $?"
	calfpen forget "$LAB_UPLINK" || fail "exit code $?"
	start third calfpen run --interface "$LAB_UPLINK" --instance third --cgroup-parent "$LAB_CGROUP"
	wait_for 20 third_leased
	assert_eq $'1879048198\n1879048199' "$(uids_of third)"
}
pid_of() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' "/run/calfpen/$1/state.json"
}
both_run_again() {
	alive "$(pid_of "$LAB_UPLINK")" && alive "$(pid_of "$second")" &&
		[ "$(uids_of "$LAB_UPLINK" | wc -l)" -eq 2 ] && [ "$(uids_of "$second" | wc -l)" -eq 2 ]
}
third_leased() { [[ $(calfpen --instance third get /lease/state 2>/dev/null) = bound ]]; }

# listed - what `calfpen list` prints, its columns separated by |
listed() { calfpen list | sed 's/   */|/g; s/  /|/g'; }

# All instances are seen at once, and each can be named by a word.
test_U35_list_and_status_of_two_instances() {
	local first_ip second_ip output rc=0
	one_after_the_other
	first_ip=$(calfpen get "$LAB_UPLINK" /ip)
	second_ip=$(calfpen get "$second" /ip)
	assert_match '^10\.77\.0\.' "$first_ip"
	assert_match '^10\.78\.0\.' "$second_ip"
	assert_eq "$LAB_UPLINK|$LAB_UPLINK|running|bound, $first_ip|1879048192-1879048319
$second|$second|running|bound, $second_ip|1879048320-1879048447" "$(listed)"
	assert_eq "$(calfpen list)" "$(calfpen)"
	assert_eq "$LAB_UPLINK running 10.77 $second running 10.78" "$(calfpen list --json | python3 -c 'import json, sys
print(*(word for one in json.load(sys.stdin)
        for word in (one["instance"], one["status"], one["lease"]["address"][:5])))')"
	output=$(calfpen status) || fail "exit code $?"
	assert_match "^instance  $LAB_UPLINK, running, pid [0-9]+"$'\n'"lease     bound, $first_ip" "$output"
	assert_match $'\n\n'"instance  $second, running, pid [0-9]+"$'\n'"lease     bound, $second_ip" "$output"
	assert_match $'\nuids      1879048320 to 1879048447\n' "$output"
	assert_eq "$(calfpen --instance "$second" ls /lease)" "$(calfpen ls "$second" /lease)"
	calfpen set "$second" /control/dhcp4/renew now || fail "exit code $?"
	! output=$(calfpen get wan /ip 2>&1) || fail "there is no such instance"
	assert_eq "calfpen: no such instance: wan; existing instances: $LAB_UPLINK $second" "$output"
	! output=$(calfpen get /ip 2>&1) || fail "which one?"
	assert_eq "calfpen: several instances exist; name one of them: $LAB_UPLINK $second" "$output"
	# one stops: the other is well, but not all are
	stop "$second" || fail "exit code $?"
	assert_eq "$LAB_UPLINK|$LAB_UPLINK|running|bound, $first_ip|1879048192-1879048319
$second|-|not running|$(calfpen get "$second" /lease/state 2>/dev/null || true), $second_ip|1879048320-1879048447" "$(listed)"
	calfpen status >/dev/null || rc=$?
	assert_eq 8 "$rc"
	calfpen status "$LAB_UPLINK" >/dev/null || fail "exit code $?"
	# as after a reboot: one runs again, of the other there is only what it saved
	rm -rf "/sys/fs/bpf/calfpen/$second" "/run/calfpen/$second"
	assert_match "(^|$)$second\|-\|not running\|-\|" "$(listed | sed 1d)"
	assert_eq "$first_ip" "$(calfpen get /ip)" "it is the only one"
	calfpen forget "$second" || fail "exit code $?"
	calfpen status >/dev/null || fail "exit code $?"
}

# A process of one of them fails again and again.
test_U35_list_and_status_of_a_failed_instance() {
	local rc=0
	one_after_the_other
	wait_for 20 fails_if_killed
	calfpen status >/dev/null || rc=$?
	assert_eq 9 "$rc"
	is_listed_as "$LAB_UPLINK" running || fail "$(calfpen list)"
	calfpen status "$LAB_UPLINK" >/dev/null || fail "exit code $?"
}
kill_watcher_of() {
	local pid
	pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["watcher_pid"])' "/run/calfpen/$1/state.json")
	[ "$pid" -gt 1 ] && kill -KILL "$pid"
}
fails_if_killed() {
	kill_watcher_of "$second" || true
	is_listed_as "$second" FAILED
}
is_listed_as() { [[ $(listed) =~ (^|$'\n')$1\|$1\|$2\| ]]; }

# What an option chooses must be free, and nothing else may have it.
test_F9_uids_of_another_instance_are_refused() {
	local output base
	echo "$original" >"$LAB_RESOLV"
	second_network
	default_instance "$LAB_UPLINK"
	wait_for 20 has_lease
	for base in 1879048192 1879048319 1879048065; do
		! output=$(timeout 20 calfpen run --interface "$second" --uid-base "$base" --cgroup-parent "$LAB_CGROUP" 2>&1) ||
			fail "started"
		assert_match "--uid-base: uids $base to $((base + 127)) overlap with those of instance $LAB_UPLINK, 1879048192 to 1879048319; choose" "$output"
		[ "$(cat "/sys/class/net/$second/operstate")" != up ] || fail "the host was changed"
	done
	default_instance "$second" --uid-base 1879048320
	wait_for 20 both_leased
	assert_eq $'1879048326\n1879048327' "$(uids_of "$second")"
}

# The gateway of a killed run has other uids than the next one: it is found all the
# same, before another instance can have its uids.
test_F9_leftover_with_other_uids() {
	local gateway
	lease --uid-base 300000
	gateway=$(gateway_pid)
	assert_eq $'300006\n300007' "$(uids_of "$LAB_UPLINK")"
	kill -STOP "$gateway"
	kill -KILL "$(supervisor_pid)"
	stop calfpen || true
	alive "$gateway" || fail "a stopped process should be there"
	lease --uid-base 400000
	not alive "$gateway" || fail "the leftover lives"
	assert_eq $'400006\n400007' "$(uids_of "$LAB_UPLINK")"
	assert_eq "$LAB_UPLINK:400000:128" "$(uid_table)"
}

# Each instance has calves of its own, of which two have a tap.
test_three_calves_each() {
	local name calves=(--calf "$TOP/build/lib/calfpen/calves/dhcp4" --calf "$TOP/build/tests/calf/echo"
		--calf "$TOP/build/tests/calf/observer")
	echo "$original" >"$LAB_RESOLV"
	second_network
	default_instance "$LAB_UPLINK" "${calves[@]}"
	default_instance "$second" "${calves[@]}"
	wait_for 20 both_leased
	for name in "$LAB_UPLINK" "$second"; do
		wait_for 10 is_observed "$name"
		wait_for 10 has_sent "$name"
		assert_eq 0 "$(calfpen --instance "$name" get /echo/foreign)"
	done
	assert_eq "calfpen $LAB_UPLINK dhcp4, calfpen $LAB_UPLINK echo, calfpen $second dhcp4, calfpen $second echo" \
		"$(tap_aliases)"
	stop "$second" || fail "exit code $?"
	assert_eq "calfpen $LAB_UPLINK dhcp4, calfpen $LAB_UPLINK echo" "$(tap_aliases)"
	is_observed "$LAB_UPLINK"
}
is_observed() { [ "$(calfpen --instance "$1" get /observer/ip)" = "$(calfpen --instance "$1" get /ip)" ]; }
has_sent() { calfpen --instance "$1" frames --reason out_accepted | grep -c 'echo: .*:1068 > 255.255.255.255:1067' >/dev/null; }
tap_aliases() { sort /sys/class/net/calf*/ifalias | paste -sd , | sed 's/,/, /g'; }
