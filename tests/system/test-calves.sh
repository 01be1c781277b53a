# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
#
# Several calves on one instance: each has its own and nothing of another.

. tests/system/calfpen.sh

dhcp4=$TOP/build/lib/calfpen/calves/dhcp4
echo=$TOP/build/tests/calf/echo
observer=$TOP/build/tests/calf/observer

# echo_server [NAMESPACE DEVICE] - answer each request to port 1067 with itself as a reply
echo_server() {
	local namespace=${1:-$LAB_SERVER_NS} device=${2:-$LAB_SERVER_IF}
	start "$device" nsenter --net="/run/netns/$namespace" -- python3 -u -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
s.bind(("", 1067))
print("ready")
while True:
    request, sender = s.recvfrom(2048)
    s.sendto(b"\2" + request[1:], ("255.255.255.255", 1068))' "$device"
	wait_for_line "$LAB_DIR/$device.log" ready 10
}

# descriptors PID - number and kind of each, without inode numbers
descriptors() {
	find "/proc/$1/fd" -mindepth 1 -printf '%f %l\n' | sort -n | sed 's/\[.*//' | paste -sd ' '
}

# tap_of PID - the device behind its descriptor 3
tap_of() { sed -n 's/^iff:[[:space:]]*//p' "/proc/$1/fdinfo/3"; }

# packets CALF REASON - of a calf
packets() {
	calfpen status --json | python3 -c 'import json, sys
frames = json.load(sys.stdin)["frames"]
print(frames.get(sys.argv[2], {}).get("calves", {}).get(sys.argv[1], 0))' "$@"
}

# tap_holders - number of processes with the descriptor of a tap
tap_holders() { find /proc/[0-9]*/fd -lname /dev/net/tun -printf '%h\n' 2>/dev/null | sort -u | wc -l; }

is_observed() { [ "$(calfpen get /observer/ip)" = "$(calfpen get /ip)" ]; }
has_echo() { [ "$(calfpen get /echo/own)" -ge "$1" ]; }
# its key outlives it, and the counters are as old as the programs
has_accepted() { [ "$(packets echo in_accepted)" -ge "$1" ]; }

# assert_own_tap CALF...
assert_own_tap() {
	local name tap
	for name; do
		tap=$(calf "$name" tap)
		assert_eq "0 /dev/null 1 pipe: 2 pipe: 3 /dev/net/tun 4 socket: 5 /memfd:calfpen-report (deleted)" \
			"$(descriptors "$(calf "$name" pid)")" "$name"
		assert_eq "$tap" "$(tap_of "$(calf "$name" pid)")" "$name"
		assert_eq "calfpen $LAB_UPLINK $name" "$(cat "/sys/class/net/$tap/ifalias")"
	done
}

# Each has exactly its own descriptors, and only what is its own comes out of its tap.
test_three_calves() {
	local name
	echo_server
	lease --calf "$echo" --calf "$observer" --calf "$dhcp4"
	wait_for 10 has_echo 3
	wait_for 10 is_observed
	assert_own_tap echo dhcp4
	[ "$(calf echo tap)" != "$(calf dhcp4 tap)" ] || fail "they share a tap"
	assert_eq "" "$(calf observer tap)"
	assert_eq "0 /dev/null 1 pipe: 2 pipe: 3 /dev/null 4 socket: 5 /memfd:calfpen-report (deleted)" \
		"$(descriptors "$(calf observer pid)")"
	assert_eq 4 "$(tap_holders)" "supervisor, launcher, echo and dhcp4"
	# whatever the order on the command line
	assert_eq "0 1 -1" "$(calf dhcp4 filter) $(calf echo filter) $(calf observer filter)"
	calfpen set /control/dhcp4/renew 1
	wait_for 10 renewed
	wait_for 10 has_echo $(($(calfpen get /echo/own) + 3))
	assert_eq 0 "$(calfpen get /echo/foreign)"
	assert_eq 0 "$(packets echo out_unicast)"
	assert_match "^calf      dhcp4, .*, tap $(calf dhcp4 tap)$" "$(calfpen status | grep '^calf      dhcp4')"
	assert_match ' \(dhcp4 [0-9]+, echo [0-9]+\)$' "$(calfpen status | grep '^frames    in_accepted')"
	assert_match 'out_accepted          echo: .* 0.0.0.0:1068 > 255.255.255.255:1067' "$(calfpen frames --reason out_accepted)"
	for name in echo dhcp4 observer; do
		assert_eq 0 "$(calf "$name" restarts)" "$name"
	done
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}
renewed() { [ "$(packets dhcp4 out_unicast)" -ge 1 ]; }

# Without frame rules there is no tap, beside a calf that has one.
test_calf_without_frames_has_no_tap() {
	lease --calf "$dhcp4" --calf "$observer"
	wait_for 10 is_observed
	assert_own_tap dhcp4
	assert_eq "0 /dev/null 1 pipe: 2 pipe: 3 /dev/null 4 socket: 5 /memfd:calfpen-report (deleted)" \
		"$(descriptors "$(calf observer pid)")"
	assert_eq 0 "$(calf observer restarts)"
	assert_eq 3 "$(tap_holders)" "supervisor, launcher and dhcp4 only"
	assert_match "tap $(calf dhcp4 tap)," "$(calfpen status | grep ^uplink)"
}

# hostile_echo - make $LAB_DIR/echo, in which an attacker is in the place of echo
hostile_echo() {
	cp -r "$echo" "$LAB_DIR/echo"
	chmod 755 "$LAB_DIR" "$LAB_DIR/echo"
	cp "$tools/hostile-echo-calf" "$LAB_DIR/echo/calf-echo"
	# so that it knows the address
	sed -i 's/^keys:/&\n  - {path: \/ip, type: ipv4-net, access: [read]}/
		s/egress_per_second: 20, egress_burst: 10/egress_per_second: 1000, egress_burst: 100/' "$LAB_DIR/echo/calf.yaml"
}

# Whatever is in the place of echo, it sends no DHCP, and nothing about the host's lease.
test_hostile_calf_beside_dhcp4() {
	hostile_echo
	echo_server
	start capture nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		tcpdump -n -U --immediate-mode -i "$LAB_SERVER_IF" -w "$LAB_DIR/other-side.pcap"
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
	lease --calf "$LAB_DIR/echo" --calf "$dhcp4"
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: all: done' 20
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: got: own' 10
	calfpen set /control/dhcp4/renew 1
	wait_for 10 renewed
	wait_for 10 grep -aq ALLOWED "$LAB_DIR/other-side.pcap"
	stop capture INT || true
	forged_frames 20 packets echo
	assert_fails grep 'frame: got: foreign' "$LAB_DIR/calfpen.log"
	assert_eq 0 "$(calf dhcp4 restarts)"
}

# A device that replaces the uplink gets both taps.
test_two_calves_on_another_uplink() {
	echo_server
	lease --calf "$echo" --calf "$dhcp4"
	wait_for 10 has_echo 1
	ip link set "$LAB_UPLINK" address 02:00:00:00:77:04
	wait_for_line "$LAB_DIR/calfpen.log" 'was replaced or changed its MAC' 10
	wait_for 20 has_restarted
	wait_for 20 has_lease
	wait_for 20 has_accepted 1
	assert_own_tap echo dhcp4
	assert_eq 0 "$(calfpen get /echo/foreign)"
}
has_restarted() { [ "$(calf echo restarts) $(calf dhcp4 restarts)" = "1 1" ]; }

# One that dies takes nothing with it.
test_killed_calf_leaves_the_other() {
	local pid before
	echo_server
	lease --calf "$echo" --calf "$dhcp4"
	wait_for 10 has_echo 1
	pid=$(calf dhcp4 pid)
	kill -9 "$(calf echo pid)"
	wait_for 20 echo_is_back
	before=$(packets echo in_accepted)
	wait_for 10 has_accepted $((before + 3))
	assert_eq "$pid 0" "$(calf dhcp4 pid) $(calf dhcp4 restarts)"
	assert_own_tap echo dhcp4
}
echo_is_back() { [ "$(calf echo restarts)" = 1 ] && [ "$(calf echo pid)" -gt 0 ]; }

# uid_holders UID - processes that have this uid
uid_holders() { grep -sl "^Uid:[[:space:]]*$1[[:space:]]" /proc/[0-9]*/status | wc -l; }

# taps - indexes of the taps of the instance
taps() { ip -details -oneline link show | sed -n "s/^\([0-9]*\): .* alias calfpen $LAB_UPLINK .*/\1/p"; }

# killed_with_hostile_echo - kill the supervisor of a hostile echo, which does not end with it
killed_with_hostile_echo() {
	hostile_echo
	lease --calf "$LAB_DIR/echo" --calf "$dhcp4"
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: all: done' 20
	pid=$(calf echo pid)
	uid=$(stat -c %u "/proc/$pid")
	tap_name=$(calf echo tap)
	tap=$(cat "/sys/class/net/$tap_name/ifindex")
	kill -KILL "$(supervisor_pid)"
	wait_for 10 not pgrep 'calfpen-'
	wait_for 10 not pgrep calf-dhcp4
	alive "$pid" || fail "it ended by itself"
	assert_eq "$tap" "$(taps)"
}

# A calf that was left by a killed supervisor and is not chosen any more does not stay.
test_removed_calf_of_a_killed_supervisor() {
	local pid uid tap tap_name
	killed_with_hostile_echo
	lease --calf "$dhcp4"
	not alive "$pid" || fail "it lives"
	assert_eq 0 "$(uid_holders "$uid")"
	assert_eq 1 "$(taps | wc -l)"
	[ "$(taps)" != "$tap" ] || fail "not the tap of dhcp4"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# It does not write to the host's stack either if nothing is known of it any more.
test_unknown_calf_of_a_killed_supervisor() {
	local pid uid tap tap_name
	killed_with_hostile_echo
	echo '{' >"$run/state.json"
	rm -r "$run"/oci/*-echo*
	lease --calf "$dhcp4"
	alive "$pid" || fail "so it is known"
	assert_eq 1 "$(taps | wc -l)"
	[ ! -e "/sys/class/net/$tap_name" ] || [ "$(cat "/sys/class/net/$tap_name/ifindex")" != "$tap" ] || fail "its tap is there"
	assert_match "<warning> calfpen: $tap_name: deleting this tap \\(calfpen $LAB_UPLINK echo\\), which a process still holds" \
		"$(cat "$LAB_DIR/calfpen.log")"
	kill -KILL "$pid"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# A tap that cannot be recognized keeps its filter, and there is no start.
test_unknown_tap_of_a_killed_supervisor() {
	local pid uid tap tap_name output
	killed_with_hostile_echo
	echo '{' >"$run/state.json"
	rm -r "$run"/oci/*-echo*
	ip link set dev "$tap_name" alias "of nobody"
	output=$(timeout 20 calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" --calf "$dhcp4" 2>&1) &&
		fail "started"
	assert_eq 1 "$(grep -c '<error>' <<<"$output")" "$output"
	assert_match "$pins/filter_tap: a process of a run before still holds the tap with index $tap; end that process" "$output"
	assert_match tap_ingress "$(tc filter show dev "$tap_name" ingress)"
	assert_eq "$tap" "$(cat "/sys/class/net/$tap_name/ifindex")"
	ip link delete "$tap_name"
	lease --calf "$dhcp4"
	kill -KILL "$pid"
}

# There is room for one with the host's lease and seven others.
test_nine_calves_with_frames() {
	local n calves=(--calf "$dhcp4") before output code=0 refused
	for n in 1 2 3 4 5 6 7 8; do
		cp -r "$echo" "$LAB_DIR/echo$n"
		sed -i "s/^name: echo/&$n/; s/1068/${n}068/; s/1067/${n}067/; s/{path: \/echo/&$n/" "$LAB_DIR/echo$n/calf.yaml"
		calves+=(--calf "$LAB_DIR/echo$n")
	done
	chmod 755 "$LAB_DIR" "$LAB_DIR"/echo*
	before=$(ip link show)
	output=$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "${calves[@]}" 2>&1 </dev/null) || code=$?
	assert_eq 1 "$code"
	refused="$LAB_DIR/echo8/calf.yaml:[0-9]+: too many calves with frame rules; an instance may have one that writes \"/ip\" and 7 others"
	assert_match "^[^ ]* calfpen: $refused$" "$output"
	assert_match "^[^ ]* calfpen: $refused$" "$(calfpen check "${calves[@]}" "$LAB_UPLINK" 2>&1 || true)"
	assert_eq "$before" "$(ip link show)"
	assert_nothing_left
	[ ! -e "$pins" ] || fail "$pins is left"
	# eight work
	lease "${calves[@]:0:16}"
	assert_own_tap dhcp4 echo1 echo7
	assert_eq 8 "$(ip -oneline link show | grep -c ' calf[0-9]*: ')"
}

# pairs - a line for each: name, both processes, and how often they were started again
pairs() {
	python3 -c 'import json, sys
for calf in sorted(json.load(open(sys.argv[1]))["calves"], key=lambda calf: calf["name"]):
    print(calf["name"], calf["gateway_pid"], calf["pid"], calf["restarts"])' "$run/state.json"
}

# is_back NAME RESTARTS - its pair runs again
is_back() {
	local gateway pid restarts
	read -r _ gateway pid restarts <<<"$(pairs | grep "^$1 ")"
	[ "$restarts" = "$2" ] && alive "$gateway" && alive "$pid"
}

watcher_is_back() { [ "$(state watcher_restarts)" = "$1" ] && alive "$(watcher_pid)"; }

# all_uids - of each calf, by its name
all_uids() {
	local name gateway pid
	while read -r name gateway pid _; do
		echo "$name $(awk '$1 == "Uid:" { print $2 }' "/proc/$gateway/status" "/proc/$pid/status" | paste -sd ' ')"
	done <<<"$(pairs)"
}

has_own_lease() { [ -n "$(address)" ] && [ "$(calfpen get /ip)" = "$(address)" ] && has_accepted 1; }

# all_work - each calf does again what it is there for
all_work() {
	local before
	wait_for 20 has_own_lease
	wait_for 10 is_observed
	before=$(packets echo in_accepted)
	wait_for 10 has_accepted $((before + 2))
	assert_eq "dhcp4 echo observer" "$(writer /ip) $(writer /echo/own) $(writer /observer/ip)"
	assert_eq 0 "$(calfpen get /echo/foreign)"
	assert_own_tap echo dhcp4
}

# Each of the eight processes is killed, one after the other, which no other calf notices; the
# next start has the calves in another order. CALFPEN_KILLS=N: so many times.
test_kill_each_process() {
	local calves=(--calf "$dhcp4" --calf "$echo" --calf "$observer") numbers others name n i
	echo_server
	lease "${calves[@]}"
	all_work
	numbers=$(all_uids)
	for ((i = 0; i < ${CALFPEN_KILLS:-3}; i++)); do
		for name in dhcp4 echo observer; do
			for n in 2 3; do # its gateway, itself
				others=$(pairs | grep -v "^$name ")
				kill -9 "$(pairs | grep "^$name " | cut -d ' ' -f "$n")"
				wait_for 20 is_back "$name" $((n - 1))
				assert_eq "$others" "$(pairs | grep -v "^$name ")" "$name"
			done
		done
		others=$(pairs)
		kill -9 "$(watcher_pid)"
		wait_for 20 watcher_is_back 1
		assert_eq "$others" "$(pairs)" "watcher"
		all_work
		assert_eq "$numbers" "$(all_uids)"
		n=$(accepted dhcp4)
		kill_all
		calves=("${calves[@]:2}" "${calves[@]:0:2}")
		lease "${calves[@]}"
		all_work
		assert_eq "$numbers" "$(all_uids)"
		[ "$(accepted dhcp4)" -ge "$n" ] || fail "commits of dhcp4 were lost"
	done
	assert_fails grep -q '"verb":"orphan"' "$audit"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# Without one of three calves nothing of it is left; it comes back as what it was.
test_calf_with_frames_removed_and_added() {
	local numbers
	echo_server
	lease --calf "$dhcp4" --calf "$echo" --calf "$observer"
	all_work
	numbers=$(all_uids)
	stop calfpen || fail "exit code $?"
	lease --calf "$observer" --calf "$dhcp4"
	wait_for 10 is_observed
	wait_for_line "$audit" '"subject":"echo","verb":"orphan","path":"/echo/own","verdict":"ok"' 5
	assert_fails calfpen get /echo/own
	assert_own_tap dhcp4
	assert_eq 1 "$(ip -oneline link show | grep -c ' calf[0-9]*: ')" "a tap of the removed calf"
	assert_eq "$(grep -v ^echo <<<"$numbers")" "$(all_uids)"
	stop calfpen || fail "exit code $?"
	lease --calf "$echo" --calf "$observer" --calf "$dhcp4"
	all_work
	assert_eq "$numbers" "$(all_uids)"
}

# in_instance NAME COMMAND... - with what belongs to this instance
in_instance() {
	local instance=$1 LAB_UPLINK=$1 run=/run/calfpen/$1
	shift
	"$@"
}

# Three calves of the same names on each of two uplinks.
test_two_instances_with_three_calves() {
	local calves=(--calf "$dhcp4" --calf "$echo" --calf "$observer") name numbers others killed
	second_network
	echo_server
	echo_server second server1
	calfpen_start "${calves[@]}"
	start second calfpen run --interface "$second" --cgroup-parent "$LAB_CGROUP" "${calves[@]}"
	# shellcheck disable=SC2317
	calfpen() { command calfpen --instance "$instance" "$@"; }
	for name in "$LAB_UPLINK" "$second"; do
		in_instance "$name" all_work
	done
	assert_eq 4 "$(ip -oneline link show | grep -c ' calf[0-9]*: ')"
	numbers=$(in_instance "$LAB_UPLINK" all_uids)
	others=$(in_instance "$second" pairs; in_instance "$second" all_uids)
	assert_eq 12 "$(tr ' ' '\n' <<<"$numbers"$'\n'"$others" | grep -c '^18790')"
	assert_eq 12 "$(tr ' ' '\n' <<<"$numbers"$'\n'"$others" | grep '^18790' | sort -u | wc -l)" "uids are shared"
	# the end of one is nothing to the other
	killed=$(in_instance "$LAB_UPLINK" supervisor_pid)
	kill -9 "$killed"
	wait_for 10 all_are_gone
	assert_eq "$others" "$(in_instance "$second" pairs; in_instance "$second" all_uids)"
	in_instance "$second" all_work
	start again command calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "${calves[@]}"
	wait_for 10 in_instance "$LAB_UPLINK" has_restarted_with "$killed"
	in_instance "$LAB_UPLINK" all_work
	assert_eq "$numbers" "$(in_instance "$LAB_UPLINK" all_uids)"
	assert_eq "$others" "$(in_instance "$second" pairs; in_instance "$second" all_uids)"
}
# only what belongs to the second instance is left
all_are_gone() { [ "$(pgrep -c 'calfpen-|calf-')" = 9 ]; }
has_restarted_with() { [ "$(supervisor_pid)" != "$1" ]; }
