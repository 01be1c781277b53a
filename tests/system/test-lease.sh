# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --server-option dhcp-option=option:T1,5s --server-option dhcp-option=option:T2,60s
#
# A real lease from a real server, through every process and both paths.
#
# again: runc lease_reaches_the_host renews_at_t1_by_unicast stops_cleanly

. tests/system/calfpen.sh

test_lease_reaches_the_host() {
	local line
	lease
	line=$(ip -4 address show dev "$LAB_UPLINK")
	assert_match 'inet 10\.77\.0\.1[0-9]{2}/24 brd 10\.77\.0\.255' "$line"
	assert_match 'valid_lft (11[0-9]|120)sec' "$line" "the lease's lifetime is the kernel's"
	assert_eq "$(calfpen get /ip)" "$(address)"
	line=$(ip -4 route show default)
	assert_match "default via 10\.77\.0\.1 dev $LAB_UPLINK .*src $(address | cut -d/ -f1)" "$line"
	assert_match "mtu 1400" "$(ip link show dev "$LAB_UPLINK")"
	assert_match $'search lab.example corp.example\n' "$(cat "$LAB_RESOLV")"
	assert_match $'nameserver 10.77.0.1\nnameserver 10.77.0.2' "$(cat "$LAB_RESOLV")"
}

test_keys_are_strings_for_bpftool() {
	local dump
	lease
	dump=$(bpftool map dump pinned "$pins/kv")
	assert_match '"path": "/ip"' "$dump"
	assert_match "\"text\": \"$(address)\"" "$dump"
	assert_match '"path": "/nameserver/002"' "$dump"
	assert_match '"text": "10.77.0.2"' "$dump"
	assert_match '"path": "/lease/time"' "$dump"
	assert_eq "10.77.0.1" "$(calfpen get /gateway)"
	assert_eq "1400" "$(calfpen get /mtu)"
	assert_eq "lab.example" "$(calfpen get /domain)"
	assert_eq "$LAB_UPLINK_MAC" "$(calfpen get /mac)"
}

test_lease_is_one_commit() {
	lease
	assert_eq 1 "$(grep '"subject":"dhcp4"' "$audit" | grep -E '"path":"/(ip|gateway|mtu|domain|nameserver/001|lease/time)"' |
		sed 's/.*"revision":\([0-9]*\).*/\1/' | sort -u | wc -l)" "one revision for all keys"
}

test_renews_at_t1_by_unicast() {
	local before
	lease
	assert_eq 5 "$(calfpen get /lease/t1)"
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	wait_for 12 renewed "$before"
	wait_for 2 counted out_unicast 1
	assert_match 'valid_lft (11[5-9]|120)sec' "$(ip -4 address show dev "$LAB_UPLINK")" "refreshed"
	assert_eq 1 "$(ip -4 -oneline address show dev "$LAB_UPLINK" | wc -l)"
	assert_eq bound "$(calfpen get /lease/state)"
}
renewed() { [ "$(grep -c DHCPACK "$LAB_SERVER_LOG")" -gt "$1" ]; }
counted() { [ "$(counter "$1")" -ge "$2" ]; }

# DHCPINFORM for an address of the operator's: said, or the one that is there.
test_V4_31_inform() {
	local address
	for address in 10.77.0.50 1; do
		ip address flush dev "$LAB_UPLINK"
		ip address add 10.77.0.50/24 dev "$LAB_UPLINK"
		ip link set "$LAB_UPLINK" up
		echo "calves: {dhcp4: {inform: $address}}" >"/etc/calfpen/$LAB_UPLINK.yaml"
		calfpen_start --takeover
		wait_for_line "$LAB_DIR/calfpen.log" 'INFORMING -> INFORMED' 20
		assert_eq 0 "$(counter out_ciaddr)"
		assert_match 'inet 10.77.0.50/24' "$(ip -4 address show dev "$LAB_UPLINK")"
		wait_for 5 has_name_server
		stop calfpen
		assert_match 'inet 10.77.0.50/24' "$(ip -4 address show dev "$LAB_UPLINK")"
		: >"$LAB_DIR/calfpen.log"
	done
}
has_name_server() { [ "$(calfpen get /nameserver/001)" = 10.77.0.1 ]; }

# An IPv4 route through an IPv6 router, as data centres have them.
test_renews_through_an_ipv6_router() {
	local before mac
	lease
	echo 0 >"/proc/sys/net/ipv6/conf/$LAB_UPLINK/disable_ipv6"
	mac=$(ip netns exec server cat /sys/class/net/server0/address)
	ip -6 neighbour replace fe80::77 lladdr "$mac" dev "$LAB_UPLINK" nud permanent
	ip route replace 10.77.0.1/32 via inet6 fe80::77 dev "$LAB_UPLINK"
	ip neighbour flush dev "$LAB_UPLINK"
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	calfpen set /control/dhcp4/renew now
	wait_for 5 renewed "$before"
	counted out_unicast 1
	assert_eq bound "$(calfpen get /lease/state)"
	assert_eq '' "$(ip -4 neighbour show dev "$LAB_UPLINK")" "nobody was looked for by ARP"
}

# A VPN with a default route of a lower metric, with two halves, with a rule: a renewal
# goes to the server by the uplink.
test_U06_renews_beside_a_vpn() {
	local before
	lease
	ip link add vpn0 type veth peer name vpn1
	ip link set vpn0 up
	ip link set vpn1 up
	ip address add 10.99.0.2/24 dev vpn0
	ip route add default dev vpn0 metric 1
	ip route add 10.77.0.1 dev vpn0
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	calfpen set /control/dhcp4/renew now
	wait_for 5 renewed "$before"
	counted out_unicast 1
	ip route add 0.0.0.0/1 dev vpn0
	ip route add 128.0.0.0/1 dev vpn0
	ip route add default dev vpn0 table 51820
	ip rule add pref 1 not fwmark 51820 table 51820
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	calfpen set /control/dhcp4/renew now
	wait_for 5 renewed "$before"
	counted out_unicast 2
	assert_eq bound "$(calfpen get /lease/state)"
}

test_native_mode() {
	lease --mode native
	assert_match '"mode": "native"' "$(cat "$run/state.json")"
	assert_match 'xdp' "$(ip link show dev "$LAB_UPLINK")"
	counted in_accepted 2 || fail "replies did not come by XDP"
}

test_tc_mode() {
	lease --mode tc
	assert_match '"mode": "tc"' "$(cat "$run/state.json")"
	assert_fails grep -q xdp <(ip link show dev "$LAB_UPLINK")
	counted in_accepted 2 || fail "replies did not come by tc"
}

test_auto_mode_leaves_offloads() {
	local before
	before=$(ethtool -k "$LAB_UPLINK" 2>/dev/null) || skip "ethtool is not installed"
	lease
	assert_eq "$before" "$(ethtool -k "$LAB_UPLINK")"
	assert_eq tc "$(state mode)"
	assert_match 'offloads' "$(state mode_reason)"
}

test_root_cannot_write_the_store() {
	local map key value
	lease
	for map in kv ctl undo acl_dhcp4 staging_dhcp4 frame_rules frame_xids frame_peers frame_watched \
		frame_host frame_buckets frame_counters frame_samplers frame_samples; do
		key=$(bpftool map show pinned "$pins/$map" -j | sed 's/.*"bytes_key":\([0-9]*\).*/\1/')
		value=$(bpftool map show pinned "$pins/$map" -j | sed 's/.*"bytes_value":\([0-9]*\).*/\1/')
		# shellcheck disable=SC2046
		assert_match 'Operation not permitted' "$(bpftool map update pinned "$pins/$map" key hex \
			$(printf '00 %.0s' $(seq "$key")) value hex $(printf '00 %.0s' $(seq "$value")) 2>&1)" "$map"
	done
	assert_match '^1?700$' "$(stat -c %a "$pins")"
}

test_deleting_a_key_unconfigures() {
	lease
	"$tools/gate" "$pins/gate_dhcp4" delete /gateway
	wait_for 2 no_default_route
	"$tools/gate" "$pins/gate_dhcp4" delete /mtu
	wait_for 2 mtu_is 1500
	"$tools/gate" "$pins/gate_dhcp4" delete /nameserver/001
	wait_for 2 not grep -q 10.77.0.1 "$LAB_RESOLV"
	"$tools/gate" "$pins/gate_dhcp4" delete /ip
	wait_for 2 not has_address
}
no_default_route() { [ -z "$(ip -4 route show default)" ]; }
mtu_is() { [ "$(cat "/sys/class/net/$LAB_UPLINK/mtu")" = "$1" ]; }

test_stops_cleanly() {
	lease
	stop calfpen || fail "exit code $?"
	assert_nothing_left
	has_address || fail "the address must stay until the lease is over"
	assert_eq "$(address)" "$(calfpen get /ip || [ $? -eq 8 ])"
}

test_status_and_ls() {
	lease
	assert_match "/ip +$(address)" "$(calfpen ls)"
	assert_match '/nameserver/001' "$(calfpen ls /nameserver)"
	calfpen ls --json | python3 -m json.tool >/dev/null
	calfpen status --json | python3 -m json.tool >/dev/null
	assert_match "$LAB_UPLINK" "$(calfpen status)"
	local code=0
	calfpen get /absent || code=$?
	assert_eq 3 "$code" "an absent key"
}

test_metrics_of_handlers() {
	lease
	assert_match '^runs=[0-9]+ errors=0 drifts=0 us=[0-9]+$' "$(calfpen get /status/metrics/address)"
	assert_eq 7 "$(calfpen ls /status/metrics | wc -l)"
	assert_fails calfpen get /status/metrics
	assert_match 'handler +address: ok [0-9]+ \(runs: [0-9]+, the last took [0-9]+ us\)' "$(calfpen status)"
	assert_eq "0 address,dns,host,link,portal,route,timeservers" "$(calfpen status --json | python3 -c 'import json, sys
metrics = json.load(sys.stdin)["handler_metrics"]
print(sum(m["errors"] for m in metrics.values()), ",".join(sorted(metrics)))')"
}
