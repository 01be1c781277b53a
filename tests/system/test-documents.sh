# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Manual pages, help and completion against what the programs take and leave.

. tests/system/calfpen.sh

page=docs/man/calfpen.8

# synopsis, exit_status - these parts of the page
synopsis() { sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$page"; }
exit_status() { sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' "$page"; }

# options TEXT - the long options in a help text, one a line
options() { grep -oE -- '--[a-z][a-z-]+' <<<"$1" | sort -u; }

# completed WORD... - what is offered for the last one
completed() {
	# shellcheck disable=SC2016 # for the inner shell
	bash --norc -uc '. packaging/completion/calfpen
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _calfpen; echo "${COMPREPLY[*]-}"' - "$@"
}

test_U50_options() {
	local option command offered
	for option in $(options "$(calfpen run --help)"); do
		sed -n '/^\.Sh RUN OPTIONS/,/^\.Sh SIGNALS/p' "$page" | grep -c "^\.It.* -${option#--}\b" >/dev/null ||
			fail "calfpen(8): no $option of run"
		[[ " $(completed calfpen run --) " == *" $option "* ]] || fail "completion: no $option of run"
		# it is one: another message than for an unknown option
		[[ $(calfpen run "$option" 2>&1 || true) != *"unknown option"* ]] || fail "run: no $option"
	done
	for option in $(options "$(calfpen help)"); do
		grep -qE "^\.(It|Op) .*-${option#--}\b" "$page" || fail "calfpen(8): no $option"
	done
	for command in $(completed calfpen ''); do
		synopsis | grep -cx "\.Cm $command" >/dev/null || fail "calfpen(8): no synopsis of $command"
		offered=$(completed calfpen "$command" --)
		for option in $offered; do
			[[ $(calfpen "$command" "$option" 2>&1 </dev/null || true) != *"has no option"* ]] ||
				fail "completion: $command $option"
		done
	done
}

# The same exit codes, with the same meaning of 2
test_U50_exit_codes() {
	local number code=0
	for number in $(calfpen help | sed -n '/^Exit status/,$p' | grep -oE '(^|[ ,:])[0-9]( |$)'); do
		exit_status | grep -cx "\.It $number" >/dev/null || fail "calfpen(8): no exit code $number"
	done
	assert_match 'Usage error, also of'$'\n''\.Cm run' "$(exit_status)"
	calfpen run --bogus 2>/dev/null || code=$?
	assert_eq 2 "$code"
}

# Every file of an instance is on a page.
test_U50_files() {
	local path name
	echo 'use: {domain: false}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	lease
	for path in "/run/calfpen/$LAB_UPLINK"/* "/var/lib/calfpen/$LAB_UPLINK"/* "/var/log/calfpen"/*; do
		name=${path//$LAB_UPLINK/INSTANCE}
		[[ $name != */calf-* ]] || name=/run/calfpen/INSTANCE/calf-NAME
		[[ $name != *.until ]] || name=/run/calfpen/INSTANCE/FILE.until
		# to restore what was there before
		[[ $name != *.saved ]] || continue
		grep -q "^\.It Pa.* $name\b" "$page" || fail "calfpen(8): no $name"
	done
	"$pen" --root "$run/oci" state "calfpen-$LAB_UPLINK-dhcp4" | grep '"running"'
}

# One word for a pid, one line for each label that is not of a list
test_U50_status() {
	local status label
	lease
	status=$(calfpen status)
	assert_match "^instance  $LAB_UPLINK, running, pid $(supervisor_pid)"$'\n' "$status"
	assert_match $'\nwatcher   pid '"$(watcher_pid)" "$status"
	for label in instance lease uplink mode runtime watcher store memory; do
		assert_eq 1 "$(grep -c "^$label " <<<"$status")" "$label"
	done
	assert_match "uplink    $LAB_UPLINK, tap calf0, quarantine: off"$'\n' "$status"
}

# The numbers of the metric are those of the state that the key has in words.
test_U50_metric_of_the_state() {
	local number
	lease
	number=$(calfpen status | sed -n 's/^metric .*calf_dhcp4_state //p')
	assert_eq bound "$(calfpen get /lease/state)"
	awk -F ' *[|] *' -v number="$number" '
		/^[|] 0 [|]/ { for (i = 2; i < NF; i++) if ($i == number) column = i; next }
		column && /^[|] INIT/ { exit $column != "BOUND" }
		END { if (!column) exit 1 }' docs/dhcpv4.md || fail "docs/dhcpv4.md: state $number is not BOUND"
}
