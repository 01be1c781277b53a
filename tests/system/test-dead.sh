# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# An instance that does not run, or whose parts are gone: nothing takes what it
# left for what lives.

. tests/system/calfpen.sh

# What a dead instance left is not taken for what lives: in the command and in the
# maps themselves.
test_U30_stopped_instance() {
	local address output output2 rc
	lease
	assert_match "\"running, process $(supervisor_pid)\"" "$(marker)"
	address=$(calfpen get /ip)
	stop calfpen || fail "exit code $?"
	assert_match '"stopped at 20[0-9TZ:-]+"' "$(marker)"
	rc=0
	output=$(calfpen get /ip 2>"$LAB_DIR/err") || rc=$?
	assert_eq "8 $address" "$rc $output"
	assert_eq "calfpen: instance $LAB_UPLINK is not running; this is what it left" "$(cat "$LAB_DIR/err")"
	rc=0
	output=$(calfpen set /control/dhcp4/renew now 2>&1) || rc=$?
	assert_eq "8 calfpen: instance $LAB_UPLINK is not running, so nobody would act on a change; start it with \`calfpen run\`" "$rc $output"
	rc=0
	output=$(calfpen status) || rc=$?
	assert_eq 8 "$rc"
	rc=0
	output2=$(timeout 1 calfpen watch / 2>&1 >/dev/null) || true
	assert_eq "calfpen: instance $LAB_UPLINK is not running; this is what it left" "$output2"
	assert_match "^instance  $LAB_UPLINK, not running"$'\n''lease     (bound|init-reboot), ' "$output"
	lease
	assert_match "\"running, process $(supervisor_pid)\"" "$(marker)"
	assert_eq "" "$(calfpen get /ip 2>&1 >/dev/null)"
}
# The value as a reader of the map sees it.
marker() {
	bpftool map dump pinned "$pins/kv" -j | python3 -c 'import json, sys
for entry in json.load(sys.stdin):
    entry = entry.get("formatted", entry)
    if entry["key"]["path"] == "/status/instance":
        print(json.dumps(entry["value"]["text"]))'
}

# Nobody could write that it ended: the process that it names is gone.
test_U30_killed_instance() {
	local rc=0
	lease
	pkill -KILL -x calfpen-priv
	wait_for 5 gone
	assert_match '"running, process [0-9]+"' "$(marker)"
	calfpen status >/dev/null || rc=$?
	assert_eq 8 "$rc"
	rc=0
	calfpen del /control/dhcp4/renew 2>/dev/null || rc=$?
	assert_eq 8 "$rc"
}
gone() { ! pgrep -x 'calfpen-priv|calfpen-gateway' >/dev/null; }

test_U30_forget_removes_all() {
	lease
	stop calfpen || fail "exit code $?"
	rm -rf "$run" # as after a reboot
	calfpen forget "$LAB_UPLINK" || fail "exit code $?"
	assert_eq "" "$(find /run/calfpen /var/lib/calfpen /sys/fs/bpf/calfpen -name "$LAB_UPLINK*")"
	[ -s "$audit" ] || fail "the audit log is the operator's"
	assert_match 'there is no such instance' "$(calfpen forget "$LAB_UPLINK" 2>&1 || true)"
	lease
}

test_U41_bpffs_is_unmounted() {
	local output rc=0 pid
	lease
	pid=$(supervisor_pid)
	umount -l /sys/fs/bpf
	output=$(calfpen get /ip 2>&1) || rc=$?
	assert_eq "1 calfpen: instance $LAB_UPLINK is running (pid $pid), but nothing is pinned in /sys/fs/bpf/calfpen: its bpffs was unmounted or emptied; restart the instance" "$rc $output"
	mount -t bpf bpf /sys/fs/bpf
}

# Which file or directory? The one of the saved store.
test_U41_persist_names_its_directory() {
	lease
	rm -r "/var/lib/calfpen/$LAB_UPLINK"
	calfpen set /control/dhcp4/renew now # changes what is saved
	wait_for 30 persist_fails
}
persist_fails() {
	calfpen status | grep -cF "handler   persist: error: /var/lib/calfpen/$LAB_UPLINK: No such file or directory" >/dev/null
}
