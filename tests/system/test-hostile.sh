# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --no-server
#
# A server that breaks rules, through the real filter and the real sandbox. Only
# the rates of filter and store are lifted: cases follow each other at once.

. tests/system/calfpen.sh

ceilings='ceilings: {requests_per_second: 1000000, request_burst: 1000000, audit_bytes_per_second: 1000000000, audit_burst: 1000000000, frames_per_second: 1000000, frame_burst: 1000000}'

# hostile GROUP [LINE...] - start with these lines as configuration, run a group
# of cases; each prints a result of its own
hostile() {
	own_description
	sed -i -e 's/\(_per_second\|_burst\): [0-9]*/\1: 1000000/g' \
		-e 's/request_burst: [0-9]*/&, audit_bytes_per_second: 1000000000, audit_burst: 1000000000/' \
		"$LAB_DIR/calf/calf.yaml"
	# a group begins more transactions in a minute than a client in an hour
	printf '%s\n' "${@:2}" "$ceilings" "transactions_per_hour: 3600000" >"$LAB_DIR/configuration.yaml"
	calfpen_start --calf "$LAB_DIR/calf" --config "$LAB_DIR/configuration.yaml"
	wait_for 10 calf_is_ready
	tests/system/hostile-server "$1"
}
calf_is_ready() { alive "$(calf_pid)" && calfpen get /mac; }

test_requests() { hostile requests; }
test_quirks() { hostile quirks; }
test_attacks() { hostile attacks; }
test_native() { hostile native 'mode: native'; }
test_frames_native() { hostile frames 'mode: native'; }
test_frames_generic() { hostile frames 'mode: generic'; }
test_frames_tc() { hostile frames 'mode: tc'; }
test_impatient() { hostile impatient 'calves: {dhcp4: {first_retransmission: 1000}}'; }
test_renewals() { hostile renewals; }
test_restarts() { hostile restarts 'calves: {dhcp4: {first_retransmission: 1000}}'; }
test_operator() {
	hostile operator 'calves: {dhcp4: {client_id: none, hostname: box.lab.example,' \
		'  broadcast: 1, use_hostname: 1, classless: 0, parameters: 252}}'
}
