# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
#
# resolv.conf on hosts of containers.

. tests/system/calfpen.sh

status_is() { [[ $(calfpen get "/status/$1") =~ $2 ]]; }

# resolv_links_to TARGET - as the image of the host has it
resolv_links_to() {
	umount "$(readlink -f /etc/resolv.conf)"
	ln -sfn "$1" /etc/resolv.conf
}

# As LinuxKit has it.
test_U12_resolv_conf_links_into_a_missing_directory() {
	rm -rf /run/resolvconf
	resolv_links_to ../run/resolvconf/resolv.conf
	(umask 077 && calfpen_start)
	wait_for 20 has_lease
	wait_for 5 status_is dns '^ok [0-9]+$'
	assert_match 'nameserver 10\.77\.0\.1' "$(cat /run/resolvconf/resolv.conf)"
	assert_eq "../run/resolvconf/resolv.conf 755" "$(readlink /etc/resolv.conf) $(stat -c %a /run/resolvconf)"
	# and again, because a boot does the same as this
	rm -r /run/resolvconf
	wait_for 3 status_is dns '^drift: /run/resolvconf/resolv.conf was removed'
	calfpen set /control/dhcp4/renew 1
	wait_for 5 grep -q 'nameserver 10.77.0.1' /run/resolvconf/resolv.conf
}

test_U12_resolv_conf_links_to_a_directory_that_is_not_run() {
	resolv_links_to /srv/missing/resolv.conf
	calfpen_start
	wait_for 20 has_address
	wait_for 5 status_is dns '^error: /srv/missing/resolv.conf: No such file or directory'
	[ ! -e /srv/missing ] || fail "made"
}

bound_to() { [ "$(cat /run/bound/resolv.conf)" = "$(cat /etc/resolv.conf)" ]; }

# What `binds:` of a service does, before the lease, and LinuxKit's empty file.
test_U13_resolv_conf_bound_into_a_container() {
	mkdir -p /run/resolvconf /run/bound
	: >/run/resolvconf/resolv.conf
	resolv_links_to /run/resolvconf/resolv.conf
	touch /run/bound/resolv.conf
	mount --bind /etc/resolv.conf /run/bound/resolv.conf
	lease
	assert_match 'nameserver 10\.77\.0\.1' "$(cat /run/bound/resolv.conf)"
	echo "dhcp-option=option:dns-server,10.77.0.9" >>"$LAB_SERVER_CONF"
	server_stop
	server_start
	calfpen set /control/dhcp4/renew 1
	wait_for 10 grep -q 'nameserver 10.77.0.9' /run/bound/resolv.conf
	bound_to || fail "$(cat /run/bound/resolv.conf)"
	calfpen set /control/dhcp4/release 1
	wait_for 10 not grep -q nameserver /run/bound/resolv.conf
	assert_eq '' "$(cat /run/bound/resolv.conf /etc/resolv.conf)"
}

theirs='# what the operator had
nameserver 127.0.0.1
options edns0 trust-ad timeout:1
sortlist 10.77.0.0/255.255.255.0'

lines() { grep -v '^#' "$LAB_RESOLV"; }

test_U24_options_of_the_operator_are_kept() {
	echo "$theirs" >"$LAB_RESOLV"
	lease
	assert_eq 'search lab.example corp.example
nameserver 10.77.0.1
nameserver 10.77.0.2
options edns0 trust-ad timeout:1
sortlist 10.77.0.0/255.255.255.0' "$(lines)"
	calfpen set /control/dhcp4/release 1
	wait_for 10 not grep -q 10.77.0.2 "$LAB_RESOLV"
	assert_eq "$theirs" "$(cat "$LAB_RESOLV")"
}

test_U24_configured_resolv_conf() {
	echo "$theirs" >"$LAB_RESOLV"
	cat >"/etc/calfpen/$LAB_UPLINK.yaml" <<-END
		dns:
		  options: timeout:2 rotate
		  search: corp.example
		  prepend: [127.0.0.1]
		  append: ["2001:db8::53"]
		  supersede: 10.77.0.2
	END
	lease
	assert_eq 'search corp.example
nameserver 127.0.0.1
nameserver 10.77.0.2
nameserver 2001:db8::53
options timeout:2 rotate
sortlist 10.77.0.0/255.255.255.0' "$(lines)"
	# nor does a renewal change it
	calfpen set /control/dhcp4/renew 1
	wait_for 5 status_is dns '^ok'
	assert_match 'nameserver 127\.0\.0\.1' "$(lines)"
	calfpen set /control/dhcp4/release 1
	wait_for 10 not grep -q rotate "$LAB_RESOLV"
	assert_eq "$theirs" "$(cat "$LAB_RESOLV")"
}

test_U24_wrong_value_is_refused_at_start() {
	local config=/etc/calfpen/$LAB_UPLINK.yaml
	printf 'metric: 5\ndns:\n  prepend: [localhost]\n' >"$config"
	calfpen_start
	! wait "${started[calfpen]}" || fail "started"
	assert_match "$config:3: dns: prepend: \"localhost\" is not the address of a name server" \
		"$(cat "$LAB_DIR/calfpen.log")"
	assert_eq '# lab' "$(cat "$LAB_RESOLV")"
}
