# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# SIGUSR2 and SIGHUP reopen the logs; SIGUSR1 and they end no process.

. tests/system/calfpen.sh

processes() {
	echo "$(supervisor_pid) $(watcher_pid) $(gateway_pid) $(calf_pid)"
}

# A request of the operator gets into the log, whoever writes it.
renewal_is_logged() {
	calfpen set /control/dhcp4/renew now >/dev/null
	wait_for 5 grep -q '"subject":"operator".*/control/dhcp4/renew' "$audit"
}

test_U40_logs_are_reopened() {
	local signal before pid n=0
	lease
	before=$(processes)
	for signal in USR2 HUP; do
		# the supervisor tells the watcher, too
		for pid in "$(supervisor_pid)" "$(watcher_pid)"; do
			mv "$audit" "$audit.1"
			kill -s "$signal" "$pid"
			n=$((n + 1))
			wait_for 5 is_reopened "$n"
			renewal_is_logged
		done
	done
	assert_eq "$before" "$(processes)"
	stop calfpen || fail "exit code $?"
}

# is_reopened TIMES - by the watcher, which writes most records
is_reopened() { [ "$(grep -c 'watcher: reopened the audit log' "$LAB_DIR/calfpen.log")" = "$1" ]; }

test_U40_no_process_ends() {
	local signal before pid
	lease
	before=$(processes)
	for signal in USR1 USR2 HUP; do
		for pid in $before; do
			kill -s "$signal" "$pid"
		done
	done
	# each has had its turn since
	calfpen set /control/dhcp4/renew now
	wait_for 5 not calfpen get /control/dhcp4/renew
	renewal_is_logged
	assert_eq "$before" "$(processes)"
	for pid in $before; do
		alive "$pid" || fail "process $pid has ended"
	done
	assert_match 'restarts 0' "$(calfpen status)"
	stop calfpen || fail "exit code $?"
}

is_priv() { [ "$(cat "/proc/${started[calfpen]}/comm")" = calfpen-priv ]; }

test_U40_nor_does_the_start() {
	calfpen_start
	wait_for 5 is_priv
	# in the middle of the start, and of that of its children
	while ! has_address; do
		pkill -USR1 -P "${started[calfpen]}" || true
		pkill -USR2 -P "${started[calfpen]}" 'calfpen-' || true
		kill -s USR1 "${started[calfpen]}"
		kill -s USR2 "${started[calfpen]}"
		kill -s HUP "${started[calfpen]}"
	done
	wait_for 20 has_lease
	assert_eq '' "$(grep -E 'killed by signal|restart' "$LAB_DIR/calfpen.log" || true)"
	stop calfpen || fail "exit code $?"
}

test_U40_documented() {
	assert_match 'SIGUSR2' "$(calfpen run --help)"
	grep -q '^\.It SIGUSR1' docs/man/calfpen.8
}
