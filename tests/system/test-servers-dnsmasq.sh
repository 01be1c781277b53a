# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# Leases of dnsmasq.

. tests/system/server-cases.sh

test_lease() { case_lease dnsmasq; }
test_renews() { case_renews dnsmasq; }
test_rebinds() { case_rebinds dnsmasq; }
test_is_renumbered() { case_is_renumbered dnsmasq; }
test_is_renumbered_while_away() { case_is_renumbered_while_away dnsmasq; }
test_releases() { case_releases dnsmasq; }
test_restarts_with_memory() { case_restarts_with_memory dnsmasq; }
test_reboots_with_memory() { case_reboots_with_memory dnsmasq; }
test_classless_routes() { case_classless_routes dnsmasq; }

test_overload() {
	more=("dhcp-option=option:ntp-server,$(join , 10.77.1.{1..60})"
		"dhcp-option=33,$(join , 10.99.0.{1..62})"
		"dhcp-option=114,https://lab.example/$(printf 'x%.0s' {1..220})"
		"dhcp-option-force=224,$(printf 'y%.0s' {1..250})"
		"dhcp-option-force=225,$(printf 'z%.0s' {1..130})")
	case_overload dnsmasq
}

test_rapid_commit() {
	more=(dhcp-rapid-commit)
	case_rapid_commit dnsmasq
}

# log_has_once TEXT - a line of calfpen's log
log_has_once() {
	[ "$(grep -cF -- "$1" "$LAB_DIR/calfpen.log")" = 1 ]
}

test_U26_names_that_are_left_out() {
	t1=3
	more=("dhcp-option=15,local; .corp.example a#b" "dhcp-option=119,corp_a.example,-b.example"
		"dhcp-option=6,10.77.0.2,127.0.0.1")
	bound_by dnsmasq
	assert_eq corp.example "$(calfpen get /domain)"
	assert_match $'search corp_a.example\nnameserver 10.77.0.2' "$(cat "$LAB_RESOLV")"
	wait_for 5 log_has_once 'option 15 from 10.77.0.1: ignored "local;" and 1 more: not a domain name'
	wait_for 5 log_has_once 'option 119 from 10.77.0.1: ignored "-b.example": not a domain name'
	wait_for 5 log_has_once "option 6 from 10.77.0.1: ignored \"127.0.0.1\": not a host's address"
	wait_for 15 wire_has '^ACK' 2
	wait_for 15 state_is bound
	assert_match 'calf_dhcp4_ignored_domain_total +[4-9]' "$(calfpen status --all)"
	log_has_once 'option 15 from' || fail "it is said once"
}

test_U27_router_that_cannot_be_one() {
	more=("dhcp-option=3,10.77.0.255,10.77.0.1")
	bound_by dnsmasq
	assert_eq 10.77.0.1 "$(calfpen get /gateway)"
	wait_for 5 route_is default 'via 10\.77\.0\.1 '
	wait_for 5 log_has_once \
		'option 3 from 10.77.0.1: ignored "10.77.0.255": cannot be a router in this subnet'
	assert_fails grep -c 'Invalid argument' "$LAB_DIR/calfpen.log"
}
