# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
#
# --takeover: the first start goes on as the DHCP client that ran before, with its
# identity and so with its address; later starts do, too. With the real dhcpcd,
# dhclient and systemd-networkd, and with files as NetworkManager writes them.

. tests/system/calfpen.sh

networkd_lease=/run/systemd/netif/leases/$(<"/sys/class/net/$LAB_UPLINK/ifindex")
identity=/var/lib/calfpen/$LAB_UPLINK/identity

# Ours: one address, of the former client, with the lifetime of our lease.
assert_same_address() {
	wait_for 5 ours "$1"
	assert_eq "$1" "$(address)" "one address, the same"
	assert_eq "$1" "$(calfpen get /ip)"
}
ours() {
	[ "$(calfpen get /ip)" = "$1" ] && ip -4 address show dev "$LAB_UPLINK" to "${1%/*}" |
		grep -cE 'valid_lft (10[0-9]|11[0-9]|120)sec' >/dev/null
}

# It asks for the address at once: no DISCOVER since server_begin.
server_begin() { server_lines=$(wc -l <"$LAB_SERVER_LOG"); }
server_said() { tail -n "+$((server_lines + 1))" "$LAB_SERVER_LOG" | grep -c "$1"; }

client_id_is() { [ "$(calfpen get /config/dhcp4/client_id)" = "$1" ]; }

# Debian's dhcpcd.conf, abridged, or that of the test. dhcpcd confines itself to a user.
dhcpcd_begin() {
	skip_if_missing dhcpcd
	grep -q ^dhcpcd: /etc/passwd || echo 'dhcpcd:x:65500:65500::/var/lib/dhcpcd:/bin/false' >>/etc/passwd
	mkdir -p /var/lib/dhcpcd
	printf '%s\n' "${@:-duid}" persistent vendorclassid >/etc/dhcpcd.conf
	ip link set "$LAB_UPLINK" up
	dhcpcd -4 -w -A -c /bin/true "$LAB_UPLINK" >"$LAB_DIR/dhcpcd.log" 2>&1
	before=$(address)
	assert_match '^10\.77\.0\.[0-9]+/24$' "$before"
}

# persistent: it leaves its address
dhcpcd_end() {
	dhcpcd -4 -x "$LAB_UPLINK" >/dev/null 2>&1
	wait_for 5 not pgrep dhcpcd
	assert_eq "$before" "$(address)"
}

test_U33_dhcpcd_with_a_duid() {
	dhcpcd_begin
	dhcpcd_end
	server_begin
	lease --takeover
	assert_same_address "$before"
	assert_eq 0 "$(server_said DHCPDISCOVER || true)" "it asked for the address at once"
	assert_match '^ff00007702' "$(calfpen get /config/dhcp4/client_id)"
	assert_match 'continuing as dhcpcd \(/var/lib/dhcpcd/uplink0.lease\)' "$(<"$LAB_DIR/calfpen.log")"
}

# Not stopped: the one that runs decides.
test_U33_dhcpcd_that_runs() {
	dhcpcd_begin
	lease --takeover
	assert_same_address "$before"
}

test_U33_dhcpcd_with_other_identities() {
	dhcpcd_begin 'clientid "my host"'
	dhcpcd_end
	lease --takeover
	assert_same_address "$before"
	client_id_is 006d7920686f7374 || fail "$(calfpen get /config/dhcp4/client_id)"
}

dhclient_begin() {
	skip_if_missing dhclient
	mkdir -p /etc/dhcp /var/lib/dhcp
	printf '%s\n' "$1" >/etc/dhcp/dhclient.conf
	shift
	ip link set "$LAB_UPLINK" up
	# in place of dhclient-script
	cat >"$LAB_DIR/script" <<-'END'
		#!/bin/sh
		[ -z "$new_ip_address" ] || ip address replace "$new_ip_address/24" dev "$interface" \
			valid_lft "$new_dhcp_lease_time" preferred_lft "$new_dhcp_lease_time"
	END
	chmod 755 "$LAB_DIR/script" "$LAB_DIR"
	dhclient -4 -1 -sf "$LAB_DIR/script" -pf "$LAB_DIR/dhclient.pid" "$@" "$LAB_UPLINK" \
		>"$LAB_DIR/dhclient.log" 2>&1
	before=$(address)
	assert_match '^10\.77\.0\.[0-9]+/24$' "$before"
}

dhclient_end() {
	kill "$(<"$LAB_DIR/dhclient.pid")"
	wait_for 5 not pgrep dhclient
}

# As Debian's ifupdown starts it.
test_U33_dhclient_of_ifupdown() {
	dhclient_begin 'send host-name = gethostname();' -i -I \
		-lf "/var/lib/dhcp/dhclient.$LAB_UPLINK.leases" \
		-df "/var/lib/dhcp/dhclient6.$LAB_UPLINK.leases"
	dhclient_end
	server_begin
	lease --takeover
	assert_same_address "$before"
	assert_eq 0 "$(server_said DHCPDISCOVER || true)"
	assert_match '^ff000077020001' "$(calfpen get /config/dhcp4/client_id)"
}

test_U33_dhclient_without_an_id() {
	dhclient_begin ''
	lease --takeover
	assert_same_address "$before"
	client_id_is none || fail "$(calfpen get /config/dhcp4/client_id)"
}

test_U33_dhclient_with_an_id() {
	dhclient_begin 'interface "uplink0" { send dhcp-client-identifier "me"; }'
	dhclient_end
	lease --takeover
	assert_same_address "$before"
	client_id_is 6d65 || fail "$(calfpen get /config/dhcp4/client_id)"
}

# Its DUID is made of the machine's id, and its IAID of the interface's name.
test_U33_networkd() {
	local networkd=/lib/systemd/systemd-networkd
	[ -x "$networkd" ] || skip "$networkd is not installed"
	grep -q ^systemd-network: /etc/passwd ||
		echo 'systemd-network:x:65502:65502::/:/usr/sbin/nologin' >>/etc/passwd
	grep -q ^systemd-network: /etc/group || echo 'systemd-network:x:65502:' >>/etc/group
	[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	mkdir -p /etc/systemd/network /run/systemd/netif/{leases,links,lldp}
	chown -R systemd-network /run/systemd/netif
	printf '[Match]\nName=%s\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n' "$LAB_UPLINK" \
		>/etc/systemd/network/lab.network
	mount -o remount,ro,bind /sys # as in a container: there is no udev to wait for
	start networkd "$networkd"
	wait_for 10 grep -q ^CLIENTID= "$networkd_lease"
	wait_for 5 has_address
	before=$(address)
	lease --takeover
	assert_same_address "$before"
	assert_eq "$(sed -n s/^CLIENTID=//p "$networkd_lease")" "$(calfpen get /config/dhcp4/client_id)"
}

# A client that is gone, with the lease that the server knows by this identifier.
# former CLIENT_ID_HEX ADDRESS - the uplink has it, for 900 s
former() {
	ip link set "$LAB_UPLINK" up
	server_stop
	echo "$(($(date +%s) + 3600)) $LAB_UPLINK_MAC $2 * $(sed 's/../&:/g; s/:$//' <<<"$1")" >>"$LAB_SERVER_LEASES"
	server_start
	[ "${3-}" = gone ] || ip address add "$2/24" dev "$LAB_UPLINK" valid_lft 900 preferred_lft 900
	before=$2/24
}

# lease_file PATH LINE... - with a date of its own
lease_file() {
	mkdir -p "${1%/*}"
	printf '%s\n' "${@:2}" >"$1"
}

connection=2d3b3c1e-8f0a-4c63-9f5e-1c2d3e4f5a6b
nm=/var/lib/NetworkManager
private='# This is private data. Do not parse.'

test_U33_network_manager() {
	former ff010203040506 10.77.0.171
	lease_file "$nm/internal-$connection-$LAB_UPLINK.lease" "$private" ADDRESS=10.77.0.171 \
		NETMASK=255.255.255.0 CLIENTID=ff010203040506
	lease --takeover
	assert_same_address "$before"
	client_id_is ff010203040506
}

test_U33_network_manager_with_dhclient() {
	former 00736e6d 10.77.0.172
	lease_file "$nm/dhclient-$connection-$LAB_UPLINK.lease" \
		"lease { interface \"$LAB_UPLINK\"; fixed-address 10.77.0.172; }"
	lease_file "$nm/dhclient-$LAB_UPLINK.conf" '# Created by NetworkManager' \
		'send dhcp-client-identifier "\x00snm"; # added by NetworkManager'
	lease --takeover
	assert_same_address "$before"
}

# Its file does not say with which identifier: the default of both is the MAC.
test_U33_network_manager_without_an_id() {
	former 01020000007702 10.77.0.173
	lease_file "$nm/internal-$connection-$LAB_UPLINK.lease" "$private" ADDRESS=10.77.0.173
	lease --takeover
	assert_same_address "$before"
	assert_match 'identity of the former DHCP client is unknown.*does not tell.*client_id' \
		"$(<"$LAB_DIR/calfpen.log")"
}

# The address is gone, the lease is not: it is asked for at once.
test_U33_address_that_is_gone() {
	former ff010203040506 10.77.0.174 gone
	lease_file "$networkd_lease" "$private" \
		ADDRESS=10.77.0.174 NETMASK=255.255.255.0 CLIENTID=ff010203040506
	server_begin
	lease --takeover
	assert_same_address "$before"
	assert_eq 0 "$(server_said DHCPDISCOVER || true)"
}

# Files of several clients, the newest of which is not that of the address.
test_U33_file_of_the_address() {
	former ff010203040506 10.77.0.175
	lease_file "$networkd_lease" "$private" \
		ADDRESS=10.77.0.175 CLIENTID=ff010203040506
	touch -d '1 year ago' "$networkd_lease"
	lease_file "$nm/internal-$connection-$LAB_UPLINK.lease" "$private" ADDRESS=10.77.0.9 CLIENTID=0102
	lease --takeover
	assert_same_address "$before"
}

# No address tells: the newest. Files of other interfaces are not read.
test_U33_newest_file() {
	former ff010203040506 10.77.0.176 gone
	lease_file "$nm/internal-$connection-$LAB_UPLINK.lease" "$private" ADDRESS=10.77.0.9 CLIENTID=0102
	touch -d '1 year ago' "$nm/"*.lease
	lease_file "$networkd_lease" "$private" \
		ADDRESS=10.77.0.176 CLIENTID=ff010203040506
	touch -d '1 hour ago' "$networkd_lease"
	lease_file "$nm/internal-$connection-my-$LAB_UPLINK.lease" "$private" ADDRESS=10.77.0.10 CLIENTID=0103
	lease_file /var/lib/dhcp/dhclient.leases 'lease { interface "other0"; fixed-address 10.77.0.11; }'
	lease --takeover
	assert_same_address "$before"
}

# The second start is the same client, with --takeover or without, whatever has become of
# the files; so is one after a reboot, which leaves only what is on disk.
test_U33_identity_is_kept() {
	dhcpcd_begin
	dhcpcd_end
	lease --takeover
	assert_same_address "$before"
	id=$(calfpen get /config/dhcp4/client_id)
	assert_match "^client_id: $id\$" "$(grep -v '^#' "$identity")"
	assert_eq 600 "$(stat -c %a "$identity")"
	stop calfpen || fail "exit code $?"
	rm -r /var/lib/dhcpcd
	for options in '' --takeover reboot; do
		if [ "$options" = reboot ]; then
			options=
			rm -r "$pins" "$run"
			ip address flush dev "$LAB_UPLINK"
		fi
		# shellcheck disable=SC2086 # none or one
		lease $options
		assert_same_address "$before"
		assert_eq "$id" "$(calfpen get /config/dhcp4/client_id)"
		assert_eq 1 "$(grep -c 'continuing as' "$LAB_DIR/calfpen.log")"
		stop calfpen || fail "exit code $?"
	done
	# without its lease it is still known by its identifier
	rm -r "$pins" "$run" "/var/lib/calfpen/$LAB_UPLINK/store"
	ip address flush dev "$LAB_UPLINK"
	lease
	assert_same_address "$before"
}

# Not the first start: there is a lease of our own.
test_U33_not_with_a_lease_of_our_own() {
	lease
	before=$(address)
	stop calfpen || fail "exit code $?"
	lease_file "$networkd_lease" "$private" \
		"ADDRESS=${before%/*}" CLIENTID=ff010203040506
	lease --takeover
	assert_same_address "$before"
	client_id_is mac
	[ ! -e "$identity" ] || fail "an identity was saved"
}

# Nor without --takeover.
test_U33_only_when_asked_for() {
	former 01020000007702 10.77.0.177 gone
	lease_file "$networkd_lease" "$private" \
		ADDRESS=10.77.0.178 CLIENTID=ff010203040506
	lease
	client_id_is mac
	[ ! -e "$identity" ] || fail "an identity was saved"
}

# What the operator configures wins, now and later.
test_U33_configuration_wins() {
	local option
	former 01020000007702 10.77.0.179 gone
	lease_file "$networkd_lease" "$private" \
		ADDRESS=10.77.0.178 CLIENTID=ff010203040506
	for option in 'client_id: mac' 'duid: "00030001020000007702"' 'iaid: 7' 'anonymous: 1'; do
		echo "calves: {dhcp4: {$option}}" >"/etc/calfpen/$LAB_UPLINK.yaml"
		lease --takeover
		client_id_is mac || fail "$option"
		[ ! -e "$identity" ] || fail "$option: an identity was saved"
		stop calfpen || fail "exit code $?"
		rm -r "$pins" "/var/lib/calfpen/$LAB_UPLINK"
		ip address flush dev "$LAB_UPLINK"
	done
	mkdir -p "${identity%/*}"
	echo 'client_id: ff010203040506' >"$identity"
	echo 'calves: {dhcp4: {client_id: 0102}}' >"/etc/calfpen/$LAB_UPLINK.yaml"
	lease
	client_id_is 0102
}

# starts_with REGEX - with a hostile file it starts all the same, says why in one line,
# and asks for the address that the uplink has
starts_with() {
	local start=${EPOCHREALTIME//./}
	rm -f "$LAB_DIR/calfpen.log"
	lease --takeover
	assert_same_address "$before"
	client_id_is mac
	assert_eq 1 "$(grep -cE "identity of the former DHCP client is unknown: $1" "$LAB_DIR/calfpen.log")" "$1"
	[ ! -e "$identity" ] || fail "an identity was saved"
	stop calfpen || fail "exit code $?"
	rm -r "$pins" "/var/lib/calfpen/$LAB_UPLINK"
}

test_U33_hostile_files() {
	local file=/var/lib/dhcpcd/$LAB_UPLINK.lease
	former 01020000007702 10.77.0.180
	mkdir -p /var/lib/dhcpcd
	starts_with 'no lease file'

	ln -s /etc/shadow "$file"
	starts_with "$file is a symbolic link"
	rm "$file"
	mkfifo "$file"
	starts_with "$file is not a regular file"
	rm "$file"
	mkdir "$file"
	starts_with "$file is not a regular file"
	rmdir "$file"
	mknod "$file" c 1 5 # /dev/zero
	starts_with "$file is not a regular file"
	rm "$file"
	truncate -s 1G "$file"
	starts_with "$file is too large"
	truncate -s 0 "$file"
	starts_with "$file is damaged"
	dd if=/dev/urandom of="$file" bs=64K count=16 status=none
	starts_with "$file is damaged"
	rm "$file"
	lease_file "/var/lib/dhcp/dhclient.$LAB_UPLINK.leases" "$(yes '{"' | sed 100000q)"
	starts_with 'no lease file is for this interface'
	lease_file "/var/lib/dhcp/dhclient.$LAB_UPLINK.leases" \
		"lease { interface \"$LAB_UPLINK\"; fixed-address 10.77.0.180; option" \
		"dhcp-client-identifier \"$(yes x | sed 400q | tr -d '\n')\"; }"
	starts_with '.*dhclient.uplink0.leases does not tell'
	ln -sf /etc/shadow /etc/dhcpcd.conf # a link of root's own may be followed
	touch -d '1 hour ago' "/var/lib/dhcp/dhclient.$LAB_UPLINK.leases"
	starts_with '.*dhclient.uplink0.leases does not tell'
}

# A file of ours that is damaged is not replaced, and does not prevent the start.
test_U33_damaged_identity() {
	mkdir -p "${identity%/*}"
	echo 'client_id: xyz' >"$identity"
	lease --takeover
	client_id_is mac
	assert_match "$identity: not a line" "$(<"$LAB_DIR/calfpen.log")"
	assert_eq 'client_id: xyz' "$(<"$identity")"
}
