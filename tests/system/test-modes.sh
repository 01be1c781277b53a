# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Where the uplink's program sits: a lease in each mode, beside programs of
# others, and what a killed instance leaves. The uplink is a veth.
# timeout: 300

. tests/system/calfpen.sh

# foreign NAME KIND [N] - programs of somebody else on the uplink; id in $id
foreign() {
	start "$1" "$tools/foreign-program" "$LAB_UPLINK" "$2" "${3-1}"
	wait_for_line "$LAB_DIR/$1.log" '^attached' 5
	id=$(sed -n 's/^attached //p' "$LAB_DIR/$1.log" | tail -n 1)
}

uplink_up() { ip link set "$LAB_UPLINK" up; }

# xdp - "native 12", "generic 12" or nothing: what is on the uplink
xdp() {
	ip -json -details link show dev "$LAB_UPLINK" | python3 -c 'import json, sys
xdp = json.load(sys.stdin)[0].get("xdp")
if xdp:
    print({1: "native", 2: "generic"}.get(xdp["mode"], xdp["mode"]), xdp["prog"]["id"])'
}

# 0 without tc too: only test_clsact_after_a_kill has any
filters() { tc filter show dev "$LAB_UPLINK" ingress | grep -c 'handle 0xca1f' || true; }

# expect_mode MODE HOOK REASON - as state, status and its JSON say
expect_mode() {
	assert_eq "$1" "$(state mode)"
	assert_eq "$2" "$(state hook)"
	assert_match "$3" "$(state mode_reason)"
	assert_match "mode      $1 by $2 \(.*$3" "$(calfpen status)"
	assert_match "\"mode\": ?\"$1\", ?\"hook\": ?\"$2\"" "$(calfpen --json status | tr -d '\n' | tr -s ' ')"
}

# expect_on_uplink HOOK - there, and no other of ours; with "none": nothing is left
expect_on_uplink() {
	local xdp='' filters=0 link=link_uplink
	case $1 in
	'native XDP') xdp=native ;;
	'generic XDP') xdp=generic ;;
	clsact) filters=1 link=filter_uplink ;;
	none) link= ;;
	esac
	assert_match "^$xdp *[0-9]*$" "$(xdp)" "XDP"
	[ -n "$xdp" ] || assert_eq "" "$(xdp)"
	assert_eq "$filters" "$(filters)" "clsact filters"
	assert_eq "$link" "$(find "$pins" -name '*_uplink' -printf '%f\n')" "pins"
}

more_than() { [ "$(counter "$1")" -gt "$2" ]; }

# life MODE HOOK REASON - start, lease, kill -9: the program stays, replies pass
life() {
	lease --mode "$1"
	expect_mode "$1" "$2" "$3"
	expect_on_uplink "$2"
	[ "$(counter in_accepted)" -ge 1 ] || fail "no reply came by $2"
	kill -KILL "$(supervisor_pid)"
	wait_for 5 not pgrep 'calfpen-|calf-dhcp4'
	expect_on_uplink "$2"
	# the bare server's reply to nobody's question: for who asks next
	send_stray_reply
	wait_for 2 more_than in_no_tap 0
	assert_eq 0 "$(counter in_unknown_xid)"
}

send_stray_reply() {
	on_server python3 - "$LAB_SERVER_IF" "$LAB_UPLINK_MAC" <<'END'
import socket, struct, sys
interface, mac = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", ""))
bootp = struct.pack("!BBBBIHH16s16s64s128sI", 2, 1, 6, 0, 0x0badcafe, 1, 0, b"", mac, b"", b"",
                    0x63825363) + b"\x35\x01\x02\xff" + bytes(56)
udp = struct.pack("!HHHH", 67, 68, 8 + len(bootp), 0) + bootp
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                 bytes((10, 77, 0, 1)), bytes((10, 77, 0, 150)))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0))
s.send(mac + b"\x02\0\0\0\x77\x01" + b"\x08\0" + ip + udp)
END
}

# One life after another on the uplink of a killed one, in every order that
# changes the hook; the last ends as it should, and nothing is left.
test_each_mode_after_a_kill() {
	life native 'native XDP' 'as requested'
	life generic 'generic XDP' 'as requested'
	life tc tcx 'as requested'
	life native 'native XDP' 'as requested'
	lease
	expect_mode tc tcx 'native XDP on veth changes the offloads of its peer'
	expect_on_uplink tcx
	stop calfpen
	expect_on_uplink none
	assert_nothing_left
}

# tcx has no room: as before Linux 6.6, a filter on a clsact qdisc.
test_clsact_after_a_kill() {
	skip_if_missing tc
	uplink_up
	foreign full tcx 63
	foreign other clsact
	life tc clsact 'tcx: too many programs'
	life native 'native XDP' 'as requested'
	life tc clsact 'tcx: too many programs'
	lease
	expect_on_uplink clsact
	stop calfpen
	expect_on_uplink none
	assert_match 'handle 0x1 ' "$(tc filter show dev "$LAB_UPLINK" ingress)" "another's filter"
	# and once more with room: tcx again
	stop full || true
	lease
	expect_mode tc tcx 'veth'
}

# Another XDP program, by link or by netlink: auto goes to tc and says so, what
# was requested is refused with one line; it is never displaced.
test_another_xdp_program_stays() {
	local kind mode
	uplink_up
	for kind in xdp-native xdp-generic xdp-native-netlink xdp-generic-netlink; do
		foreign "$kind" "$kind"
		mode=${kind#xdp-}
		mode=${mode%-netlink}
		for asked in native generic; do
			calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" \
				--mode "$asked" >"$LAB_DIR/refused.log" 2>&1 && fail "started in mode $asked"
			assert_match "cannot attach $asked XDP: another XDP program is on the uplink \($mode, id $id\)" \
				"$(cat "$LAB_DIR/refused.log")"
			assert_eq "$mode $id" "$(xdp)"
		done
		lease
		expect_mode tc tcx "another XDP program is on the uplink \($mode, id $id\)"
		assert_match "mode tc by tcx: another XDP program" "$(cat "$LAB_DIR/calfpen.log")"
		stop calfpen
		assert_eq "$mode $id" "$(xdp)"
		stop "$kind" || true
		ip link set dev "$LAB_UPLINK" xdp off
		ip link set dev "$LAB_UPLINK" xdpgeneric off
		assert_eq "" "$(xdp)"
	done
}

# One that comes later is let be, and lets us be.
test_a_later_xdp_program_stays() {
	lease --mode tc
	foreign later xdp-native
	calfpen set /control/dhcp4/renew now
	wait_for 10 more_than in_accepted 2
	stop calfpen
	assert_eq "native $id" "$(xdp)"
}
