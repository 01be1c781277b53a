# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What `calfpen frames` shows of a running instance.

. tests/system/calfpen.sh

# send_unsolicited XID [COUNT [TAGS]] - OFFERs to us that nobody asked for, from
# the server's side, with VLAN tags in hexadecimal
send_unsolicited() {
	on_server python3 - "$LAB_SERVER_IF" "$LAB_UPLINK_MAC" "$1" "${2:-1}" "${3-}" <<'END_OF_PYTHON'
import socket, struct, sys
interface, mac, xid = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), int(sys.argv[3], 16)
bootp = struct.pack("!BBBBIHH4s4s4s4s16s64s128sI", 2, 1, 6, 0, xid, 0, 0, bytes(4),
                    bytes((10, 77, 0, 150)), bytes(4), bytes(4), mac, b"", b"\x1b[2J", 0x63825363)
bootp += b"\x35\x01\x02\x36\x04\x0a\x4d\x00\x01\x0c\x04\x1b[2J\xff" + bytes(44)
udp = struct.pack("!HHHH", 67, 68, 8 + len(bootp), 0) + bootp
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                 bytes((10, 77, 0, 1)), bytes((10, 77, 0, 150)))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0))
for _ in range(int(sys.argv[4])):
    s.send(mac + b"\x02\0\0\0\x77\x01" + bytes.fromhex(sys.argv[5]) + b"\x08\0" + ip + udp)
END_OF_PYTHON
}

shown() { calfpen frames | grep -c -- "$1" >/dev/null; }

# The lines of the lease: who, which message, and what became of it, in order.
test_the_conversation_is_shown() {
	conversation_in native
}

test_the_conversation_is_shown_by_tc() {
	conversation_in tc
}

conversation_in() {
	local all
	lease --mode "$1"
	wait_for 10 shown 'ARP announcement'
	all=$(calfpen frames)
	assert_match $'^sent DISCOVER\ndelivered OFFER\nsent REQUEST\ndelivered ACK' \
		"$(sed -n 's/.* \(sent\|delivered\) .*BOOT[A-Z]* \([A-Z]*\) .*/\1 \2/p' <<<"$all")"
	assert_match "  out   sent       out_accepted          $LAB_UPLINK_MAC > ff:ff:ff:ff:ff:ff, 0.0.0.0:68 > 255.255.255.255:67, BOOTREQUEST DISCOVER xid 0x[0-9a-f]{8} chaddr $LAB_UPLINK_MAC" "$all"
	assert_match "  in    delivered  in_accepted .* BOOTREPLY ACK xid .* yiaddr $(address | cut -d/ -f1) server 10.77.0.1" "$all"
	assert_match "  out   sent       out_arp .* ARP probe $(address | cut -d/ -f1), 42 bytes" "$all"
}

# What is dropped is shown with its reason, and harmless on a terminal.
test_junk_is_shown() {
	local line
	lease
	assert_eq "" "$(calfpen frames --dropped --reason in_unknown_xid)"
	send_unsolicited 0badcafe
	wait_for 2 shown 0x0badcafe
	line=$(calfpen frames --dropped)
	assert_match "^20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z  in    dropped    in_unknown_xid        02:00:00:00:77:01 > $LAB_UPLINK_MAC, 10.77.0.1:67 > 10.77.0.150:68, BOOTREPLY OFFER xid 0x0badcafe chaddr $LAB_UPLINK_MAC yiaddr 10.77.0.150 server 10.77.0.1, 342 bytes$" \
		"$(grep in_unknown_xid <<<"$line")"
	assert_eq "" "$(calfpen frames | LC_ALL=C tr -d '\n -~')"
	# it is there still, for everybody
	shown 0x0badcafe
}

# A server that answers in a VLAN: the host has the frames, and we the reason why
# there is no lease.
test_U45_replies_in_a_vlan_are_shown() {
	local mode
	for mode in native tc generic; do
		lease --mode "$mode"
		assert_eq "" "$(calfpen frames --reason in_vlan)"
		send_unsolicited 0badcafe 1 81000007
		wait_for 2 shown 0x0badcafe
		assert_match "  in    passed     in_vlan               02:00:00:00:77:01 > $LAB_UPLINK_MAC, vlan 7, 10.77.0.1:67 > 10.77.0.150:68, BOOTREPLY OFFER xid 0x0badcafe chaddr $LAB_UPLINK_MAC yiaddr 10.77.0.150 server 10.77.0.1, 346 bytes$" \
			"$(calfpen frames --reason in_vlan)"
		send_unsolicited 0badbeef 1 88a8e0098100c007
		wait_for 2 shown 0x0badbeef
		stop calfpen
	done
}

# A unicast is kept before its next hop is known.
test_U45_unicast_is_shown_with_its_next_hop() {
	lease
	wait_for 5 address
	calfpen set /control/dhcp4/renew now
	wait_for 5 shown out_unicast
	assert_match "  out   sent       out_unicast           $LAB_UPLINK_MAC > next hop, $(address | cut -d/ -f1):68 > 10.77.0.1:67, BOOTREQUEST REQUEST " \
		"$(calfpen frames --reason out_unicast)"
	assert_eq "" "$(calfpen frames | grep -F '> 00:00:00:00:00:00' || true)"
}

# A flood takes no room from what else was dropped.
test_flood_displaces_nothing() {
	lease
	send_unsolicited 0badcafe
	wait_for 2 shown 0x0badcafe
	wait_for 2 shown DISCOVER
	calfpen frames --reason out_accepted >"$LAB_DIR/before"
	# a busy machine loses frames of it before they get to us
	until [ "$(counter in_unknown_xid)" -gt 10000 ]; do
		send_unsolicited 00000bad 20000
	done
	assert_eq 8 "$(calfpen frames --reason in_unknown_xid | wc -l)"
	calfpen frames --reason out_accepted | cut -c 29- >"$LAB_DIR/after"
	assert_eq "$(cut -c 29- "$LAB_DIR/before")" "$(cat "$LAB_DIR/after")"
}

# With -f what comes is printed when it comes; also after the next start.
test_follow() {
	lease
	start follow calfpen frames -f
	wait_for_line "$LAB_DIR/follow.log" 'BOOTREPLY ACK' 5
	send_unsolicited 0badcafe
	wait_for_line "$LAB_DIR/follow.log" 'dropped    in_unknown_xid .* 0x0badcafe' 5
	stop calfpen
	lease
	send_unsolicited 0badbeef
	wait_for_line "$LAB_DIR/follow.log" '0x0badbeef' 10
	assert_eq "" "$(grep -v '^20' "$LAB_DIR/follow.log" || true)"
	alive "${started[follow]}" || fail "ended"
}

test_json() {
	lease
	send_unsolicited 0badcafe
	wait_for 2 shown 0x0badcafe
	calfpen frames --json >"$LAB_DIR/frames.json"
	python3 - "$LAB_DIR/frames.json" <<'END_OF_PYTHON'
import json, sys
frames = [json.loads(line) for line in open(sys.argv[1])]
times = [frame["time"] for frame in frames]
assert times == sorted(times), times
types = [frame["dhcp4"]["type"] for frame in frames
         if "dhcp4" in frame and frame["verdict"] != "dropped"]
assert types[:4] == ["DISCOVER", "OFFER", "REQUEST", "ACK"], types
junk = [frame for frame in frames if frame["reason"] == "in_unknown_xid"]
assert len(junk) == 1, junk
assert junk[0]["verdict"] == "dropped" and junk[0]["direction"] == "in", junk
assert junk[0]["dhcp4"]["xid"] == "0x0badcafe" and junk[0]["bytes"] == 342, junk
assert junk[0]["ipv4"]["source"] == "10.77.0.1" and junk[0]["udp"]["source"] == 67, junk
END_OF_PYTHON
}

# The capture is what tcpdump would have seen, with times and lengths.
test_capture() {
	local text
	skip_if_missing tcpdump
	lease
	send_unsolicited 0badcafe
	wait_for 2 shown 0x0badcafe
	calfpen frames --pcap "$LAB_DIR/frames.pcap"
	text=$(tcpdump -n -e -v -r "$LAB_DIR/frames.pcap" 2>"$LAB_DIR/tcpdump.log")
	assert_match "$LAB_UPLINK_MAC > ff:ff:ff:ff:ff:ff, .*BOOTP/DHCP, Request from $LAB_UPLINK_MAC.*DHCP-Message .*Discover" "$text"
	assert_match 'xid 0xbadcafe' "$text"
	assert_match "Your-IP $(address | cut -d/ -f1)" "$text"
	assert_eq "$(calfpen frames | grep -c BOOT)" "$(grep -c BOOTP <<<"$text")"
	# live
	calfpen frames -f --pcap - 2>"$LAB_DIR/live.err" | tcpdump -l -n -v -r - >"$LAB_DIR/live.log" 2>&1 &
	started[live]=$!
	wait_for_line "$LAB_DIR/live.log" 'xid 0xbadcafe' 5
	send_unsolicited 0badbeef
	wait_for_line "$LAB_DIR/live.log" 'xid 0xbadbeef' 5
}
