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

file_has() {
	[ "$(cat "$sources")" = "$(printf 'server %s iburst\n' "$@")" ]
}

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }

test_chronyd_takes_the_file() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	lease
	wait_for 5 file_has 10.77.0.1 10.77.0.9
	chronyd_start
	wait_for 10 chronyd_has 10.77.0.1 10.77.0.9
	# another server in the next ACK: the file says so at once, chronyd when it is told
	sed -i 's/ntp-server,.*/ntp-server,10.77.0.8/' "$LAB_SERVER_CONF"
	server_stop
	server_start
	calfpen set /control/renew now
	wait_for 10 file_has 10.77.0.8
	wait_for 5 status_is timeservers '^ok [0-9]+; chronyd .* chronyc reload sources'
	assert_match 'chronyc reload sources' "$(calfpen status)"
	chronyd_has 10.77.0.1 10.77.0.9 || fail "$(chronyc -n sources)"
	assert_match '200 OK' "$(chronyc reload sources)"
	wait_for 5 chronyd_has 10.77.0.8
	calfpen set /control/release now
	wait_for 5 not test -e "$sources"
	assert_match '200 OK' "$(chronyc reload sources)"
	wait_for 5 chronyd_has ''
	assert_eq "" "$(grep -i 'invalid\|could not\|error' "$LAB_DIR/chronyd.log" || true)"
}

# Why calfpen does not tell it: its socket is behind a directory that uid 0
# without CAP_DAC_OVERRIDE cannot enter, and that is what the watcher is.
test_the_watcher_cannot_tell_chronyd() {
	skip_if_missing chronyd chronyc
	mkdir -p /etc/chrony
	lease
	wait_for 5 file_has 10.77.0.1 10.77.0.9
	chronyd_start
	assert_match '200 OK' "$(chronyc -h /run/chrony/chronyd.sock reload sources)"
	assert_fails setpriv --bounding-set=-all,+net_admin -- \
		chronyc -h /run/chrony/chronyd.sock reload sources
	assert_match '^CapEff:.0000000000001000$' "$(grep CapEff "/proc/$(watcher_pid)/status")" \
		"the watcher has CAP_NET_ADMIN alone"
}

test_without_chronyd_there_is_no_file() {
	rm -rf /etc/chrony /run/chrony-dhcp
	lease
	wait_for 5 status_is timeservers '^ok [0-9]+$'
	[ ! -e /run/chrony-dhcp ] || fail "a directory that nobody reads"
	assert_eq '10.77.0.1 10.77.0.9' "$(xargs <"$run/ntp-servers")"
}

# What tells it instead, as far as it can be seen without systemd: it watches
# the directory in which our file is replaced, and the command is the one above.
test_units_for_systemd() {
	local unit
	skip_if_missing systemd-analyze chronyc
	for unit in packaging/systemd/calfpen-chrony.{path,service}; do
		sed "s#/usr/bin/chronyc#$(command -v chronyc)#" "$unit" >"$LAB_DIR/${unit##*/}"
	done
	assert_eq "" "$(systemd-analyze verify "$LAB_DIR"/calfpen-chrony.* 2>&1)"
	grep -qx "PathChanged=${sources%/*}" packaging/systemd/calfpen-chrony.path
	grep -qx 'ExecStart=/usr/bin/chronyc reload sources' packaging/systemd/calfpen-chrony.service
}
