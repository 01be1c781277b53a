# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# calfpen, calfpen-priv, calfpen-gateway and calfpen-pen built with the address and undefined
# behaviour sanitizers (make asan-programs). The calf is the usual one.

. tests/system/calfpen.sh

PATH=$TOP/build/asan/bin:$PATH
# Not asked about its options: who asks it has too little memory for a sanitizer.
dhcp4=$LAB_DIR/calf
own_description
sed -i 's/^checks_options: true/checks_options: false/' "$dhcp4/calf.yaml"
# of calfpen itself; the other programs have it built in (tests/sanitizers.c)
export ASAN_OPTIONS=detect_leaks=0

# A process that is confined may die of its system call filter while it reports.
assert_sane() {
	local found
	found=$(grep -E 'Sanitizer|runtime error|killed by signal|exited with code' "$LAB_DIR"/*.log || true)
	assert_eq '' "$found" "sanitizers"
}

# sane CODES COMMAND... - it exits with one of the codes
sane() {
	local codes=$1 code=0
	shift
	"$@" </dev/null >>"$LAB_DIR/words.log" 2>&1 || code=$?
	[[ " $codes " == *" $code "* ]] || fail "exit code $code: $*: $(tail -n 3 "$LAB_DIR/words.log")"
}

lease_of_blue() {
	run=/run/calfpen/blue
	start calfpen calfpen --instance blue run --interface "$LAB_UPLINK" \
		--cgroup-parent "$LAB_CGROUP" --calf "$dhcp4" "$@"
	wait_for 20 has_lease
}

test_U31_instance_before_run() {
	lease_of_blue
	assert_match '^instance  blue, running' "$(calfpen status)"
	[ -d /sys/fs/bpf/calfpen/blue ] || fail "no such instance"
	stop calfpen || fail "exit code $?"
	assert_sane
}

# What the command line makes of its words, with and without an instance
test_U31_every_word() {
	sane '1' calfpen status
	lease_of_blue
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # a list
		sane '0' calfpen $words
	done <<-'END'
		help
		help set
		help run
		version
		ls
		ls -l /lease
		ls --settable
		ls --settable --json
		--json ls
		get /ip
		get -l /ip
		--instance blue get --json /ip
		set /control/dhcp4/renew now
		del /control/dhcp4/renew
		renew
		--json renew blue blue/dhcp4
		status
		status --all
		status --json
		audit
		audit --json --subject operator --path /control
		audit --denied
		audit --verify
		audit --verify --json
		frames
		frames --json --dropped
		frames --reason in_accepted
		run --help
		run --version
	END
	while read -r words; do
		# shellcheck disable=SC2086 # a list
		sane '1 2 3 4 5' calfpen $words
	done <<-END
		rebind
		renew red
		release blue/no blue/a/b
		statsu
		help frobnicate
		--json run
		--instance
		--instance .. ls
		ls -lx
		ls --json=1
		get /no/such
		get ip
		set /control/dhcp4/renw now
		set /ip x
		del /ip
		set --if-revision 1 /control/dhcp4/renew now
		--instance red status
		forget blue
		frames --reason no_such
		run --bogus
		run --interface
		run -xz
		run --calf $dhcp4 --interface no-such0
		--instance red run --calf $dhcp4 --interface lo
		--instance blue run --calf $dhcp4 --interface $LAB_UPLINK
	END
	sane '0 5' calfpen set --create /control/dhcp4/renew -- -1
	echo 'set /control/dhcp4/renew now' >"$LAB_DIR/changes"
	sane 0 calfpen commit "$LAB_DIR/changes"
	echo 'set /ip x' >"$LAB_DIR/changes"
	sane 4 calfpen commit "$LAB_DIR/changes"
	sane 0 calfpen frames --pcap "$LAB_DIR/frames.pcapng"
	start watch calfpen watch --json /
	wait_for_line "$LAB_DIR/watch.log" synced 5
	stop watch
	stop calfpen || fail "exit code $?"
	sane 8 calfpen ls
	sane 8 calfpen set /control/dhcp4/renew now
	sane 0 calfpen forget blue
	sane 0 calfpen forget
	assert_sane
}

# The ways of the privileged half: take-over, quarantine, signals, restarts
test_U31_roles() {
	printf 'metric: 5\ncalves: {dhcp4: {hostname: web1}}\ndns: {prepend: [127.0.0.1]}\n' >/etc/calfpen/blue.yaml
	lease_of_blue --takeover --quarantine=5 --verbose
	kill -s USR2 "$(supervisor_pid)"
	wait_for_line "$LAB_DIR/calfpen.log" 'reopened the audit log' 5
	calfpen set /control/dhcp4/renew now
	wait_for 5 not calfpen get /control/dhcp4/renew
	calfpen set /control/dhcp4/release now
	wait_for 5 not has_address
	calfpen set /control/dhcp4/renew now
	wait_for 10 has_lease
	ip addr flush dev "$LAB_UPLINK"
	wait_for 10 has_lease
	ip link set "$LAB_UPLINK" down
	ip link set "$LAB_UPLINK" up
	wait_for 10 has_lease
	assert_sane
	local process
	for process in watcher_pid gateway_pid calf_pid; do
		local before
		before=$("$process")
		kill -KILL "$before"
		wait_for 10 is_other "$process" "$before"
		wait_for 10 has_lease
	done
	# Those that were killed here, and no others. A gateway whose calf is gone exits, and
	# the sanitizers then make system calls that it may not make.
	assert_eq 3 "$(grep -c 'restarting it' "$LAB_DIR/calfpen.log")"
	sed -i '/killed by signal 9; rest/d; /calf exited with code 0; rest/d; /gateway was killed by signal 31; rest/d' "$LAB_DIR/calfpen.log"
	stop calfpen || fail "exit code $?"
	assert_sane
}
is_other() {
	local pid
	pid=$("$1") && [ "$pid" != 0 ] && [ "$pid" != "$2" ]
}
