# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --server-option dhcp-option=option:T1,5s --server-option dhcp-option=option:T2,60s
#
# What a lease does to a host that has something of its own.

. tests/system/calfpen.sh

config=/etc/calfpen/$LAB_UPLINK.yaml

# server_option LINE... - give the server these and start it again
server_option() {
	printf '%s\n' "$@" >>"$LAB_SERVER_CONF"
	server_stop
	server_start
}

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }

# A server hands out routes that would take a VPN's traffic (CVE-2024-3661).
test_C4_27_hostile_classless_routes() {
	local ours
	ip link add vpn0 type veth peer name vpn-far
	ip link set vpn0 up
	ip address add 10.8.0.2/24 dev vpn0
	ip route add default dev vpn0 metric 50
	server_option "dhcp-option=121,0.0.0.0/0,10.77.0.1,0.0.0.0/1,10.77.0.1,128.0.0.0/1,10.77.0.1,198.51.100.7/32,10.77.0.1,10.8.0.0/25,10.77.0.1"
	calfpen_start
	wait_for 10 has_address
	wait_for 5 status_is route '^ok [0-9]+; refused /route/001: 0.0.0.0/1 via 10.77.0.1: prefix is shorter'
	ours="src $(address | cut -d/ -f1) metric $((1000 + $(cat "/sys/class/net/$LAB_UPLINK/ifindex")))"
	assert_eq "default via 10.77.0.1 dev $LAB_UPLINK $ours
10.77.0.0/24 dev $LAB_UPLINK scope link $ours" "$(ip -4 route show proto 202 | sed 's/ *$//')"
	assert_match 'dev vpn0' "$(ip -4 route get 198.51.100.7)"
	assert_match 'dev vpn0' "$(ip -4 route get 10.8.0.7)"
	assert_eq 4 "$(grep -c '"subject":"dhcp4","verb":"configure","path":"/route/00.","verdict":"refused","reason":"' "$audit")"
	assert_match 'would hide the route to 0.0.0.0/0 metric 50' "$(calfpen audit --denied)"
	# once per lease, not per renewal
	sleep 6
	assert_eq 4 "$(grep -c '"verdict":"refused"' "$audit")"
}

# metadata - the server hands out the route to a cloud's metadata service
metadata() {
	server_option "dhcp-option=121,0.0.0.0/0,10.77.0.1,169.254.169.254/32,10.77.0.2"
	lease
}

# RHEL's scripts, with ZEROCONF, give every interface such a route.
test_U19_metadata_beside_a_zeroconf_route() {
	ip link set "$LAB_UPLINK" up
	ip route add 169.254.0.0/16 dev "$LAB_UPLINK" metric 1002
	metadata
	wait_for 5 status_is route '^ok [0-9]+$'
	assert_match "via 10\.77\.0\.2 dev $LAB_UPLINK" "$(ip -4 route get 169.254.169.254)"
	assert_match "^169\.254\.7\.7 dev $LAB_UPLINK" "$(ip -4 route get 169.254.7.7)"
	assert_eq 0 "$(grep -c '"verdict":"refused"' "$audit" || true)"
}

# avahi-autoipd and networkd set an address; avahi a default route, too.
test_U19_metadata_beside_a_link_local_address() {
	ip link set "$LAB_UPLINK" up
	ip address add 169.254.7.7/16 dev "$LAB_UPLINK" scope link
	ip route add default dev "$LAB_UPLINK" scope link metric 1
	metadata
	wait_for 5 status_is route "^ok [0-9]+; another program.s route to 0.0.0.0/0 on-link metric 1 [^;]*\$"
	assert_match "via 10\.77\.0\.2 dev $LAB_UPLINK" "$(ip -4 route get 169.254.169.254)"
}

# The same route on another interface or by a gateway may be a tunnel's; the subnet
# of an address that the operator set is the operator's.
test_U19_other_routes_are_still_not_hidden() {
	ip link add vpn0 type veth peer name vpn-far
	ip link set vpn0 up
	ip link set "$LAB_UPLINK" up
	ip address add 10.99.0.7/24 dev "$LAB_UPLINK"
	ip route add 169.254.0.0/16 dev vpn0
	ip route add 10.98.0.0/16 via 10.99.0.1 dev "$LAB_UPLINK"
	ip route add 10.97.0.0/16 dev "$LAB_UPLINK"
	server_option "dhcp-option=121,0.0.0.0/0,10.77.0.1,169.254.169.254/32,10.77.0.2,10.99.0.9/32,10.77.0.2,10.98.1.0/24,10.77.0.2,10.97.1.0/24,10.77.0.2"
	lease
	wait_for 5 status_is route '^ok [0-9]+; refused /route/001: 169.254.169.254/32 would hide the route to 169.254.0.0/16 '
	assert_match 'dev vpn0' "$(ip -4 route get 169.254.169.254)"
	assert_match "^10\.99\.0\.9 dev $LAB_UPLINK" "$(ip -4 route get 10.99.0.9)"
	assert_match 'via 10\.99\.0\.1 ' "$(ip -4 route get 10.98.1.1)"
	assert_match 'via 10\.77\.0\.2 ' "$(ip -4 route get 10.97.1.1)"
	assert_eq 3 "$(grep -c '"verdict":"refused"' "$audit")"
}

test_hiding_can_be_allowed() {
	ip link add vpn0 type veth peer name vpn-far
	ip link set vpn0 up
	ip route add default dev vpn0 metric 50
	echo 'routes: {allow_hiding: true, min_prefix_length: 1}' >"$config"
	server_option "dhcp-option=121,0.0.0.0/0,10.77.0.1,128.0.0.0/1,10.77.0.1"
	lease
	wait_for 5 status_is route '^ok [0-9]+$'
	assert_match "dev $LAB_UPLINK" "$(ip -4 route get 198.51.100.7)"
}

test_static_addresses_and_routes_stay() {
	local before
	ip link set "$LAB_UPLINK" up
	ip address add 192.0.2.9/24 dev "$LAB_UPLINK"
	ip route add 203.0.113.0/24 via 192.0.2.1 dev "$LAB_UPLINK" proto static
	ip route add default via 192.0.2.1 dev "$LAB_UPLINK" metric 300
	before=$(ip -4 address show dev "$LAB_UPLINK" | grep 192.0.2.9; ip -4 route show)
	lease
	wait_for 5 status_is route '^ok'
	"$tools/gate" "$pins/gate_dhcp4" delete /ip
	wait_for 5 not grep -q 10.77 <(ip -4 address show dev "$LAB_UPLINK")
	assert_eq "$before" "$(ip -4 address show dev "$LAB_UPLINK" | grep 192.0.2.9; ip -4 route show)"
}

# A TCP connection through the leased address, which says something every 20 ms.
talk() {
	on_server python3 -c 'import socket
server = socket.create_server(("10.77.0.1", 7777))
print("listening", flush=True)
peer = server.accept()[0]
while True:
    data = peer.recv(64)
    if not data:
        break
    peer.sendall(data)'
}

talk_to() {
	python3 -c 'import socket, time
peer = socket.create_connection(("10.77.0.1", 7777), timeout=5)
while True:
    peer.sendall(b"x")
    if not peer.recv(64):
        break
    print("said", flush=True)
    time.sleep(0.02)'
}

still_talks() {
	local n
	n=$(wc -l <"$LAB_DIR/talk_to.log")
	for _ in {1..30}; do
		sleep 0.1
		if [ "$(wc -l <"$LAB_DIR/talk_to.log")" -gt "$n" ]; then
			return 0
		fi
	done
	return 1
}

# A pid of 0 would be our own process group.
has_watcher() {
	[ "$(watcher_pid)" -gt 1 ] && alive "$(watcher_pid)"
}

test_a_connection_survives_restarts() {
	local old
	lease
	start talk talk
	wait_for_line "$LAB_DIR/talk.log" listening 5
	start talk_to talk_to
	start monitor ip -4 monitor address route
	wait_for 5 still_talks
	for _ in 1 2 3; do
		old=$(watcher_pid)
		kill -KILL "$old"
		wait_for 5 not alive "$old"
		wait_for 5 has_watcher
		wait_for 5 status_is address '^ok'
	done
	still_talks || fail "with another watcher"
	kill -KILL "$(supervisor_pid)"
	wait_for 5 not pgrep calfpen-priv
	still_talks || fail "with nobody"
	calfpen_start
	wait_for 10 has_lease
	wait_for 5 status_is route '^ok'
	still_talks || fail "with another supervisor"
	assert_fails grep -E "^Deleted.*(inet 10\.77|default)" "$LAB_DIR/monitor.log"
}

# What the operator or another program does is told and left alone, if that is
# wanted; files always are. U18 is about the other case.
test_drift_is_reported() {
	echo 'drift: report' >"$config"
	lease
	wait_for 5 status_is route '^ok'
	sleep 1
	echo '# theirs' >"$LAB_RESOLV"
	wait_for 3 status_is dns '^drift: .*resolv.conf was changed'
	assert_match 'drift: .*resolv.conf was changed' "$(calfpen status)"
	ip route del default
	wait_for 3 status_is route '^drift: the route to 0.0.0.0/0'
	sleep 6 # a renewal
	assert_eq '# theirs' "$(cat "$LAB_RESOLV")"
	assert_eq '' "$(ip -4 route show default)"
}

# A tunnel's MTU, on an uplink that has IPv6.
test_U11_small_mtu_keeps_ipv6() {
	ip link set "$LAB_UPLINK" up
	echo 0 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/disable_ipv6"
	ip -6 address add 2001:db8::5/64 dev "$LAB_UPLINK" nodad
	ip -6 route add default via 2001:db8::1 dev "$LAB_UPLINK"
	server_option "dhcp-option=option:mtu,1000"
	lease
	wait_for 5 status_is link '^ok [0-9]+; IPv6 requires an MTU of 1280; the routes have 1000'
	assert_match 'instead of 1000, because IPv6 requires it' "$(cat "$LAB_DIR/calfpen.log")"
	assert_match '2001:db8::5/64' "$(ip -6 address show dev "$LAB_UPLINK")"
	assert_match '2001:db8::1' "$(ip -6 route show default)"
	assert_match 'mtu 1280' "$(ip link show "$LAB_UPLINK")"
	wait_for 5 status_is route '^ok'
	assert_match 'mtu 1000' "$(ip -4 route get 192.0.2.9)"
}
