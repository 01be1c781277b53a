# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --lease-time 3600
#
# A flood of malformed replies on the wire, through the filter to the parser.

. tests/system/calfpen.sh

COUNT=1000000 PER_SECOND=50000

# flood COUNT - replies to the calf's last exchange, which the filter lets in
flood() {
	on_server "$tools/malformed-frames" "$LAB_SERVER_IF" "$LAB_UPLINK_MAC" "$(live_xid)" "$1" \
		"$PER_SECOND"
}

# The xid of the calf's last exchange, as the filter remembers it.
live_xid() {
	bpftool map dump pinned "$pins/frame_xids" -j | python3 -c 'import json, sys
entries = [entry["formatted"]["value"] for entry in json.load(sys.stdin)]
xid = max(entries, key=lambda value: value["expires_ns"])["xid"]
print(xid.to_bytes(4, "little").hex())'
}

# discarded - messages that the calf has read and refused, for all reasons
discarded() {
	calfpen status --all --json | python3 -c 'import json, sys
def find(value):
    total = 0
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            total += find(inner)
        elif str(key).startswith("calf_dhcp4_discarded_"):
            total += inner
    return total
print(find(json.load(sys.stdin)))'
}

rss() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(calf_pid)/status"
}

# The shipped description, but for the filter's rate: everything may come; and the calf has
# the time to read it.
open_description() {
	own_description
	echo 'ceilings: {cpu: 100, frames_per_second: 1000000, frame_burst: 1000000}' >"$LAB_DIR/open.yaml"
	sed -i 's/ingress_per_second: [0-9]*, ingress_burst: [0-9]*/ingress_per_second: 1000000, ingress_burst: 1000000/
		s/^limits: {/limits: {cpu: 100, /' \
		"$LAB_DIR/calf/calf.yaml"
	grep -q 'ingress_per_second: 1000000' "$LAB_DIR/calf/calf.yaml"
}

test_C4_05_C4_06_a_million_frames() {
	local pid before read_before accepted rss_before acks
	open_description
	lease --calf "$LAB_DIR/calf" --config "$LAB_DIR/open.yaml"
	pid=$(calf_pid)
	before=$(address)
	# Everything that is used once is used: pages, log lines, servers
	flood 20000
	accepted=$(counter in_accepted)
	read_before=$(discarded)
	rss_before=$(rss)
	acks=$(grep -c DHCPACK "$LAB_SERVER_LOG")
	assert_eq "sent $COUNT" "$(flood "$COUNT")"
	wait_for 5 settled
	accepted=$(($(counter in_accepted) - accepted))
	echo "let in: $accepted, read: $(($(discarded) - read_before)), RSS $rss_before -> $(rss) kB"
	[ "$accepted" -gt $((COUNT * 7 / 10)) ] || fail "the filter let in $accepted"
	[ $(($(discarded) - read_before)) -gt $((COUNT / 2)) ] || fail "the calf read few of them"
	[ "$(rss)" -le $((rss_before + 64)) ] || fail "the calf's memory grew from $rss_before to $(rss) kB"
	assert_eq "$pid" "$(calf_pid)" "the calf was restarted"
	assert_eq 0 "$(state calves 0 restarts)"
	assert_eq "$before" "$(address)"
	# and it goes on
	calfpen set /control/dhcp4/renew now
	wait_for 10 renewed "$acks"
	wait_for 2 lifetime_is_new
	assert_fails grep -q $'[\033\001]' "$LAB_DIR/calfpen.log"
}
settled() {
	local n
	n=$(discarded)
	sleep 0.2
	[ "$n" = "$(discarded)" ]
}
renewed() { [ "$(grep -c DHCPACK "$LAB_SERVER_LOG")" -gt "$1" ]; }
lifetime_is_new() { ip -4 address show dev "$LAB_UPLINK" | grep -cE 'valid_lft (3600|359[0-9])sec' >/dev/null; }

# A record that no gate writes: its subject's gateway ends, and is back with the lease.
test_F1_malformed_record_ends_the_gateway() {
	local gateway before revision
	lease
	gateway=$(gateway_pid)
	before=$(address)
	revision=$(calfpen status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["store"]["revision"])')
	"$tools/forge-record" "$pins/events" 2 "$revision"
	wait_for_line "$audit" '"subject":"operator","verb":"malformed"' 5
	"$tools/forge-record" "$pins/events" 3 "$revision"
	wait_for_line "$audit" "\"revision\":$revision,\"subject\":\"dhcp4\",\"verb\":\"malformed\".*\"reason\":\"change ring: record of 120 bytes: 01000000" 5
	wait_for_line "$LAB_DIR/calfpen.log" 'calfpen: dhcp4: a record of its changes or refusals is malformed; ending the gateway' 5
	wait_for 10 restarted "$gateway"
	wait_for 20 has_lease
	assert_eq "$before" "$(address)"
	assert_eq 1 "$(state calves 0 restarts)"
	assert_eq 0 "$(state watcher_restarts)"
	assert_eq 1 "$(grep -c 'ending the gateway' "$LAB_DIR/calfpen.log")"
	assert_eq 2 "$(calfpen audit --denied | grep -c ' malformed ')"
}
restarted() { [ "$(gateway_pid)" != "$1" ] && alive "$(gateway_pid)"; }
