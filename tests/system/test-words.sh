# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# What calfpen makes of its words: options in front of "run", words that do not
# exist, exit codes of wrong usage.

. tests/system/calfpen.sh

# usage TEXT COMMAND... - exit code 2 and one line, which contains the text
usage() {
	local text=$1 output code=0
	shift
	output=$("$@" 2>&1 </dev/null) || code=$?
	assert_eq 2 "$code" "exit code of: $* ($output)"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)" "one line of: $output"
	[[ $output == *"$text"* ]] || fail "$*: no '$text': $output"
	assert_nothing_left
}

test_U31_instance_before_run() {
	run=/run/calfpen/blue
	start calfpen calfpen --instance blue run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP"
	wait_for 20 has_lease
	wait_for_line "$LAB_DIR/calfpen.log" 'instance blue running' 5
	assert_match '^instance  blue, running' "$(calfpen --instance blue status)"
	stop calfpen || fail "exit code $?"
	calfpen --instance blue forget
	[ ! -e /sys/fs/bpf/calfpen/blue ] || fail "not forgotten"
}

# The last one counts, as usual.
test_U31_instance_before_and_after_run() {
	run=/run/calfpen/red
	start calfpen calfpen --instance=blue run --instance red --interface "$LAB_UPLINK" \
		--cgroup-parent "$LAB_CGROUP"
	wait_for 20 has_lease
	stop calfpen || fail "exit code $?"
}

test_U31_options_that_run_has_not() {
	local option
	for option in --json --all -l -f --denied --create; do
		usage "run has no option $option" calfpen "$option" run --interface "$LAB_UPLINK"
	done
	usage 'run has no option --json' calfpen --instance blue --json run --interface "$LAB_UPLINK"
}

# Whichever program finds it
test_U42_wrong_usage() {
	local priv=$TOP/build/lib/calfpen/calfpen-priv
	usage '--bogus' calfpen run --bogus
	usage '--bogus' calfpen --bogus run
	usage '-x: unknown option' calfpen run -xi "$LAB_UPLINK"
	usage 'name the interface with --interface' calfpen run
	usage 'needs a value' calfpen run --interface
	usage 'eth0' calfpen run eth0
	usage '--mode' calfpen run --interface "$LAB_UPLINK" --mode fast
	usage '--uid-base' calfpen run --interface "$LAB_UPLINK" --uid-base 5
	usage '--instance' calfpen run --interface "$LAB_UPLINK" --instance ../x
	usage '--cgroup-parent' calfpen run --interface "$LAB_UPLINK" --cgroup-parent /x
	usage '--role' "$priv" --role nobody
	usage '--help' "$TOP/build/lib/calfpen/calfpen-gateway" --help
	usage 'get has no option -f' calfpen -f get /ip
	usage 'invalid instance name' calfpen forget ../x
}

# What fails for another reason has another code.
test_U42_other_failures() {
	local code=0
	calfpen run --interface no-such0 2>/dev/null || code=$?
	assert_eq 1 "$code"
	code=0
	calfpen run --interface "$LAB_UPLINK" --calf /no/such/directory 2>/dev/null || code=$?
	assert_eq 1 "$code"
	code=0
	calfpen status 2>/dev/null || code=$?
	assert_eq 1 "$code"
}

test_U42_tools() {
	usage '--bogus' tools/pktgen --bogus 1
	usage '--bogus' tools/demo --bogus
	usage '--bogus' tools/lab --bogus
	usage '--bogus' tools/bootstrap --bogus
	usage '--bogus' tools/clean-room --bogus
	usage 'bogus' tools/bench/run bogus
	usage 'bogus' tests/run bogus
	usage 'bogus' tests/system/run bogus
}

# With the rights that the shipped calf's description gives the operator
test_U36_set_of_no_such_key() {
	local output code=0
	lease
	output=$(calfpen set /control/dhcp4/renw now 2>&1) || code=$?
	assert_eq 3 "$code"
	assert_eq "calfpen: there is no such key: /control/dhcp4/renw; keys that you may set: /control/dhcp4/release /control/dhcp4/renew" "$output"
	code=0
	output=$(calfpen set /ip 10.0.0.1/8 2>&1) || code=$?
	assert_eq 4 "$code"
	assert_match 'may not write it; keys that you may set: /control/dhcp4/release /control/dhcp4/renew$' "$output"
	# a request to a calf, but not the operator's
	code=0
	output=$(calfpen set /control/dhcp4/stop 1 2>&1) || code=$?
	assert_eq 3 "$code"
	assert_eq $'/control/dhcp4/release\n/control/dhcp4/renew' "$(calfpen ls --settable)"
	# in a shell as people have it
	assert_eq '/control/dhcp4/' "$(completed calfpen set /control/)"
	assert_eq '/control/dhcp4/release /control/dhcp4/renew' "$(completed calfpen set /control/dhcp4/)"
	assert_eq now "$(completed calfpen set /control/dhcp4/renew '')"
	assert_eq "$LAB_UPLINK" "$(completed calfpen run --interface '')"
}

# completed WORD... - what is offered for the last one
completed() {
	# shellcheck disable=SC2016 # for the inner shell
	bash --norc -uc '. packaging/completion/calfpen
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _calfpen; echo "${COMPREPLY[*]-}"' - "$@"
}

test_U36_words_that_are_meant() {
	usage "use \`calfpen renew\`" calfpen rebind
	usage 'did you mean status?' calfpen statsu
	assert_eq "$(calfpen run --help)" "$(calfpen help run)"
	assert_eq "$(calfpen --version)" "$(calfpen run -V)"
	assert_eq "$(calfpen --version)" "$(calfpen version)"
	assert_eq "$(calfpen help ls)" "$(calfpen ls --help)"
}
