# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# No change without its record: a calf that floods the audit log, a disk that is full at
# every stage of a lease, and an audit log that takes nothing. Each lease lives, and in the
# end each revision is in the log.

. tests/system/calfpen.sh

status_is() { [[ $(calfpen get /status/audit 2>/dev/null) =~ $1 ]]; }
renew() { calfpen set /control/dhcp4/renew now >/dev/null 2>&1 || true; }

# no_revision_is_missing <RECORDS - from the first that is there to the last
no_revision_is_missing() {
	python3 -c 'import json, sys
seen = {json.loads(line).get("revision", 0) for line in sys.stdin}
missing = set(range(min(seen - {0}), max(seen))) - seen
sys.exit(f"missing: {sorted(missing)}" if missing else 0)'
}
# complete - the chain holds, and each revision of the store is in the log
complete() { calfpen audit --verify >/dev/null && calfpen audit --json | no_revision_is_missing; }
all_is_well() { status_is '^ok$' && complete; }

# small_log SIZE - a file system for the log, full but for SIZE (of 4k, 0: nothing)
small_log() {
	mkdir -p /var/log/calfpen
	mount -t tmpfs -o "size=$1" none /var/log/calfpen
}
fill_disk() { dd if=/dev/zero of=/var/log/calfpen/fill bs=4k 2>/dev/null || true; }
make_room() {
	rm -f /var/log/calfpen/fill
	mount -o remount,size=64m /var/log/calfpen
}

acks() { grep -c DHCPACK "$LAB_SERVER_LOG" || true; }
is_bound() { [ "$(calfpen get /lease/state)" = bound ]; }
# renews - and the server knows it
renews() {
	local before
	before=$(acks)
	renew
	wait_for 10 acked_since "$before"
	wait_for 5 is_bound
}
acked_since() { [ "$(acks)" -gt "$1" ]; }

# flood - as the calf, until it is refused: not for its rate, but because the ring is full
flood() {
	local value
	value=$(printf '%0510d' 0)
	for _ in {1..250}; do
		for i in {001..016}; do
			"$tools/gate" "$pins/gate_dhcp4" write "/option/$i" "$value" >/dev/null 2>"$LAB_DIR/refused" ||
				! grep -q 'temporarily unavailable' "$LAB_DIR/refused" || return 0
		done
	done
	return 1
}

# flooded - a calf that may write as much as it likes, until nothing takes its
# records any more
flooded() {
	own_description
	sed -i 's/^limits: {/&audit_bytes_per_second: 1000000000, audit_burst: 1000000000, /; s/requests_per_second: 200/requests_per_second: 1000/' \
		"$LAB_DIR/calf/calf.yaml"
	echo 'ceilings: {audit_bytes_per_second: 1000000000, audit_burst: 1000000000}' >"$LAB_DIR/config.yaml"
	small_log 64k
	lease --calf "$LAB_DIR/calf" --config "$LAB_DIR/config.yaml"
	fill_disk
	flood || fail "the calf was never refused"
}

# Then it needs no full reserve.
no_reserve() { mkdir -p "$run/audit-reserve/x"; }

test_F2_flood() {
	local revision
	flooded
	status_is '^error: .*No space left on device; the reserve is full; calves are refused$' || fail "$(calfpen get /status/audit)"
	assert_match 'audit log .*: No space left on device, and there is no room in the reserve; calves are refused' "$(<"$LAB_DIR/calfpen.log")"
	# the operator has a share of its own
	revision=$(calfpen set /control/dhcp4/renew now) || fail "the operator was refused"
	# nothing was changed without a record
	make_room
	wait_for 20 all_is_well
	assert_match "\"revision\":$revision,\"subject\":\"operator\"" "$(<"$audit")"
	"$tools/gate" "$pins/gate_dhcp4" write /option/001 00 || fail "still refused"
	wait_for 5 renews
	stop calfpen || fail "exit code $?"
	complete
}

test_F2_flood_and_the_watcher_is_killed() {
	no_reserve
	flooded
	for _ in 1 2 3; do
		kill -KILL "$(watcher_pid)"
		wait_for 10 watcher_is_back
		flood
	done
	make_room
	wait_for 20 all_is_well
	stop calfpen || fail "exit code $?"
	complete
}
watcher_is_back() { alive "$(watcher_pid)" && status_is '^error'; }

# As before this version: the operator prefers a host that goes on.
test_F2_flood_with_lose() {
	echo 'audit_on_failure: lose' >"$LAB_DIR/config.yaml"
	small_log 64k
	no_reserve
	lease --config "$LAB_DIR/config.yaml"
	fill_disk
	wait_for 20 loses
	renews
	make_room
	wait_for 20 status_is '^ok$'
	grep -q '"verb":"lost","verdict":"error","reason":"[0-9]* records could not be written"' "$audit" || fail "not counted"
	calfpen audit --verify || fail "the chain"
}
loses() {
	renew
	status_is '^error: .*; the reserve is full; records are lost$'
}

# stages STAGE SPOIL [OPTION...] - a lease and its end, and at this stage SPOIL is run
stages() {
	local at=$1 spoil=$2 stage
	shift 2
	for stage in start bound renewal release; do
		[ "$stage" != "$at" ] || "$spoil"
		case $stage in
		start) calfpen_start "$@" ;;
		bound) wait_for 20 has_lease ;;
		renewal) renews ;;
		release)
			calfpen set /control/dhcp4/release now >/dev/null
			wait_for 10 not has_address
			;;
		esac
	done
	renew
	wait_for 20 has_lease
}

# full_at STAGE - with a disk that is full from this stage on
full_at() {
	small_log 64k
	stages "$1" fill_disk
	make_room
	wait_for 20 all_is_well
	stop calfpen || fail "exit code $?"
	complete
}

test_F2_full_disk_at_the_start() { full_at start; }
test_F2_full_disk_before_it_is_bound() { full_at bound; }
test_F2_full_disk_at_the_renewal() { full_at renewal; }
test_F2_full_disk_at_the_release() { full_at release; }

fill_pipe() { timeout 1 dd if=/dev/zero bs=4096 of=/dev/fd/8 oflag=nonblock status=none || true; }

# unread_at STAGE - the same with a pipe that has a reader, which does not read any more
unread_at() {
	mkfifo "$LAB_DIR/pipe"
	exec 8<>"$LAB_DIR/pipe"
	stages "$1" fill_pipe --audit "$LAB_DIR/pipe"
	start reader cat "$LAB_DIR/pipe"
	wait_for 10 in_reader
	stop calfpen || fail "exit code $?"
	tr -d '\0' <"$LAB_DIR/reader.log" | no_revision_is_missing
}
in_reader() { grep -qa "\"revision\":$(revision_of /ip)," "$LAB_DIR/reader.log"; }
revision_of() { calfpen get -l "$1" | awk '{ print $1 }'; }

test_F2_unread_pipe_at_the_start() { unread_at start; }
test_F2_unread_pipe_before_it_is_bound() { unread_at bound; }
test_F2_unread_pipe_at_the_renewal() { unread_at renewal; }
test_F2_unread_pipe_at_the_release() { unread_at release; }

# Read-only from the start: all records of the lease appear when it is writable.
test_F2_read_only_log() {
	mount -t tmpfs -o ro none /var/log
	lease
	renews
	assert_match 'records go to .*/audit-reserve' "$(calfpen get /status/audit)"
	assert_match ' /ip  10\.77\.' "$(calfpen audit)" "those that wait"
	calfpen audit --verify
	mount -o remount,rw /var/log
	wait_for 20 all_is_well
	assert_match '"path":"/ip"' "$(<"$audit")"
	[ "$(stat -c %a /var/log/calfpen)" = 700 ] || fail "mode"
}

# What was never written is not removed without a word.
test_F2_forget_with_waiting_records() {
	lease --audit "$LAB_DIR" # which is a directory
	stop calfpen || fail "exit code $?"
	assert_match 'audit-reserve: removing audit records that could not be written' "$(calfpen forget "$LAB_UPLINK" 2>&1)"
}

# The log is rotated by itself, and the chain goes over it and over restarts, also over a
# rotation by somebody else.
test_F2_rotation() {
	local n
	printf 'audit_max_size: 65536\naudit_files: 5\n' >"$LAB_DIR/config.yaml"
	lease --config "$LAB_DIR/config.yaml"
	start follower calfpen audit -f --json
	calfpen commit - < <(printf 'set /control/dhcp4/renew %063d\n' 1) >/dev/null
	for n in {1..600}; do
		"$tools/gate" "$pins/gate_operator" write /control/dhcp4/renew "$(printf '%063d' "$n")" >/dev/null
	done
	wait_for 20 test -e "$audit.2"
	complete
	kill -KILL "$(watcher_pid)"
	wait_for 5 grep -q 'watcher: was killed' "$LAB_DIR/calfpen.log"
	"$tools/gate" "$pins/gate_operator" write /control/dhcp4/renew last >/dev/null
	wait_for 10 grep -q '"value":"last"' "$audit"
	stop calfpen || fail "exit code $?"
	lease --config "$LAB_DIR/config.yaml"
	mv "$audit.2" "$audit.3"
	mv "$audit.1" "$audit.2"
	mv "$audit" "$audit.1"
	kill -USR2 "$(supervisor_pid)"
	wait_for 5 test -s "$audit"
	complete
	stop calfpen || fail "exit code $?"
	wait_for 5 grep -q '"value":"stopped at ' "$LAB_DIR/follower.log"
	python3 -c 'import json, sys
seen = [json.loads(line).get("revision") for line in open(sys.argv[1])]
numbers = sorted({n for n in seen if n})
sys.exit(numbers != list(range(numbers[0], numbers[-1] + 1)))' "$LAB_DIR/follower.log" || fail "followed with a gap"
}

# Whoever can write the file cannot do it unseen.
test_F2_tampering() {
	local output
	lease
	stop calfpen || fail "exit code $?"
	complete
	cp "$audit" "$LAB_DIR/copy"
	sed -i '3s/"verdict":"ok"/"verdict":"no"/' "$audit"
	output=$(calfpen audit --verify) && fail "not found"
	assert_match "^$audit:3: altered, or lines after it are missing" "$output"
	sed 4d "$LAB_DIR/copy" >"$audit"
	output=$(calfpen audit --verify) && fail "not found"
	assert_match "^$audit:3: altered, or lines after it are missing" "$output"
	# by hand, as the manual says
	assert_eq "$(sed -n 3p "$LAB_DIR/copy" | tr -d '\n' | sha256sum | cut -c 1-32)" \
		"$(sed -n 4p "$LAB_DIR/copy" | sed 's/.*"prev":"\([0-9a-f]*\)".*/\1/')"
	# the end is cut: found now, and by the next start
	sed '$d' "$LAB_DIR/copy" >"$audit"
	output=$(calfpen audit --verify) && fail "not found"
	assert_match 'the last lines, after it, are missing or altered' "$output"
	lease
	assert_match 'audit log .*: its end is not what was written last' "$(<"$LAB_DIR/calfpen.log")"
	wait_for 5 grep -q '"verb":"mismatch"' "$audit"
	output=$(calfpen audit --verify) && fail "not found"
	assert_match 'when the watcher was started, the last lines before this one were missing or altered' "$output"
}
