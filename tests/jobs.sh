# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# jobs.sh - run tests side by side, the longest first
#
# Usage: sourced by tests/run and tests/system/run.

# Most tests wait for something most of the time, so how many run at a time does
# not depend on the number of processors.
jobs_max=${JOBS:-2}
jobs_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jobs_outputs='' # directory of what the jobs print

# Of each job, by its pid
declare -A jobs_name=() jobs_start=()

# jobs_order SUITE - sort the names on standard input: the longest first, by
# tests/times; last those that it does not list
jobs_order() {
	awk -v suite="$1" '
		NR == FNR { if ($2 == suite) seconds[$3] = $1; next }
		!seen[$1]++ { print ($1 in seconds ? seconds[$1] : 0), $1 }
	' "$jobs_here/times" - | sort -s -k 1,1gr | cut -d ' ' -f 2
}

# jobs_is_alone SUITE NAME - must nothing run beside this test, or its file?
jobs_is_alone() {
	awk -v suite="$1" -v name="$2" '
		$1 == suite && ($2 == name || index(name, $2 ":") == 1) { found = 1 }
		END { exit !found }' "$jobs_here/alone"
}

# jobs_end STATUS - end all jobs, wait until they have, and exit
jobs_end() {
	local pids=("${!jobs_name[@]}")
	trap '' HUP INT TERM
	[ ${#pids[@]} -eq 0 ] || kill -TERM "${pids[@]}" 2>/dev/null || true
	wait
	exit "$1"
}

# jobs_init - a signal ends the jobs before this shell, which has to call it once
jobs_init() {
	[[ $jobs_max =~ ^[1-9][0-9]*$ ]] || {
		echo "run: JOBS is '$jobs_max', not a number of tests to run at a time" >&2
		exit 2
	}
	jobs_outputs=$(mktemp -d)
	trap 'rm -rf "$jobs_outputs"' EXIT
	trap 'jobs_end 129' HUP
	trap 'jobs_end 130' INT
	trap 'jobs_end 143' TERM
}

# jobs_command COMMAND... - run it and return its status. For use in a job: SIGTERM
# to the job ends the command, then the job.
jobs_command() {
	local child='' is_ended='' status=0
	trap 'is_ended=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
	# The command must not outlive a job that is killed, either
	setpriv --pdeathsig TERM "$@" &
	child=$!
	[ -z "$is_ended" ] || kill -TERM "$child" 2>/dev/null || true
	wait "$child" || status=$?
	# A trapped signal ends the wait before the command has ended
	[ -z "$is_ended" ] || {
		wait "$child" || true
		exit 143
	}
	trap - TERM
	return "$status"
}

# jobs_start NAME COMMAND... - in the background, with output to a file
jobs_start() {
	local name=$1
	shift
	"$@" </dev/null >"$jobs_outputs/$name" 2>&1 &
	jobs_name[$!]=$name
	jobs_start[$!]=${EPOCHREALTIME//./}
}

# jobs_wait SUITE FINISH - wait until a job has ended
jobs_wait() {
	local pid='' name took
	wait -n -p pid "${!jobs_name[@]}" || true
	[ -n "$pid" ] || return 0
	name=${jobs_name[$pid]}
	took=$(((${EPOCHREALTIME//./} - jobs_start[$pid]) / 100000))
	unset "jobs_name[$pid]" "jobs_start[$pid]"
	printf '%d.%d %s %s\n' $((took / 10)) $((took % 10)) "$1" "$name" >>"$jobs_times"
	"$2" "$name" "$jobs_outputs/$name"
}

# jobs_run SUITE TIMES RUN FINISH - for each name on standard input call
# "RUN NAME" in a process of its own and, when that has ended,
# "FINISH NAME OUTPUT" in this shell, OUTPUT being a file. Tests of tests/alone
# come last. A line "SECONDS SUITE NAME" for each test goes to the file TIMES.
jobs_run() {
	local suite=$1 jobs_times=$2 run=$3 finish=$4 name list alone=()
	list=$(jobs_order "$suite")
	: >"$jobs_times"
	for name in $list; do
		if jobs_is_alone "$suite" "$name"; then
			alone+=("$name")
			continue
		fi
		while [ ${#jobs_name[@]} -ge "$jobs_max" ]; do
			jobs_wait "$suite" "$finish"
		done
		jobs_start "$name" "$run" "$name"
	done
	for name in ${alone[@]+"${alone[@]}"} ''; do
		while [ ${#jobs_name[@]} -gt 0 ]; do
			jobs_wait "$suite" "$finish"
		done
		[ -z "$name" ] || jobs_start "$name" "$run" "$name"
	done
}
