# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# tools/pktgen with live frames; the kernel's module is tested in the guest.

# flood OPTION... - out of the server's end of the wire
flood() {
	on_server tools/pktgen --generator live -i "$LAB_SERVER_IF" "$@"
}

received() {
	cat "/sys/class/net/$LAB_UPLINK/statistics/rx_packets"
}

# A veth takes live frames only if this is turned on while it is up.
wire_up() {
	skip_if_missing ethtool
	ip link set "$LAB_UPLINK" up
	ethtool -K "$LAB_UPLINK" gro on
	wait_for 5 grep -qx up "/sys/class/net/$LAB_UPLINK/operstate"
}

test_every_packet_arrives() {
	local before output
	wire_up
	before=$(received)
	output=$(flood -n 50000 -s 342 -p 68)
	assert_match 'thread 0: 50000 packets, [0-9]+ pps' "$output"
	assert_match 'driver: 50000 packets' "$output"
	assert_match 'sum: 50000 packets' "$output"
	assert_eq 50000 $(($(received) - before))
}

test_delay_and_time_are_kept() {
	local output packets
	wire_up
	# 10000 in a second, and less if the machine is busy
	output=$(flood -n 1000000 -w 100000 --time 1)
	packets=$(sed -n 's/^sum: \([0-9]*\) .*/\1/p' <<<"$output")
	if [ "$packets" -eq 0 ] || [ "$packets" -gt 10100 ]; then
		fail "$output"
	fi
}

test_a_frame_of_ones_own() {
	wire_up
	start capture tcpdump -n -e -x -c 1 -i "$LAB_UPLINK" ether proto 0x88b5
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
	echo '020000007702 020000007701 88b5 cafe' >"$LAB_DIR/frame.hex"
	flood -n 10 --frame "$LAB_DIR/frame.hex"
	wait_for_line "$LAB_DIR/capture.log" cafe 5
}

test_default_route_is_refused() {
	ip link set "$LAB_UPLINK" up
	ip address add 10.77.0.9/24 dev "$LAB_UPLINK"
	ip route add default via 10.77.0.1
	assert_fails tools/pktgen -i "$LAB_UPLINK" -n 1 2>"$LAB_DIR/refused.log"
	grep -q 'has a default route' "$LAB_DIR/refused.log"
	skip_if_missing ethtool
	on_server ethtool -K "$LAB_SERVER_IF" gro on
	tools/pktgen --generator live -i "$LAB_UPLINK" -n 1 --force
}

test_bad_options_are_refused() {
	local options
	for options in '-n 0' '-n' '-s 20' '-x sideways' '--time 0' '-t x' '--generator x' '--what 1'; do
		refuses 2 "$options" ''
	done
	refuses 1 '-i nowhere0' 'no such interface'
}

# refuses CODE OPTIONS TEXT - in one line
refuses() {
	local code=0
	# shellcheck disable=SC2086 # a list
	flood $2 >"$LAB_DIR/refused.log" 2>&1 || code=$?
	assert_eq "$1" "$code" "$2: $(<"$LAB_DIR/refused.log")"
	assert_eq 1 "$(wc -l <"$LAB_DIR/refused.log")" "$2: $(<"$LAB_DIR/refused.log")"
	assert_match "^pktgen: .*$3" "$(<"$LAB_DIR/refused.log")"
}

# What the driver drops is no rate.
test_U44_only_what_was_sent_counts() {
	local output
	wire_up
	ethtool -K "$LAB_UPLINK" gro off
	refuses 1 '-n 20000' "$LAB_SERVER_IF sent none of 20000 packets; .*ethtool -K PEER gro on"
	ethtool -K "$LAB_UPLINK" gro on
	output=$(flood -n 200000 -b 256)
	assert_eq "$(sed -n 's/^driver: \([0-9]*\) .*/\1/p' <<<"$output")" \
		"$(sed -n 's/^sum: \([0-9]*\) .*/\1/p' <<<"$output")" "$output"
}

test_U44_contradictions_are_refused() {
	echo '020000007702 020000007701 88b5 cafe' >"$LAB_DIR/frame.hex"
	ip link set "$LAB_UPLINK" up
	refuses 2 '-w 1000 -b 8' '-w 1000 and -b 8 contradict'
	refuses 2 "--frame $LAB_DIR/frame.hex -s 100" '-s and --frame contradict'
	refuses 2 "--frame $LAB_DIR/frame.hex -p 68" '-p and --frame contradict'
	refuses 2 '-c 5' '-c 5: live frames are all the same'
	refuses 2 '-x queue_xmit' 'bypass the queue'
	# a rate that does not fit into the time
	wire_up
	assert_match 'note: [0-9]+ of 100000 packets within 1 s' "$(flood -n 100000 -w 1000000 --time 1)"
}

test_U44_no_carrier() {
	ip link set "$LAB_UPLINK" down
	refuses 1 '-n 10' "$LAB_SERVER_IF has no carrier"
	on_server ip link set "$LAB_SERVER_IF" down
	refuses 1 '-n 10' "$LAB_SERVER_IF is down"
	ip link set "$LAB_UPLINK" up
	refuses 1 '-n 10 -x netif_receive' "$LAB_SERVER_IF is down"
}

test_nothing_is_left_behind() {
	local signal
	export TMPDIR=$LAB_DIR # SIGKILL leaves its file
	wire_up
	for signal in TERM INT KILL; do
		# an interrupt does not reach what a shell has put into the background
		nsenter --net="/run/netns/$LAB_SERVER_NS" -- python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' tools/pktgen --generator live -i "$LAB_SERVER_IF" \
			-n 1000000000 --time 60 >"$LAB_DIR/flood.log" 2>&1 &
		started[flood]=$!
		wait_for 5 pgrep -f frames-generator
		stop flood "$signal" || true
		wait_for 5 not pgrep -f frames-generator
	done
}
