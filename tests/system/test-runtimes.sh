# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The pen in comparison with runc, in their place, and on each kind of host.

. tests/system/calfpen.sh

# file_of_cgroup FILE... - of the calf's cgroup: the first of these that a hierarchy has
file_of_cgroup() {
	local file found
	for file; do
		found=$(find /sys/fs/cgroup -path "*/$LAB_CGROUP/*-dhcp4/$file" -print -quit)
		[ -z "$found" ] || { tr '\n' ' ' <"$found" && return; }
	done
	echo missing
}

# rights - what the calf has, one "NAME: VALUE" per line
rights() {
	local pid ns fd
	pid=$(calf_pid)
	grep -E '^(Uid|Gid|Groups|Cap[A-Z][a-z]*|NoNewPrivs|Seccomp|Seccomp_filters|SigIgn|SigBlk):' \
		"/proc/$pid/status" | tr '\t' ' '
	for ns in user mnt pid net ipc uts cgroup time; do
		if [ "$(readlink "/proc/$pid/ns/$ns")" = "$(readlink "/proc/self/ns/$ns")" ]; then
			echo "namespace $ns: the host's"
		else
			echo "namespace $ns: own"
		fi
	done
	sed -n 's/^\(Max [a-z ]*[a-z]\)  *\([0-9u].*[^ ]\) *$/\1: \2/p' "/proc/$pid/limits"
	for fd in "/proc/$pid/fdinfo"/*; do
		echo "descriptor ${fd##*/}: $(sed -n 's/^flags:[[:space:]]*//p' "$fd")"
	done
	echo "oom_score_adj: $(cat "/proc/$pid/oom_score_adj")"
	echo "memory: $(file_of_cgroup memory.limit_in_bytes memory.max)"
	echo "memory and swap: $(file_of_cgroup memory.memsw.limit_in_bytes memory.swap.max)"
	echo "swappiness: $(file_of_cgroup memory.swappiness)"
	echo "processes: $(file_of_cgroup pids.max)"
	echo "CPU time: $(file_of_cgroup cpu.cfs_quota_us cpu.max)"
	echo "session: $([ "$(ps -o sid= -p "$pid")" -eq "$pid" ] && echo own || echo "another's")"
	echo "terminal: $(ps -o tty= -p "$pid")"
	echo "environment: $(tr '\0' ' ' <"/proc/$pid/environ")"
	echo "mounts: $(wc -l <"/proc/$pid/mountinfo")"
	echo "files in the root: $(find "/proc/$pid/root/" -xdev -mindepth 1 | wc -l)"
	echo "options of the root: $(awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo" | tr ',' '\n' |
		grep -xE 'ro|nosuid|nodev|noexec' | sort | paste -sd ,)"
}

# Line by line: equal, or one of those in which the pen takes away more.
test_rights_by_pen_and_runc() {
	lease --runtime runc
	rights >"$LAB_DIR/runc"
	stop calfpen || fail "exit code $?"
	lease
	rights >"$LAB_DIR/pen"
	[ "$(wc -l <"$LAB_DIR/pen")" -ge 50 ] || fail "only $(wc -l <"$LAB_DIR/pen") lines"
	cut -d : -f 1 "$LAB_DIR/runc" >"$LAB_DIR/runc.names"
	cut -d : -f 1 "$LAB_DIR/pen" >"$LAB_DIR/pen.names"
	diff "$LAB_DIR/runc.names" "$LAB_DIR/pen.names"
	diff "$LAB_DIR/runc" "$LAB_DIR/pen" | grep '^[<>]' | sort -k 2 >"$LAB_DIR/difference" || true
	cat "$LAB_DIR/difference"
	# what the pen has where runc has something else
	grep '^>' "$LAB_DIR/difference" | cut -c 3- | grep -vxE \
		-e 'namespace time: own' \
		-e 'Sig(Ign|Blk): 0000000000000000' \
		-e 'descriptor 0: 0100000' \
		-e 'environment: *' \
		-e 'mounts: 1' \
		-e 'files in the root: 0' \
		-e 'memory and swap: (16777216|0) ' \
		-e 'swappiness: 0 ' \
		-e 'options of the root: nodev,noexec,nosuid,ro' >"$LAB_DIR/worse" || true
	[ ! -s "$LAB_DIR/worse" ] || fail "unexpected: $(cat "$LAB_DIR/worse")"
}

# What a supervisor that was killed has left by one runtime is removed by the other.
changed_runtime() {
	local first=$1 second=$2 old
	lease --runtime "$first"
	old=$(calf_pid)
	stop calfpen KILL || true
	lease --runtime "$second"
	! alive "$old" || fail "the calf of the run before lives"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
	assert_eq "" "$(find /sys/fs/cgroup -path "*/$LAB_CGROUP*")" "cgroups are left"
}
test_from_runc_to_the_pen() { changed_runtime runc "$pen"; }
test_from_the_pen_to_runc() { changed_runtime "$pen" runc; }

# hide_cgroups TYPE - leave the hierarchies of the other version alone, for this lab
hide_cgroups() {
	local where
	while read -r where; do
		umount -l "$where"
	done < <(awk -v type="$1" '$3 == type { print $2 }' /proc/self/mounts)
}

# kinds - which versions of cgroups are mounted
kinds() { awk '$3 ~ /^cgroup/ { print $3 }' /proc/self/mounts | sort -u | paste -sd ' '; }

calf_is_limited() {
	assert_eq "16777216 " "$(file_of_cgroup memory.limit_in_bytes memory.max)" "memory"
	assert_eq "32 " "$(file_of_cgroup pids.max)" "processes"
	assert_match '^100000 (1000000 )?$' "$(file_of_cgroup cpu.cfs_quota_us cpu.max)" "CPU time"
	stop calfpen || fail "exit code $?"
	assert_eq "" "$(find /sys/fs/cgroup -path "*/$LAB_CGROUP*")" "cgroups are left"
}

test_cgroups_hybrid() {
	[ "$(kinds)" = "cgroup cgroup2" ] || skip "this host is not hybrid: $(kinds)"
	lease
	find /sys/fs/cgroup -path "*/$LAB_CGROUP/*-dhcp4/cgroup.events" | grep . || fail "none of version 2"
	calf_is_limited
}

test_cgroups_of_version_1() {
	[[ $(kinds) = cgroup* && $(kinds) != cgroup2 ]] || skip "this host has: $(kinds)"
	hide_cgroups cgroup2
	assert_eq cgroup "$(kinds)"
	lease
	calf_is_limited
}

# Without the controllers of version 1, there is no limit: an error before anything is changed.
test_cgroups_without_controllers() {
	local output rc=0 before
	[ "$(kinds)" = "cgroup cgroup2" ] || skip "this host is not hybrid: $(kinds)"
	hide_cgroups cgroup
	before=$(find /sys/fs/cgroup | sort)
	output=$(timeout 20 calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1) || rc=$?
	[[ $rc != 0 && $rc != 124 ]] || fail "exit code $rc"
	assert_match 'memory cgroup' "$output"
	assert_eq "$before" "$(find /sys/fs/cgroup | sort)" "cgroups"
	assert_nothing_left
}
