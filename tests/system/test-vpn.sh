# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
#
# A hostile server tries to get what a VPN of the host carries, by each option that leads
# to a route; and what an honest server and a cloud need beside a VPN.

. tests/system/calfpen.sh

victim=8.8.8.8
config=/etc/calfpen/$LAB_UPLINK.yaml

# vpn_network - the VPN's far end, where the victim is; the attacker behind the uplink
# has the same address, and would answer
vpn_network() {
	ip netns add far
	ip link add vpn0 type veth peer name far0 netns far
	ip -netns far link set lo up
	ip -netns far link set far0 up
	ip -netns far address add 10.8.0.1/24 dev far0
	ip -netns far address add "$victim/32" dev lo
	ip link set vpn0 up
	ip address add 10.8.0.2/24 dev vpn0
	on_server ip address add "$victim/32" dev lo
}

# vpn add|del STYLE - lead everything into the tunnel, or no longer
vpn() {
	case $2 in
	metric) ip route "$1" default via 10.8.0.1 dev vpn0 metric 50 ;;
	halves)
		ip route "$1" 0.0.0.0/1 via 10.8.0.1 dev vpn0
		ip route "$1" 128.0.0.0/1 via 10.8.0.1 dev vpn0
		;;
	table)
		ip route "$1" default via 10.8.0.1 dev vpn0 table 51820
		ip rule "$1" pref 100 table main suppress_prefixlength 0
		ip rule "$1" pref 101 not fwmark 51820 table 51820
		;;
	esac
}
vpn_up() { vpn add "$1"; }
vpn_down() { vpn del "$1"; }

# offer LINE... - what the server gives from now on, besides addresses
offer() {
	[ -e "$LAB_DIR/server.conf.before" ] || cp "$LAB_SERVER_CONF" "$LAB_DIR/server.conf.before"
	grep -v '^dhcp-option=option:router' "$LAB_DIR/server.conf.before" >"$LAB_SERVER_CONF"
	printf 'dhcp-option-force=%s\n' "$@" >>"$LAB_SERVER_CONF"
	server_stop
	server_start
}

acks() { grep -c DHCPACK "$LAB_SERVER_LOG" || true; }
more_acks() { [ "$(acks)" -gt "$1" ]; }

# take_offer - by a renewal, as a server that turned hostile would have it
take_offer() {
	local before
	before=$(acks)
	calfpen set /control/dhcp4/renew now
	wait_for 10 more_acks "$before"
	wait_for 10 settled
}

settled() {
	local status
	for status in address link route; do
		[[ $(calfpen get "/status/$status") == ok* ]] || return 1
	done
}

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }
goes_by() { [[ $(ip -4 route get "$1") =~ \ dev\ $2\  ]]; }

# talker NAME NETNS ADDRESS - whoever listens there says back what it hears
talker() {
	start "$1" nsenter --net="/run/netns/$2" -- python3 -c 'import socket, sys
server = socket.create_server((sys.argv[1], 7777))
print("listening", flush=True)
while True:
    peer = server.accept()[0]
    print("connected", flush=True)
    while data := peer.recv(64):
        peer.sendall(data)' "$3"
	wait_for_line "$LAB_DIR/$1.log" listening 5
}

# talk_to NAME ADDRESS - a TCP connection that says something every 5 ms, and in the end
# how many segments were lost: sent again, and not found there already, as on a busy machine
talk_to() {
	start "$1" python3 -c 'import socket, struct, sys, time
peer = socket.create_connection((sys.argv[1], 7777), timeout=10)
while True:
    peer.sendall(b"x")
    if not peer.recv(64):
        break
    info = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 224)
    sent_again, twice = (struct.unpack_from("I", info, at)[0] for at in (100, 216))
    print("said, lost:", sent_again - twice, flush=True)
    time.sleep(0.005)' "$2"
	wait_for_line "$LAB_DIR/$1.log" said 5
}

has_said() { [ "$(wc -l <"$LAB_DIR/$1.log")" -gt "$2" ]; }

# still_talks NAME
still_talks() {
	local n
	n=$(wc -l <"$LAB_DIR/$1.log")
	wait_for 5 has_said "$1" $((n + 5))
}

# loses_nothing NAME
loses_nothing() {
	still_talks "$1"
	wait_for 5 has_lost_nothing "$1"
}
has_lost_nothing() { [ "$(tail -n 1 "$LAB_DIR/$1.log")" = 'said, lost: 0' ]; }

# is_refused NET - in the audit log
is_refused() { grep -q "\"verdict\":\"refused\",\"reason\":\"$1 would hide the route to" "$audit"; }

# hostile_options STYLE - each one is renewed into, beside a connection through the VPN
hostile_options() {
	local net=10.77.0.1
	mkdir -p /etc/calfpen
	vpn_network
	lease
	vpn_up "$1"
	wait_for 5 goes_by "$victim" vpn0
	talker far far "$victim"
	talker attacker server "$victim"
	talk_to through "$victim"

	offer 1,248.0.0.0 "3,$net"
	take_offer
	hides_nothing "$1: option 1"
	wait_for 5 status_is address '; refused /ip: 10\.77\.0\.[0-9]+/5: its subnet would hide the route to '
	hides_nothing "$1: option 1"
	assert_match '^10\.77\.0\.[0-9]+/32$' "$(address)"
	assert_match 'via 10\.77\.0\.1 ' "$(ip -4 route show default dev "$LAB_UPLINK")"
	assert_eq 1 "$(grep -c '"path":"/ip","verdict":"refused"' "$audit")" "$1: option 1 is audited"

	offer 1,255.255.255.0 "3,$victim"
	take_offer
	hides_nothing "$1: option 3"
	assert_eq "$(calfpen get /ip)" "$(address)"
	assert_match "via $victim .*onlink" "$(ip -4 route show default dev "$LAB_UPLINK")"
	assert_eq '' "$(ip -4 route show "$victim")" "$1: no host route"

	offer 1,255.255.255.0 "3,$net" "33,$victim,$net"
	take_offer
	wait_for 5 status_is route "; refused /route/001: $victim/32 would hide"
	hides_nothing "$1: option 33"

	offer 1,255.255.255.0 "121,0.0.0.0/0,$net,8.8.8.0/24,$net,$victim/32,0.0.0.0"
	take_offer
	wait_for 5 is_refused 8.8.8.0/24
	is_refused "$victim/32" || fail "$1: option 121, a route on the link"
	hides_nothing "$1: option 121"

	offer 1,255.255.255.0 "249,0.0.0.0/0,$net,8.8.0.0/16,$net,8.8.8.0/30,0.0.0.0"
	take_offer
	wait_for 5 is_refused 8.8.0.0/16
	is_refused 8.8.8.0/30 || fail "$1: option 249, a route on the link"
	hides_nothing "$1: option 249"

	# Only the uplink's own routes get smaller.
	offer 1,255.255.255.0 "3,$net" 26,600
	echo 0 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/disable_ipv6"
	ip -6 address add 2001:db8::5/64 dev "$LAB_UPLINK" nodad
	take_offer
	wait_for 5 status_is link '; IPv6 requires an MTU of 1280; the routes have 600'
	assert_match '2001:db8::5/64' "$(ip -6 address show dev "$LAB_UPLINK")"
	assert_match 'mtu 600' "$(ip -4 route get 10.77.0.9)"
	assert_fails grep mtu <(ip -4 route get "$victim")
	hides_nothing "$1: option 26"

	assert_fails grep connected "$LAB_DIR/attacker.log"
	loses_nothing through
}

# hides_nothing WHAT - neither of what is there nor of what is begun now
hides_nothing() {
	local to
	for to in "$victim" 8.8.4.4 1.1.1.1 200.1.1.1; do
		goes_by "$to" vpn0 || fail "$1: $to is taken out of the VPN"
	done
	still_talks through || fail "$1: the connection through the VPN"
}

test_F3_vpn_with_a_lower_metric() { hostile_options metric; }
test_F3_vpn_of_two_halves() { hostile_options halves; }
test_F3_vpn_with_a_table() { hostile_options table; }

# The tunnel comes after the hostile lease, and goes.
test_F3_vpn_that_comes_later() {
	local style
	vpn_network
	offer 1,248.0.0.0 3,10.77.0.1
	lease
	wait_for 5 status_is address '^ok [0-9]+$'
	assert_match '^10\.77\.0\.[0-9]+/5$' "$(address)"
	assert_eq '' "$(ip -4 route show proto kernel dev "$LAB_UPLINK")"
	goes_by "$victim" "$LAB_UPLINK" || fail "there is no VPN"
	for style in metric halves table; do
		vpn_up "$style"
		wait_for 3 goes_by "$victim" vpn0
		wait_for 3 status_is address '; refused /ip: '
		assert_match '^10\.77\.0\.[0-9]+/32$' "$(address)"
		vpn_down "$style"
		wait_for 3 goes_by "$victim" "$LAB_UPLINK"
		wait_for 3 status_is address '^ok [0-9]+$'
		assert_match '^10\.77\.0\.[0-9]+/5$' "$(address)"
	done
}

# The rules come when nothing else changes any more.
test_F3_vpn_that_comes_while_a_route_fails() {
	ip link add other0 type veth peer name other1
	ip link set other0 up
	ip address add 172.17.0.1/16 dev other0
	vpn_network
	# the second router is ourselves: the kernel refuses it
	offer 1,255.255.255.0 3,10.77.0.1 \
		121,0.0.0.0/0,10.77.0.1,8.8.8.0/24,10.77.0.1,203.0.113.0/24,172.17.0.1
	lease
	wait_for 5 status_is route '^error: route to 203'
	wait_for 20 goes_by "$victim" "$LAB_UPLINK"
	vpn_up halves
	wait_for 2 goes_by "$victim" vpn0
	# its routes go without an event
	ip link set vpn0 down
	wait_for 3 goes_by "$victim" "$LAB_UPLINK"
}
test_F3_rules_that_come_later() {
	vpn_network
	offer 1,248.0.0.0 3,10.77.0.1
	lease
	ip route add default via 10.8.0.1 dev vpn0 table 51820
	sleep 1
	goes_by "$victim" "$LAB_UPLINK" || fail "no rule uses that table"
	ip rule add pref 100 table main suppress_prefixlength 0
	sleep 1
	ip rule add pref 101 not fwmark 51820 table 51820
	wait_for 3 goes_by "$victim" vpn0
	wait_for 3 status_is address '; refused /ip: '
	ip rule del pref 100
	ip rule del pref 101
	wait_for 3 goes_by "$victim" "$LAB_UPLINK"
	wait_for 3 status_is address '^ok [0-9]+$'
}

# A pid of 0 would be our own process group.
has_watcher() {
	[ "$(watcher_pid)" -gt 1 ] && alive "$(watcher_pid)"
}

# An honest server's LAN stays the host's, whatever comes and goes.
test_F3_lan_beside_a_vpn() {
	local style old
	vpn_network
	lease
	wait_for 10 settled
	talker lan server 10.77.0.1
	talk_to neighbour 10.77.0.1
	for style in metric halves table; do
		vpn_up "$style"
		wait_for 3 goes_by "$victim" vpn0
		take_offer
		goes_by 10.77.0.9 "$LAB_UPLINK" || fail "$style: the LAN"
		old=$(watcher_pid)
		kill -KILL "$old"
		wait_for 5 not alive "$old"
		wait_for 5 has_watcher
		wait_for 10 settled
		goes_by 10.77.0.9 "$LAB_UPLINK" || fail "$style: the LAN, with another watcher"
		goes_by "$victim" vpn0 || fail "$style: another watcher"
		loses_nothing neighbour
		vpn_down "$style"
	done
	assert_eq 0 "$(grep -c '"verdict":"refused"' "$audit" || true)"
	assert_eq 1 "$(ip -4 route show 10.77.0.0/24 | wc -l)"
	assert_match "proto 202 scope link src $(address | cut -d/ -f1) metric " "$(ip -4 route show 10.77.0.0/24)"
}

# A former client's address has the kernel's route, or one of its own.
test_F3_connection_over_a_take_over() {
	ip link set "$LAB_UPLINK" up
	ip address add 10.77.0.150/24 dev "$LAB_UPLINK" valid_lft 900 preferred_lft 900
	ip route add default via 10.77.0.1 dev "$LAB_UPLINK"
	talker lan server 10.77.0.1
	talk_to neighbour 10.77.0.1
	start monitor ip -4 monitor address
	lease --takeover
	wait_for 10 settled
	wait_for 5 grep -q ^done "$run/takeover"
	assert_eq 10.77.0.150/24 "$(address)"
	assert_eq 1 "$(ip -4 route show 10.77.0.0/24 | wc -l)"
	assert_match 'proto 202 scope link src 10\.77\.0\.150 ' "$(ip -4 route show 10.77.0.0/24)"
	assert_fails grep Deleted "$LAB_DIR/monitor.log"
	loses_nothing neighbour
	# the link goes down and up: the kernel sets its route again, and we ours
	ip link set "$LAB_UPLINK" down
	ip link set "$LAB_UPLINK" up
	wait_for 5 only_ours
	still_talks neighbour
}

only_ours() {
	[[ $(ip -4 route show 10.77.0.0/24) =~ ^[^$'\n']*\ proto\ 202\ [^$'\n']*$ ]]
}

# A cloud: a /32, and a router outside of any subnet, beside each VPN and without one.
test_F3_cloud() {
	local style
	vpn_network
	on_server ip address add 10.99.0.1/32 dev lo
	on_server ip address add 203.0.113.9/32 dev lo
	on_server ip route replace 10.77.0.0/24 dev "$LAB_SERVER_IF"
	offer 1,255.255.255.255 3,10.99.0.1
	lease
	wait_for 10 settled
	assert_match '^10\.77\.0\.[0-9]+/32$' "$(address)"
	assert_match 'via 10\.99\.0\.1 .*onlink' "$(ip -4 route show default)"
	assert_eq 1 "$(ip -4 route show proto 202 | wc -l)"
	talker world server 203.0.113.9
	talk_to outside 203.0.113.9
	for style in metric halves table; do
		vpn_up "$style"
		wait_for 3 goes_by 203.0.113.9 vpn0
		goes_by 10.99.0.1 vpn0 || fail "$style: the router's address is not an exception"
		vpn_down "$style"
		take_offer
		still_talks outside || fail "$style: without the VPN again"
	done
	assert_eq 0 "$(grep -c '"verdict":"refused"' "$audit" || true)"
	# as RFC 3442 has it, with a host route to the router
	offer 1,255.255.255.255 121,10.99.0.1/32,0.0.0.0,0.0.0.0/0,10.99.0.1
	take_offer
	wait_for 5 status_is route '^ok [0-9]+$'
	assert_match 'scope link' "$(ip -4 route show 10.99.0.1)"
	still_talks outside
}

# router_resolves_host - the router's ARP request has its own address
router_resolves_host() {
	on_server ip neigh flush dev "$LAB_SERVER_IF"
	on_server bash -c "echo x >/dev/udp/$1/9"
	wait_for 2 router_has_neighbour "$1"
}

router_has_neighbour() { [[ $(on_server ip neigh show "$1") == *REACHABLE* ]]; }

# The VPN gets what is sent to that address, so the reverse path check must be loose.
test_F3_cloud_with_rp_filter() {
	local style host
	vpn_network
	sysctl -qw net.ipv4.conf.all.rp_filter=0 "net.ipv4.conf.$LAB_UPLINK.rp_filter=1"
	on_server ip address add 10.99.0.1/32 dev lo
	on_server ip route replace 10.77.0.0/24 dev "$LAB_SERVER_IF" src 10.99.0.1
	offer 1,255.255.255.255 3,10.99.0.1
	lease
	wait_for 10 settled
	host=$(address | cut -d/ -f1)
	for style in metric halves table; do
		vpn_up "$style"
		wait_for 3 goes_by 10.99.0.1 vpn0
		router_resolves_host "$host" || fail "$style: the router's ARP request is dropped"
		vpn_down "$style"
	done
	assert_eq 2 "$(sysctl -n "net.ipv4.conf.$LAB_UPLINK.rp_filter")"
	assert_eq 1 "$(grep -c "rp_filter from strict (1) to loose (2), because .* 10\.99\.0\.1:" "$LAB_DIR/calfpen.log")"
}

# What the operator allows.
test_F3_operator_allows_it() {
	mkdir -p /etc/calfpen
	echo 'routes: {min_connected_prefix_length: 8}' >"$config"
	vpn_network
	vpn_up halves
	offer 1,255.0.0.0 3,10.77.0.1
	lease
	wait_for 10 settled
	assert_match '^10\.77\.0\.[0-9]+/8$' "$(address)"
	goes_by 10.1.2.3 "$LAB_UPLINK" || fail "all of 10/8 is the LAN"
	goes_by "$victim" vpn0 || fail "and nothing else"
	assert_match 'min_connected_prefix_length: 8' "$(calfpen check --effective)"
}
