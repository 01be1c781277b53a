# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --server-option dhcp-host=02:00:00:00:77:02,10.77.0.150
#
# --takeover: the address that a former client left on the uplink goes on as
# ours, without a moment in which there is none.

. tests/system/calfpen.sh

former=10.77.0.150

# A client before us: its address with an end, and a route of its own.
former_client() {
	ip link set "$LAB_UPLINK" up
	ip address add "$former/24" broadcast + dev "$LAB_UPLINK" valid_lft 900 preferred_lft 900
}

# Not the former client's any more: its lifetime is that of our lease.
is_ours() {
	ip -4 address show dev "$LAB_UPLINK" to "$former" | grep -cE 'valid_lft (11[0-9]|120)sec' >/dev/null
}

# talk LINE - over a connection that was made before, on descriptor 8
talk() {
	local line
	echo "$1" >&8
	read -r -t 5 line <&8 || fail "the connection is dead"
	assert_eq "$1" "$line"
}

connect() {
	start echo nsenter --net="/run/netns/$LAB_SERVER_NS" -- python3 -u -c '
import socket
listener = socket.create_server(("10.77.0.1", 7777))
print("ready")
connection, peer = listener.accept()
print("from", peer[0])
while data := connection.recv(100):
    connection.sendall(data)'
	wait_for_line "$LAB_DIR/echo.log" ready 5
	exec 8<>/dev/tcp/10.77.0.1/7777
	wait_for_line "$LAB_DIR/echo.log" "from $former" 5
}

test_address_is_not_flapped() {
	former_client
	ip address add 192.0.2.77/24 dev "$LAB_UPLINK"
	connect
	talk before
	start monitor ip -4 monitor address route
	lease --takeover
	assert_eq "$former/24" "$(calfpen get /address)"
	assert_eq "$former/24" "$(calfpen get /ip)"
	wait_for 2 is_ours
	assert_fails grep -q DHCPDISCOVER "$LAB_SERVER_LOG" # it asked for the address at once
	talk after
	assert_match '192\.0\.2\.77/24' "$(address)" "an address of somebody else stays"
	assert_eq "" "$(grep "Deleted.*inet $former" "$LAB_DIR/monitor.log" || true)" "it was removed"
	assert_match "^10\.77\.0\.0/24 .* proto 202 .*Deleted 10\.77\.0\.0/24 .* proto kernel " \
		"$(grep -a '10\.77\.0\.0/24' "$LAB_DIR/monitor.log" | xargs)" "its route, when ours was there"
	assert_eq 1 "$(address | grep -c "$former")"
}

# Whose lease is another goes on with that; the former one is not ours to remove.
test_another_address_is_not_removed() {
	ip link set "$LAB_UPLINK" up
	ip address add 10.77.0.9/24 dev "$LAB_UPLINK"
	lease --takeover
	assert_eq 10.77.0.9/24 "$(calfpen get /address)"
	assert_eq "$former/24" "$(calfpen get /ip)"
	wait_for 2 is_ours
	assert_match '10\.77\.0\.9/24' "$(address)"
}

test_only_when_asked_for() {
	local code=0
	former_client
	lease
	calfpen get /address >/dev/null 2>&1 || code=$?
	assert_eq 3 "$code" "an absent key"
	is_ours && fail "an address of somebody else was taken"
	stop calfpen || fail "exit code $?"
	calfpen_start --takeover
	wait_for 10 address_is "$former/24"
	stop calfpen || fail "exit code $?"
	# the next life does not ask for what a former one found
	calfpen_start
	wait_for 10 has_lease
	code=0
	calfpen get /address >/dev/null 2>&1 || code=$?
	assert_eq 3 "$code" "an absent key"
}
address_is() { [ "$(calfpen get /address)" = "$1" ]; }

# router ADDRESS - that the server tells from now on
router() {
	sed -i '/option:router/d' "$LAB_SERVER_CONF"
	echo "dhcp-option=option:router,$1" >>"$LAB_SERVER_CONF"
	server_stop
	server_start
}

metric() { echo $((1000 + $(cat "/sys/class/net/$LAB_UPLINK/ifindex"))); }

# ours ROUTER - our default route
ours() {
	echo "default via $1 dev $LAB_UPLINK proto 202 src $former metric $(metric) "
}

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }

# is_done - the take-over is over, or there was none
is_done() {
	status_is route '^ok' && status_is address '^ok' && [[ $(cat "$run/takeover") == done* ]]
}

# ours_came_first ROUTE - the monitor saw our default route before ROUTE was deleted
ours_came_first() {
	local came gone
	came=$(grep -n '^default .* proto 202' "$LAB_DIR/monitor.log" | sed -n '1s/:.*//p')
	gone=$(grep -n "^Deleted $1" "$LAB_DIR/monitor.log" | sed -n '1s/:.*//p')
	[ -n "$gone" ] || fail "$1 is still there"
	[ "${came:-$gone}" -lt "$gone" ] || fail "$1 went before ours came"
	assert_eq 0 "$(grep -c '^Deleted default .* proto 202' "$LAB_DIR/monitor.log" || true)"
}

# other_routes - that are none of the former client's and none of ours
other_routes() {
	ip -4 route show table all | grep -E '^(10\.[1-6]|169\.254)\.'
}

# The kernel's ip=dhcp, or an initramfs: no end, no preferred source, metric 0.
test_U25_routes_of_the_former_client_go() {
	local before
	router 10.77.0.254
	ip link set "$LAB_UPLINK" up
	ip address add "$former/24" dev "$LAB_UPLINK"
	ip address add 192.0.2.77/24 dev "$LAB_UPLINK"
	ip link add other0 type veth peer name other1
	ip link set other0 up
	ip -batch - <<-END
		route add 10.1.0.0/16 via 10.77.0.9 dev $LAB_UPLINK proto static
		route add 10.2.0.0/16 via 10.77.0.9 dev $LAB_UPLINK proto bird
		route add 10.3.0.0/16 via 192.0.2.1 dev $LAB_UPLINK
		route add 10.4.0.0/16 via 10.77.0.9 dev $LAB_UPLINK src 192.0.2.77
		route add 10.5.0.0/16 dev other0
		route add 10.6.0.0/16 via 10.77.0.9 dev $LAB_UPLINK table 77
		route add 169.254.0.0/16 dev $LAB_UPLINK metric 1002
	END
	before=$(other_routes)
	ip -batch - <<-END
		route add default via 10.77.0.1 dev $LAB_UPLINK
		route add default via 10.77.0.2 dev $LAB_UPLINK proto dhcp src $former metric 5000
		route add 10.9.0.0/16 via 10.77.0.1 dev $LAB_UPLINK proto dhcp
	END
	start monitor ip -4 monitor address route
	lease --takeover
	wait_for 5 is_done
	assert_eq "$(ours 10.77.0.254)" "$(ip -4 route show default)"
	assert_match 'via 10\.77\.0\.254 ' "$(ip -4 route get 203.0.113.9)"
	assert_match 'via 10\.77\.0\.254 ' "$(ip -4 route get 10.9.0.9)"
	assert_eq "$before" "$(other_routes)"
	assert_match '192\.0\.2\.77/24' "$(address)"
	ours_came_first "default via 10.77.0.1 dev $LAB_UPLINK"
	assert_match 'removed the former client.s route to 0\.0\.0\.0/0 via 10\.77\.0\.1 metric 0 protocol 3' \
		"$(cat "$LAB_DIR/calfpen.log")"
	assert_match '^ok [0-9]+$' "$(calfpen get /status/route)"
}

# dhcpcd with a DUID: another lease, all marked, and a metric that may be ours. Its
# address was first, so ours is a secondary one until it goes.
test_U25_another_address_of_the_former_client_goes() {
	local metric
	ip link set "$LAB_UPLINK" up
	metric=$(metric)
	ip -batch - <<-END
		address add 10.77.0.145/24 broadcast + dev $LAB_UPLINK valid_lft 900 preferred_lft 900 noprefixroute
		address add 10.77.0.9/24 dev $LAB_UPLINK
		route add 10.77.0.0/24 dev $LAB_UPLINK proto dhcp src 10.77.0.145 metric $metric
		route add default via 10.77.0.1 dev $LAB_UPLINK proto dhcp src 10.77.0.145 metric $metric
		route add 10.1.0.0/16 via 10.77.0.1 dev $LAB_UPLINK proto static
	END
	start monitor ip -4 monitor address route
	lease --takeover
	wait_for 5 is_done
	assert_eq "$(ours 10.77.0.1)" "$(ip -4 route show default)"
	assert_eq "10.77.0.9/24 $former/24" "$(address | sort -V | xargs)"
	assert_match "src $former" "$(ip -4 route get 203.0.113.9)"
	assert_match 'via 10\.77\.0\.1 ' "$(ip -4 route show 10.1.0.0/16)"
	ip -4 route show 10.77.0.0/24 dev "$LAB_UPLINK" | grep -c 'proto kernel' >/dev/null
	ours_came_first 'default via 10.77.0.1 dev uplink0 proto dhcp'
	assert_eq 0 "$(grep -c 'stays' "$LAB_DIR/calfpen.log" || true)"
}

# What the operator or a routing daemon has set stays, and its address with it.
test_U25_what_stays_is_named() {
	ip link set "$LAB_UPLINK" up
	ip -batch - <<-END
		address add 10.77.0.145/24 dev $LAB_UPLINK valid_lft 900 preferred_lft 900
		route add default via 10.77.0.1 dev $LAB_UPLINK proto static metric 7
		route add default via 10.77.0.2 dev $LAB_UPLINK metric 8
		route add 10.1.0.0/16 via 10.77.0.1 dev $LAB_UPLINK proto static src 10.77.0.145
	END
	lease --takeover
	wait_for 5 is_done
	assert_match '^ok [0-9]+; another program.s route to 0\.0\.0\.0/0 via 10\.77\.0\.1 metric 7 protocol 4 through the uplink is ahead of ours$' \
		"$(calfpen get /status/route)"
	assert_eq 1 "$(grep -c 'ahead of ours' "$LAB_DIR/calfpen.log")"
	assert_match '10\.77\.0\.145/24 of the former client stays: the route to 10\.1\.0\.0/16 ' "$(cat "$LAB_DIR/calfpen.log")"
	assert_match '10\.77\.0\.145/24' "$(address)"
	assert_match 'src 10\.77\.0\.145' "$(ip -4 route show 10.1.0.0/16)"
	assert_eq 2 "$(ip -4 route show default | wc -l)"
	# the status follows
	ip route delete default via 10.77.0.1 metric 7
	wait_for 5 status_is route '^ok [0-9]+$'
}

test_U25_without_takeover_it_is_only_named() {
	local before
	router 10.77.0.254
	former_client
	ip route add default via 10.77.0.1 dev "$LAB_UPLINK"
	before=$(ip -4 route show)
	lease
	wait_for 5 status_is route 'route to 0\.0\.0\.0/0 via 10\.77\.0\.1 metric 0 protocol 3 through the uplink is ahead of ours$'
	assert_eq "$before" "$(ip -4 route show | grep -v 'proto 202')"
	[ ! -e "$run/takeover" ] || fail "a take-over"
}

has_watcher() { [ "$(watcher_pid)" -gt 1 ] && alive "$(watcher_pid)"; }

kill_watcher() {
	local old
	old=$(watcher_pid)
	kill -KILL "$old"
	wait_for 5 not alive "$old"
	wait_for 5 has_watcher
}

# Only what was there at the start goes, whatever restarts before or after; nothing
# goes as long as there is no lease.
test_U25_restarts_in_between() {
	local before
	router 10.77.0.254
	server_stop
	former_client
	ip route add default via 10.77.0.1 dev "$LAB_UPLINK"
	before=$(ip -4 route show; address)
	calfpen_start --takeover
	wait_for 10 has_watcher
	kill_watcher
	kill -KILL "$(supervisor_pid)"
	wait_for 5 not pgrep calfpen-priv
	assert_eq "$before" "$(ip -4 route show; address)"
	calfpen_start --takeover
	wait_for 10 has_watcher
	kill_watcher
	assert_eq "$before" "$(ip -4 route show; address)"
	server_start
	wait_for 20 is_done
	assert_eq "$(ours 10.77.0.254)" "$(ip -4 route show default)"
	# of the operator, as far as anybody can know
	ip route add 10.9.0.0/16 via 10.77.0.1 dev "$LAB_UPLINK"
	kill_watcher
	calfpen set /control/dhcp4/renew 1
	wait_for 5 not calfpen get /control/dhcp4/renew
	wait_for 5 status_is route '^ok'
	stop calfpen || fail "exit code $?"
	lease --takeover
	wait_for 5 is_done
	assert_match 'via 10\.77\.0\.1 ' "$(ip -4 route show 10.9.0.0/16)"
}
