# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# Leases of busybox udhcpd.

. tests/system/server-cases.sh

test_lease() { case_lease udhcpd; }
test_renews() { case_renews udhcpd; }
test_rebinds() { case_rebinds udhcpd; }
test_is_renumbered_while_away() { case_is_renumbered_while_away udhcpd; }
test_releases() { case_releases udhcpd; }
test_restarts_with_memory() { case_restarts_with_memory udhcpd; }
test_reboots_with_memory() { case_reboots_with_memory udhcpd; }
test_classless_routes() { case_classless_routes udhcpd; }
