# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# The grammar of requests: a taken-over calf says nothing that a DHCP client does not say.

. tests/system/calfpen.sh

hostile_start() {
	mkdir -p "$LAB_DIR/hostile"
	chmod 755 "$LAB_DIR" "$LAB_DIR/hostile"
	cp "$tools/hostile-requests-calf" "$LAB_DIR/hostile/"
	echo 'calves: {}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	cat >"$LAB_DIR/hostile/calf.yaml" <<'END'
name: hostile
executable: hostile-requests-calf
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
  - {path: /mac, type: mac, access: [read]}
frames:
  - {check: dhcp4, local_port: 68, remote_port: 67, max_frame: 1514, ingress_per_second: 50, ingress_burst: 20, egress_per_second: 1000, egress_burst: 500}
END
	start capture nsenter --net="/run/netns/$LAB_SERVER_NS" -- \
		tcpdump -n -U -i "$LAB_SERVER_IF" -w "$LAB_DIR/other-side.pcap"
	wait_for_line "$LAB_DIR/capture.log" 'listening on' 10
	calfpen_start --calf "$LAB_DIR/hostile"
}

test_F5_hostile_calf_says_nothing_else() {
	local reason expected
	hostile_start
	wait_for_line "$LAB_DIR/calfpen.log" 'frame: many: done' 30
	sleep 0.5
	stop capture INT || true
	expected=$(sed -n 's/.*frame: .*: \(out_[a-z_]*\)$/\1/p' "$LAB_DIR/calfpen.log" |
		grep -v out_accepted | sort)
	assert_eq 50 "$(wc -l <<<"$expected")" "all were tried"
	for reason in $(uniq <<<"$expected"); do
		assert_eq "$(grep -cx "$reason" <<<"$expected")" "$(counter "$reason")" "$reason"
	done
	assert_eq 0 "$(counter out_rate)" "the rate hid nothing"
	assert_eq 0 "$(grep -ac EVIL "$LAB_DIR/other-side.pcap" || true)" "none is on the wire"
	# of 60 that are saved up the lease took at least one; one more may come meanwhile
	assert_match '^14[0-9]$' "$(counter out_transactions)"
	# and it is said, for whoever reads the log at night
	wait_for_line "$LAB_DIR/calfpen.log" 'requests of the calf hostile dropped: more than 120 new transactions an hour' 15
}
