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
	echo "options: {$1}" >"$config"
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

# A file that is wrong is refused with its line; what only the calf can know
# ends the calf with one line.
test_wrong_options() {
	options 'conflict: maybe'
	assert_match "$config:1: option \"conflict\": \"maybe\" is not one of: parallel wait off" \
		"$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1 || true)"
	options 'duid: ab'
	calfpen_start
	wait_for_line "$LAB_DIR/calfpen.log" \
		'/config/duid: invalid value "ab": expected a DUID of 3 to 130 octets in hex' 10
	assert_fails has_address
}
