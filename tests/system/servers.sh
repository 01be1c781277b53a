# shellcheck shell=bash disable=SC2154,SC2034,SC2119,SC2120
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
#
# servers.sh - real DHCP servers in the lab, all started and asked the same way
#
# Usage: . tests/system/calfpen.sh; . tests/system/servers.sh, in a file with
# "# lab: --no-server". A server is KIND@PLACE: dnsmasq, dhcpd, kea or udhcpd in
# one of the network namespaces
#
#   server   behind the uplink, on $LAB_SERVER_IF
#   second   on the same segment, on second0, made by second_segment
#   behind   on a segment of its own, made by relay_segment: only a relay that
#            runs in "server" and its router lead there
#
# What the next dhcp_server_start makes of it stands in these variables:

place=server       # where the one server of most tests is
net=10.77.0        # the clients' subnet, a /24
pool=100-199       # last octets
lease_time=120     # seconds; dnsmasq gives no less
t1=30 t2=60        # seconds, "" leaves them out; dnsmasq takes no T1 below 3
search=(lab.example corp.example)
routes=()          # of option 121: "DESTINATION/LENGTH GATEWAY"
more=()            # lines of the server's own configuration

place_interface() {
	case $1 in
	server) echo "$LAB_SERVER_IF" ;;
	second) echo second0 ;;
	behind) echo behind0 ;;
	esac
}

# place_address PLACE - the server's own, and its identifier
place_address() {
	case $1 in
	server) echo "$net.1" ;;
	second) echo "$net.3" ;;
	behind) echo 10.78.0.2 ;;
	esac
}

# at PLACE COMMAND...
at() {
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# wire_start - frames on the uplink's segment go to $LAB_DIR/wire.log as text
wire_start() {
	start wire nsenter --net="/run/netns/$LAB_SERVER_NS" -- tests/system/wire "$LAB_SERVER_IF"
	wait_for_line "$LAB_DIR/wire.log" '^ready' 20
}

# wire REGEX - lines of it
wire() {
	grep -E -- "$1" "$LAB_DIR/wire.log"
}

# wire_wait REGEX SECONDS
wire_wait() {
	wait_for_line "$LAB_DIR/wire.log" "$1" "$2"
}

# One more port on the segment, with its own MAC and address
second_segment() {
	ip netns add second
	at server ip link add link "$LAB_SERVER_IF" name second0 netns second \
		address 02:00:00:00:77:03 type macvlan mode bridge
	at second ip link set lo up
	at second ip link set second0 up
	at second ip address add "$net.3/24" dev second0
}

relay_segment() {
	ip netns add behind
	at server ip link add relay0 type veth peer name behind0 netns behind
	at server ip address add 10.78.0.1/24 dev relay0
	at server ip link set relay0 up
	at server sysctl -q -w net.ipv4.ip_forward=1
	at behind ip link set lo up
	at behind ip address add 10.78.0.2/24 dev behind0
	at behind ip link set behind0 up
	at behind ip route add default via 10.78.0.1
}

relay_start() {
	start relay nsenter --net=/run/netns/server -- dhcrelay -4 -d --no-pid -id "$LAB_SERVER_IF" \
		-iu relay0 10.78.0.2
	wait_for_line "$LAB_DIR/relay.log" 'Sending on .*relay0' 20
}

# dhcp_server_start KIND@PLACE - configure it from the variables above, run it there,
# return when it answers
dhcp_server_start() {
	local kind=${1%@*} place=${1#*@} dir=$LAB_DIR/$1
	mkdir -p "$dir"
	"${kind}_configuration" "$place" "$dir" >"$dir/conf"
	"${kind}_start" "$place" "$dir"
}

# serve PLACE NAME COMMAND... - as start, in a place; log in $LAB_DIR/NAME.log, that
# of a former life aside: what it says must be this one's
serve() {
	[ ! -e "$LAB_DIR/$2.log" ] || mv "$LAB_DIR/$2.log" "$LAB_DIR/$2.before.log"
	start "$2" nsenter --net="/run/netns/$1" -- "${@:3}"
}

dhcp_server_stop() {
	stop "$1" || true
}

# lines ITEM... - nothing without items
lines() {
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

join() {
	local IFS=$1
	echo "${*:2}"
}

# ---------------------------------------------------------------------------

dnsmasq_configuration() {
	cat <<-END
		interface=$(place_interface "$1")
		bind-interfaces
		port=0
		user=root
		group=root
		dhcp-authoritative
		no-ping
		log-dhcp
		log-facility=-
		dhcp-leasefile=$2/leases
		dhcp-range=$net.${pool%-*},$net.${pool#*-},255.255.255.0,$lease_time
		dhcp-option=option:router,$net.1
		dhcp-option=option:dns-server,$net.1,$net.2
		domain=lab.example
		dhcp-option=option:domain-search,$(join , "${search[@]}")
		dhcp-option=option:mtu,1400
		${t1:+dhcp-option=option:T1,${t1}s}
		${t2:+dhcp-option=option:T2,${t2}s}
	END
	[ ${#routes[@]} -eq 0 ] || echo "dhcp-option=121,$(join , "${routes[@]/ /,}")"
	lines "${more[@]}"
}

dnsmasq_start() {
	serve "$1" "dnsmasq@$1" dnsmasq --keep-in-foreground --conf-file="$2/conf" --pid-file
	wait_for_line "$LAB_DIR/dnsmasq@$1.log" 'DHCP, IP range' 20
}

# dhcpd_route DESTINATION/LENGTH GATEWAY - the octets of option 121, with commas
dhcpd_route() {
	local length=${1#*/} octets
	IFS=. read -ra octets <<<"${1%/*}"
	join , "$length" "${octets[@]:0:(length + 7) / 8}" "${2//./,}"
}

dhcpd_configuration() {
	local route encoded=()
	for route in "${routes[@]}"; do
		# shellcheck disable=SC2086 # two words
		encoded+=("$(dhcpd_route $route)")
	done
	cat <<-END
		authoritative;
		ping-check false;
		dhcp-cache-threshold 0;
		ddns-update-style none;
		default-lease-time $lease_time;
		max-lease-time $lease_time;
		option domain-name "lab.example";
		option domain-search $(join , "${search[@]/*/\"&\"}");
		option domain-name-servers $net.1, $net.2;
		option interface-mtu 1400;
		option classless-routes code 121 = array of unsigned integer 8;
		${t1:+option dhcp-renewal-time $t1;}
		${t2:+option dhcp-rebinding-time $t2;}
		${encoded:+option classless-routes $(join , "${encoded[@]}");}
	END
	lines "${more[@]}"
	[ "$1" != behind ] || echo "subnet 10.78.0.0 netmask 255.255.255.0 { }"
	cat <<-END
		subnet $net.0 netmask 255.255.255.0 {
			range $net.${pool%-*} $net.${pool#*-};
			option routers $net.1;
		}
	END
}

dhcpd_start() {
	touch "$2/leases"
	serve "$1" "dhcpd@$1" dhcpd -4 -f -d -cf "$2/conf" -lf "$2/leases" --no-pid \
		"$(place_interface "$1")"
	wait_for_line "$LAB_DIR/dhcpd@$1.log" 'Server starting service' 20
}

kea_option() {
	printf '{ "name": "%s", "data": "%s" },\n' "$1" "$2"
}

kea_configuration() {
	cat <<-END
		{ "Dhcp4": {
		"interfaces-config": { "interfaces": [ "$(place_interface "$1")" ] },
		"lease-database": { "type": "memfile", "name": "$2/leases", "lfc-interval": 0 },
		"loggers": [ { "name": "kea-dhcp4", "severity": "INFO",
			"output_options": [ { "output": "stdout" } ] } ],
		"authoritative": true,
		"valid-lifetime": $lease_time, "min-valid-lifetime": $lease_time,
		"max-valid-lifetime": $lease_time,
		${t1:+"\"renew-timer\": $t1,"}
		${t2:+"\"rebind-timer\": $t2,"}
		$(lines "${more[@]}")
		"subnet4": [ {
			"subnet": "$net.0/24",
			"pools": [ { "pool": "$net.${pool%-*} - $net.${pool#*-}" } ],
			"option-data": [
				$(kea_option routers "$net.1")
				$(kea_option domain-name-servers "$net.1, $net.2")
				$(kea_option domain-search "$(join , "${search[@]}")")
				$(kea_routes)
				$(kea_option domain-name lab.example)
				{ "name": "interface-mtu", "data": "1400" }
			]
		} ] } }
	END
}

kea_routes() {
	local route encoded=()
	[ ${#routes[@]} -gt 0 ] || return 0
	for route in "${routes[@]}"; do
		# shellcheck disable=SC2046,SC2086 # words
		encoded+=("$(printf '%02x' $(dhcpd_route $route | tr , ' '))")
	done
	printf '{ "code": 121, "space": "dhcp4", "csv-format": false, "data": "%s" },\n' \
		"$(join '' "${encoded[@]}")"
}

# It opens no socket on an interface without carrier.
kea_start() {
	ip link set "$LAB_UPLINK" up
	serve "$1" "kea@$1" env KEA_PIDFILE_DIR="$2" KEA_LOCKFILE_DIR="$2" kea-dhcp4 -c "$2/conf"
	wait_for_line "$LAB_DIR/kea@$1.log" 'DHCP4_STARTED' 20
}

# Its routes, long names and times are options like any other: in hex.
udhcpd_configuration() {
	cat <<-END
		interface $(place_interface "$1")
		start $net.${pool%-*}
		end $net.${pool#*-}
		min_lease 30
		auto_time 0
		lease_file $2/leases
		pidfile $2/pid
		option lease $lease_time
		option subnet 255.255.255.0
		option router $net.1
		option dns $net.1 $net.2
		option domain lab.example
		option search $(join ' ' "${search[@]}")
		option mtu 1400
		${t1:+option 58 $(printf %08x "$t1")}
		${t2:+option 59 $(printf %08x "$t2")}
	END
	[ ${#routes[@]} -eq 0 ] || echo "option staticroutes $(join , "${routes[@]}")"
	lines "${more[@]}"
}

udhcpd_start() {
	touch "$2/leases"
	serve "$1" "udhcpd@$1" busybox udhcpd -f -I "$(place_address "$1")" -a 1 "$2/conf"
	wait_for_line "$LAB_DIR/udhcpd@$1.log" 'started' 20
}
