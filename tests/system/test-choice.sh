# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Which calves an instance has, and the options of each.

. tests/system/calfpen.sh

configuration=/etc/calfpen/$LAB_UPLINK.yaml

# observer DIRECTORY - a calf without frames that has an option like one of dhcp4
observer() {
	mkdir -p "$1"
	chmod 755 "$LAB_DIR" "$1"
	cp "$tools/hostile-flood-calf" "$1/"
	cat >"$1/calf.yaml" <<'END'
name: observer
executable: hostile-flood-calf
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
  - {path: /ip, type: ipv4-net, access: [read, watch]}
  - {path: /control/observer/renew, type: text, max_length: 63, access: [read, watch, delete]}
options:
  - {name: hostname, type: hostname, default: nobody}
END
}

# own_tree - a tree in which observer is installed, too; its calfpen is the first in PATH
own_tree() {
	local tree=$LAB_DIR/tree
	mkdir -p "$tree/bin" "$tree/lib"
	cp "$TOP/build/bin/calfpen" "$tree/bin/"
	cp -r "$TOP/build/lib/calfpen" "$tree/lib/"
	chmod -R u+w,a+rX "$LAB_DIR" "$tree"
	observer "$tree/lib/calfpen/calves/observer"
	PATH=$tree/bin:$PATH
}

# names - of the calves that run
names() {
	python3 -c 'import json, sys
print(*(calf["name"] for calf in json.load(open(sys.argv[1]))["calves"] if calf["pid"]))' "$run/state.json"
}
are() { [ "$(names)" = "$*" ]; }

# Both calves have an option of the same name.
test_options_of_two_calves() {
	local PATH=$PATH
	own_tree
	printf 'calves:\n  dhcp4: {hostname: web1}\n  observer: {hostname: other}\n' >"$configuration"
	lease
	wait_for 5 are dhcp4 observer
	wait_for_line "$LAB_SERVER_LOG" 'client provides name: web1$' 5
	assert_eq web1 "$(calfpen get /config/dhcp4/hostname)"
	assert_eq other "$(calfpen get /config/observer/hostname)"
	assert_match $'\ncalves:\n  dhcp4:\n    hostname: "web1"\n.*\n  observer:\n    hostname: "other"$' \
		"$(calfpen check --effective "$LAB_UPLINK")"
	stop calfpen || fail "exit code $?"
	# the default of the one, and the other is not chosen any more
	printf 'calves: {dhcp4: }\n' >"$configuration"
	lease
	are dhcp4 || fail "$(names)"
	assert_fails calfpen get /config/dhcp4/hostname
	assert_fails calfpen get /config/observer/hostname
	assert_eq '' "$(calfpen ls --settable | grep observer || true)"
	# an incomplete one is not installed
	mkdir "$LAB_DIR/tree/lib/calfpen/calves/half"
	printf 'calves:\n  dhcp4: ~\n  half: {}\n' >"$configuration"
	assert_match ':3: unknown calf "half"; installed are: dhcp4, observer; another one needs --calf DIRECTORY' \
		"$(calfpen check 2>&1 || true)"
}

# Without a configuration, or with one that says nothing of calves, a calf of the command
# line is beside dhcp4; with "calves: {}" it is alone.
test_calves_of_the_command_line() {
	observer "$LAB_DIR/observer"
	lease --calf "$LAB_DIR/observer"
	wait_for 5 are dhcp4 observer
	wait_for_line "$LAB_DIR/calfpen.log" "<info> calfpen: instance $LAB_UPLINK has the calves dhcp4 observer$" 5
	assert_eq nobody "$(calfpen get /config/observer/hostname)"
	stop calfpen || fail "exit code $?"
	printf 'calves: {}\n' >"$configuration"
	calfpen_start --calf "$LAB_DIR/observer"
	wait_for 10 are observer
	stop calfpen || fail "exit code $?"
	assert_eq 1 "$(grep -c 'has the calves' "$LAB_DIR/calfpen.log")" "not of a calf that is alone"
	# instead of the one that has its name
	own_description
	sed -i 's/^  - {name: hostname, type: hostname/&, default: changed/' "$LAB_DIR/calf/calf.yaml"
	printf 'calves: {observer: {hostname: x}, dhcp4: {}}\n' >"$configuration"
	lease --calf "$LAB_DIR/calf" --calf "$LAB_DIR/observer"
	wait_for 5 are observer dhcp4
	assert_eq changed "$(calfpen get /config/dhcp4/hostname)"
	assert_match ':1: unknown calf "observer"; installed are: dhcp4; another one needs --calf DIRECTORY' \
		"$(calfpen check 2>&1 || true)"
	assert_eq "$configuration: no errors" "$(calfpen check --calf "$LAB_DIR/calf" --calf "$LAB_DIR/observer")"
	assert_match 'hostname: "changed"' \
		"$(calfpen check --effective --calf "$LAB_DIR/calf" --calf "$LAB_DIR/observer" "$LAB_UPLINK")"
	assert_eq x "$(calfpen get /config/observer/hostname)"
}

# A request to one of two calves, and to both.
test_requests_to_two_calves() {
	local code=0 output
	observer "$LAB_DIR/observer"
	lease --calf "$LAB_DIR/observer"
	wait_for 5 are dhcp4 observer
	output=$(calfpen renew "$LAB_UPLINK/observer") || fail "exit code $?"
	assert_match "^$LAB_UPLINK/observer  [0-9]+\$" "$output"
	# which nobody carries out here
	assert_eq now "$(calfpen get /control/observer/renew)"
	calfpen del /control/observer/renew
	assert_eq 0 "$(grep -c '"path":"/control/dhcp4/renew"' "$audit")"
	# with -i, without a word and with one
	calfpen -i "$LAB_UPLINK" release || fail "exit code $?"
	wait_for 5 not has_address
	calfpen renew "$LAB_UPLINK" || fail "exit code $?"
	assert_eq now "$(calfpen get /control/observer/renew)"
	wait_for 5 has_lease
	# one commit, whose records come one after the other
	wait_for 5 has_renewals 3
	assert_eq 1 "$(renewals | tail -n 2 | sed 's/.*"revision":\([0-9]*\).*/\1/' | sort -u | wc -l)"
	output=$(calfpen release "$LAB_UPLINK/observer" 2>&1) || code=$?
	assert_eq "3 calfpen: $LAB_UPLINK: no calf observer can release; those that can: dhcp4" "$code $output"
}
# of the operator, as in the audit log
renewals() { grep '"subject":"operator".*/renew","verdict":"ok","value":"now"' "$audit"; }
has_renewals() { [ "$(renewals | wc -l)" = "$1" ]; }
has_address() { [ -n "$(address)" ]; }
