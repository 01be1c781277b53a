# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# Several calves: what is whose if they are named in another order, added or removed; and
# that each lives and dies alone.

. tests/system/calfpen.sh

# $LAB_DIR/calf is dhcp4, $LAB_DIR/observer a calf without frames; only those of the command line
# are started
make_calves() {
	own_description
	mkdir -p /etc/calfpen
	echo 'calves: {}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	mkdir -p "$LAB_DIR/observer"
	chmod 755 "$LAB_DIR/observer"
	cp "$tools/idle-calf" "$LAB_DIR/observer/"
	cat >"$LAB_DIR/observer/calf.yaml" <<-END
		name: observer
		executable: idle-calf
		limits: {memory: 16777216, pids: 32, requests_per_second: 100, request_burst: 100}
		keys:
		  - {path: /seen/, type: text, count: 8, max_length: 16, access: [read, write, delete]}
	END
}
dhcp4=(--calf "$LAB_DIR/calf")
observer=(--calf "$LAB_DIR/observer")

observe() { "$tools/gate" "$pins/gate_observer" write "$1" "$2" >/dev/null; }

# runs NAME - its process is there
runs() { [ "$(supervisor_pid)" = "$(pgrep -o calfpen-priv)" ] && alive "$(calf "$1" pid)"; }

# A calf is added, the order is swapped, each after a kill -9.
test_numbers_stay() {
	local before dhcp4_uids observer_uids n
	make_calves
	lease "${dhcp4[@]}"
	dhcp4_uids=$(uids dhcp4)
	assert_eq $'1879048198\n1879048199' "$dhcp4_uids"
	kill_all
	lease "${observer[@]}" "${dhcp4[@]}"
	wait_for 5 runs observer
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	observer_uids=$(uids observer)
	assert_eq $'1879048200\n1879048201' "$observer_uids"
	observe /seen/a 1
	observe /seen/b 2
	n=$(accepted dhcp4)
	[ "$n" -gt 0 ] || fail "no commits of dhcp4"
	kill_all
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for 5 runs observer
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	assert_eq "$observer_uids" "$(uids observer)"
	assert_eq dhcp4 "$(writer /ip)"
	assert_eq observer "$(writer /seen/a)"
	assert_eq 2 "$(accepted observer)"
	[ "$(accepted dhcp4)" -ge "$n" ] || fail "commits of dhcp4 were lost"
	observe /seen/a 3
	wait_for_line "$audit" '"subject":"observer","verb":"write","path":"/seen/a","verdict":"ok","value":"3"' 5
	assert_fails grep -q '"verb":"orphan"' "$audit"
}

nothing_is_configured() {
	[ -z "$(address)" ] && [ -z "$(ip -4 route show default)" ] && ! grep -q ^nameserver "$LAB_RESOLV"
}

# What a removed calf has set goes; it comes back as the subject that it was.
test_orphans_go() {
	local dhcp4_uids line
	make_calves
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for 5 runs observer
	dhcp4_uids=$(uids dhcp4)
	observe /seen/a 1
	kill_all
	calfpen_start "${observer[@]}"
	wait_for 10 runs observer
	wait_for 10 nothing_is_configured
	wait_for_line "$audit" '"subject":"dhcp4","verb":"orphan","path":"/ip","verdict":"ok"' 5
	assert_fails calfpen get /ip
	assert_eq 1 "$(calfpen get /seen/a)"
	# in one commit
	assert_eq 1 "$(grep '"verb":"orphan"' "$audit" | sed 's/.*"revision":\([0-9]*\).*/\1/' | sort -u | wc -l)"
	wait_for_line "$LAB_DIR/calfpen.log" 'deleted [0-9]+ keys of dhcp4 that no calf writes any more' 5
	stop calfpen || fail "exit code $?"
	lease "${dhcp4[@]}"
	assert_eq "$dhcp4_uids" "$(uids dhcp4)"
	assert_fails calfpen get /seen/a
	wait_for_line "$audit" '"subject":"observer","verb":"orphan","path":"/seen/a"' 5
}

# A calf is added that needs more keys than the store was made for.
test_more_keys_than_before() {
	make_calves
	sed -i 's/count: 8/count: 300/' "$LAB_DIR/observer/calf.yaml"
	lease "${dhcp4[@]}"
	kill_all
	lease "${dhcp4[@]}" "${observer[@]}"
	wait_for_line "$LAB_DIR/calfpen.log" 'store: made room for [0-9]+ keys' 5
	assert_eq True "$(state store_adopted)"
	assert_eq dhcp4 "$(writer /ip)"
	wait_for 5 runs observer
	observe /seen/a 1
	kill_all
	lease "${dhcp4[@]}"
	assert_eq 1 "$(grep -c 'made room' "$LAB_DIR/calfpen.log")"
}

# A store that cannot be adopted is not touched, and neither is the host.
swap_pins() {
	mv "$pins/kv" "$pins/other"
	mv "$pins/slots" "$pins/kv"
	mv "$pins/other" "$pins/slots"
}
test_refused_store_stays() {
	local output
	lease
	kill_all
	swap_pins
	[ -e "$pins/link_uplink" ] || fail "nothing is attached"
	! output=$(calfpen run --interface "$LAB_UPLINK" --cgroup-parent "$LAB_CGROUP" 2>&1) || fail "started"
	assert_match "kv: cannot adopt the store of the previous run: wrong type" "$output"
	[ -e "$pins/link_uplink" ] || fail "what the killed run attached was detached"
	swap_pins
	lease
	assert_eq True "$(state store_adopted)"
}

# A runtime that hangs with every container of the calf that $LAB_DIR/hang names ("*": each). The
# processes that execute it are in $LAB_DIR/hangs then.
runtime_that_hangs() {
	cat >"$LAB_DIR/runtime" <<END
#!/bin/bash
for argument; do
	if [ -e "$LAB_DIR/hang" ] && [[ \$argument = calfpen-*-\$(cat "$LAB_DIR/hang") ]]; then
		echo "\$PPID" >>"$LAB_DIR/hangs"
		sleep 1000
	fi
done
exec $(command -v runc) "\$@"
END
	chmod 755 "$LAB_DIR/runtime"
}
hangs() { [ -s "$LAB_DIR/hangs" ]; }
# hang NAME - the start of this calf hangs, from when it was killed; sets $starter
hang() {
	rm -f "$LAB_DIR/hangs"
	echo "$1" >"$LAB_DIR/hang"
	kill -KILL "$(calf "$1" pid)"
	wait_for 5 hangs
	starter=$(tail -n 1 "$LAB_DIR/hangs")
}
# hang_no_more - what hangs goes on
hang_no_more() {
	rm "$LAB_DIR/hang"
	pkill -KILL -f 'sleep 1000'
}
# another NAME PID - the calf runs as another process than PID
another() { [ "$(calf "$1" pid)" -gt 0 ] && [ "$(calf "$1" pid)" != "$2" ] && alive "$(calf "$1" pid)"; }
another_watcher() { [ "$(state watcher_pid)" -gt 0 ] && [ "$(state watcher_pid)" != "$1" ]; }
# watcher_comes_back - at once, because the supervisor waits for nobody
watcher_comes_back() {
	local before
	before=$(state watcher_pid)
	kill -KILL "$before"
	wait_for 3 another_watcher "$before"
}
# descriptors PID - what its descriptors are, but for the standard ones, without numbers
descriptors() {
	find "/proc/$1/fd" -type l ! -name '[012]' -printf '%l\n' | sed 's/[0-9]\+/N/' | LC_ALL=C sort
}

# Whatever happens to a pair, the others and the watcher are restarted meanwhile.
test_each_pair_is_alone() {
	local before starter
	make_calves
	runtime_that_hangs
	lease "${dhcp4[@]}" "${observer[@]}" --runtime "$LAB_DIR/runtime"
	wait_for 5 runs observer
	hang observer
	before=$(calf dhcp4 pid)
	kill -KILL "$before"
	wait_for 5 another dhcp4 "$before"
	watcher_comes_back
	assert_eq 0 "$(calf observer pid)" "the observer is still being started"
	# its control and log ends, metrics, the pipe that lets it go, signals, and the runtime
	assert_eq "$(printf '%s\n' '/memfd:calfpen-report (deleted)' 'anon_inode:[pidfd]' \
		'anon_inode:[signalfd]' 'pipe:[N]' 'pipe:[N]' 'pipe:[N]' 'socket:[N]')" "$(descriptors "$starter")"

	# The process that starts it is killed.
	before=$(pgrep -f 'sleep 1000')
	rm "$LAB_DIR/hangs"
	kill -KILL "$starter"
	watcher_comes_back
	wait_for_line "$LAB_DIR/calfpen.log" "observer: the process that starts it was killed by signal 9" 1
	wait_for 1 gone "$before"
	wait_for 5 hangs
	hang_no_more
	wait_for 10 another observer 0

	# The uplink changes while a calf with frames is being started.
	wait_for 10 has_lease
	hang dhcp4
	rm "$LAB_DIR/hangs"
	ip link set "$LAB_UPLINK" address 02:00:00:00:77:04
	wait_for_line "$LAB_DIR/calfpen.log" 'was replaced or changed its MAC address' 3
	watcher_comes_back
	wait_for 1 gone "$starter"
	wait_for 5 hangs
	hang_no_more
	wait_for 20 has_lease
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

n_hang() { [ "$(wc -l <"$LAB_DIR/hangs")" -eq "$1" ]; }

# Many starts that hang, in processes that take no signal, delay a stop no more than one.
test_stop_during_starts() {
	local n begin_ms took_ms calves=("${dhcp4[@]}")
	make_calves
	for n in 1 2 3 4 5 6 7; do
		cp -r "$LAB_DIR/observer" "$LAB_DIR/observer$n"
		sed -i "s/name: observer/name: observer$n/; s,/seen/,/seen$n/," "$LAB_DIR/observer$n/calf.yaml"
		calves+=(--calf "$LAB_DIR/observer$n")
	done
	runtime_that_hangs
	echo '*' >"$LAB_DIR/hang"
	calfpen_start "${calves[@]}" --runtime "$LAB_DIR/runtime"
	wait_for_line "$LAB_DIR/calfpen.log" "instance $LAB_UPLINK running" 10
	wait_for 10 n_hang 8
	xargs kill -STOP <"$LAB_DIR/hangs"
	begin_ms=$(date +%s%3N)
	stop calfpen || fail "exit code $?"
	took_ms=$(($(date +%s%3N) - begin_ms))
	[ "$took_ms" -lt 2000 ] || fail "the stop took $took_ms ms"
	assert_nothing_left
	assert_eq "" "$(pgrep -f 'sleep 1000' || true)" "a runtime is left"
}

# A runtime that kills the supervisor in create, if $LAB_DIR/kill says "before" or "after"
runtime_that_kills() {
	cat >"$LAB_DIR/runtime" <<END
#!/bin/bash
when=\$(cat "$LAB_DIR/kill" 2>/dev/null)
[[ "\$*" = *" create --bundle "* && \$when ]] || exec $(command -v runc) "\$@"
[ "\$when" = before ] || $(command -v runc) "\$@"
code=\$?
rm "$LAB_DIR/kill"
kill -KILL "\$(cat "$run/lock")"
[ "\$when" = after ] || sleep 1000
exit \$code
END
	chmod 755 "$LAB_DIR/runtime"
}
has_killed() { [ ! -e "$LAB_DIR/kill" ]; }
nothing_runs() { no_process && [ -z "$(pgrep -f 'runc|sleep 1000')" ]; }

# Whoever starts a calf ends with the supervisor, and holds nothing that the next one needs.
test_supervisor_is_killed_during_a_start() {
	local when
	runtime_that_kills
	for when in before after; do
		echo "$when" >"$LAB_DIR/kill"
		calfpen_start --runtime "$LAB_DIR/runtime"
		wait_for 10 has_killed
		wait_for 3 nothing_runs
	done
	lease --runtime "$LAB_DIR/runtime"
	stop calfpen || fail "exit code $?"
	assert_nothing_left
}

# A runtime whose command that starts the observer takes as long as $LAB_DIR/hold exists.
runtime_that_is_slow() {
	cat >"$LAB_DIR/runtime" <<END
#!/bin/bash
[[ "\$*" = *" start calfpen-"*-observer ]] || exec $(command -v runc) "\$@"
$(command -v runc) "\$@"
code=\$?
touch "$LAB_DIR/started"
while [ -e "$LAB_DIR/hold" ]; do sleep 0.02; done
exit \$code
END
	chmod 755 "$LAB_DIR/runtime"
}
is_started() { [ -e "$LAB_DIR/started" ]; }
# hold_start - the next start of the observer is held
hold_start() {
	rm -f "$LAB_DIR/started"
	touch "$LAB_DIR/hold"
}

# The supervisor sees the end of a calf or gateway before it knows that it was started.
test_child_that_ends_before_its_start_does() {
	local before
	make_calves
	runtime_that_is_slow
	hold_start
	calfpen_start "${dhcp4[@]}" "${observer[@]}" --runtime "$LAB_DIR/runtime"
	wait_for 10 is_started
	before=$(pgrep idle-calf)
	kill -KILL "$before"
	wait_for 5 gone "$before"
	rm "$LAB_DIR/hold"
	wait_for 5 another observer "$before"
	wait_for_line "$LAB_DIR/calfpen.log" 'observer: the calf was killed by signal 9; restarting it' 5
	hold_start
	before=$(calf observer pid)
	kill -KILL "$before"
	wait_for 5 is_started
	kill -KILL "$(calf observer gateway_pid)"
	rm "$LAB_DIR/hold"
	wait_for_line "$LAB_DIR/calfpen.log" 'observer.*: the gateway was killed by signal 9' 5
	wait_for 5 another observer "$before"
	wait_for 20 has_lease
}
gone() { [ ! -e "/proc/$1" ]; }
