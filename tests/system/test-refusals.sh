# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
#
# What cannot be started says why in one line, exits with 1, leaves nothing.

. tests/system/calfpen.sh

# refused REGEX COMMAND... - exit code 1, exactly one line that matches
refused() {
	local regex=$1 output code=0
	shift
	output=$("$@" 2>&1 </dev/null) || code=$?
	assert_eq 1 "$code" "exit code of: $* ($output)"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)" "one line of: $output"
	assert_match "$regex" "$output"
	assert_nothing_left
	[ ! -e "$pins" ] || fail "$pins is left"
}

run_calfpen() {
	calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" "$@"
}

test_no_such_interface() {
	refused 'nosuch0.*no such interface' calfpen run --interface nosuch0
}

test_not_an_ethernet_interface() {
	refused 'lo: not an Ethernet interface' calfpen run --interface lo
	ip tuntap add dev tun7 mode tun
	refused 'tun7: not an Ethernet interface' calfpen run --interface tun7
	ip link del tun7
}

test_not_root() {
	# the build tree may lie below a directory that only root can enter
	mkdir -p "$LAB_DIR/copy"
	chmod 755 "$LAB_DIR" "$LAB_DIR/copy"
	cp -r "$TOP/build/bin" "$TOP/build/lib" "$LAB_DIR/copy/"
	refused 'root' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$LAB_DIR/copy/bin/calfpen" run --interface "$LAB_UPLINK"
}

test_bad_configuration() {
	printf 'metric: 10\nmode: fast\n' >"$LAB_DIR/bad.yaml"
	refused "$LAB_DIR/bad.yaml:2: .*" run_calfpen --config "$LAB_DIR/bad.yaml"
	printf 'metric: 10\nmetrik: 10\n' >"$LAB_DIR/bad.yaml"
	refused "$LAB_DIR/bad.yaml:2: .*metrik" run_calfpen --config "$LAB_DIR/bad.yaml"
	refused "$LAB_DIR/absent.yaml" run_calfpen --config "$LAB_DIR/absent.yaml"
}

test_bad_description() {
	mkdir "$LAB_DIR/calf"
	sed 's/type: mac/type: mack/' build/lib/calfpen/calves/dhcp4/calf.yaml >"$LAB_DIR/calf/calf.yaml"
	cp build/lib/calfpen/calves/dhcp4/calf-dhcp4 "$LAB_DIR/calf/"
	refused 'calf.yaml:[0-9]+: .*mack' run_calfpen --calf "$LAB_DIR/calf"
}

# own_tree - a tree whose dhcp4 can be changed, so that calfpen check finds it, too
own_tree() {
	mkdir -p "$LAB_DIR/tree"
	chmod 755 "$LAB_DIR" "$LAB_DIR/tree"
	cp -r "$TOP/build/bin" "$TOP/build/lib" "$LAB_DIR/tree/"
	shipped=$LAB_DIR/tree/lib/calfpen/calves/dhcp4/calf.yaml
}

# host_state - what a start changes first
host_state() {
	ip -oneline address show
	ip -oneline link show
	find /sys/fs/bpf /run/calfpen /var/log/calfpen /var/lib/calfpen 2>/dev/null | sort
	sha256sum /etc/resolv.conf 2>/dev/null || true
}

# A description asks for what is the host's: no start, no change, and check says the same.
test_F10_description_that_claims_the_host() {
	local before row line output shipped PATH=$PATH
	own_tree
	PATH=$LAB_DIR/tree/bin:$PATH
	before=$(host_state)
	for row in \
		'path: /mac, type: mac, access: [read, watch, write]' \
		'path: /mac/, type: mac, count: 2, access: [write]' \
		'path: /link, type: text, access: [read, write]' \
		'path: /link/macs/, type: text, count: 2, access: [read, delete]' \
		'path: /address, type: ipv4-net, access: [write]' \
		'path: /host/name, type: hostname, access: [delete]' \
		'path: /status/quarantine, type: text, access: [write]' \
		'path: /status/, type: text, count: 8, access: [write]' \
		'path: /control/dhcp4/renew, type: text, access: [read, write]' \
		'path: /config, type: text, access: [write]' \
		'path: /, type: text, count: 8, access: [write]'; do
		cp "$TOP/build/lib/calfpen/calves/dhcp4/calf.yaml" "$shipped"
		sed -i "/^  - {path: \/\(mac\|link\|link\/macs\/\|address\|host\/name\|control\/dhcp4\/renew\),/d
/^keys:/a\\  - {$row}" "$shipped"
		line=$(grep -nF -- "$row" "$shipped" | cut -d: -f1)
		refused "^(<[a-z]+> calfpen: )?$shipped:$line: " run_calfpen
		output=$(calfpen check "$LAB_UPLINK" 2>&1 || true)
		assert_match "$shipped:$line: " "$output"
		assert_eq "$before" "$(host_state)" "the host was changed: $row"
	done
}

# Limits above the ceilings, and the operator who raises one.
test_F10_description_above_the_ceilings() {
	local before row line shipped PATH=$PATH
	own_tree
	PATH=$LAB_DIR/tree/bin:$PATH
	before=$(host_state)
	for row in \
		'memory: 68719476736, pids: 32, requests_per_second: 200, request_burst: 100' \
		'memory: 16777216, pids: 65, requests_per_second: 200, request_burst: 100' \
		'memory: 16777216, pids: 32, requests_per_second: 1001, request_burst: 100' \
		'memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 1001' \
		'memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 100, cpu: 11' \
		'memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 100, log_burst: 1048577'; do
		cp "$TOP/build/lib/calfpen/calves/dhcp4/calf.yaml" "$shipped"
		sed -i "s/^limits: .*/limits: {$row}/" "$shipped"
		line=$(grep -n '^limits:' "$shipped" | cut -d: -f1)
		refused "$shipped:$line: .* above the ceiling of " run_calfpen
		assert_match "$shipped:$line: .* above the ceiling of " "$(calfpen check "$LAB_UPLINK" 2>&1 || true)"
		assert_eq "$before" "$(host_state)" "the host was changed: $row"
	done
	sed -i 's/^limits: .*/limits: {memory: 134217728, pids: 32, requests_per_second: 200, request_burst: 100}/' "$shipped"
	echo 'ceilings: {memory: 134217728}' >"$LAB_DIR/a.yaml"
	calfpen check "$LAB_DIR/a.yaml"
	assert_match $'\nceilings:\n  memory: 134217728\n  pids: 64\n' "$(calfpen check --effective "$LAB_DIR/a.yaml")"
	lease --config "$LAB_DIR/a.yaml"
	stop calfpen || fail "exit code $?"
}

# second_calf NAME KEY [FRAMES] - $LAB_DIR/b/calf.yaml; the key is on line 6
second_calf() {
	mkdir -p "$LAB_DIR/b"
	chmod 755 "$LAB_DIR" "$LAB_DIR/b"
	cp build/lib/calfpen/calves/dhcp4/calf-dhcp4 "$LAB_DIR/b/calf-b"
	cat >"$LAB_DIR/b/calf.yaml" <<END
name: $1
executable: calf-b
limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
keys:
  - {path: /mac, type: mac, access: [read, watch]}
  - {$2}
${3:-}
END
}

# check_calves - what is checked with both calves, without a start
check_calves() {
	"$TOP/build/lib/calfpen/calfpen-priv" --role check --calf "$LAB_DIR/calf" --calf "$LAB_DIR/b" 2>&1
}

# calves_refused TEXT - both calves, by run and by check, with the line TEXT
calves_refused() {
	local before output
	before=$(host_state)
	output=$(timeout 10 calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" \
		--calf "$LAB_DIR/calf" --calf "$LAB_DIR/b" 2>&1) && fail "started: $1"
	assert_eq "<error> calfpen: $1" "$output"
	assert_nothing_left
	[ ! -e "$pins" ] || fail "$pins is left"
	output=$(check_calves) && fail "no error: $1"
	assert_match ": $1\$" "$output"
	assert_eq "$before" "$(host_state)" "the host was changed: $1"
}

# line_of TEXT - file and line of the first calf
line_of() {
	printf '%s:%s' "$LAB_DIR/calf/calf.yaml" \
		"$(grep -nF -- "$1" "$LAB_DIR/calf/calf.yaml" | cut -d: -f1)"
}

# A key has one calf that writes it, a frame one that gets it: both lines are named.
test_two_calves_that_overlap() {
	local b=$LAB_DIR/b/calf.yaml others='only one calf of an instance may' row
	own_description
	for row in \
		'/ip|path: /ip, type: ipv4-net, access: [write]' \
		'/ntp/|path: /ntp/, type: ipv4, count: 2, access: [delete]'; do
		second_calf b "${row#*|}"
		row=${row%%|*}
		calves_refused "$b:6: path \"$row\": $(line_of "path: $row,") may write or delete \"$row\", too; $others"
	done
	second_calf b 'path: /ntp/001, type: ipv4, access: [write]'
	calves_refused "$(line_of 'path: /ntp/,'): path \"/ntp/\": $b:6 may write or delete \"/ntp/001\", too; $others"
	second_calf b 'path: /ntp/, type: ipv4, count: 8, access: [read]'
	calves_refused "$b:6: directory \"/ntp/\": $(line_of 'path: /ntp/,') may write or delete \"/ntp/\"; a directory of another calf requires \"of: any\""
	second_calf b 'path: /x, type: text, access: [write]' 'frames:
  - {check: arp, ingress_per_second: 10, ingress_burst: 20, egress_per_second: 2, egress_burst: 8}'
	calves_refused "$b:8: check: arp is for the calf that may write \"/ip\" only"
	row='max_frame: 1514, ingress_per_second: 10, ingress_burst: 20, egress_per_second: 2, egress_burst: 8'
	second_calf b 'path: /x, type: text, access: [write]' "frames:
  - {check: dhcp4, local_port: 68, remote_port: 1067, $row}"
	calves_refused "$b:8: frame rule matches the same frames as that of $(line_of 'check: dhcp4'); a frame is for one calf of an instance only"
	second_calf b 'path: /x, type: text, access: [write]' "frames:
  - {check: dhcp4, local_port: 1068, remote_port: 67, $row}"
	calves_refused "$b:8: frame rule has the same remote_port as that of $(line_of 'check: dhcp4'); a server is for one calf of an instance only"
	second_calf dhcp4 'path: /x, type: text, access: [write]'
	calves_refused "$b:1: name \"dhcp4\" is also that of $(line_of 'name: dhcp4'); the calves of an instance need different names"
	second_calf b 'path: /control/dhcp4/stop, type: text, access: [read, delete]'
	calves_refused "$b:6: path \"/control/dhcp4/stop\": requests to this calf are below /control/b/; those to another calf require \"of: any\""
	second_calf operator 'path: /x, type: text, access: [write]'
	calves_refused "$b:1: name \"operator\" is reserved for a part of calfpen itself"
	for row in 'path: /ntp/, type: ipv4, count: 8' 'path: /control/dhcp4/renew, type: text'; do
		second_calf b "$row, access: [read, watch], of: any"
		check_calves || fail 'what another calf writes is refused'
	done
}

# file_refused LINE REASON YAML... - this configuration, by run and by check
file_refused() {
	local before output file=$LAB_DIR/a.yaml
	printf '%s\n' "${@:3}" >"$file"
	before=$(host_state)
	output=$(timeout 10 calfpen run --interface "$LAB_UPLINK" --config "$file" 2>&1) && fail "started: $3"
	assert_eq "<error> calfpen: $file:$1: $2" "$output"
	output=$(calfpen check "$file" 2>&1) && fail "no error: $3"
	assert_eq "<error> calfpen: $file:$1: $2" "$output"
	assert_nothing_left
	[ ! -e "$pins" ] || fail "$pins is left"
	assert_eq "$before" "$(host_state)" "the host was changed: $3"
}

# A calf that does not exist or whose name is reserved, and options that are not below
# their calf, as they were in earlier versions: with the line to write.
test_calves_of_the_configuration() {
	local reserved='is reserved for a part of calfpen itself' name
	file_refused 3 'unknown calf "dhpc4"; installed are: dhcp4; another one needs --calf DIRECTORY' \
		'calves:' '  dhcp4: {hostname: web1}' '  dhpc4: {}'
	for name in supervisor watcher operator; do
		file_refused 1 "name \"$name\" $reserved" "calves: {$name: {}}"
	done
	file_refused 1 'name "001" must consist of a-z 0-9 - and begin with a letter' 'calves: {001: {}}'
	file_refused 1 'calves is empty; name a calf here or with --calf' 'calves: {}'
	file_refused 2 'grants "rout" is not one of: address, link, route, dns, host, timeservers, portal' 'calves:' '  dhcp4: {grants: [rout]}'
	file_refused 2 '"hostname" is an option of a calf; write instead: calves: {dhcp4: {hostname: web1}}' \
		'metric: 5' 'hostname: web1'
	file_refused 1 'each calf has options of its own; instead of "options", write: calves: {dhcp4: {hostname: web1, send: {43: "hex:00"}}}' \
		'options:' '  hostname: web1' '  send: {43: "hex:00"}'
	file_refused 2 'option "mtu_min": "7" is not a number from 576 to 65535' 'calves:' '  dhcp4: {mtu_min: 7}'
}

# Nothing would end it.
test_quarantine_without_a_lease() {
	local name
	printf 'calves: {}\nquarantine: 600\n' >"$LAB_DIR/a.yaml"
	for name in echo observer; do
		refused '^<error> calfpen: quarantine: requires a calf with frame rules that writes /ip, whose lease ends it$' \
			run_calfpen --config "$LAB_DIR/a.yaml" --calf "$TOP/build/tests/calf/$name"
	done
}

test_no_runtime() {
	refused 'norunc.*' run_calfpen --runtime norunc
}

test_no_bpffs() {
	umount /sys/fs/bpf
	refused 'mount -t bpf' run_calfpen
}

test_kernel_without_taps() {
	mount -t tmpfs none /dev/net
	refused 'tun' run_calfpen
}

test_second_start() {
	lease
	local output code=0
	output=$(run_calfpen 2>&1) || code=$?
	assert_eq 1 "$code"
	assert_match "is already running \(pid $(supervisor_pid)\)" "$output"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)"
	calfpen get /ip
}

# Another version's instance is known by its lock, and its state is not guessed.
test_instance_of_another_version() {
	lease
	local output code=0 pid
	pid=$(supervisor_pid)
	sed -i 's/"version": 1/"version": 7/' "$run/state.json"
	output=$(run_calfpen 2>&1) || code=$?
	assert_eq 1 "$code"
	assert_match "is already running \(pid $pid\)" "$output"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)"
	code=0
	output=$(calfpen status 2>&1 >"$LAB_DIR/status") || code=$?
	assert_eq 1 "$code"
	assert_eq "calfpen: $run/state.json: version 7, this calfpen reads version 1; use the calfpen that started the instance, or restart it" "$output"
	assert_match "running, pid $pid" "$(cat "$LAB_DIR/status")"
	printf '{"version": 1,' >"$run/state.json"
	output=$(calfpen ls --long 2>&1 >"$LAB_DIR/ls")
	assert_match "^calfpen: $run/state.json:1: not JSON: .*; use the calfpen that started" "$output"
	assert_eq 1 "$(printf '%s\n' "$output" | wc -l)"
	assert_match '  dhcp4 .*/ip' "$(cat "$LAB_DIR/ls")"
}

test_udp_68_is_bound() {
	start rival python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 68))
print("bound", flush=True)
time.sleep(60)'
	wait_for_line "$LAB_DIR/rival.log" bound 5
	refused '68.*--takeover' run_calfpen
}

test_packet_socket_on_the_uplink() {
	start rival python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
s.bind((sys.argv[1], 0x0800))
print("bound", flush=True)
time.sleep(60)' "$LAB_UPLINK"
	wait_for_line "$LAB_DIR/rival.log" bound 5
	refused '--takeover' run_calfpen
	lease --takeover
}

# What the calf would refuse is refused before anything is touched, by the calf's own
# rules, with its line; calfpen check says the same.
test_U32_option_that_the_calf_refuses() {
	local output rc=0
	printf 'metric: 5\ncalves: {dhcp4: {\n  parameters: 53}}\n' >"$LAB_DIR/a.yaml"
	output=$(calfpen run --interface "$LAB_UPLINK" --config "$LAB_DIR/a.yaml" 2>&1) || rc=$?
	assert_eq "1 <error> calfpen: $LAB_DIR/a.yaml:3: option \"parameters\": invalid value \"53\": expected up to 16 option codes (not 50 to 59, 61, 80, 108)" "$rc $output"
	[ ! -e "$pins" ] || fail "something is pinned"
	assert_match 'state DOWN' "$(ip link show "$LAB_UPLINK")"
	rc=0
	assert_eq "$output" "$(calfpen check "$LAB_DIR/a.yaml" 2>&1)" || rc=$?
	rc=0
	calfpen check "$LAB_DIR/a.yaml" 2>/dev/null || rc=$?
	assert_eq 1 "$rc"
}

test_U32_options_that_do_not_fit_together() {
	local long output rc=0
	long=$(printf '%0255d' 0)
	printf 'calves: {dhcp4: {user_class: "%s", vendor_class: "%s"}}\n' "$long" "$long" >"$LAB_DIR/a.yaml"
	output=$(calfpen run --interface "$LAB_UPLINK" --config "$LAB_DIR/a.yaml" 2>&1) || rc=$?
	assert_eq 1 "$rc"
	assert_match "^<error> calfpen: $LAB_DIR/a.yaml: options of dhcp4: .* do not fit into a message" "$output"
}

test_U32_check() {
	local output
	printf 'metric: 5\n' >"$LAB_DIR/a.yaml"
	assert_eq "$LAB_DIR/a.yaml: no errors" "$(calfpen check "$LAB_DIR/a.yaml")"
	output=$(calfpen check --effective "$LAB_DIR/a.yaml")
	assert_match $'^metric: 5\n' "$output"
	assert_match $'\n    first_retransmission: "4000"\n' "$output"
	printf '%s\n' "$output" >"$LAB_DIR/b.yaml"
	assert_eq "$output" "$(calfpen check --effective "$LAB_DIR/b.yaml")"
	lease --config "$LAB_DIR/b.yaml"
	assert_eq "$LAB_UPLINK has no configuration file; the defaults apply" "$(calfpen check "$LAB_UPLINK")"
	mkdir -p /etc/calfpen
	echo 'metrik: 5' >"/etc/calfpen/$LAB_UPLINK.yaml"
	assert_match "/etc/calfpen/$LAB_UPLINK.yaml:1: unknown field \"metrik\"" "$(calfpen check 2>&1 || true)"
}
