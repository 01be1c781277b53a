# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Several calves say something of one family of keys.

. tests/system/calfpen.sh

configuration=/etc/calfpen/$LAB_UPLINK.yaml

# provider NAME - make $LAB_DIR/NAME, a calf of this name that says what its option tells it to
provider() {
	mkdir -p "$LAB_DIR/$1"
	chmod 755 "$LAB_DIR" "$LAB_DIR/$1"
	cp "$TOP/build/tests/calf/provider/calf-provider" "$LAB_DIR/$1/calf-$1"
	sed "s/provider/$1/g" "$TOP/build/tests/calf/provider/calf.yaml" >"$LAB_DIR/$1/calf.yaml"
}

# configure [NAME=OPTIONS...] [-- LINE...] - dhcp4, these calves and more lines of the configuration
configure() {
	local calf
	calves=()
	echo 'calves:' >"$configuration"
	echo '  dhcp4: {}' >>"$configuration"
	for calf; do
		[ "$calf" != -- ] || break
		provider "${calf%%=*}"
		echo "  ${calf%%=*}: {${calf#*=}}" >>"$configuration"
		calves+=(--calf "$LAB_DIR/${calf%%=*}")
		shift
	done
	[ "${1-}" != -- ] || printf '%s\n' "${@:2}" >>"$configuration"
}

# start_again [NAME=OPTIONS...] [-- LINE...] - with this configuration, and the store as it is
start_again() {
	[ -z "${started[calfpen]-}" ] || stop calfpen || fail "exit code $?"
	configure "$@"
	lease "${calves[@]}"
}

# resolv_conf_is LINE... - below the line of the generator
resolv_conf_is() { [ "$(sed 1d "$LAB_RESOLV")" = "$(printf '%s\n' "$@")" ]; }

# becomes LINE... - resolv.conf soon has these lines
becomes() {
	wait_for 10 resolv_conf_is "$@" || fail "resolv.conf is: $(cat "$LAB_RESOLV")"
}

first='say: nameserver/001=2001:db8::1;nameserver/002=2001:db8::2;search=first.example'
second='say: nameserver/001=2001:db8::53;search=second.example first.example;ntp/001=ntp.example.org'

# One dies, says less when it is back, and is removed. What the others say stays.
test_providers_come_and_go() {
	local before pid
	start_again first="$first" second="$second"
	becomes 'search lab.example corp.example first.example second.example' \
		'nameserver 10.77.0.1' 'nameserver 2001:db8::1' 'nameserver 2001:db8::53'
	assert_eq ntp.example.org "$(grep example "$run/ntp-servers")"
	assert_eq second "$(writer /nameserver/second/001)"
	# it dies, and what it said stays until it has said something else
	before=$(stat -c '%i %y' "$LAB_RESOLV")
	pid=$(calf first pid)
	kill -KILL "$pid"
	wait_for 10 is_replaced first "$pid"
	wait_for 5 has_said_twice first
	assert_eq "$before" "$(stat -c '%i %y' "$LAB_RESOLV")" "resolv.conf was written again"
	# it says less
	start_again first='say: nameserver/001=2001:db8::2' second="$second"
	becomes 'search lab.example corp.example second.example first.example' \
		'nameserver 10.77.0.1' 'nameserver 2001:db8::2' 'nameserver 2001:db8::53'
	fails_to calfpen get /search/first
	# it says nothing
	start_again first= second="$second"
	becomes 'search lab.example corp.example second.example first.example' \
		'nameserver 10.77.0.1' 'nameserver 2001:db8::53' 'nameserver 10.77.0.2'
	# the other one is removed
	start_again first="$first"
	becomes 'search lab.example corp.example first.example' \
		'nameserver 10.77.0.1' 'nameserver 2001:db8::1' 'nameserver 10.77.0.2'
	fails_to calfpen get /nameserver/second/001
	fails_to grep example "$run/ntp-servers"
	start_again
	becomes 'search lab.example corp.example' 'nameserver 10.77.0.1' 'nameserver 10.77.0.2'
}

is_replaced() { [ "$(calf "$1" pid)" != "$2" ] && alive "$(calf "$1" pid)"; }
has_said_twice() { [ "$(grep -c "$1: calf: said" "$LAB_DIR/calfpen.log")" -ge 2 ]; }
fails_to() { ! "$@" >/dev/null 2>&1 || fail "it succeeds: $*"; }

test_operators_order() {
	start_again first="$first" second="$second" -- 'providers: [second, first]'
	becomes 'search second.example first.example lab.example corp.example' \
		'nameserver 2001:db8::53' 'nameserver 2001:db8::1' 'nameserver 10.77.0.1'
}

# The lease is dhcp4's: what others say does not end with it.
test_release_leaves_what_others_say() {
	start_again first="$first"
	calfpen release
	becomes 'search first.example' 'nameserver 2001:db8::1' 'nameserver 2001:db8::2'
}

# Without the right the calf leaves these keys out, and what was there before goes.
test_grants() {
	local audited
	start_again
	becomes 'search lab.example corp.example' 'nameserver 10.77.0.1' 'nameserver 10.77.0.2'
	stop calfpen || fail "exit code $?"
	echo 'calves: {dhcp4: {grants: [address, route]}}' >"$configuration"
	audited=$(wc -l <"$audit")
	calfpen_start
	wait_for 20 is_bound_again
	assert_eq '/mtu /nameserver /search /domain /hostname /ntp /captive-portal' \
		"$(calfpen get /config/dhcp4/withheld)"
	fails_to calfpen get /nameserver/001
	fails_to calfpen get /domain
	assert_eq 0 "$(grep -c nameserver "$LAB_RESOLV" || true)"
	calfpen set /control/dhcp4/renew 1
	wait_for 10 fails_quietly calfpen get /control/dhcp4/renew
	assert_eq 0 "$(tail -n +$((audited + 1)) "$audit" | grep -c denied || true)" "refusals"
	assert_match 'withheld by the operator: link, dns, host, timeservers, portal' \
		"$(calfpen describe "$LAB_UPLINK")"
}

# the address is that of the run before
is_bound_again() {
	[ "$(supervisor_pid)" = "$(pgrep -o calfpen-priv)" ] && calfpen get /config/dhcp4/withheld >/dev/null &&
		has_address && [ "$(calfpen get /lease/state)" = bound ]
}
fails_quietly() { ! "$@" >/dev/null 2>&1; }
