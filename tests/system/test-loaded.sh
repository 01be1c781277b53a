# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Configuration and descriptions are read at the start and never again: what
# becomes of the files while an instance runs changes nothing, not even if one of
# its processes dies meanwhile.

. tests/system/calfpen.sh

configuration=$LAB_DIR/calfpen.yaml

# begin YAML - a lease with this configuration and a description of our own
begin() {
	own_description
	echo "$1" >"$configuration"
	lease --config "$configuration" --calf "$LAB_DIR/calf"
}

replaced() {
	local now
	now=$("$1") && [ "$now" != "$2" ] && [ "$now" != 0 ] && alive "$now"
}

default_metric() { ip -4 route show default | sed -n 's/.* metric \([0-9]*\).*/\1/p'; }

# The watcher is killed: the next one works as the first one did.
works_on() {
	local old
	old=$(watcher_pid)
	kill -KILL "$old"
	wait_for 2 replaced watcher_pid "$old"
	calfpen set /control/dhcp4/renew now
	ip address flush dev "$LAB_UPLINK"
	wait_for 5 has_lease
	assert_eq "$1" "$(default_metric)" "the metric of the start"
	sleep 0.5 # more than one restart takes
	assert_eq 1 "$(state watcher_restarts)" "restarts of the watcher"
	assert_fails grep -F "$configuration" "$LAB_DIR/calfpen.log"
}

test_U29_typo_for_later() {
	begin 'metric: 5'
	echo 'metrik: 7' >"$configuration"
	works_on 5
}

test_U29_half_an_edit() {
	begin 'metric: 5'
	echo 'metric: 7' >"$configuration"
	works_on 5
}

test_U29_deleted() {
	begin 'metric: 5'
	rm -r "$configuration" "$LAB_DIR/calf/calf.yaml"
	works_on 5
}

test_U29_unreadable() {
	begin 'metric: 5'
	chown 1234 "$configuration" "$LAB_DIR/calf/calf.yaml"
	chmod 600 "$configuration" "$LAB_DIR/calf/calf.yaml"
	works_on 5
}

# An upgrade has replaced the description, and with it the calf's whole directory.
test_U29_description_of_another_version() {
	begin 'metric: 5'
	sed -i '1inovelty: 1' "$LAB_DIR/calf/calf.yaml"
	works_on 5
}

# A file that fits an instance by its name appears after the start.
test_U29_appears_later() {
	mkdir -p /etc/calfpen
	lease
	echo 'metric: 7' >"/etc/calfpen/$LAB_UPLINK.yaml"
	works_on "$((1000 + $(cat "/sys/class/net/$LAB_UPLINK/ifindex")))"
}
