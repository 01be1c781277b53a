# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Who may do what once it runs, read from /proc/PID/status; and what a calf
# that was taken over can still do. By the pen and by runc, which gives the same
# rights or more.
#
# again: runc

. tests/system/calfpen.sh

# field PID NAME
field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# capabilities NUMBER... - as /proc prints a set of them
capabilities() {
	local set=0 number
	for number; do
		set=$((set | 1 << number))
	done
	printf '%016x' "$set"
}

SETGID=6 SETUID=7 SETPCAP=8 NET_ADMIN=12 SYS_ADMIN=21 PERFMON=38 BPF=39

# confined PID CAPABILITIES [EFFECTIVE]
confined() {
	assert_eq "$2" "$(field "$1" CapPrm)" "permitted of $(field "$1" Name)"
	assert_eq "${3-$2}" "$(field "$1" CapEff)" "effective"
	assert_eq "$(capabilities)" "$(field "$1" CapInh)" "inheritable"
	assert_eq "$(capabilities)" "$(field "$1" CapAmb)" "ambient"
	assert_eq "$2" "$(field "$1" CapBnd)" "bounding set"
	assert_eq 1 "$(field "$1" NoNewPrivs)"
	assert_eq 2 "$(field "$1" Seccomp)"
}

# umask_of PID
umask_of() { field "$1" Umask; }

# Whatever the runtime is. It has nothing of its caller: no descriptor, no directory.
test_supervisor_rights() {
	local pid
	mkdir -p "$LAB_DIR/caller"
	cd "$LAB_DIR/caller" || exit
	exec 77<"$LAB_DIR/caller" 78>"$LAB_DIR/stray"
	umask 0
	lease
	exec 77<&- 78>&-
	pid=$(supervisor_pid)
	confined "$pid" "$(capabilities $NET_ADMIN $PERFMON $BPF)"
	assert_eq / "$(readlink "/proc/$pid/cwd")" "directory"
	assert_eq 0077 "$(umask_of "$pid")" "umask"
	for pid in $pid $(launcher_pid) $(watcher_pid) $(gateway_pid) $(calf_pid); do
		assert_eq / "$(readlink "/proc/$pid/cwd")" "directory of $(field "$pid" Name)"
		assert_eq "" "$(find "/proc/$pid/fd" -lname "$LAB_DIR/caller" -o -lname "$LAB_DIR/stray")" \
			"descriptors of the caller in $(field "$pid" Name)"
	done
}

launcher_rights() {
	local pid own
	pid=$(launcher_pid)
	own="$SETGID $SETUID $SETPCAP"
	# shellcheck disable=SC2086 # a list
	confined "$pid" "$(capabilities $own $NET_ADMIN ${1-})" "$(capabilities $own)"
	assert_eq 0077 "$(umask_of "$pid")" "umask"
	assert_eq "$(supervisor_pid)" "$(field "$pid" PPid)"
}

test_launcher_rights() {
	lease --runtime runc
	launcher_rights $SYS_ADMIN
}

test_launcher_rights_with_the_pen() {
	lease --runtime "$pen"
	launcher_rights
}

# Calf, gateway and watcher are started again by the launcher, with the rights that they had.
test_rights_after_a_restart() {
	local pid role old
	lease --runtime "$pen"
	for role in calf_pid gateway_pid watcher_pid; do
		old=$("$role")
		kill -KILL "$old"
		wait_for 5 is_another "$role" "$old"
		wait_for 10 has_lease
	done
	confined "$(calf_pid)" "$(capabilities)"
	assert_eq 3 "$(field "$(calf_pid)" Seccomp_filters)" "of launcher, runtime and calf"
	confined "$(watcher_pid)" "$(capabilities $NET_ADMIN)"
	confined "$(gateway_pid)" "$(capabilities)"
	for pid in $(calf_pid) $(watcher_pid) $(gateway_pid); do
		assert_eq "$(supervisor_pid)" "$(field "$pid" PPid)"
	done
}
is_another() {
	local now
	now=$("$1") && [ "$now" != 0 ] && [ "$now" != "$2" ] && alive "$now"
}

test_watcher_rights() {
	lease
	confined "$(watcher_pid)" "$(capabilities $NET_ADMIN)"
}

test_gateway_rights() {
	local pid uid
	lease
	pid=$(gateway_pid)
	uid=$(field "$pid" Uid | cut -f1)
	confined "$pid" "$(capabilities)"
	[ "$uid" -gt 65535 ] || fail "uid $uid"
	assert_eq "$uid	$uid	$uid	$uid" "$(field "$pid" Uid)"
	assert_eq "$uid	$uid	$uid	$uid" "$(field "$pid" Gid)"
	assert_eq "" "$(field "$pid" Groups | tr -d ' ')"
	# not dumpable: its /proc entries are root's
	assert_eq 0 "$(stat -c %u "/proc/$pid/environ")"
}

# The role that tells chronyd lives for one request, or for a second where
# chronyd does not answer: it has its user, and nothing else.
test_chrony_rights() {
	local pid
	mkdir -p /etc/chrony
	install -d -o 65500 -g 65501 -m 0700 /run/chrony
	start chronyd python3 -c 'import os, socket, time
silent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
silent.bind("/run/chrony/chronyd.sock")
os.chown("/run/chrony/chronyd.sock", 65500, 65501)
time.sleep(60)'
	wait_for 10 test -S /run/chrony/chronyd.sock
	calfpen_start
	wait_for 10 asks_chronyd
	confined "$pid" "$(capabilities)"
	assert_eq "65500	65500	65500	65500" "$(field "$pid" Uid)"
	assert_eq "65501	65501	65501	65501" "$(field "$pid" Gid)"
	assert_eq "" "$(field "$pid" Groups | tr -d ' ')"
	assert_eq 0 "$(stat -c %u "/proc/$pid/environ")" "dumpable"
	assert_eq "0 1 2 3 4" "$(find "/proc/$pid/fd" -mindepth 1 -printf '%f\n' | sort -n | paste -sd ' ')"
	kill -CONT "$pid"
	wait_for 10 not alive "$pid"
}
# sets pid; it is stopped then, so that its second is long enough for all this
asks_chronyd() {
	pid=$(pgrep -n calfpen-chrony) && kill -STOP "$pid" || return 1
	[ -S "/run/chrony/chronyc.$pid.sock" ] || { kill -CONT "$pid" && return 1; }
}

test_calf_rights() {
	local pid uid gateway ns path
	lease
	path=$(state runtime)
	assert_eq "${CALFPEN_RUNTIME:-calfpen-pen}" "${path##*/}" "runtime"
	pid=$(calf_pid)
	uid=$(field "$pid" Uid | cut -f1)
	gateway=$(field "$(gateway_pid)" Uid | cut -f1)
	confined "$pid" "$(capabilities)"
	[ "$uid" -gt 65535 ] || fail "uid $uid"
	[ "$uid" != "$gateway" ] || fail "the calf has its gateway's uid"
	assert_eq "$uid	$uid	$uid	$uid" "$(field "$pid" Uid)"
	assert_eq "$uid	$uid	$uid	$uid" "$(field "$pid" Gid)"
	assert_eq "" "$(field "$pid" Groups | tr -d ' ')"
	assert_eq 3 "$(field "$pid" Seccomp_filters)" "of launcher, runtime and calf"
	for ns in user mnt pid net ipc uts cgroup; do
		[ "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ] ||
			fail "the calf shares the $ns namespace"
	done
	assert_eq "0 1 2 3 4 5" "$(find "/proc/$pid/fd" -mindepth 1 -printf '%f\n' | sort -n | paste -sd ' ')"
	assert_eq "200" "$(cat "/proc/$pid/oom_score_adj")"
	assert_match 'Max core file size +0 +0 ' "$(cat "/proc/$pid/limits")"
	assert_match 'Max file size +0 +0 ' "$(cat "/proc/$pid/limits")"
	assert_match 'Max open files +64 +64 ' "$(cat "/proc/$pid/limits")"
	assert_match 'Max locked memory +0 +0 ' "$(cat "/proc/$pid/limits")"
	assert_match 'Max msgqueue size +0 +0 ' "$(cat "/proc/$pid/limits")"
	assert_eq 16777216 "$(limit memory.limit_in_bytes memory.max)" "memory"
	assert_eq 32 "$(limit pids.max)" "processes"
	assert_match '^100000( 1000000)?$' "$(limit cpu.cfs_quota_us cpu.max)" "CPU time"
	assert_eq "" "$(pgrep 'runc|calfpen-pen' || true)" "no runtime process stays"
	stop calfpen || fail "exit code $?"
	assert_eq "" "$(find /sys/fs/cgroup -path "*/$LAB_CGROUP/*-dhcp4")" "cgroups are left"
	assert_eq "" "$(find "$run" -name '*dhcp4*' 2>/dev/null)" "state is left"
}

# limit FILE... - of the calf's cgroup, the first one that there is in a hierarchy
limit() {
	local file found
	for file; do
		found=$(find /sys/fs/cgroup -path "*/$LAB_CGROUP/*-dhcp4/$file" -print -quit)
		[ -z "$found" ] || { cat "$found" && return; }
	done
	fail "no $1"
}

# other_calf_start PROGRAM [KEY...] - another calf needs no change in priv
other_calf_start() {
	other_calf "$@"
	calfpen_start --calf "$LAB_DIR/hostile"
}

test_hostile_calf_is_contained() {
	other_calf_start hostile-calf
	wait_for_line "$LAB_DIR/calfpen.log" 'hostile: line with.control .\[31m bytes' 10
	assert_fails grep 'ALLOWED' "$LAB_DIR/calfpen.log"
	assert_eq 12 "$(grep -c 'hostile: .*: refused' <(sed '/line with/q' "$LAB_DIR/calfpen.log" | grep -v 'line with'))"
	assert_fails grep -q $'\033' "$LAB_DIR/calfpen.log"
}

# A malformed control message ends the pair, not priv, and stands in the audit.
test_malformed_message_restarts_the_pair() {
	other_calf_start hostile-calf
	wait_for_line "$audit" '"subject":"hostile","verb":"malformed"' 10
	wait_for 10 restarted
	alive "$(supervisor_pid)" || fail "the supervisor ended"
	alive "$(watcher_pid)" || fail "the watcher ended"
	calfpen get /mac
}
restarted() { [ "$(state calves 0 restarts)" -ge 2 ]; }

# What a calf says before it ends is in the log, all of it, each time.
test_last_words_are_heard() {
	local log=$LAB_DIR/calfpen.log
	other_calf_start talkative-calf
	wait_for 10 ended_often
	assert_match '^([5-9]|[1-9][0-9])$' "$(grep -c 'last words' "$log")"
	assert_fails grep 'the gateway exited' "$log"
	assert_fails grep -E 'suppressed|bytes cut' "$log"
}
ended_often() { [ "$(state calves 0 restarts)" -ge 5 ]; }

# It is started less and less often, which is said once, and shown.
test_U29_calf_that_keeps_failing() {
	local log=$LAB_DIR/calfpen.log output rc=0
	other_calf_start talkative-calf
	wait_for 10 ended_often
	assert_eq 1 "$(grep -c 'hostile: the calf exited with code 3; restarting it' "$log")"
	assert_eq 1 "$(grep -c 'hostile FAILED: the calf exited with code 3, 3 times in a row;' "$log")"
	assert_eq 1 "$(grep -c 'calf: no ears' "$log")" "its own error"
	output=$(calfpen status) || rc=$?
	assert_eq 9 "$rc" "exit status"
	assert_match $'\nFAILED    hostile: the calf exited with code 3, [5-9] times in a row(; next start at [0-9TZ:-]+)?; last error: no voice .\\[31m\n' "$output"
	assert_fails grep $'\033' <<<"$output"
	sleep 2
	[ "$(state calves 0 restarts)" -le 7 ] || fail "it is started too often"
}

test_U29_watcher_that_keeps_failing() {
	local log=$LAB_DIR/calfpen.log rc=0 i old
	lease
	calfpen status >/dev/null
	for i in 1 2 3; do
		old=$(watcher_pid)
		kill -KILL "$old"
		wait_for 5 watcher_is_another "$old"
	done
	assert_eq 1 "$(grep -c 'watcher: was killed by signal 9; restarting it' "$log")"
	assert_eq 1 "$(grep -c 'watcher FAILED: was killed by signal 9, 3 times in a row;' "$log")"
	assert_match $'\nFAILED    watcher: was killed by signal 9, 3 times in a row\n' "$(calfpen status)"
	calfpen status --json >/dev/null || rc=$?
	assert_eq 9 "$rc" "exit status"
	assert_eq True "$(state watcher_restart failed)"
	assert_eq 0 "$(calfpen ls >/dev/null; echo $?)" "other commands work"
}
watcher_is_another() {
	local now
	now=$(watcher_pid) && [ "$now" != 0 ] && [ "$now" != "$1" ] && alive "$now"
}

# A calf that misuses the store in every way: it is answered or cut off, and
# started again with a growing delay; nothing else notices.
test_ST_4_hostile_calf_on_the_store() {
	local supervisor watcher
	other_calf_start hostile-store-calf \
		'path: /life, type: u16, min: 0, max: 9, access: [read, write]' \
		'path: /text, type: text, max_length: 16, access: [write]'
	wait_for 10 calfpen get /life
	supervisor=$(supervisor_pid)
	watcher=$(watcher_pid)
	wait_for_line "$LAB_DIR/calfpen.log" 'store: last life: well-behaved' 60
	grep 'store: ' "$LAB_DIR/calfpen.log"
	assert_eq 5 "$(calfpen get /life)" "a life was lost"
	assert_fails grep -E 'store: .*: (TAKEN|ANSWERED|OUT OF ORDER)' "$LAB_DIR/calfpen.log"
	assert_eq 8 "$(grep -cE 'store: (unknown|key|value|invalid|NUL|path)' "$LAB_DIR/calfpen.log")"
	assert_eq 1 "$(grep -c 'malformed message' "$LAB_DIR/calfpen.log")"
	assert_fails grep -q 'store: .*: closed$' "$LAB_DIR/calfpen.log"
	grep -q 'store: a million requests: answered' "$LAB_DIR/calfpen.log"
	grep -q 'store: the other half: answered' "$LAB_DIR/calfpen.log"
	assert_eq "" "$(calfpen get /text || true)" "nothing was stored"
	assert_eq "$supervisor" "$(supervisor_pid)"
	assert_eq "$watcher" "$(watcher_pid)"
	alive "$supervisor" && alive "$watcher"
}

# A gateway that was taken over: whatever it sends, each change that is made has its line
# in the audit log, and all readers can read every record. Its calf waits for answers.
test_F1_hostile_gateway() {
	local tree=$LAB_DIR/tree changes
	mkdir -p "$tree/bin" "$tree/lib"
	chmod -R 755 "$tree"
	cp "$TOP/build/bin/calfpen" "$tree/bin/"
	cp -r "$TOP/build/lib/calfpen" "$tree/lib/"
	cp "$tools/hostile-gateway" "$tree/lib/calfpen/calfpen-gateway"
	own_description
	sed -i '/^keys:/a\
  - {path: /x/, type: text, count: 64, max_length: 1023, access: [read, write, delete]}\
  - {path: /number, type: u32, access: [write, delete]}\
  - {path: /hex, type: hex, max_length: 64, access: [write, delete]}' "$LAB_DIR/calf/calf.yaml"
	start calfpen "$tree/bin/calfpen" run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" \
		--calf "$LAB_DIR/calf"
	wait_for_line "$LAB_DIR/calfpen.log" 'hostile: 2500 requests, [0-9]+ accepted, [0-9]+ changes' 60
	changes=$(sed -n 's/.*hostile: .* accepted, \([0-9]*\) changes.*/\1/p' "$LAB_DIR/calfpen.log")
	[ "$changes" -gt 100 ] || fail "$changes changes were accepted"
	wait_for 10 told "$changes"
	assert_eq 0 "$(state calves 0 restarts)" "the gateway was ended"
	python3 - "$audit" <<-'END' || fail "revisions are missing"
		import json, sys
		records = [json.loads(line) for line in open(sys.argv[1])]
		assert not [r for r in records if r["verb"] == "malformed" or "covered" in r.get("reason", "")]
		revisions = {r["revision"] for r in records if r["verdict"] == "ok" and "revision" in r}
		assert revisions == set(range(min(revisions), max(revisions) + 1)), "a gap"
	END
}
# told CHANGES - as many lines say that something of dhcp4 was changed
told() { [ "$(grep -cE '"subject":"dhcp4","verb":"(write|delete|commit)".*"verdict":"ok"' "$audit")" = "$1" ]; }

# flood_start ORDER - the calf that does it all the time; it begins now
flood_start() {
	other_calf_start hostile-flood-calf \
		'path: /control/hostile/flood, type: text, access: [read, watch, delete]' \
		'path: /text/, type: text, count: 32, access: [write, delete]'
	wait_for 10 calfpen set /control/hostile/flood "$1"
	flood_began_us=${EPOCHREALTIME//./}
}

# flooded_seconds - since then, rounded up
flooded_seconds() { echo $(((${EPOCHREALTIME//./} - flood_began_us) / 1000000 + 1)); }

# What a calf logs is a burst and a trickle, however much it writes.
test_F2_log_of_a_calf_that_floods_it() {
	local log=$LAB_DIR/calfpen.log n_bytes
	flood_start log
	wait_for_line "$log" 'gateway: suppressed [0-9]+ log lines from the calf' 10
	sleep 10
	n_bytes=$(grep -aE 'hostile: (calf|gateway): ' "$log" | wc -c)
	[ "$n_bytes" -le $((65536 + 512 * $(flooded_seconds))) ] || fail "$n_bytes bytes"
	[ "$n_bytes" -ge 30000 ] || fail "it has not flooded the log: $n_bytes bytes"
	[ "$(grep -c 'gateway: suppressed' "$log")" -le "$(flooded_seconds)" ] || fail "too many reports"
	assert_eq 0 "$(state calves 0 restarts)" "it was the same calf all the time"
}

# The same for the audit log: changes are paid for in bytes.
test_F2_audit_of_a_calf_that_floods_it() {
	local n_bytes
	flood_start commit
	wait_for_line "$audit" '"subject":"hostile".*"path":"/text/' 10
	sleep 10
	n_bytes=$(grep -h '"subject":"hostile","verb":"commit".*"verdict":"ok"' "$audit"* | wc -c)
	[ "$n_bytes" -le $((65536 + 4096 * $(flooded_seconds))) ] || fail "$n_bytes bytes"
	[ "$n_bytes" -ge 30000 ] || fail "it has not flooded the log: $n_bytes bytes"
	assert_eq 0 "$(state calves 0 restarts)" "it was the same calf all the time"
}

has_leases() { [ "$(grep -c 'dhcp4: calf: lease of ' "$LAB_DIR/calfpen.log")" -ge "$1" ]; }

# A calf that is as talkative as it can be in earnest stays below its limit.
test_F2_debug_log_of_dhcp4() {
	local i
	lease --verbose
	for i in 1 2 3 4 5; do
		calfpen set /control/dhcp4/renew 1
		wait_for 10 has_leases $((i + 1))
	done
	assert_fails grep 'suppressed' "$LAB_DIR/calfpen.log"
}
