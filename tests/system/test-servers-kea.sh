# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# Leases of Kea.

. tests/system/server-cases.sh

test_lease() { case_lease kea; }
test_renews() { case_renews kea; }
test_rebinds() { case_rebinds kea; }
test_is_renumbered() { case_is_renumbered kea; }
# What it remembers is of a subnet that it has no more: it says nothing.
test_is_renumbered_while_away() { case_is_renumbered_while_away kea silent; }
test_releases() { case_releases kea; }
test_restarts_with_memory() { case_restarts_with_memory kea; }
test_reboots_with_memory() { case_reboots_with_memory kea; }
test_classless_routes() { case_classless_routes kea; }
test_long_options() { case_long_options kea; }
