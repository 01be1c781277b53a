# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# The audit log on a disk that gets full.

. tests/system/calfpen.sh

status_is() { [[ $(calfpen get /status/audit 2>/dev/null) =~ $1 ]]; }
renew() { calfpen set /control/renew now 2>/dev/null || true; }

# full_log - the audit log is on a disk of which some octets are free
full_log() {
	mkdir -p /var/log/calfpen
	mount -t tmpfs -o size=64k none /var/log/calfpen
	lease
	dd if=/dev/zero of=/var/log/calfpen/fill bs=4k 2>/dev/null || true
	wait_for 20 is_full
}
is_full() {
	renew
	status_is '^error: .*: No space left on device; records are lost$'
}

# whole_records FILE - fails if a line of it is none
whole_records() {
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    json.loads(line)["verdict"]' "$1"
}

test_U38_full_disk() {
	full_log
	assert_match 'handler +audit: error: .*: No space left on device' "$(calfpen status)"
	assert_match '"audit": *"error: .*No space left' "$(calfpen status --json)"
	assert_fails whole_records "$audit" # the one that was cut
	rm /var/log/calfpen/fill
	wait_for 20 status_is '^ok$'
	whole_records "$audit" || fail "a damaged line"
	assert_match '"verb":"lost","verdict":"error","reason":"[0-9]+ records' "$(<"$audit")"
	assert_eq "" "$(calfpen audit | grep damaged || true)"
}

# ended_while_full SIGNAL - the next instance begins a line
ended_while_full() {
	full_log
	stop calfpen "$1" || true
	wait_for 5 not pgrep 'calfpen-|calf-dhcp4'
	[ -n "$(tail -c 1 "$audit")" ] || fail "no line was cut"
	rm /var/log/calfpen/fill
	lease
	wait_for 5 grep -q '"path":"/status/instance"' "$audit"
	assert_eq 1 "$(calfpen audit | grep -c '^damaged: ')" "only the one that was cut"
	assert_eq "" "$(grep '{"time".*{"time"' "$audit" || true)" "the next record is glued to it"
}

test_U38_stopped_while_full() { ended_while_full TERM; }

test_U38_killed_while_full() { ended_while_full KILL; }
