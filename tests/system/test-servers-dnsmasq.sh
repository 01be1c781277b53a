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
