# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Whoever reads the log, a calf, a gateway, a watcher or a runtime hangs:
# nothing else waits for it, and SIGTERM ends everything within two seconds.

. tests/system/calfpen.sh

# end_it [SIGNAL] - end the instance that start began; sets $ms that it took
end_it() {
	local begin=${EPOCHREALTIME//./}
	kill -s "${1:-TERM}" "${started[calfpen]}"
	timeout 20 tail --pid="${started[calfpen]}" -s 0.02 -f /dev/null || true
	ms=$(((${EPOCHREALTIME//./} - begin) / 1000))
	echo "took $ms ms"
}

# was_in_time - within 2 s; one more second is for a busy machine
was_in_time() {
	local code=0 pid=${started[calfpen]}
	[ "$ms" -le 3000 ] || fail "took $ms ms to end"
	unset "started[calfpen]"
	wait "$pid" || code=$?
	assert_eq 0 "$code" "exit code"
	assert_nothing_left
}

# ends_in_time [SIGNAL]
ends_in_time() {
	end_it "$@"
	was_in_time
}

# carrier_returns - take it from the uplink and give it back
carrier_returns() {
	on_server ip link set "$LAB_SERVER_IF" down
	wait_for 5 not has_carrier
	on_server ip link set "$LAB_SERVER_IF" up
	wait_for 5 has_carrier
}
has_carrier() { [ "$(cat "/sys/class/net/$LAB_UPLINK/carrier")" = 1 ]; }

renews() {
	local before
	before=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	wait_for 5 renews_since "$before"
	wait_for 5 is_bound
}
# renews_since N - it is asked for another DHCPACK, again if it was still asking for the last one
renews_since() {
	calfpen set /control/dhcp4/renew now
	for _ in {1..10}; do
		! acked_since "$1" || return 0
		sleep 0.1
	done
	return 1
}
acked_since() { [ "$(grep -c DHCPACK "$LAB_SERVER_LOG")" -gt "$1" ]; }
is_bound() { [ "$(calfpen get /lease/state)" = bound ]; }

# unread_pipe - make file descriptor 9 a pipe that only the test reads
unread_pipe() {
	mkfifo "$LAB_DIR/pipe"
	exec 9<>"$LAB_DIR/pipe"
}
fill_pipe() { timeout 1 dd if=/dev/zero bs=4096 of=/dev/fd/9 status=none || true; }

# start_to_pipe [OPTION...] - its log goes to the pipe
start_to_pipe() {
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "$@" </dev/null >&9 2>&1 9>&- &
	started[calfpen]=$!
}

test_U16_full_log_pipe_stops_nothing() {
	unread_pipe
	start_to_pipe
	wait_for 20 has_lease
	fill_pipe
	carrier_returns
	wait_for 10 has_lease
	renews
	# It is read again: how much was lost is said by itself.
	cat <&9 >"$LAB_DIR/read.log" &
	started[reader]=$!
	wait_for_line "$LAB_DIR/read.log" '<warning> dhcp4: log: lost [0-9]+ lines: its reader did not keep up' 15
	stop reader || true
	fill_pipe
	ends_in_time
}

test_U16_log_pipe_is_full_at_the_start() {
	unread_pipe
	fill_pipe
	start_to_pipe
	wait_for 20 has_lease
	renews
	ends_in_time
}

# with_log KIND COMMAND... - with its log to a terminal or socket that nobody
# reads. Its exit code is COMMAND's, 99 if the mode of what they share was changed.
with_log() {
	cat >"$LAB_DIR/with_log.py" <<'END'
import fcntl, os, pty, signal, socket, subprocess, sys, termios
kind, *command = sys.argv[1:]
if kind == "socket":
    mine, its = socket.socketpair()
    its.setblocking(False)
    try:
        while True:
            its.send(b"x" * 4096)
    except BlockingIOError:
        its.setblocking(True)
    end = its.fileno()
else:
    keep, end = pty.openpty()
    if kind == "stopped":  # by Ctrl-S
        termios.tcflow(end, termios.TCOOFF)
    else:  # a background job, stty tostop
        os.setsid()
        fcntl.ioctl(end, termios.TIOCSCTTY, 0)
        mode = termios.tcgetattr(end)
        mode[3] |= termios.TOSTOP
        termios.tcsetattr(end, termios.TCSANOW, mode)
run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=end, stderr=end, process_group=0)
signal.signal(signal.SIGTERM, lambda *_: run.terminate())
blocking = os.get_blocking(end)
code = run.wait()
sys.exit(code if blocking and os.get_blocking(end) else 99)
END
	start calfpen python3 "$LAB_DIR/with_log.py" "$@"
}

unread_log() {
	with_log "$1" calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	wait_for 20 lease_without_pgrep
	carrier_returns
	renews
	ends_in_time
}
lease_without_pgrep() { has_address && grep -q ^nameserver "$LAB_RESOLV" && is_bound; }

# Ctrl-S; the mode of the terminal, which the shell shares, stays.
test_U16_stopped_terminal() { unread_log stopped; }

# Nobody asks a background job to stop because it logs.
test_U16_background_job_of_a_terminal() { unread_log tostop; }

# Of a service manager that hangs (journald)
test_U16_full_log_socket() { unread_log socket; }

# Neither at the start nor later; and the records are not lost in silence.
test_U16_full_audit_pipe() {
	unread_pipe
	fill_pipe
	lease --audit "$LAB_DIR/pipe"
	renews
	ends_in_time
	grep -q 'audit log .*: [0-9]* records wait in .*/audit-reserve' "$LAB_DIR/calfpen.log" || fail "not counted"
}

test_U16_stopped_children_do_not_delay_the_end() {
	lease
	kill -STOP "$(calf_pid)" "$(gateway_pid)" "$(watcher_pid)"
	ends_in_time
	has_address || fail "the address must stay until the lease is over"
}

# SIGKILL does not end a process in a frozen cgroup of version 1.
test_U16_frozen_calf_does_not_delay_the_end() {
	local file left
	lease
	file=$(echo /sys/fs/cgroup/freezer/"$LAB_CGROUP"/*/freezer.state)
	[ -e "$file" ] || skip "no freezer of version 1"
	echo FROZEN >"$file"
	end_it
	left=$(pgrep calf-dhcp4 || true)
	# The lab could not end otherwise.
	[ ! -e "$file" ] || echo THAWED >"$file"
	assert_eq "" "$left" "the calf is left"
	was_in_time
	lease
}

test_U16_stopped_gateway_does_not_stop_its_calf() {
	local before calf
	lease
	calf=$(calf_pid)
	kill -STOP "$(gateway_pid)"
	before=$(grep -c DHCPREQUEST "$LAB_SERVER_LOG")
	# The calf asks again when the carrier returns, unheard by the store.
	carrier_returns
	assert_eq 1 "$(grep -c 'State:.S (sleeping)' "/proc/$calf/status")"
	assert_match '^flags:.*4001$' "$(grep flags "/proc/$calf/fdinfo/2")" "O_NONBLOCK"
	ends_in_time
}

# a runtime that hangs in the command that the file names
hanging_runtime() {
	cat >"$LAB_DIR/runtime" <<END
#!/bin/sh
for argument; do
	if grep -qsxe "\$argument" "$LAB_DIR/hang"; then
		echo > "$LAB_DIR/hangs"
		sleep 1000
	fi
done
exec $(command -v runc) "\$@"
END
	chmod 755 "$LAB_DIR/runtime"
}
hangs() { [ -e "$LAB_DIR/hangs" ]; }
no_sleep() { [ -z "$(pgrep -f 'sleep 1000')" ]; }

test_U16_runtime_hangs_at_the_end() {
	hanging_runtime
	lease --runtime "$LAB_DIR/runtime"
	echo delete >"$LAB_DIR/hang"
	ends_in_time
	no_sleep || fail "the runtime is left"
	rm "$LAB_DIR/hang"
	lease --runtime "$LAB_DIR/runtime"
}

test_U16_runtime_hangs_at_the_start() {
	local command
	hanging_runtime
	for command in create start; do
		rm -f "$LAB_DIR/hangs"
		echo "$command" >"$LAB_DIR/hang"
		calfpen_start --runtime "$LAB_DIR/runtime"
		wait_for 20 hangs
		ends_in_time
		wait_for 2 no_sleep
	done
}

# also if the calf is restarted just then
test_U16_runtime_hangs_at_a_restart() {
	hanging_runtime
	lease --runtime "$LAB_DIR/runtime"
	echo delete >"$LAB_DIR/hang"
	kill -KILL "$(calf_pid)"
	wait_for 5 hangs
	ends_in_time INT
}

null_at() { # PID FD...
	local pid=$1 fd
	shift
	for fd; do
		assert_eq /dev/null "$(readlink "/proc/$pid/fd/$fd")" "descriptor $fd of $(cat "/proc/$pid/comm")"
	done
}

only_records() {
	python3 -c 'import json, sys
for line in open(sys.argv[1]):
    json.loads(line)' "$audit"
}

refused_is_recorded() { grep -q EACCES "$audit"; }

test_U17_started_without_descriptors() {
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 0<&- 1>&- 2>&- &
	started[calfpen]=$!
	wait_for 20 has_lease
	null_at "$(supervisor_pid)" 0 1 2
	null_at "$(watcher_pid)" 0 1 2
	null_at "$(gateway_pid)" 0 1 2
	null_at "$(calf_pid)" 0
	# The watcher has something to say.
	ip address flush dev "$LAB_UPLINK"
	calfpen set /ip 10.0.0.1/24 2>/dev/null || true
	wait_for 5 refused_is_recorded
	only_records
	ends_in_time
	only_records
}

# Only where the log would go
test_U17_started_without_stderr() {
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" </dev/null >"$LAB_DIR/out" 2>&- &
	started[calfpen]=$!
	wait_for 20 has_lease
	null_at "$(supervisor_pid)" 0 2
	null_at "$(watcher_pid)" 0 1 2
	ends_in_time
	assert_eq "" "$(cat "$LAB_DIR/out")"
}

# The operator's commands: no message of theirs goes into a map or a file.
test_U17_command_without_descriptors() {
	lease
	calfpen get /ip 0<&- 1>&- 2>&- || true
	calfpen set /nonsense 1 0<&- 1>&- 2>&- && fail "no such key"
	calfpen set /control/dhcp4/renew now 0<&- 1>&- 2>&-
	calfpen status 0<&- 1>&- 2>&- || true
	only_records
	wait_for 5 is_bound
	ends_in_time
}
