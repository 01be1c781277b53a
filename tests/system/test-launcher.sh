# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Without the launcher: everything goes on, nothing can be restarted, nothing stays.

. tests/system/calfpen.sh

# containers_left - cgroups and files of the runtime
containers_left() {
	find /sys/fs/cgroup -path "*/$LAB_CGROUP/*" -type d 2>/dev/null
	find "$run" -path '*/runc/*' -o -name 'calf-*' 2>/dev/null
}

has_no_launcher() { [ "$(launcher_pid)" = 0 ]; }
has_no_calf() { [ "$(calf_pid)" = 0 ] && [ "$(gateway_pid)" = 0 ]; }

launcher_is_killed() {
	local log=$LAB_DIR/calfpen.log pids address output rc=0 mounts
	mounts=$(wc -l </proc/self/mountinfo)
	lease "$@"
	address=$(address)
	pids="$(supervisor_pid) $(watcher_pid) $(gateway_pid) $(calf_pid)"
	calfpen status >/dev/null
	kill -KILL "$(launcher_pid)"
	wait_for 5 has_no_launcher
	assert_eq 1 "$(grep -c 'the launcher was killed by signal 9; everything goes on, but nothing can be restarted' "$log")"
	output=$(calfpen status) || rc=$?
	assert_eq 9 "$rc" "exit status"
	assert_match $'\nFAILED    launcher: it is gone, so nothing can be restarted; restart the instance\n' "$output"
	calfpen set /control/dhcp4/renew 1
	wait_for 10 grep -q 'RENEWING -> BOUND' "$log"
	assert_eq "$pids" "$(supervisor_pid) $(watcher_pid) $(gateway_pid) $(calf_pid)"
	assert_eq "$address" "$(address)"
	# what exits now is reported, once, and not started again
	kill -KILL "$(calf_pid)"
	wait_for 5 has_no_calf
	sleep 1
	assert_eq 1 "$(grep -c 'dhcp4: the calf was killed by signal 9; it cannot be started again without the launcher' "$log")"
	assert_fails grep 'restarting it' "$log"
	kill -KILL "$(watcher_pid)"
	wait_for_line "$log" 'watcher: was killed by signal 9; it cannot be started again' 5
	has_no_calf || fail "the calf was started again"
	assert_eq "$address" "$(address)" "it stays until the lease is over"
	stop calfpen
	assert_nothing_left
	assert_eq "" "$(containers_left)"
	assert_eq "$mounts" "$(wc -l </proc/self/mountinfo)" "mounts"
	lease "$@"
	stop calfpen
}
test_launcher_is_killed() { launcher_is_killed --runtime runc; }
test_launcher_is_killed_with_the_pen() { launcher_is_killed --runtime "$pen"; }

# One that hangs delays nothing but the next start, and not the end.
test_launcher_is_stopped() {
	local old began
	lease --runtime "$pen"
	old=$(launcher_pid)
	kill -STOP "$old"
	began=${EPOCHREALTIME//./}
	stop calfpen
	[ $((${EPOCHREALTIME//./} - began)) -lt 2500000 ] || fail "the end took too long"
	assert_nothing_left
	assert_eq "" "$(containers_left)"
	lease --runtime "$pen"
	old=$(launcher_pid)
	kill -STOP "$old"
	kill -KILL "$(calf_pid)"
	wait_for 15 has_no_launcher
	not alive "$old" || fail "it is not killed"
	stop calfpen
	assert_nothing_left
}

# At any time of a start, which takes less than the longest of these pauses. The supervisor's
# own start may be refused, but nothing stays.
killed_during_a_restart() {
	local ms log=$LAB_DIR/calfpen.log launcher
	for ms in 0 1 2 3 5 8 12 20 50 90 120; do
		lease "$@"
		launcher=$(launcher_pid)
		kill -KILL "$(calf_pid)"
		sleep "0.$(printf %03d $((100 + ms)))"
		kill -KILL "$launcher"
		wait_for 5 has_no_launcher
		stop calfpen
		wait_for 2 no_process
		assert_nothing_left
		assert_eq "" "$(containers_left)" "after $ms ms"
	done
}
# timeout: 240
test_killed_during_a_restart() { killed_during_a_restart --runtime runc; }
test_killed_during_a_restart_with_the_pen() { killed_during_a_restart --runtime "$pen"; }

# Also while the calves are started for the first time: its number is what has the name first.
killed_during_the_start() {
	local n
	for n in 1 2 3 4 5 6; do
		calfpen_start "$@"
		wait_for 10 kill_launcher
		sleep "0.0$n"
		kill -TERM "${started[calfpen]}"
		wait_for 5 no_process
		assert_eq "" "$(containers_left)"
	done
}
kill_launcher() { pkill -KILL -x calfpen-launch; }
test_killed_during_the_start() { killed_during_the_start --runtime runc; }
test_killed_during_the_start_with_the_pen() { killed_during_the_start --runtime "$pen"; }
