# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
#
# --quarantine: the host is out of reach until it has its lease, or until the
# deadline, also if nobody of ours is left to open it.

. tests/system/calfpen.sh

static=10.77.0.9

# reaches ADDRESS - one ping from the server's side is answered
reaches() {
	on_server python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(0.3)
s.sendto(bytes.fromhex("0800f7fe00000001"), (sys.argv[1], 0))
while s.recvfrom(100)[0][20] != 0:
    pass' "$1" 2>/dev/null
}

calf_is_alive() { alive "$(calf_pid)"; }

# field NAME - of what `calfpen status` says about the quarantine, or "-"
field() {
	calfpen status --json | python3 -c 'import json, sys
print(json.load(sys.stdin).get("quarantine", {}).get(sys.argv[1], "-"))' "$1"
}
field_is() { [ "$(field "$1")" = "$2" ]; }

# An address from before, so that there is something to reach.
with_address() {
	ip link set "$LAB_UPLINK" up
	ip address add "$static/24" dev "$LAB_UPLINK"
	wait_for 5 reaches "$static"
}

closed() {
	local before
	before=$(counter in_quarantine)
	assert_fails reaches "$static"
	[ "$(counter in_quarantine)" -gt "$before" ] || fail "dropped by somebody else"
}

test_lease_opens() {
	local mode
	with_address
	for mode in tc native; do
		server_stop
		calfpen_start --quarantine --quarantine-force --mode "$mode"
		wait_for 10 field_is state closed
		assert_match ', quarantine: closed until 20.*Z' "$(calfpen status)"
		closed
		# ARP is the host's as ever
		on_server ip neigh flush dev "$LAB_SERVER_IF"
		closed
		assert_match lladdr "$(on_server ip neigh show "$static")"
		server_start
		wait_for 40 field_is state open
		has_address || fail "opened before the lease"
		assert_eq lease "$(field opened_by)"
		assert_eq "opened by $(calfpen get /ip)" "$(calfpen get /status/quarantine)"
		wait_for 5 reaches "$static"
		reaches "$(calfpen get /ip | cut -d/ -f1)" || fail "the leased address"
		assert_match 'quarantine: open, by the lease at 20.*Z' "$(calfpen status)"
		# once open it stays open
		calfpen set /control/dhcp4/release now
		wait_for 5 not calfpen get /ip
		wait_for 5 reaches "$static"
		assert_eq lease "$(field opened_by)"
		stop calfpen || fail "exit code $?"
	done
}

# An uplink that was down, and lives that are killed: there is no moment in which
# a router's advertisement gets through, which would give the host an address
# and a route.
test_closed_before_the_uplink_is_up() {
	local mode
	[ -e "/proc/sys/net/ipv6/conf/$LAB_UPLINK" ] || skip "no IPv6"
	echo 0 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/disable_ipv6"
	echo 1 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/accept_ra"
	server_stop
	start router nsenter --net="/run/netns/$LAB_SERVER_NS" -- python3 -u -c '
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
source = bytes.fromhex("fe800000000000000000000000000001")
target = bytes.fromhex("ff020000000000000000000000000001")
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + bytes.fromhex("20010db8") + bytes(12)
icmp = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
total = sum(struct.unpack("!%dH" % ((len(source + target + icmp)) // 2), source + target + icmp)) + len(icmp) + 58
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
icmp = icmp[:2] + struct.pack("!H", total ^ 0xffff) + icmp[4:]
frame = (bytes.fromhex("333300000001" "020000007701" "86dd") + struct.pack("!IHBB", 0x60000000, len(icmp), 58, 255)
         + source + target + icmp)
print("ready")
while True:
    try:
        s.send(frame)
    except OSError:
        pass
    time.sleep(0.002)' "$LAB_SERVER_IF"
	wait_for_line "$LAB_DIR/router.log" ready 5
	for mode in tc native native tc; do
		calfpen_start --quarantine --mode "$mode"
		wait_for 10 calf_is_alive
		wait_for 10 field_is state closed
		wait_for 5 was_advertised
		assert_eq "" "$(ip -6 -oneline address show dev "$LAB_UPLINK" scope global)"
		assert_eq "" "$(ip -6 route show default)"
		# the next life closes it before it takes away what this one leaves
		kill -KILL "$(supervisor_pid)"
		wait_for 2 not pgrep 'calfpen-|calf-dhcp4'
	done
	server_start
	calfpen_start --quarantine
	wait_for 40 field_is state open
	wait_for 10 has_ipv6
}
was_advertised() { [ "$(counter in_quarantine)" -gt 100 ]; }
has_ipv6() { [ -n "$(ip -6 -oneline address show dev "$LAB_UPLINK" scope global)" ]; }

# stays_closed MODE SECONDS - with nobody of ours left; false if the deadline came
# before that could be seen
stays_closed() {
	local before status reached=''
	calfpen_start --quarantine="$2" --quarantine-force --mode "$1"
	wait_for 10 field_is state closed
	kill -KILL "$(supervisor_pid)"
	wait_for 2 not pgrep 'calfpen-|calf-dhcp4'
	before=$(counter in_quarantine)
	status=$(calfpen status)
	! reaches "$static" || reached=1
	field_is state closed || return 1
	[ -z "$reached" ] || fail "it is open"
	[ "$(counter in_quarantine)" -gt "$before" ] || fail "dropped by somebody else"
	assert_match 'quarantine: closed until' "$status"
}

test_deadline_opens_without_us() {
	local mode seconds
	with_address
	server_stop
	for mode in tc native; do
		seconds=8
		until stays_closed "$mode" "$seconds"; do
			seconds=$((seconds * 2)) # the machine is busy
			[ "$seconds" -le 32 ] || fail "open before its deadline, or too slow"
		done
		wait_for "$seconds" reaches "$static"
		assert_eq open "$(field state)"
		assert_eq deadline "$(field opened_by)"
		assert_match 'quarantine: open, by the deadline at' "$(calfpen status)"
	done
	stop calfpen || true
}

# Another device as uplink is no way out, and no other deadline.
test_another_device_goes_on() {
	local deadline tap
	server_stop
	calfpen_start --quarantine
	wait_for 10 field_is state closed
	wait_for 10 calf_is_alive
	deadline=$(field deadline)
	tap=$(state tap)
	ip link del "$LAB_UPLINK"
	ip link add "$LAB_UPLINK" address "$LAB_UPLINK_MAC" type veth peer name "$LAB_SERVER_IF" netns "$LAB_SERVER_NS"
	on_server ip link set "$LAB_SERVER_IF" up
	on_server ip address add "$LAB_SERVER_ADDR/24" dev "$LAB_SERVER_IF"
	wait_for 10 is_renewed "$tap"
	assert_eq closed "$(field state)"
	assert_eq "$deadline" "$(field deadline)"
	ip address add "$static/24" dev "$LAB_UPLINK"
	closed
	server_start
	wait_for 40 field_is state open
	assert_eq lease "$(field opened_by)"
	wait_for 5 reaches "$static"
}
is_renewed() { [ "$(field state)" != - ] && [ -n "$(state tap)" ] && grep -q 'was replaced or changed its MAC' "$LAB_DIR/calfpen.log" && calf_is_alive; }

# refused REGEX OPTION... - in one line, before anything is changed
refused() {
	local regex=$1 output code=0 links
	shift
	links=$(ip -brief address)
	output=$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "$@" 2>&1 </dev/null) || code=$?
	assert_eq 1 "$code" "exit code: $output"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)" "one line of: $output"
	assert_match "$regex" "$output"
	assert_nothing_left
	[ ! -e "$pins" ] || fail "$pins is left"
	assert_eq "$links" "$(ip -brief address)"
}

test_refused_with_an_address() {
	with_address
	refused "cut off $static.*--quarantine-force" --quarantine
	mkdir -p /etc/calfpen
	echo 'quarantine: 30' >"/etc/calfpen/$LAB_UPLINK.yaml"
	refused "cut off $static.*--quarantine-force"
	ip address flush dev "$LAB_UPLINK"
	if [ -e /proc/sys/net/ipv6 ]; then
		echo 0 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/disable_ipv6"
		ip address add 2001:db8::9/64 dev "$LAB_UPLINK" nodad
		refused 'cut off 2001:db8::9.*--quarantine-force'
		ip address flush dev "$LAB_UPLINK"
		ip address add fe80::9/64 dev "$LAB_UPLINK" nodad
	fi
	# the command line has the last word, and a link-local address no weight
	lease --quarantine=0
	assert_eq off "$(field state)"
	assert_match 'quarantine: off' "$(calfpen status)"
	stop calfpen || fail "exit code $?"
	ip -4 address flush dev "$LAB_UPLINK"
	lease
	assert_eq open "$(field state)"
	assert_eq lease "$(field opened_by)"
}

# The address of our last life is there: its lease has opened it, at once.
test_a_restart_cuts_nothing_off() {
	local address how
	lease --quarantine
	address=$(calfpen get /ip | cut -d/ -f1)
	wait_for 5 reaches "$address"
	for how in TERM KILL; do
		if [ "$how" = KILL ]; then
			kill -KILL "$(supervisor_pid)"
			wait_for 2 not pgrep 'calfpen-|calf-dhcp4'
		else
			stop calfpen || fail "exit code $?"
			assert_eq - "$(field state)"
		fi
		server_stop
		calfpen_start --quarantine
		wait_for 10 calf_is_alive
		assert_eq open "$(field state)"
		assert_eq lease "$(field opened_by)"
		reaches "$address" || fail "cut off after SIG$how"
		assert_eq 0 "$(counter in_quarantine)"
		server_start
		wait_for 10 has_lease
	done
}

# What a former life's lease has opened is closed for the next, if there is no
# lease any more.
test_a_former_lease_opens_nothing() {
	lease --quarantine
	assert_eq lease "$(field opened_by)"
	calfpen set /control/dhcp4/release now
	wait_for 5 not calfpen get /ip
	stop calfpen || fail "exit code $?"
	assert_match '^opened by' "$(calfpen get /status/quarantine)"
	server_stop
	ip address add "$static/24" dev "$LAB_UPLINK"
	calfpen_start --quarantine --quarantine-force
	wait_for 10 field_is state closed
	wait_for 5 calf_is_alive
	closed
	assert_eq closed "$(field state)"
	server_start
	wait_for 40 field_is state open
	wait_for 5 reaches "$static"
}

log_says() { grep -qE "$1" "$LAB_DIR/calfpen.log"; }

# says_once REGEX - the end, and nothing else about it
says_once() {
	assert_eq 1 "$(grep -c 'quarantine: .* accepts all frames' "$LAB_DIR/calfpen.log")"
	log_says "quarantine: $LAB_UPLINK accepts all frames: $1" || fail "not: $1"
}

# logged_with COMMAND... - logged within a second of when that succeeds
logged_with() {
	local opened
	wait_for 10 "$@"
	opened=${EPOCHREALTIME//./}
	wait_for 2 log_says 'quarantine: .* accepts all frames'
	[ "$((${EPOCHREALTIME//./} - opened))" -lt $((1000000 * patience)) ] || fail "too late"
}

test_U37_opened_by_the_deadline() {
	with_address
	server_stop
	calfpen_start --quarantine=3 --quarantine-force
	wait_for 10 field_is state closed
	logged_with reaches "$static"
	says_once 'no lease within 3 s'
	# a lease that comes later ends nothing any more
	server_start
	wait_for 40 has_lease
	calfpen get /status/quarantine
	sleep 1
	says_once 'no lease within 3 s'
}

test_U37_opened_by_the_lease() {
	calfpen_start --quarantine
	logged_with calfpen get /status/quarantine
	says_once "opened by $(calfpen get /ip)"
	stop calfpen || fail "exit code $?"
	says_once 'opened by'
	# begins open, of which there is no end
	: >"$LAB_DIR/calfpen.log"
	lease --quarantine
	says_once 'it still has the address of a lease'
}

# Also if nobody but the supervisor is there
test_U37_opened_without_a_watcher() {
	server_stop
	calfpen_start --quarantine=3
	wait_for 10 field_is state closed
	kill -STOP "$(watcher_pid)"
	wait_for 10 log_says 'quarantine: .* accepts all frames: no lease within 3 s'
	kill -CONT "$(watcher_pid)"
}

test_U37_ended_by_a_stop() {
	server_stop
	calfpen_start --quarantine=60
	wait_for 10 field_is state closed
	stop calfpen || fail "exit code $?"
	says_once 'the instance stops'
}
