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
	tools/pktgen --generator live -i "$LAB_UPLINK" -n 1 --force
}

test_bad_options_are_refused() {
	local options
	for options in '-n 0' '-n' '-s 20' '-x sideways' '--time 0' '-t x' '-i nowhere0' '--what 1'; do
		# shellcheck disable=SC2086 # a list
		assert_fails flood $options 2>"$LAB_DIR/refused.log"
		assert_eq 1 "$(grep -c '^pktgen: ' "$LAB_DIR/refused.log")" "$options"
	done
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
