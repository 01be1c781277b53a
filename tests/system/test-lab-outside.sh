# shellcheck shell=bash disable=SC2016,SC2154 # text for inner shells; lib.sh sets started
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# The lab, seen from outside: it must leave nothing behind, however it ends.
# lab: none

# Everything of the machine that a lab could touch by mistake
machine_state() {
	stat -c '%n %i %Y %s' /etc/resolv.conf
	cat /etc/resolv.conf
	ip -o link
	ip -o address | sed 's/valid_lft.*//'
	ip route
	ls -A /run /etc /var/lib /sys/fs/bpf
	cat /proc/self/mounts /proc/sys/kernel/hostname
}

lab_cgroups() {
	find /sys/fs/cgroup -maxdepth 6 -type d -name 'calfpen-lab-*'
}

# started_lab - a lab that stays, with cgroups made as an OCI runtime makes them
started_lab() {
	start lab tools/lab -- bash -c \
		'find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -printf "%h/$LAB_CGROUP/calf\\n" | xargs -r mkdir -p
		sleep 1000 & echo "ready $LAB_CGROUP"; wait'
	wait_for_line "$LAB_DIR/lab.log" '^ready ' 10
}

# The lab's processes are those in its PID namespace
processes_of() {
	local ns=$1 p
	for p in /proc/[0-9]*; do
		# A zombie is the business of whoever should reap it
		[ "$(readlink "$p/ns/pid" 2>/dev/null)" != "$ns" ] ||
			! alive "${p#/proc/}" || echo "${p#/proc/}"
	done
}

lab_pid_namespace() {
	local unshare
	unshare=$(cat /proc/"${started[lab]}"/task/*/children)
	readlink "/proc/${unshare%% *}/ns/pid_for_children"
}

no_processes() {
	[ -z "$(processes_of "$1")" ]
}

test_exit_status_and_machine_unchanged() {
	local before rc=0
	before=$(machine_state)
	tools/lab -- bash -c 'echo x >/etc/resolv.conf; echo x >/etc/hosts
		mkdir -p /run/x /sys/fs/bpf/x; hostname x; ip link set uplink0 up; exit 7' || rc=$?
	assert_eq 7 "$rc"
	assert_eq "$before" "$(machine_state)" "the machine was changed"
}

test_sigkill_leaves_nothing() {
	local before ns name
	before=$(machine_state)
	started_lab
	name=$(sed -n 's/^ready //p' "$LAB_DIR/lab.log")
	ns=$(lab_pid_namespace)
	assert_match 'pid:' "$ns"
	assert_fails no_processes "$ns"
	assert_match "$name" "$(lab_cgroups)" "the lab made no cgroup"
	stop lab KILL || true
	wait_for 5 no_processes "$ns"
	assert_eq "$before" "$(machine_state)" "the machine was changed"
	# Only cgroups may stay, until the next lab starts
	tools/lab --no-server -- true
	assert_eq "" "$(lab_cgroups | grep -F "$name" || true)" "cgroups not swept"
}

test_sigterm_ends_the_lab_at_once() {
	local ns name rc=0
	started_lab
	name=$(sed -n 's/^ready //p' "$LAB_DIR/lab.log")
	ns=$(lab_pid_namespace)
	stop lab TERM || rc=$?
	assert_eq 143 "$rc"
	wait_for 1 no_processes "$ns"
	assert_eq "" "$(lab_cgroups | grep -F "$name" || true)" "cgroups not swept"
}

test_two_labs_at_once() {
	local name
	started_lab
	name=$(sed -n 's/^ready //p' "$LAB_DIR/lab.log")
	tools/lab -- true
	assert_match "$name" "$(lab_cgroups)" "a live lab's cgroup was swept"
	alive "${started[lab]}" || fail "the first lab is gone"
}

# In a mount namespace of its own, where /etc may be changed: the link's target
# is bound over if it exists and is made (in the lab only) if it does not.
resolv_link() {
	unshare --mount bash -euc '
		mount -t tmpfs t /mnt; mkdir /mnt/u /mnt/w
		mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w o /etc
		mount -t tmpfs t /run
		rm /etc/resolv.conf; ln -s "$1" /etc/resolv.conf
		if [ "$2" = there ]; then mkdir -p /run/resolvconf; echo machine >/run/resolvconf/resolv.conf; fi
		tools/lab --no-server -- bash -c "cat /etc/resolv.conf; echo x >/etc/resolv.conf; readlink /etc/resolv.conf || true"
		if [ "$2" = there ]; then cat /run/resolvconf/resolv.conf; else find /run/resolvconf /nowhere 2>/dev/null || true; fi
		' - "$@"
}

test_resolv_conf_is_a_link() {
	assert_eq $'# lab\n/run/resolvconf/resolv.conf\nmachine' \
		"$(resolv_link /run/resolvconf/resolv.conf there)"
	assert_eq $'# lab\n../run/resolvconf/resolv.conf' \
		"$(resolv_link ../run/resolvconf/resolv.conf dangling)"
	assert_eq '# lab' "$(resolv_link /nowhere/resolv.conf dangling)"
}

test_without_root_one_clear_line() {
	local out
	out=$(setpriv --reuid 65534 --regid 65534 --clear-groups tools/lab -- true 2>&1) || true
	assert_eq "lab: needs root (to create namespaces and mounts)" "$out"
}

test_bad_server_option_is_an_error() {
	local out rc=0
	out=$(tools/lab --server-option 'no-such-option=1' -- true 2>&1) || rc=$?
	assert_eq 1 "$rc"
	assert_match 'no-such-option|line 18|bad option' "$out"
}
