# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# Secrets: their text is looked for in everything that the system puts out.

. tests/system/calfpen.sh

keeper=$TOP/build/tests/calf/keeper
observer=$TOP/build/tests/calf/observer
dhcp4=$TOP/build/lib/calfpen/calves/dhcp4
state=/var/lib/calfpen/$LAB_UPLINK
secret=hunter2-Zq8vXw3LpR # tests/calf/keeper/main.c

found() { [ "$(calfpen get /keeper/found)" = "$1" ]; }
is_watched() { [ "$(calfpen get /keeper/watched)" = yes ]; }
is_saved() { grep -qa "$secret" "$state/secrets"; }
is_written() { calfpen get /keeper/session >/dev/null; }

# start_keeper [OPTION...]
start_keeper() {
	lease "$@" --calf "$keeper" --calf "$observer" --calf "$dhcp4"
	wait_for 10 is_written
}

# commands - what the commands print about the secrets, and about everything
commands() {
	local path
	for path in /keeper/psk /keeper/session; do
		calfpen get "$path"
		calfpen get -l "$path"
		calfpen get --json "$path"
		calfpen set "$path" other
		calfpen set --json "$path" other
		calfpen set --create "$path" other
		calfpen del "$path"
	done
	calfpen ls
	calfpen ls -l
	calfpen ls --json
	calfpen ls --json /keeper
	calfpen ls --settable
	calfpen ls --settable --json
	timeout 2 calfpen watch
	timeout 2 calfpen watch --json
	timeout 2 calfpen watch --from 1
	calfpen audit
	calfpen audit --json
	calfpen audit --path /keeper/psk
	calfpen audit --verify
	calfpen status
	calfpen status --all
	calfpen status --all --json
	calfpen list
	calfpen list --json
	calfpen frames
	calfpen frames --json
	calfpen check
	calfpen check --effective
	calfpen check --effective --calf "$keeper"
}

# assert_absent FILE...
assert_absent() {
	local file
	for file; do
		[ -e "$file" ] || fail "$file: not there"
		assert_fails grep -qa "$secret" "$file"
	done
}

test_text_is_in_no_output() {
	local pid file
	private_dev
	start syslog python3 -u -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
print("ready")
while True:
    print(s.recv(65536).decode(errors="replace"))'
	wait_for_line "$LAB_DIR/syslog.log" ready 10
	start_keeper --syslog
	wait_for 10 is_saved
	wait_for 10 is_watched
	start watch calfpen watch
	start watch-json calfpen watch --json
	start audit calfpen audit -f
	wait_for_line "$LAB_DIR/watch.log" synced 10
	wait_for_line "$LAB_DIR/watch-json.log" synced 10
	kill -KILL "$(calf keeper pid)"
	wait_for 20 found "psk=yes session=yes"
	wait_for_line "$LAB_DIR/watch.log" 'set /keeper/session <secret>$' 10
	wait_for_line "$LAB_DIR/watch-json.log" '"event":"set".*"path":"/keeper/psk","value":"<secret>","secret":true' 10

	commands >"$LAB_DIR/commands.log" 2>&1 || true
	[ "$(grep -c '<secret>' "$LAB_DIR/commands.log")" -ge 30 ] || fail "the commands did not show the keys"
	assert_eq '<secret>' "$(calfpen get /keeper/psk)"
	assert_match '^ +[0-9]+ .* keeper +8  /keeper/psk  <secret>$' "$(calfpen get -l /keeper/psk)"
	assert_eq '["<secret>", true, "keeper"]' "$(calfpen get --json /keeper/psk | python3 -c 'import json, sys
key = json.load(sys.stdin)
print(json.dumps([key["value"], key["secret"], key["subject"]]))')"
	assert_match '/keeper/psk .*<secret>' "$(calfpen ls)"
	wait_for_line "$LAB_DIR/audit.log" '/keeper/psk.*<secret>' 10
	wait_for_line "$audit" '"verb":"write","path":"/keeper/psk",.*"value":"<secret>"' 10
	wait_for_line "$LAB_DIR/syslog.log" '/keeper/psk.*<secret>' 10
	assert_eq '' "$(calfpen audit --denied | grep keeper | grep -v operator || true)" "nobody asks for it in vain"

	# whoever has it: the map, and the file
	assert_eq 2 "$(bpftool map dump pinned "$pins/kv" | grep -c "$secret")" "in the map"
	assert_eq '600 root' "$(stat -c '%a %U' "$state/secrets")"
	# and nobody else
	assert_absent "$LAB_DIR"/*.log "$audit" "$run/state.json" "$state/store" "$state/revision"
	assert_eq "$state/secrets" "$(grep -rla "$secret" "$state" "$run" /var/log/calfpen /etc/calfpen "$LAB_RESOLV" 2>/dev/null || true)"
	for pid in $(pgrep 'calfpen-|calf-'); do
		assert_absent "/proc/$pid/cmdline" "/proc/$pid/environ" "/proc/$pid/status"
	done
	# the pages for counters and errors, and what is sealed for the roles
	while IFS= read -r file; do
		assert_fails grep -qa "$secret" "$file"
	done < <(find "/proc/$(supervisor_pid)/fd" -lname '/memfd:*')
	stop calfpen || fail "exit code $?"
	assert_absent "$LAB_DIR"/*.log "$audit" "$state/store"
}

# Its rules keep another calf from it, and the watcher's gate from all but its name.
test_gates_of_others() {
	start_keeper
	assert_eq "$secret" "$("$tools/gate" "$pins/gate_keeper" read /keeper/psk)"
	assert_eq "$secret" "$("$tools/gate" "$pins/gate_supervisor" read /keeper/psk)"
	assert_eq '<secret>' "$("$tools/gate" "$pins/gate_watcher" read /keeper/psk)"
	assert_eq '<secret>' "$("$tools/gate" "$pins/gate_operator" read /keeper/psk)"
	assert_fails "$tools/gate" "$pins/gate_observer" read /keeper/psk
	assert_fails "$tools/gate" "$pins/gate_dhcp4" read /keeper/psk
	wait_for_line "$audit" '"subject":"dhcp4","verb":"read","path":"/keeper/psk","verdict":"EACCES"' 10
}

# A restart keeps both, a reboot only the persistent one, which its writer can read again.
test_kept_over_a_reboot() {
	start_keeper
	assert_eq 'psk=no session=no' "$(calfpen get /keeper/found)"
	stop calfpen
	start_keeper
	wait_for 10 found 'psk=yes session=yes'
	stop calfpen
	is_saved || fail "it is not saved"
	assert_fails grep -qa session "$state/secrets"
	rm -r "$pins" "$run"
	ip address flush dev "$LAB_UPLINK"
	start_keeper
	wait_for 10 found 'psk=yes session=no'
	assert_eq keeper "$(writer /keeper/psk)"
	assert_absent "$state/store" "$LAB_DIR/calfpen.log" "$audit"

	# without the calf that has it, it is gone from the disk
	stop calfpen
	lease --calf "$observer" --calf "$dhcp4"
	assert_fails calfpen get /keeper/psk
	wait_for 10 not is_saved
	assert_fails grep -qa "$secret" <(bpftool map dump pinned "$pins/kv")
	# a calf that has never had one leaves no file
	stop calfpen
	rm "$state/secrets"
	lease --calf "$observer" --calf "$dhcp4"
	stop calfpen
	[ ! -e "$state/secrets" ] || fail "there is nothing to save"
}

# Power cuts: what was saved is there again, and a file that is damaged is set aside.
test_power_cut() {
	start_keeper
	wait_for 5 is_saved
	kill_all
	rm -r "$pins" "$run"
	start_keeper
	wait_for 10 found 'psk=yes session=no'
	kill_all
	rm -r "$pins" "$run"
	printf '\377' | dd of="$state/secrets" bs=1 seek=40 conv=notrunc status=none
	start_keeper
	wait_for 10 found 'psk=no session=no'
	[ -e "$state/secrets.damaged-1" ] || fail "not set aside"
	assert_match 'secrets is damaged: its checksum is wrong; renamed to secrets.damaged-1' "$(cat "$LAB_DIR/calfpen.log")"
	assert_absent "$LAB_DIR/calfpen.log"
}

# Two calves that would share a secret are refused before the host is touched.
test_secret_of_another_calf() {
	mkdir "$LAB_DIR/observer"
	chmod 755 "$LAB_DIR" "$LAB_DIR/observer"
	cp "$observer/"* "$LAB_DIR/observer/"
	echo '  - {path: /keeper/, type: text, count: 8, access: [read, watch], of: any}' >>"$LAB_DIR/observer/calf.yaml"
	calfpen_start --calf "$keeper" --calf "$LAB_DIR/observer"
	wait_for 10 not alive "${started[calfpen]}"
	assert_match "$LAB_DIR/observer/calf.yaml:9: path \"/keeper/\": $keeper/calf.yaml:7 has \"/keeper/psk\" as a secret; only the calf that writes it may read it" \
		"$(cat "$LAB_DIR/calfpen.log")"
	[ ! -e "$pins" ] || fail "it was started"
}

# What was written in the open is hidden when a newer description says that it is a secret.
test_value_of_an_older_description() {
	other_calf idle-calf 'path: /hostile/psk, type: text, access: [read, write], persistent: true'
	calfpen_start --calf "$LAB_DIR/hostile"
	wait_for_line "$LAB_DIR/calfpen.log" ' running on ' 20
	"$tools/gate" "$pins/gate_hostile" write /hostile/psk "$secret"
	assert_eq "$secret" "$(calfpen get /hostile/psk)"
	wait_for 10 grep -qa "$secret" "$state/store"
	stop calfpen
	sed -i 's/persistent: true/&, secret: true/' "$LAB_DIR/hostile/calf.yaml"
	: >"$LAB_DIR/calfpen.log"
	calfpen_start --calf "$LAB_DIR/hostile"
	wait_for_line "$LAB_DIR/calfpen.log" ' running on ' 20
	assert_eq '<secret>' "$(calfpen get /hostile/psk)"
	assert_eq hostile "$(writer /hostile/psk)"
	assert_eq "$secret" "$("$tools/gate" "$pins/gate_hostile" read /hostile/psk)"
	wait_for 10 is_saved
	wait_for 10 not grep -qa "$secret" "$state/store"
	wait_for_line "$audit" '"subject":"hostile","verb":"write","path":"/hostile/psk",.*"value":"<secret>"' 10
}
