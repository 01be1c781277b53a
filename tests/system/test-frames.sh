# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Frames written to the tap by whoever holds it, as a hostile calf would.

. tests/system/calfpen.sh

# writer_start - take the tap's descriptor; frames go to $LAB_DIR/frames
writer_start() {
	mkfifo "$LAB_DIR/frames"
	"$tools/tap-writer" "$(supervisor_pid)" <"$LAB_DIR/frames" >"$LAB_DIR/writer.log" 2>&1 &
	started[writer]=$!
	exec 7>"$LAB_DIR/frames"
	wait_for_line "$LAB_DIR/writer.log" ready 5
}

# frames KIND - hex lines: a DISCOVER of ours, tagged in all ways, and more
frames() {
	python3 - "$1" "$LAB_UPLINK_MAC" <<'END'
import struct, sys
kind, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
broadcast = b"\xff" * 6

def ipv4(source, destination, protocol, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                         bytes(source), bytes(destination))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return header[:10] + struct.pack("!H", total ^ 0xffff) + header[12:] + payload

bootp = struct.pack("!BBBBIHH16s16s64s128sI", 1, 1, 6, 0, 0xcafe, 1, 0, b"", mac, b"", b"",
                    0x63825363) + b"\x35\x01\x01\x3d\x07\x01" + mac + b"\xff" + bytes(47)
udp = struct.pack("!HHHH", 68, 67, 8 + len(bootp), 0) + bootp
packet = ipv4((0, 0, 0, 0), (255, 255, 255, 255), 17, udp)
ping = ipv4((10, 77, 0, 66), (10, 77, 0, 67), 1, b"\x08\0\xf7\xff\0\0\0\0" + bytes(32))
lists = {
    "good": [broadcast + mac + b"\x08\0" + packet],
    "vlan": [broadcast + mac + tag + b"\0\x05\x08\0" + packet for tag in (b"\x81\0", b"\x88\xa8")] +
            [broadcast + mac + b"\x88\xa8\0\x05\x81\0\0\x06\x08\0" + packet,
             broadcast + mac + b"\x81\0\0\0\x08\0" + packet],
    "host": [mac + mac + b"\x08\0" + ping, broadcast + mac + b"\x08\0" + ping,
             broadcast + b"\x02\0\0\0\0\x99" + b"\x08\x06" + bytes.fromhex(
                 "0001080006040001" "020000000099" "0a4d0001" "000000000000" "0a4d0001"),
             broadcast + mac + b"\x86\xdd" + bytes(40)],
}
for frame in lists[kind]:
    print(frame.hex())
END
}

ip_input() {
	awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp
}

server_frames() {
	on_server cat "/sys/class/net/$LAB_SERVER_IF/statistics/rx_packets"
}

written() { [ "$(grep -c '^written\|^refused' "$LAB_DIR/writer.log")" -ge "$1" ]; }

test_tagged_frames_do_not_leave() {
	local before
	lease
	writer_start
	start capture nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		tcpdump -n -e -U -i "$LAB_SERVER_IF" vlan
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
	before=$(counter out_vlan)
	frames vlan >&7
	wait_for 5 written 4
	assert_eq 4 "$(($(counter out_vlan) - before))"
	frames good >&7
	wait_for 5 written 5
	assert_eq "" "$(grep -i 'vlan' "$LAB_DIR/capture.log" | grep -v 'listening\|verbose' || true)"
}

test_nothing_reaches_the_host() {
	local before noise
	lease
	writer_start
	before=$(ip_input)
	noise=$(counter out_no_rule)
	frames host >&7
	wait_for 5 written 4
	assert_eq "$before" "$(ip_input)"
	[ "$(counter out_no_rule)" -gt "$noise" ] || fail "not counted"
}

# priv is dead, the descriptor lives on elsewhere: the filter stays on the tap.
test_nothing_reaches_the_host_after_priv() {
	local before tap
	lease
	writer_start
	tap=$(state tap)
	kill -KILL "$(supervisor_pid)"
	wait_for 5 not pgrep calfpen-
	before=$(ip_input)
	[ -e "/sys/class/net/$tap" ] || fail "the tap should live on with its holder"
	frames host >&7
	frames good >&7
	wait_for 5 written 5
	assert_eq "$before" "$(ip_input)"
	exec 7>&-
	wait_for 5 not test -e "/sys/class/net/$tap"
}

# A reply for a tap that is gone goes to the host, and to no other device.
test_reply_without_tap_passes() {
	local mode index
	for mode in native tc generic; do
		lease --mode "$mode"
		index=$(cat "/sys/class/net/$(state tap)/ifindex")
		kill -KILL "$(supervisor_pid)"
		wait_for 5 not pgrep 'calfpen-|calf-dhcp4'
		# the next device gets the tap's index
		ip link add next0 index "$index" type veth peer name next1
		ip link set next0 up
		ip link set next1 up
		send_reply "$(live_xid)" in_no_tap
		assert_eq 0 "$(cat /sys/class/net/next0/statistics/tx_packets)"
		ip link del next0
	done
}
# send_reply XID COUNTER [ADDRESS] - an OFFER to us, from the server's side, and
# where it is counted
send_reply() {
	local before
	before=$(counter "$2")
	on_server python3 - "$LAB_SERVER_IF" "$LAB_UPLINK_MAC" "$1" "${3:-10.77.0.150}" <<'END'
import socket, struct, sys
interface, mac, xid = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), int(sys.argv[3], 16)
bootp = struct.pack("!BBBBIHH16s16s64s128sI", 2, 1, 6, 0, xid, 1, 0, b"", mac, b"", b"",
                    0x63825363) + b"\x35\x01\x02\xff" + bytes(56)
udp = struct.pack("!HHHH", 67, 68, 8 + len(bootp), 0) + bootp
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                 bytes((10, 77, 0, 1)), socket.inet_aton(sys.argv[4]))
total = sum(struct.unpack("!10H", ip))
total = (total & 0xffff) + (total >> 16)
ip = ip[:10] + struct.pack("!H", (total & 0xffff) + (total >> 16) ^ 0xffff) + ip[12:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0))
s.send(mac + b"\x02\0\0\0\x77\x01" + b"\x08\0" + ip + udp)
END
	wait_for 2 counted_more "$2" "$before"
}
counted_more() { [ "$(counter "$1")" -gt "$2" ]; }
# The xid of the calf's last exchange, as the filter remembers it.
live_xid() {
	bpftool map dump pinned "$pins/frame_xids" -j | python3 -c 'import json, sys
entries = [entry["formatted"]["value"] for entry in json.load(sys.stdin)]
xid = max(entries, key=lambda value: value["expires_ns"])["xid"]
print(xid.to_bytes(4, "little").hex())'
}

# Recorded and sent again: the calf hears it once, in every mode.
test_a_copy_of_a_reply_is_dropped() {
	local mode xid
	for mode in native tc generic; do
		lease --mode "$mode"
		xid=$(live_xid)
		send_reply "$xid" in_accepted
		send_reply "$xid" in_replayed
		send_reply "$xid" in_replayed
		send_reply "$xid" in_accepted 10.77.0.151
		stop calfpen
	done
}

# A reply that another client on the host asked for: its own, if the operator
# says so, and never the calf's. Ours are ours in either case.
test_foreign_replies() {
	local mode accepted
	mkdir -p /etc/calfpen
	echo 'foreign: pass' >"/etc/calfpen/$LAB_UPLINK.yaml"
	for mode in native tc generic; do
		lease --mode "$mode"
		accepted=$(counter in_accepted)
		python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.bind(("", 68))
print("ready", flush=True)
message = s.recv(2048)
print("got", message[4:8].hex(), flush=True)' >"$LAB_DIR/other.log" 2>&1 &
		started[other]=$!
		wait_for_line "$LAB_DIR/other.log" ready 5
		send_reply 0badcafe in_foreign_xid
		# the host takes what is for an address of its own: this one is not
		send_reply 0badcafe in_foreign_xid "$(address | cut -d/ -f1)"
		wait_for_line "$LAB_DIR/other.log" 'got 0badcafe' 5
		assert_eq "$accepted" "$(counter in_accepted)"
		assert_eq 0 "$(counter in_unknown_xid)"
		stop calfpen
	done
	rm "/etc/calfpen/$LAB_UPLINK.yaml"
	lease
	send_reply 0badcafe in_unknown_xid
	assert_eq 0 "$(counter in_foreign_xid)"
}

# A calf that was taken over tries each frame that is none of the description's,
# with and without a lease: none is seen on the other side, each is counted for
# its reason, and what the description allows goes out.
test_hostile_calf_sends_nothing_else() {
	hostile_frames_start
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: all: done' 20
	wait_for 10 more_unicast
	stop capture INT || true
	forged_frames 49 counter
	grep -aq 'ALLOWED broadcast' "$LAB_DIR/other-side.pcap"
	grep -aq 'ALLOWED unicast' "$LAB_DIR/other-side.pcap"
	# what has no room for the word: tags, strange senders, the server's address
	assert_eq "" "$(tcpdump -n -e -r "$LAB_DIR/other-side.pcap" "not ether src 02:00:00:00:77:01 and \
		(vlan or not ether src $LAB_UPLINK_MAC or (arp and arp[14:4] = 0x0a4d0001))" 2>/dev/null)"
}

# From then on the calf speaks to its server by unicast: it leaves by the uplink, whatever
# the host routes.
test_U06_unicast_whatever_the_host_routes() {
	local net
	hostile_frames_start
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: all: done' 20
	wait_for 10 more_unicast
	net=$(address)
	other_interface vpn0
	ip address add "$net" dev vpn0

	# as OpenVPN and wg-quick do it
	ip route add 0.0.0.0/1 dev vpn0
	ip route add 128.0.0.0/1 dev vpn0
	ip route add 10.77.0.1 dev vpn0
	settle
	more_unicast || fail "more specific routes"
	ip route add default dev vpn0 table 7
	ip rule add pref 1 table 7
	settle
	more_unicast || fail "a rule"
	ip rule del pref 1

	# who the address is told about is the watcher: without it nothing changes
	ip address del "$net" dev "$LAB_UPLINK"
	wait_for 5 address_is "$net"
	more_unicast
}
address_is() { [ "$(address)" = "$1" ]; }
other_interface() {
	ip link add "$1" type veth peer name "$1-peer"
	ip link set "$1" up
	ip link set "$1-peer" up
}
hostile_frames_start() {
	other_interface far0
	ip address add 10.66.0.1/24 dev far0
	other_calf hostile-frames-calf 'path: /ip, type: ipv4-net, access: [write]'
	sed -i 's/egress_per_second: 20, egress_burst: 10/egress_per_second: 1000, egress_burst: 100/
$a\  - {check: arp, ingress_per_second: 50, ingress_burst: 20, egress_per_second: 1000, egress_burst: 100}' \
		"$LAB_DIR/hostile/calf.yaml"
	start capture nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		tcpdump -n -U --immediate-mode -i "$LAB_SERVER_IF" -w "$LAB_DIR/other-side.pcap"
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
	calfpen_start --calf "$LAB_DIR/hostile"
}
# A frame may be on its way while the routes change.
settle() { sleep 0.5; }
more_unicast() { grows out_unicast; }
# grows COUNTER - within three of the calf's frames
grows() {
	local before
	before=$(counter "$1")
	sleep 0.7
	[ "$(counter "$1")" -gt "$before" ]
}
