# shellcheck shell=bash disable=SC2154,SC2034,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# calfpen.sh - what the tests of the whole system share
#
# Usage: . tests/system/calfpen.sh, at the top of a test file.

PATH=$TOP/build/bin:$PATH:/usr/sbin:/sbin
pins=/sys/fs/bpf/calfpen/$LAB_UPLINK
run=/run/calfpen/$LAB_UPLINK
audit=/var/log/calfpen/$LAB_UPLINK.audit.jsonl
tools=$TOP/build/tests/tools

pen=$TOP/build/lib/calfpen/calfpen-pen

# calfpen_start [OPTION...] - in the background, as ${started[calfpen]}; with the OCI runtime
# $CALFPEN_RUNTIME, if that is set
calfpen_start() {
	start calfpen calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" \
		${CALFPEN_RUNTIME:+--runtime "$CALFPEN_RUNTIME"} "$@"
}

# The shipped description, to be changed by the test, and used instead: --calf "$LAB_DIR/calf"
own_description() {
	mkdir -p "$LAB_DIR/calf"
	chmod 755 "$LAB_DIR" "$LAB_DIR/calf"
	cp "$TOP/build/lib/calfpen/calves/dhcp4/"* "$LAB_DIR/calf/"
}

has_address() {
	[ -n "$(ip -4 -oneline address show dev "$LAB_UPLINK")" ]
}

# What a killed life left behind is no lease of this one.
has_lease() {
	[ "$(supervisor_pid)" = "$(pgrep -o calfpen-priv)" ] && alive "$(calf_pid)" &&
		[ -e "/sys/class/net/$(state tap)" ] && has_address && [ -n "$(ip -4 route show default)" ] &&
		grep -q ^nameserver "$LAB_RESOLV" && calfpen get /ip >/dev/null
}

# lease [OPTION...] - start and wait for a lease that has reached the host
lease() {
	calfpen_start "$@"
	wait_for 20 has_lease
}

# other_calf PROGRAM [KEY...] - make $LAB_DIR/hostile, a calf whose keys are lines of its
# description, and which is the only one: --calf "$LAB_DIR/hostile"
other_calf() {
	local program=$1
	shift
	mkdir -p "$LAB_DIR/hostile"
	chmod 755 "$LAB_DIR" "$LAB_DIR/hostile"
	cp "$tools/$program" "$LAB_DIR/hostile/"
	echo 'calves: {}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	cat >"$LAB_DIR/hostile/calf.yaml" <<END
name: hostile
executable: $program
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
$(printf '  - {%s}\n' 'path: /mac, type: mac, access: [read]' "$@")
frames:
  - {check: dhcp4, local_port: 68, remote_port: 67, max_frame: 1514, ingress_per_second: 50, ingress_burst: 20, egress_per_second: 20, egress_burst: 10}
END
}

# A /dev of our own: the lab's is the machine's.
private_dev() {
	local node
	mkdir -p "$LAB_DIR/dev/net" "$LAB_DIR/dev/pts"
	for node in null zero full random urandom tty net/tun; do
		: >"$LAB_DIR/dev/$node"
		mount --bind "/dev/$node" "$LAB_DIR/dev/$node"
	done
	mount --rbind /dev/pts "$LAB_DIR/dev/pts"
	ln -s /proc/self/fd "$LAB_DIR/dev/fd"
	mount --rbind "$LAB_DIR/dev" /dev
}

address() {
	ip -4 -oneline address show dev "$LAB_UPLINK" | awk '{ print $4 }'
}

# state FILTER - of what the supervisor says about itself
state() {
	python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for step in sys.argv[2:]:
    value = value[int(step)] if step.isdigit() else value[step]
print(value)' "$run/state.json" "$@"
}

supervisor_pid() { state pid; }
launcher_pid() { state launcher_pid; }
watcher_pid() { state watcher_pid; }
calf_pid() { state calves 0 pid; }
gateway_pid() { state calves 0 gateway_pid; }

# calf NAME MEMBER - of what the supervisor says about a calf
calf() {
	python3 -c 'import json, sys
calves = {calf["name"]: calf for calf in json.load(open(sys.argv[1]))["calves"]}
print(calves[sys.argv[2]][sys.argv[3]])' "$run/state.json" "$@"
}

# uids NAME - of the gateway of this calf, and of itself
uids() {
	local pid
	for pid in $(calf "$1" gateway_pid) $(calf "$1" pid); do
		awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status"
	done
}

# writer PATH - the subject that wrote the key
writer() { calfpen get --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["subject"])'; }

# accepted NAME - commits of this subject
accepted() {
	calfpen status --json | python3 -c 'import json, sys
print(next(s["accepted"] for s in json.load(sys.stdin)["store"]["subjects"] if s["name"] == sys.argv[1]))' "$1"
}

no_process() { [ -z "$(pgrep 'calfpen-|calf-|idle-calf')" ]; }
kill_all() {
	kill -KILL "$(supervisor_pid)"
	wait_for 5 no_process
}

# forged_frames LEAST COUNTER - a hostile calf has tried at least so many frames; each was counted by
# the reason that it expects, and none has reached the other side. COUNTER REASON prints a count.
forged_frames() {
	local reason expected
	expected=$(sed -n 's/.*frame: .*: \(out_[a-z_]*\)$/\1/p' "$LAB_DIR/calfpen.log" | sort)
	[ "$(wc -l <<<"$expected")" -ge "$1" ] || fail "some frames were not tried"
	for reason in $(uniq <<<"$expected"); do
		assert_eq "$(grep -cx "$reason" <<<"$expected")" "$("${@:2}" "$reason")" "$reason"
	done
	assert_eq 0 "$("${@:2}" out_rate)" "the rate hid nothing"
	assert_eq 0 "$(grep -ac HOSTILE "$LAB_DIR/other-side.pcap" || true)"
}

# counter NAME - frames counted for a reason
counter() {
	{ calfpen status --all --json || [ $? -eq 8 ]; } | python3 -c 'import json, sys
def find(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == sys.argv[1]:
                return inner["packets"] if isinstance(inner, dict) else inner
            found = find(inner)
            if found is not None:
                return found
    if isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict) and sys.argv[1] in (inner.get("reason"), inner.get("name")):
                return inner["packets"]
            found = find(inner)
            if found is not None:
                return found
print(find(json.load(sys.stdin)) or 0)' "$1"
}

# No process, pin, link or device of ours is left behind.
assert_nothing_left() {
	assert_eq "" "$(pgrep -a 'calfpen-|calf-dhcp4' || true)" "processes left"
	assert_eq "" "$(ip -brief link show | grep '^calf' || true)" "a tap is left"
	[ ! -e "$run/state.json" ] || fail "state.json is left"
}

second=uplink1

# second_network - behind the uplink "uplink1", made here too
second_network() {
	ip netns add second
	ip link add "$second" address 02:00:00:00:78:02 type veth peer name server1 netns second
	ip -netns second link set lo up
	ip -netns second link set server1 up
	ip -netns second address add 10.78.0.1/24 dev server1
	cat >"$LAB_DIR/second.conf" <<-END
		interface=server1
		bind-interfaces
		port=0
		user=root
		group=root
		dhcp-authoritative
		no-ping
		pid-file=$LAB_DIR/second.pid
		dhcp-leasefile=$LAB_DIR/second.leases
		dhcp-range=10.78.0.100,10.78.0.199,255.255.255.0,120
		dhcp-option=option:router,10.78.0.1
		dhcp-option=option:dns-server,10.78.0.53
		domain=second.example
	END
	start second-server ip netns exec second dnsmasq --keep-in-foreground \
		--conf-file="$LAB_DIR/second.conf" --log-facility=-
}
