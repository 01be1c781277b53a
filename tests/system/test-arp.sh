# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# ARP on the wire, through the real filter: what says that another host has
# our address goes to the calf, everything else stays the host's.

. tests/system/calfpen.sh

other_mac=02:00:00:00:99:99

# arp_send request|reply SENDER TARGET [MAC] - to all, by the host behind the
# uplink; prints the sender of each answer for TARGET within a second: MAC
arp_send() {
	on_server python3 - "$LAB_SERVER_IF" "$1" "$2" "$3" "${4:-$other_mac}" <<'END'
import socket, struct, sys, time
interface, operation, sender, target, mac = sys.argv[1:]
mac = bytes.fromhex(mac.replace(":", ""))
broadcast = b"\xff" * 6
ether = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
ether.bind((interface, 0x0806))
ether.send(broadcast + mac + struct.pack(
    "!HHHBBH6s4s6s4s", 0x0806, 1, 0x0800, 6, 4, {"request": 1, "reply": 2}[operation], mac,
    socket.inet_aton(sender), bytes(6), socket.inet_aton(target)).ljust(46, b"\0"))
end = time.monotonic() + 1
while (left := end - time.monotonic()) > 0:
    ether.settimeout(left)
    try:
        frame = ether.recv(2048)
    except TimeoutError:
        break
    if frame[20:22] == b"\0\2" and frame[28:32] == socket.inet_aton(target) and frame[32:38] == mac:
        print(frame[22:28].hex(":"))
END
}

ours() {
	address | cut -d/ -f1
}

counted() { [ "$(counter "$1")" -ge "$2" ]; }

# in_both_modes FUNCTION - with a lease, by XDP and by tc
in_both_modes() {
	local mode
	for mode in native tc; do
		lease --mode "$mode"
		"$1"
		stop calfpen || fail "mode $mode: exit code $?"
	done
}

conflict_reaches_the_calf() {
	local before to_calf
	before=$(counter in_arp)
	to_calf=$(cat "/sys/class/net/$(state tap)/statistics/tx_packets")
	arp_send request "$(ours)" "$(ours)"
	wait_for 2 counted in_arp $((before + 1))
	[ "$(cat "/sys/class/net/$(state tap)/statistics/tx_packets")" -gt "$to_calf" ] ||
		fail "nothing came out of the tap"
	alive "$(calf_pid)" || fail "the calf ended"
}
test_conflict_reaches_the_calf() { in_both_modes conflict_reaches_the_calf; }

# The kernel does what RFC 5227 asks of who has the address.
host_answers_probes() {
	local before
	before=$(counter in_arp)
	assert_eq "$LAB_UPLINK_MAC" "$(arp_send request 0.0.0.0 "$(ours)")" "a probe"
	assert_eq "$LAB_UPLINK_MAC" "$(arp_send request 10.77.0.9 "$(ours)")" "a request"
	assert_eq "$before" "$(counter in_arp)" "the calf got ARP of the host"
}
test_host_answers_probes() { in_both_modes host_answers_probes; }

# The host's own ARP works as without us.
host_resolves_others() {
	local before
	before=$(counter in_arp)
	ip neighbour flush dev "$LAB_UPLINK"
	echo hello >"/dev/udp/$LAB_SERVER_ADDR/9"
	wait_for 2 resolved "$LAB_SERVER_ADDR" 02:00:00:00:77:01
	assert_eq "$before" "$(counter in_arp)"
}
resolved() { ip neighbour show dev "$LAB_UPLINK" | grep -c "^$1 lladdr $2 " >/dev/null; }
test_host_resolves_others() { in_both_modes host_resolves_others; }

# options TEXT - of the calf, as the operator configures them
options() {
	echo "calves: {dhcp4: {$1}}" >"/etc/calfpen/$LAB_UPLINK.yaml"
}

# The address is neither used nor probed: what another host says about it is
# not for the calf.
test_former_lease_is_nobodys() {
	local former before
	options 'conflict: "off"'
	lease
	former=$(ours)
	"$tools/gate" "$pins/gate_dhcp4" delete /ip
	wait_for 2 not has_address
	# for five seconds after its ACK it counts as ours: the watcher may be about to set it
	wait_for 8 is_nobodys "$former"
}
is_nobodys() {
	local before
	before=$(counter in_arp)
	arp_send request "$1" "$1"
	[ "$before" = "$(counter in_arp)" ]
}

# capture_arp - what is said behind the uplink, to $LAB_DIR/capture.log
capture_arp() {
	start capture nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		tcpdump -n -e -l -i "$LAB_SERVER_IF" arp
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
}
probes() { grep -cE "$LAB_UPLINK_MAC > .* who-has 10\.77\.0\.[0-9]+ .*tell 0\.0\.0\.0" "$LAB_DIR/capture.log"; }
announcements() {
	grep -cE "$LAB_UPLINK_MAC > .* who-has (10\.77\.0\.[0-9]+) .*tell \1" "$LAB_DIR/capture.log"
}
at_least() { [ "$("$1")" -ge "$2" ]; }

# RFC 5227 on the wire: three probes, two announcements, a defence; the second
# conflict within ten seconds is one too many.
test_V4_56_V4_59_probed_announced_defended_given_up() {
	local address
	capture_arp
	lease
	address=$(ours)
	wait_for 12 at_least announcements 2
	assert_eq 3 "$(probes)"
	assert_eq 5 "$(counter out_arp)"
	arp_send request "$address" "$address"
	wait_for 2 at_least announcements 3
	assert_eq "$address" "$(ours)" "it was given up at once"
	arp_send request "$address" "$address"
	wait_for 3 grep -q "DHCPDECLINE.* $address " "$LAB_SERVER_LOG"
	wait_for 2 not has_address
	# what another host has now is for the host to resolve
	arp_send reply "$address" 10.77.0.9
	assert_eq 2 "$(counter in_arp)"
}

# The address is used only when nobody has answered; a host that probes it at
# the same time is a conflict too (RFC 5227 2.1.1).
test_V4_57_wait_mode_hears_probes() {
	options 'conflict: wait'
	capture_arp
	calfpen_start
	wait_for 10 at_least probes 1
	assert_fails has_address
	arp_send request 0.0.0.0 "$(grep -oE 'who-has 10\.77\.0\.[0-9]+' "$LAB_DIR/capture.log" | sed -n 1p | cut -d' ' -f2)"
	wait_for 3 grep -q DHCPDECLINE "$LAB_SERVER_LOG"
	assert_eq 1 "$(counter in_arp)"
	assert_eq 0 "$(announcements)"
	assert_fails has_address
}

test_wait_mode_without_conflict() {
	options 'conflict: wait'
	capture_arp
	calfpen_start
	wait_for 10 at_least probes 3
	assert_fails has_address
	wait_for 5 has_lease
	wait_for 5 at_least announcements 1
	assert_eq "$LAB_UPLINK_MAC" "$(arp_send request 0.0.0.0 "$(ours)")" "the host answers by now"
}

# out SENDER TARGET [OPERATION [MAC]] - hex line: ARP as a calf writes it
out() {
	python3 - "$LAB_UPLINK_MAC" "$@" <<'END'
import socket, sys
mac, sender, target = sys.argv[1:4]
operation = int(sys.argv[4]) if len(sys.argv) > 4 else 1
inside = sys.argv[5] if len(sys.argv) > 5 else mac
mac, inside = (bytes.fromhex(text.replace(":", "")) for text in (mac, inside))
print((b"\xff" * 6 + mac + bytes.fromhex("0806" "0001" "0800" "06" "04") +
       operation.to_bytes(2, "big") + inside + socket.inet_aton(sender) + bytes(6) +
       socket.inet_aton(target)).hex())
END
}

# Whoever holds the tap can probe and announce what servers gave us, no more.
test_hostile_calf_speaks_for_nobody_else() {
	lease
	mkfifo "$LAB_DIR/frames"
	"$tools/tap-writer" "$(supervisor_pid)" <"$LAB_DIR/frames" >"$LAB_DIR/writer.log" 2>&1 &
	started[writer]=$!
	exec 7>"$LAB_DIR/frames"
	wait_for_line "$LAB_DIR/writer.log" ready 5
	capture_arp
	{
		out "$LAB_SERVER_ADDR" "$LAB_SERVER_ADDR"
		out 0.0.0.0 "$LAB_SERVER_ADDR"
		out "$(ours)" "$LAB_SERVER_ADDR"
		out "$(ours)" "$(ours)" 2
		out "$(ours)" "$(ours)" 1 "$other_mac"
		out 0.0.0.0 "$(ours)"
		out "$(ours)" "$(ours)"
	} >&7
	wait_for_line "$LAB_DIR/capture.log" "who-has $(ours) .*tell $(ours)" 5
	wait_for_line "$LAB_DIR/capture.log" "who-has $(ours) .*tell 0\.0\.0\.0" 5
	counted out_arp 2 || fail "not counted"
	assert_eq 3 "$(counter out_arp_address)"
	assert_eq 2 "$(counter out_arp_header)"
	# to all: the host's own answers go to who asked
	assert_fails grep -E "$LAB_UPLINK_MAC > ff:.*(tell $LAB_SERVER_ADDR,|Reply)" "$LAB_DIR/capture.log"
}
