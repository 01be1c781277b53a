# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# The audit log on a disk that gets full, and where it is no file.

. tests/system/calfpen.sh

status_is() { [[ $(calfpen get /status/audit 2>/dev/null) =~ $1 ]]; }
renew() { calfpen set /control/dhcp4/renew now 2>/dev/null || true; }

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
	status_is '^error: .*: No space left on device; records go to .*/audit-reserve; when it is full, calves are refused$'
}

# whole_records FILE - fails if a line of it is none
whole_records() {
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    json.loads(line)["verdict"]' "$1"
}

# complete - the chain holds, and each revision of the store is in the log
complete() {
	calfpen audit --verify && calfpen audit --json | python3 -c 'import json, sys
seen = {json.loads(line).get("revision", 0) for line in sys.stdin}
missing = set(range(min(seen - {0}), max(seen))) - seen
sys.exit(f"missing: {sorted(missing)}" if missing else 0)'
}

test_U38_full_disk() {
	full_log
	assert_match 'handler +audit: error: .*: No space left on device' "$(calfpen status)"
	assert_match '"audit": *"error: .*No space left' "$(calfpen status --json)"
	whole_records "$audit" # none is cut
	complete
	rm /var/log/calfpen/fill
	wait_for 20 status_is '^ok$'
	whole_records "$audit"
	assert_eq "" "$(grep '"verb":"lost"' "$audit" || true)"
	complete
}

# ended_while_full SIGNAL - the next instance goes on
ended_while_full() {
	full_log
	stop calfpen "$1" || true
	wait_for 5 not pgrep 'calfpen-|calf-dhcp4'
	whole_records "$audit"
	rm /var/log/calfpen/fill
	lease
	wait_for 20 status_is '^ok$'
	whole_records "$audit"
	complete
}

test_U38_stopped_while_full() { ended_while_full TERM; }

test_U38_killed_while_full() { ended_while_full KILL; }

# What an older version has left
test_U38_glued_lines() {
	mkdir -p /var/log/calfpen
	printf '%s' '{"time":"2026-11-30T00:20:5{"time":"2026-11-30T00:20:59.000000Z","seq":1,"subject":"dhcp4","verb":"commit","path":"/old","verdict":"ok","value":"x"}' >"$audit"
	lease
	assert_match '^damaged: .*00:20:5[[:space:]]+2026-11-30T00:20:59.000000Z .* /old  x' "$(calfpen audit | sed -n 1,2p)"
	assert_match ' /ip  10\.77\.' "$(calfpen audit)"
}

# no_such_files - nothing was made of a word
no_such_files() {
	[ ! -e "$LAB_DIR/cwd/-" ] && [ ! -e "$LAB_DIR/cwd/none" ] && [ -z "$(ls "$LAB_DIR/cwd")" ] &&
		[ ! -e "$audit" ]
}

# in_work [OPTION...] - lease, in a directory of its own; stdout is $LAB_DIR/out
in_work() {
	mkdir -p "$LAB_DIR/cwd"
	env -C "$LAB_DIR/cwd" calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "$@" \
		</dev/null >"$LAB_DIR/out" 2>>"$LAB_DIR/calfpen.log" &
	started[calfpen]=$!
	wait_for 20 has_lease
}

has_ip() { grep -q '"path":"/ip","verdict":"ok"' "$1"; }

test_U39_standard_output() {
	local name
	for name in - /dev/stdout; do
		in_work --audit "$name"
		wait_for 5 has_ip "$LAB_DIR/out"
		whole_records "$LAB_DIR/out"
		assert_fails calfpen audit
		assert_match "the audit log of instance $LAB_UPLINK is no file: it goes to the standard output of process $(supervisor_pid)" \
			"$(calfpen audit 2>&1 || true)"
		kill -HUP "$(supervisor_pid)" # there is nothing to reopen
		renew
		stop calfpen || fail "exit code $?"
		grep -q '"value":"stopped at ' "$LAB_DIR/out" || fail "the last record"
		no_such_files || fail "a file"
	done
}

# of a container: a pipe, of which the reader is slow
test_U39_standard_output_is_a_pipe() {
	mkfifo "$LAB_DIR/pipe"
	start reader python3 -uc 'import sys, time
for line in open(sys.argv[1]):
    sys.stdout.write(line)
    time.sleep(0.01)' "$LAB_DIR/pipe"
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" --audit - \
		</dev/null >"$LAB_DIR/pipe" 2>>"$LAB_DIR/calfpen.log" &
	started[calfpen]=$!
	wait_for 20 has_lease
	wait_for 5 has_ip "$LAB_DIR/reader.log"
	kill -KILL "$(watcher_pid)" # the next one has it, too
	wait_for 5 grep -q 'watcher: was killed' "$LAB_DIR/calfpen.log"
	wait_for 10 renewed
	whole_records "$LAB_DIR/reader.log"
	stop calfpen || fail "exit code $?"
	assert_eq "" "$(grep 'could not be written' "$LAB_DIR/calfpen.log" || true)"
}
renewed() {
	renew
	grep -q '"path":"/control/dhcp4/renew"' "$LAB_DIR/reader.log"
}

test_U39_standard_error_and_others() {
	in_work --audit /dev/stderr
	wait_for 5 has_ip "$LAB_DIR/calfpen.log"
	assert_match 'standard error of process' "$(calfpen audit 2>&1 || true)"
	stop calfpen || fail "exit code $?"
	# as `--audit >(program)` passes one
	in_work --audit /dev/fd/7 7>"$LAB_DIR/seven"
	wait_for 5 has_ip "$LAB_DIR/seven"
	assert_match 'fd 7 of process' "$(calfpen audit 2>&1 || true)"
	stop calfpen || fail "exit code $?"
	no_such_files || fail "a file"
}

test_U39_none() {
	in_work --audit none
	assert_fails calfpen audit
	assert_match "instance $LAB_UPLINK has no audit log \\(--audit none\\)" "$(calfpen audit 2>&1 || true)"
	assert_fails calfpen get /status/audit
	stop calfpen || fail "exit code $?"
	no_such_files || fail "a file"
	assert_eq "" "$(cat "$LAB_DIR/out")"
	assert_eq "" "$(grep -i audit "$LAB_DIR/calfpen.log" || true)"
}

# A named pipe, with and without a reader, and things that are nothing of all that
test_U39_pipes_and_refusals() {
	mkfifo "$LAB_DIR/pipe"
	lease --audit "$LAB_DIR/pipe"
	wait_for 5 status_is '^error: .*/pipe: nobody reads it; records go to .*/audit-reserve; '
	start reader cat "$LAB_DIR/pipe"
	wait_for 20 status_is '^ok$'
	wait_for 5 has_ip "$LAB_DIR/reader.log"
	whole_records "$LAB_DIR/reader.log"
	assert_eq 0 "$(state watcher_restarts)"
	stop calfpen || fail "exit code $?"
	: >"$LAB_DIR/calfpen.log"
	ln -s /dev/stdout "$LAB_DIR/link"
	lease --audit "$LAB_DIR/link"
	assert_eq 1 "$(grep -c 'calfpen: audit log .*/link: cannot open: is a symbolic link, which is not followed' "$LAB_DIR/calfpen.log")"
	assert_eq "" "$(grep 'levels of symbolic links' "$LAB_DIR/calfpen.log" || true)"
	stop calfpen || fail "exit code $?"
	# words, and descriptors that are not there, start nothing
	for name in stdout None audit.jsonl /dev/fd/99; do
		: >"$LAB_DIR/calfpen.log"
		calfpen_start --audit "$name"
		! wait "${started[calfpen]}" || fail "$name was accepted"
		assert_eq 1 "$(grep -c . "$LAB_DIR/calfpen.log")" "one line"
		grep -q -- "--audit: .*$name" "$LAB_DIR/calfpen.log" || fail "another line"
	done
}

# Its standard output is closed: nothing is lost in silence.
test_U39_closed_standard_output() {
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" --audit - \
		</dev/null >&- 2>>"$LAB_DIR/calfpen.log" &
	started[calfpen]=$!
	wait_for 20 has_lease
	grep -q 'audit log -: leads to /dev/null, which keeps no records' "$LAB_DIR/calfpen.log" || fail "no word"
}
