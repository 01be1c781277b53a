# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
# lab: --server-option dhcp-option=option:ntp-server,10.77.0.1,10.77.0.2 --server-option dhcp-option-force=114,https://portal.example/api --server-option dhcp-option-force=162,00:0c:00:00:09:05:61:6c:69:61:73:01:78:00:00:1f:00:01:09:03:64:6e:73:03:6c:61:62:00:04:0a:4d:00:01:00:01:00:04:03:64:6f:74:00:03:00:02:03:55 --server-option dhcp-option=108,00:00:07:08 --server-option dhcp-option=245,de:ad:be:ef --server-option dhcp-option=252,wpad --server-option dhcp-host=02:00:00:00:77:02,given,120 --server-option log-dhcp
#
# The options of DHCP and of the operator, on the wire and in the store.

. tests/system/calfpen.sh

config=/etc/calfpen/$LAB_UPLINK.yaml

# options TEXT - of the calf, as the operator configures them
options() {
	mkdir -p "${config%/*}"
	echo "calves: {dhcp4: {$1}}" >"$config"
}

missing() {
	assert_eq "3" "$(calfpen get "$1" >/dev/null 2>&1 || echo $?)" "$1 is there"
}

# log REGEX - of the server
log_has() {
	grep -qE -- "$1" "$LAB_SERVER_LOG" || fail "the server did not see: $1"
}

# Option 162 has an alias as well (U51).
test_what_a_network_says() {
	lease
	assert_eq 10.77.0.1 "$(calfpen get /ntp/001)"
	assert_eq 10.77.0.2 "$(calfpen get /ntp/002)"
	assert_eq https://portal.example/api "$(calfpen get /captive-portal)"
	assert_eq "1 dns.lab 10.77.0.1 alpn=dot port=853" "$(calfpen get /dnr/001)"
	missing /dnr/002
	wait_for_line "$LAB_DIR/calfpen.log" \
		'option 162 from 10.77.0.1: ignored "0 alias.x": an alias, which names no resolver' 10
	missing /hostname
	missing /ipv6-only
	missing /option/245
}

# The first life keeps 245 and 252, the second 245 only.
test_options_that_are_asked_for() {
	options 'parameters: 245 252, use_hostname: 1'
	lease
	assert_eq deadbeef "$(calfpen get /option/245)"
	assert_eq 77706164 "$(calfpen get /option/252)"
	assert_eq given "$(calfpen get /hostname)"
	stop calfpen
	options 'parameters: 245'
	lease
	wait_for 5 not calfpen get /option/252
	assert_eq deadbeef "$(calfpen get /option/245)"
	wait_for 5 not calfpen get /hostname
}

test_who_we_are() {
	options 'client_id: duid, iaid: 7, fqdn: calf.lab.example, vendor_class: cow, user_class: herd'
	lease
	log_has 'client provides name: calf.lab.example'
	log_has 'vendor class: cow'
	log_has 'user class: herd'
	assert_match 'ff:00:00:00:07:00:03:00:01:02:00:00:00:77:02' "$(cat "$LAB_SERVER_LEASES")"
}

test_anonymous() {
	options 'anonymous: 1, hostname: calf, vendor_class: cow'
	lease
	assert_fails grep -qE 'client provides name|vendor class' "$LAB_SERVER_LOG"
	assert_match '01:02:00:00:00:77:02' "$(cat "$LAB_SERVER_LEASES")"
	log_has 'requested options: '
	missing /ntp/001
}

kernels_name_is() {
	[ "$(calfpen get /host/name)" = "$1" ]
}

# The host name of the lab, which has a UTS namespace of its own.
test_U49_host_name_is_sent_and_followed() {
	hostname web1.lab
	options 'hostname: host'
	lease
	log_has 'client provides name: web1$'
	assert_eq web1.lab "$(calfpen get /host/name)"
	hostname web2
	wait_for 5 kernels_name_is web2
	calfpen set /control/dhcp4/renew now >/dev/null
	wait_for_line "$LAB_SERVER_LOG" 'client provides name: web2$' 5
	stop calfpen
	options 'fqdn: host'
	hostname web3.example.org
	lease
	log_has 'client provides name: web3.example.org$'
	stop calfpen
	options 'hostname: calf'
	lease
	missing /host/name
	log_has 'client provides name: calf$'
}

# sent_frames - the calf's frames as hex
sent_frames() {
	calfpen frames --reason out_accepted --pcap "$LAB_DIR/sent.pcap" >/dev/null
	od -An -v -tx1 "$LAB_DIR/sent.pcap" | tr -d ' \n'
}

test_U49_options_by_code() {
	options 'send: {125: "hex:0000000a03010161", 43: "text:cow", 224: "address:192.0.2.1"}'
	lease
	assert_eq '43:636f77 125:0000000a03010161 224:c0000201' "$(calfpen get /config/dhcp4/send)"
	assert_match '2b03636f777d080000000a03010161e004c0000201ff' "$(sent_frames)"
}

# With the line, and before anything is touched.
test_U49_codes_that_have_an_option() {
	local row
	for row in '12|use hostname' '50|the protocol itself sets it' '55|use parameters' \
		'60|use vendor_class' '61|use client_id' '77|use user_class' '81|use fqdn' \
		'82|only relays send it' '145|FORCERENEW is not supported'; do
		options "send: {43: hex:00, ${row%|*}: hex:00}"
		assert_match "$config:1: option \"send\": ${row%|*} is not allowed: ${row#*|}" \
			"$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1 || true)"
	done
	assert_eq '' "$(pgrep calfpen-priv || true)"
	options "send: {43: \"hex:$(printf 'ab%.0s' {1..270})\"}"
	calfpen_start
	wait_for_line "$LAB_DIR/calfpen.log" 'together do not fit into a message of 576 octets' 10
}

# A file that is wrong is refused with its line, also for what only the calf can know.
test_wrong_options() {
	options 'conflict: maybe'
	assert_match "$config:1: option \"conflict\": \"maybe\" is not one of: parallel wait off" \
		"$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1 || true)"
	options 'duid: ab'
	assert_match "$config:1: option \"duid\": invalid value \"ab\": expected a DUID of 3 to 130 octets in hex" \
		"$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1 || true)"
	assert_fails has_address
}
