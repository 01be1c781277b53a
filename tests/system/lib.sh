# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# lib.sh - helpers of the system tests
#
# Usage: sourced by tests/system/run before the test file, in the lab, with
# "set -eE -o pipefail -u". A test is a function test_<behaviour>; it passes if
# it returns 0. Background processes go through start, which keeps their output
# in $LAB_DIR/NAME.log, shows it if the test fails and ends them with the test.

# NAME -> pid; -g since the runner sources this file in a function
declare -gA started=()

# fail MESSAGE... - end the test as failed
fail() {
	local i=1
	while [[ ${BASH_SOURCE[i]-} == */lib.sh ]]; do
		i=$((i + 1))
	done
	echo "fail: $* (${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}, ${FUNCNAME[i]})" >&2
	exit 1
}

# skip REASON... - end the test as skipped
skip() {
	echo "skip: $*"
	exit 77
}

# skip_if_missing COMMAND... - skip where a tool is not installed
skip_if_missing() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

# assert_eq EXPECTED ACTUAL [WHAT]
assert_eq() {
	[ "$1" = "$2" ] || {
		printf 'expected: %s\nactual:   %s\n' "$1" "$2" >&2
		fail "${3:-values differ}"
	}
}

# assert_match REGEX TEXT [WHAT] - REGEX is an extended regular expression
assert_match() {
	[[ $2 =~ $1 ]] || {
		printf 'pattern: %s\ntext:    %s\n' "$1" "$2" >&2
		fail "${3:-no match}"
	}
}

# assert_fails COMMAND... - COMMAND must not succeed ("! COMMAND" stops nothing)
assert_fails() {
	! "$@" || fail "succeeded, but should fail: $*"
}

# not COMMAND... - for wait_for, where assert_fails would end the test
not() {
	! "$@"
}

# A wait ends what hangs, it judges no speed: a busy machine takes longer than
# the seconds of a test say.
readonly patience=4

# wait_for SECONDS COMMAND... - until COMMAND succeeds, tried every 20 ms
wait_for() {
	local end now
	end=$((${EPOCHREALTIME//./} + $1 * patience * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		now=${EPOCHREALTIME//./}
		[ "$now" -lt "$end" ] || fail "waited in vain for: $*"
		sleep 0.02
	done
}

# wait_for_line FILE REGEX SECONDS - until FILE has a line that matches
wait_for_line() {
	local end
	end=$((${EPOCHREALTIME//./} + $3 * patience * 1000000))
	until grep -qsE -- "$2" "$1"; do
		if [ "${EPOCHREALTIME//./}" -ge "$end" ]; then
			echo "--- $1" >&2
			tail -n 50 "$1" >&2 || true
			fail "no line '$2' in $1 within $(($3 * patience)) s"
		fi
		sleep 0.02
	done
}

# start NAME COMMAND... - in the background; pid in ${started[NAME]}
start() {
	local name=$1
	shift
	"$@" </dev/null >>"$LAB_DIR/$name.log" 2>&1 &
	started[$name]=$!
}

# stop NAME [SIGNAL] - end what start began and wait; its status is returned
stop() {
	local pid=${started[$1]}
	unset "started[$1]"
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null
}

# alive PID - is it there and not a zombie?
alive() {
	local state
	state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) &&
		[ -n "$state" ] && [ "$state" != Z ]
}

# on_server COMMAND... - in the network namespace behind the uplink
on_server() {
	nsenter --net="/run/netns/$LAB_SERVER_NS" -- "$@"
}

# server_stop, server_start - the lab's DHCP server; its log goes on
server_stop() {
	local pid
	pid=$(<"$LAB_SERVER_PIDFILE")
	kill "$pid"
	wait_for 5 not alive "$pid"
}

server_start() {
	on_server dnsmasq --conf-file="$LAB_SERVER_CONF" </dev/null
}

# Called by the runner when the test ends, with its exit status.
lib_cleanup() {
	local name
	for name in "${!started[@]}"; do
		kill -KILL "${started[$name]}" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	case $1 in
	0 | 77) return ;;
	esac
	for name in "$LAB_DIR"/*.log; do
		[ -s "$name" ] || continue
		echo "--- ${name##*/} (last 60 lines)"
		tail -n 60 "$name"
	done
}
