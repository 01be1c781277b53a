# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# Leases of ISC dhcpd.

. tests/system/server-cases.sh

test_lease() { case_lease dhcpd; }
test_renews() { case_renews dhcpd; }
test_rebinds() { case_rebinds dhcpd; }
test_is_renumbered_while_away() { case_is_renumbered_while_away dhcpd; }
test_releases() { case_releases dhcpd; }
test_restarts_with_memory() { case_restarts_with_memory dhcpd; }
test_reboots_with_memory() { case_reboots_with_memory dhcpd; }
test_classless_routes() { case_classless_routes dhcpd; }
test_long_options() { case_long_options dhcpd; }

test_overload() {
	more=("option ntp-servers $(join , 10.77.1.{1..60});"
		"option static-routes $(join , "10.99.0."{1..31}" 10.77.0.9");"
		"option default-url \"https://lab.example/$(printf 'x%.0s' {1..220})\";"
		"option filler code 162 = string; option filler \"$(printf 'y%.0s' {1..250})\";"
		"option filler2 code 224 = string; option filler2 \"$(printf 'z%.0s' {1..80})\";"
		"option dhcp-parameter-request-list 224,162,114,42,33,121,26,119,1,15,3,6;")
	case_overload dhcpd
}
