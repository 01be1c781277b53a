# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# lab: --server-option dhcp-option=option:ntp-server,10.77.0.1,10.77.0.9
#
# Time servers from DHCP and a real chronyd, which never gets at the clock: -x,
# and without the capability.

. tests/system/calfpen.sh

# Debian's, unpacked (mk/tests.mk): it cannot be installed beside systemd-timesyncd.
PATH=$TOP/build/tests/chrony/usr/sbin:$TOP/build/tests/chrony/usr/bin:$PATH
sources=/run/chrony-dhcp/$LAB_UPLINK.sources

# As Debian's unit has it: its own user, and a directory that is that user's alone.
chronyd_start() {
	grep -q ^_chrony: /etc/passwd || echo '_chrony:x:65500:65500::/:/usr/sbin/nologin' >>/etc/passwd
	grep -q ^_chrony: /etc/group || echo '_chrony:x:65500:' >>/etc/group
	install -d -o _chrony -g _chrony -m 0700 /run/chrony
	cat >"$LAB_DIR/chrony.conf" <<-END
		sourcedir /run/chrony-dhcp
		pidfile /run/chrony/chronyd.pid
		bindcmdaddress /run/chrony/chronyd.sock
		cmdport 0
		port 0
	END
	start chronyd setpriv --bounding-set=-sys_time chronyd -x -d -u _chrony -f "$LAB_DIR/chrony.conf"
	wait_for 10 test -S /run/chrony/chronyd.sock
}

chronyd_has() {
	[ "$(chronyc -n -c sources | cut -d, -f3 | sort)" = "$(printf '%s\n' "$@")" ]
}

# names DIRECTORY
names() {
	find "$1" -mindepth 1 -printf '%f\n' | sort | paste -sd ' '
}

file_has() {
	[ "$(cat "$sources")" = "$(printf 'server %s iburst\n' "$@")" ]
}

# server_hands_out ADDRESS - as time server, from the next ACK on
server_hands_out() {
	sed -i "s/ntp-server,.*/ntp-server,$1/" "$LAB_SERVER_CONF"
	server_stop
	server_start
}

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }

# Nobody here says `chronyc reload sources`.
test_chronyd_has_what_the_lease_has() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	chronyd_start
	chronyd_has '' || fail "$(chronyc -n sources)"
	lease
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	wait_for 5 status_is timeservers '^ok [0-9]+; chronyd has reloaded its sources$'
	assert_match 'chronyd has reloaded its sources' "$(calfpen status)"
	# another server in the next ACK
	server_hands_out 10.77.0.8
	calfpen set /control/dhcp4/renew now
	wait_for 10 chronyd_has 10.77.0.8
	calfpen set /control/dhcp4/release now
	wait_for 10 chronyd_has ''
	[ ! -e "$sources" ] || fail "$(cat "$sources")"
	wait_for 5 status_is timeservers '^ok [0-9]+; chronyd has reloaded its sources$'
	assert_eq "chronyd.pid chronyd.sock" "$(names /run/chrony)" "what else is left there"
	assert_eq "" "$(pgrep calfpen-chrony || true)"
	assert_eq "" "$(grep -i 'invalid\|could not\|error' "$LAB_DIR/chronyd.log" || true)"
}

# One that comes later reads the file by itself.
test_chronyd_comes_later() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	lease
	wait_for 5 file_has 10.77.0.1 10.77.0.9
	wait_for 5 status_is timeservers "^ok [0-9]+; chronyd is not running; it reads $sources when it starts$"
	chronyd_start
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
}

# A stopped chronyd holds up nothing, is told of as an error, and is asked until
# it answers.
test_chronyd_does_not_answer() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	chronyd_start
	lease
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	kill -STOP "${started[chronyd]}"
	server_hands_out 10.77.0.8
	calfpen set /control/dhcp4/renew now
	wait_for 5 file_has 10.77.0.8
	wait_for 5 status_is timeservers '^error: chronyd does not answer in /run/chrony: Connection timed out$'
	wait_for 2 status_is address '^ok '
	kill -CONT "${started[chronyd]}"
	wait_for 10 chronyd_has 10.77.0.8
	wait_for 10 status_is timeservers '^ok [0-9]+; chronyd has reloaded its sources$'
}

# Another watcher has the same descriptors, and begins by asking.
test_chronyd_after_the_watcher() {
	local former
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	chronyd_start
	lease
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	former=$(watcher_pid)
	rm "$sources" # as if it had been killed before it asked
	chronyc reload sources >/dev/null
	wait_for 5 chronyd_has ''
	kill -KILL "$former"
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	[ "$former" != "$(watcher_pid)" ] || fail "the same watcher"
	server_hands_out 10.77.0.8
	calfpen set /control/dhcp4/renew now
	wait_for 10 chronyd_has 10.77.0.8
}

# What ends with the supervisor is told before it has ended.
test_release_at_the_end() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	chronyd_start
	echo 'calves: {dhcp4: {release_at_stop: 1}}' >"$LAB_DIR/config.yaml"
	lease --config "$LAB_DIR/config.yaml"
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	stop calfpen
	[ ! -e "$sources" ] || fail "$(cat "$sources")"
	chronyd_has '' || fail "$(chronyc -n sources)"
	assert_eq "chronyd.pid chronyd.sock" "$(names /run/chrony)"
}

# The directory is the configuration's, and what is no directory is refused.
test_directory_of_chronyd() {
	mkdir -p /etc/chrony /run/elsewhere
	ln -s elsewhere /run/link
	echo 'chronyd_directory: /run/link' >"$LAB_DIR/config.yaml"
	lease --config "$LAB_DIR/config.yaml"
	wait_for 5 status_is timeservers "^error: chronyd's socket in /run/link: Not a directory$"
	wait_for 5 file_has 10.77.0.1 10.77.0.9
}

test_without_chronyd_there_is_no_file() {
	rm -rf /etc/chrony /run/chrony-dhcp
	lease
	wait_for 5 status_is timeservers '^ok [0-9]+$'
	[ ! -e /run/chrony-dhcp ] || fail "a directory that nobody reads"
	assert_eq '10.77.0.1 10.77.0.9' "$(xargs <"$run/ntp-servers")"
}
