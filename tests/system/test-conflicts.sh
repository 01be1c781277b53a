# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Answers to ARP for our address that are no conflicts: of the host's own
# interfaces, and of a router that answers for every address (proxy ARP).

. tests/system/calfpen.sh

log=$LAB_DIR/calfpen.log
second_mac=02:00:00:00:77:03

# The uplink and a second interface of the host are in one LAN with the server.
one_lan() {
	server_stop
	on_server ip -batch - <<-END
		link add br0 address 02:00:00:00:77:01 type bridge
		address flush dev $LAB_SERVER_IF
		link set $LAB_SERVER_IF master br0
		address add $LAB_SERVER_ADDR/24 dev br0
		link set br0 up
	END
	sed -i "s/^interface=.*/interface=br0/" "$LAB_SERVER_CONF"
	server_start
}

# second_nic - uplink1, in the same LAN, without an address
second_nic() {
	ip link add uplink1 address "$second_mac" type veth \
		peer name server1 netns "$LAB_SERVER_NS"
	on_server ip link set server1 master br0
	on_server ip link set server1 up
	ip link set uplink1 up
}

has_mac() { calfpen get /link/macs/001 | grep -c "$1" >/dev/null; }
ours() { address | cut -d/ -f1; }
sent_arp() { [ "$(counter out_arp)" -ge "$1" ]; }
heard_arp() { [ "$(counter in_arp)" -ge "$1" ]; }

# kept ADDRESS - after all probes and announcements it is still ours
kept() {
	wait_for 15 sent_arp 5
	assert_eq "$1" "$(address)" "the address was given up"
	assert_fails grep -q DHCPDECLINE "$LAB_SERVER_LOG"
}

test_U04_second_interface_in_the_same_lan() {
	one_lan
	second_nic
	lease
	wait_for 5 has_mac "$second_mac"
	kept "$(address)"
	heard_arp 1 || fail "the second interface did not answer: nothing was tested"
	assert_eq 1 "$(grep -c "keeping $(ours): $second_mac, which also claims it, is another interface of this host" "$log")"
}

# It comes while the address is used, and answers at once.
test_U04_interface_that_comes_later() {
	one_lan
	lease
	wait_for 15 sent_arp 5
	second_nic
	wait_for 5 has_mac "$second_mac"
	for _ in 1 2 3; do
		python3 - uplink1 "$second_mac" "$(ours)" <<-'END'
			import socket, sys
			mac = bytes.fromhex(sys.argv[2].replace(":", ""))
			ours = socket.inet_aton(sys.argv[3])
			ether = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
			ether.bind((sys.argv[1], 0x0806))
			ether.send(b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") +
			           mac + ours + bytes(6) + ours)
		END
	done
	wait_for 5 heard_arp 3
	kept "$(address)"
}

# A container's interface on the second NIC is not the host's.
test_U04_container_is_another_host() {
	local address
	one_lan
	second_nic
	ip netns add container
	ip link add link uplink1 name mv0 address 02:00:00:00:77:04 netns container type macvlan mode bridge
	calfpen_start
	wait_for 20 has_address
	address=$(ours)
	ip -n container address add "$address/24" dev mv0
	ip -n container link set mv0 up
	wait_for 10 grep -q "DHCPDECLINE.* $address " "$LAB_SERVER_LOG"
	wait_for 2 grep -q "giving up $address: in use by 02:00:00:00:77:04" "$log"
	assert_fails has_mac 02:00:00:00:77:04
}

# proxy_arp MAC - who is behind the uplink answers each request and each probe
proxy_arp() {
	cat >"$LAB_DIR/proxy.py" <<'END'
import socket, sys
mac = bytes.fromhex(sys.argv[2].replace(":", ""))
ether = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
ether.bind((sys.argv[1], 0x0806))
print("ready", flush=True)
while True:
    frame, sender = ether.recvfrom(2048)
    if sender[2] == socket.PACKET_OUTGOING or frame[20:22] != b"\0\1":
        continue
    ether.send(frame[6:12] + mac + frame[12:20] + b"\0\2" + mac + frame[38:42] + frame[22:32])
END
	start proxy nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		python3 "$LAB_DIR/proxy.py" "$LAB_SERVER_IF" "$1"
	wait_for_line "$LAB_DIR/proxy.log" ready 10
}

n_kept() { grep -c "keeping $1, which also claims it, $2 (proxy ARP)" "$log"; }
declined() { [ "$(grep -c "DHCPDECLINE" "$LAB_SERVER_LOG")" -ge "$1" ]; }

test_U05_proxy_arp_of_the_server() {
	proxy_arp 02:00:00:00:77:01
	lease
	kept "$(address)"
	heard_arp 1 || fail "the router did not answer: nothing was tested"
	assert_eq 1 "$(n_kept "$(ours): 02:00:00:00:77:01" 'sent the lease')"
}

# Nothing is used before all probes are sent.
test_U05_proxy_arp_in_wait_mode() {
	proxy_arp 02:00:00:00:77:01
	echo 'calves: {dhcp4: {conflict: wait}}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	lease
	kept "$(address)"
	assert_eq 1 "$(n_kept "$(ours): 02:00:00:00:77:01" 'sent the lease')"
}

# The router is not the server: two addresses are declined, the third is kept.
test_U05_proxy_arp_of_another_router() {
	proxy_arp 02:00:00:00:77:fe
	calfpen_start
	wait_for 30 declined 2
	wait_for 30 grep -q "which also claims it, claimed other addresses before (proxy ARP)" "$log"
	wait_for 5 has_lease
	assert_eq 1 "$(n_kept "$(ours): 02:00:00:00:77:fe" 'claimed other addresses before')"
	wait_for 15 sent_arp 7
	assert_eq 2 "$(grep -c DHCPDECLINE "$LAB_SERVER_LOG")"
}
