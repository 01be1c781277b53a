# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What an instance leaves of its cgroups: nothing that it has made.

. tests/system/calfpen.sh

# directories - cgroups of this lab in all hierarchies
directories() {
	find /sys/fs/cgroup -depth -type d -path "*$LAB_CGROUP*" 2>/dev/null || true
}

has_cgroup() { [[ $(directories) == *"$1"* ]]; }

modes() { stat -c '%a %n' /sys/fs/cgroup/*; }

test_U43_stop_removes_the_cgroups() {
	local before
	before=$(modes)
	lease
	assert_match "$LAB_CGROUP/$LAB_UPLINK-dhcp4" "$(directories)"
	stop calfpen || fail "exit code $?"
	assert_eq '' "$(directories)"
	assert_eq "$before" "$(modes)" "modes of the hierarchies' roots"
}

# quota - of one CPU, percent, as the kernel has it for the calf
quota() {
	local directory
	for directory in $(directories); do
		[[ $directory == */"$LAB_UPLINK-dhcp4" ]] || continue
		if [ -f "$directory/cpu.cfs_quota_us" ]; then
			echo $(($(<"$directory/cpu.cfs_quota_us") * 100 / $(<"$directory/cpu.cfs_period_us")))
		elif [ -f "$directory/cpu.max" ]; then
			awk '{ print $1 * 100 / $2 }' "$directory/cpu.max"
		fi
	done
}

test_F10_cpu_time_is_limited() {
	lease
	assert_eq 10 "$(quota)" "default"
	stop calfpen || fail "exit code $?"
	own_description
	sed -i 's/^limits: {/limits: {cpu: 5, /' "$LAB_DIR/calf/calf.yaml"
	lease --calf "$LAB_DIR/calf"
	assert_eq 5 "$(quota)"
	assert_fails grep 'CPU time is not limited' "$LAB_DIR/calfpen.log"
}

# in a cgroup of others, and two levels deep
test_U43_only_what_was_made() {
	local hierarchy
	while read -r hierarchy; do
		mkdir -p "$hierarchy/$LAB_CGROUP"
	done < <(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts)
	start calfpen calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP/a/b"
	wait_for 20 has_lease
	assert_match "$LAB_CGROUP/a/b/$LAB_UPLINK-dhcp4" "$(directories)"
	stop calfpen || fail "exit code $?"
	assert_eq '' "$(directories | grep -v "/$LAB_CGROUP\$" || true)"
	assert_match "/$LAB_CGROUP" "$(directories)" "it was there before"
}

test_U43_the_last_of_two_removes_them() {
	start first calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	wait_for 20 has_lease
	ip link add up1 type veth peer name up2
	start second calfpen run --interface up1 --cgroup-parent "$LAB_CGROUP" --uid-base 1878001000
	wait_for 10 grep -q 'instance up1 running' "$LAB_DIR/second.log"
	wait_for 10 has_cgroup up1-dhcp4
	# its calf is not there just now, but it needs the parent again
	kill -KILL "$(run=/run/calfpen/up1 calf_pid)"
	wait_for_line "$LAB_DIR/second.log" 'restarting it' 5
	stop first || fail "exit code $?"
	wait_for 10 has_cgroup up1-dhcp4
	! grep -q 'cannot be started' "$LAB_DIR/second.log" || fail "the parent is gone"
	stop second || fail "exit code $?"
	assert_eq '' "$(directories)"
}

# What a killed instance left goes with the next one; so does that of a start that fails.
test_U43_after_a_kill() {
	lease
	kill -KILL "$(supervisor_pid)"
	wait "${started[calfpen]}" || true
	assert_match "$LAB_CGROUP" "$(directories)"
	wait_for 5 not pgrep 'calfpen-'
	lease
	stop calfpen || fail "exit code $?"
	assert_eq '' "$(directories)"
	umount /sys/fs/bpf
	assert_fails calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	assert_eq '' "$(directories)"
}
