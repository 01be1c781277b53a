# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The kernel as witness: a taken-over calf cannot give the host an address, a lifetime
# or a router that no server gave, whatever is killed in between.

. tests/system/calfpen.sh

hostile_start() {
	other_calf hostile-lease-calf 'path: /ip, type: ipv4-net, access: [write]' \
		'path: /gateway, type: ipv4, access: [write]' 'path: /lease/time, type: lifetime, access: [write]'
	printf '%s\n' 'calves: {}' "$@" >"$LAB_DIR/configuration.yaml"
	calfpen_start --calf "$LAB_DIR/hostile" --config "$LAB_DIR/configuration.yaml"
}

# refused PATH - refusals of that key in the audit log, of the calf's values
refused() {
	grep -c "\"subject\":\"hostile\",\"verb\":\"configure\",\"path\":\"$1\",\"verdict\":\"$2\"" \
		"$audit" || true
}
is_refused() { [ "$(refused "$1" "$2")" -eq "$3" ]; }

valid() {
	ip -4 address show dev "$LAB_UPLINK" | sed -n 's/.*valid_lft \([0-9]*\)sec.*/\1/p'
}

test_F6_hostile_calf_invents_nothing() {
	local address gateways monitor=$LAB_DIR/monitor.log old
	start monitor ip -oneline monitor address route
	hostile_start
	wait_for_line "$LAB_DIR/calfpen.log" 'all: done' 60
	assert_eq 20 "$(grep -c 'hostile: calf: forged: ' "$LAB_DIR/calfpen.log")"
	wait_for 10 is_refused /ip refused 12
	assert_eq 4 "$(refused /lease/time refused)"
	assert_eq 5 "$(refused /gateway refused)"
	address=$(address)
	assert_match '^10\.77\.0\.[0-9]+/24$' "$address"
	assert_eq "$address" "$(sed -n 's/.* inet \([0-9./]*\) .*/\1/p' "$monitor" | sort -u)" "no other address, ever"
	assert_eq "" "$(grep -E 'valid_lft (forever|1[2-9][1-9]|[2-9][0-9][0-9]|[0-9]{4,})' "$monitor" || true)"
	gateways=$(sed -n 's/^default via \([0-9.]*\) .*/\1/p' "$monitor" | sort -u)
	assert_eq 10.77.0.1 "$gateways" "no other router, ever"
	assert_match "refused /ip: 10\.77\.0\.1/24: no server gave it" "$(calfpen status)"
	assert_match "/ip: refused: 10\.77\.0\.1/24: no server gave it" "$(cat "$LAB_DIR/calfpen.log")"
	# another watcher knows no more than the store, the kernel and the host
	old=$(watcher_pid)
	kill -KILL "$old"
	wait_for 5 is_other "$old"
	wait_for 5 status_says 'refused /ip: 10.77.0.1/24'
	assert_eq "$address" "$(address)"
	assert_match 'via 10\.77\.0\.1 .*src '"${address%/*}" "$(ip -4 route show default)"
	[ "$(valid)" -le 60 ] || fail "the address that stays is not extended: $(valid)"
}
is_other() { [ "$(watcher_pid)" != "$1" ] && alive "$(watcher_pid)"; }
status_says() { calfpen status | grep -cF "$1" >/dev/null; }

# The operator only wants to know.
test_F6_warn() {
	hostile_start 'witness: warn'
	wait_for_line "$LAB_DIR/calfpen.log" 'forged: /ip 10.77.0.254/32' 20
	wait_for 10 is_refused /ip warned 3
	assert_eq 0 "$(refused /ip refused)"
	wait_for_line "$LAB_DIR/calfpen.log" '/ip: used in spite of the witness: 10.77.0.66/24' 10
	echo 'witness: warn' >"$LAB_DIR/a.yaml"
	assert_match $'\nwitness: warn\n' "$(calfpen check --effective "$LAB_DIR/a.yaml")"
}

# Who sets a static address is believed, beside a calf that speaks DHCPv4, of which the
# kernel records nothing.
test_static_address_beside_dhcp() {
	mkdir "$LAB_DIR/static"
	chmod 755 "$LAB_DIR" "$LAB_DIR/static"
	cp "$tools/idle-calf" "$LAB_DIR/static/"
	cat >"$LAB_DIR/static/calf.yaml" <<END
name: static
executable: idle-calf
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
  - {path: /ip, type: ipv4-net, access: [write]}
  - {path: /gateway, type: ipv4, access: [write]}
END
	echo 'calves: {}' >"$LAB_DIR/configuration.yaml"
	calfpen_start --config "$LAB_DIR/configuration.yaml" --calf "$LAB_DIR/static" --calf "$TOP/build/tests/calf/echo"
	wait_for_line "$LAB_DIR/calfpen.log" 'running on' 20
	assert_eq 1 "$(grep -c '<warning> calfpen: no calf with frame rules of DHCPv4 writes /ip: no lease can be renewed$' "$LAB_DIR/calfpen.log")"
	"$tools/gate" "$pins/gate_static" write /ip 10.77.0.9/24
	"$tools/gate" "$pins/gate_static" write /gateway 10.77.0.1
	wait_for 10 has_static
	assert_fails grep -q '"verdict":"refused"' "$audit"
}
has_static() {
	[ "$(address)" = 10.77.0.9/24 ] && [[ $(ip -4 route show default) == *'via 10.77.0.1 '* ]]
}

no_process() { [ -z "$(pgrep 'calfpen-|calf-dhcp4')" ]; }

# The ACK was there, the address not yet.
test_F6_killed_between_ack_and_address() {
	local leased
	calfpen_start
	wait_for 20 has_lease
	leased=$(address)
	kill -STOP "$(watcher_pid)"
	"$tools/gate" "$pins/gate_dhcp4" delete /ip
	ip address delete "$leased" dev "$LAB_UPLINK"
	"$tools/gate" "$pins/gate_dhcp4" write /ip "$leased"
	kill -KILL "$(watcher_pid)"
	wait_for 5 has_lease
	assert_eq "$leased" "$(address)"

	kill -STOP "$(watcher_pid)"
	ip address delete "$leased" dev "$LAB_UPLINK"
	kill -KILL "$(watcher_pid)" "$(supervisor_pid)"
	wait_for 5 no_process
	server_stop
	calfpen_start
	wait_for 10 has_lease
	assert_eq "$leased" "$(address)"
	assert_match 'valid_lft ([1-9]|[1-9][0-9]|1[01][0-9])sec' "$(ip -4 address show dev "$LAB_UPLINK")"
	assert_fails grep -q '"verdict":"refused"' "$audit"
	# it goes on being closed
	"$tools/gate" "$pins/gate_dhcp4" write /ip 10.77.0.1/24
	wait_for 5 status_says 'refused /ip: 10.77.0.1/24'
	assert_eq "$leased" "$(address)"
	assert_fails bpftool map update pinned "$pins/frame_witness" key 0 0 0 0 value hex \
		"$(printf '00 %.0s' {1..1024})"
}

# A version without a witness left a lease: it counts until it ends.
test_F6_lease_of_an_older_version() {
	local leased
	lease
	leased=$(address)
	kill -KILL "$(supervisor_pid)"
	wait_for 5 no_process
	rm "$pins/frame_witness"
	server_stop
	calfpen_start
	wait_for 10 has_lease
	assert_eq "$leased" "$(address)"
	assert_match 'via 10\.77\.0\.1 ' "$(ip -4 route show default)"
	"$tools/gate" "$pins/gate_dhcp4" write /gateway 10.77.0.66
	wait_for 5 status_says 'refused /gateway: 10.77.0.66'
	"$tools/gate" "$pins/gate_dhcp4" write /lease/time infinite
	wait_for 5 status_says 'refused /lease/time: infinite'
	[ "$(valid)" -le 120 ] || fail "it is not extended: $(valid)"
	assert_eq "$leased" "$(address)"
}

# Programs are loaded anew for another device: the witness stays the same map.
test_F6_another_device() {
	local before
	lease
	before=$(stat -c %i "$pins/frame_witness")
	ip link set "$LAB_UPLINK" address 02:00:00:00:77:99
	wait_for 20 has_lease_of 02:00:00:00:77:99
	assert_eq "$before" "$(stat -c %i "$pins/frame_witness")"
	assert_fails grep -q '"verdict":"refused"' "$audit"
	assert_fails grep 'no lease can be renewed' "$LAB_DIR/calfpen.log"
}
has_lease_of() {
	[ "$(calfpen get /mac)" = "$1" ] && [ "$(calfpen get /lease/state)" = bound ] &&
		[ "$(calfpen get /ip)" = "$(address)" ] && grep -q "DHCPACK.*$1" "$LAB_SERVER_LOG"
}
