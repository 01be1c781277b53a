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
ours() {
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
	wait_for 2 ours
	assert_fails grep -q DHCPDISCOVER "$LAB_SERVER_LOG" # it asked for the address at once
	talk after
	assert_match '192\.0\.2\.77/24' "$(address)" "an address of somebody else stays"
	assert_eq "" "$(grep "Deleted.* $former" "$LAB_DIR/monitor.log" || true)" "it was removed"
	assert_eq 1 "$(address | grep -c "$former")"
}

# Whose lease is another goes on with that; the former one is not ours to remove.
test_another_address_is_not_removed() {
	ip link set "$LAB_UPLINK" up
	ip address add 10.77.0.9/24 dev "$LAB_UPLINK"
	lease --takeover
	assert_eq 10.77.0.9/24 "$(calfpen get /address)"
	assert_eq "$former/24" "$(calfpen get /ip)"
	wait_for 2 ours
	assert_match '10\.77\.0\.9/24' "$(address)"
}

test_only_when_asked_for() {
	local code=0
	former_client
	lease
	calfpen get /address >/dev/null 2>&1 || code=$?
	assert_eq 3 "$code" "an absent key"
	ours && fail "an address of somebody else was taken"
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
