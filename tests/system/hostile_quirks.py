# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""What real servers send although they should not (Q17..Q52): a lease all the same."""

import os
import re
import socket
import struct
import time

import dhcp4
from dhcp4 import ACK, DISCOVER, FORCERENEW, NAK, OFFER, REQUEST, ip
from hostile import (ADDRESS, LEASE_S, MASK, NAME_SERVER, NOTHING_BAD, PATIENCE, ROUTER, SERVER, UPLINK,
                     Counted, case, check, counters, host, in_namespace, wait_host)

OTHER = "10.77.0.9"


def u32(value):
    return struct.pack("!I", value)


def value_is(server, path, value):
    check(server.store.get(path) == value, f"{path} is {server.store.get(path)}, not {value}")


def log():
    with open(os.path.join(os.environ["LAB_DIR"], "calfpen.log"), encoding="latin-1") as file:
        return file.read()


@case("quirks")
def Q17_server_identifier_is_missing_or_0(server):
    server.lease(server=None)
    value_is(server, "/lease/server", "0.0.0.0")
    renewal = server.renew(server=None)
    check(renewal.frame.ip_destination == ip("255.255.255.255"), "nobody to unicast to")
    server.again()
    request = server.lease(server="0.0.0.0")
    check(request[54] in (None, bytes(4)), f"54: {request.text()}")
    value_is(server, "/lease/server", "0.0.0.0")


@case("quirks")
def Q18_siaddr_is_not_who_to_renew_with(server):
    server.lease(siaddr=ip(OTHER))
    value_is(server, "/lease/server", SERVER)
    renewal = server.renew(siaddr=ip(OTHER))
    check(renewal.frame.ip_destination == ip(SERVER), dhcp4.ip_text(renewal.frame.ip_destination))


@case("quirks")
def Q19_another_server_refuses(server):
    server.reply(OFFER, server.expect(DISCOVER))
    request = server.expect(REQUEST)
    with Counted("discarded_server"):
        server.reply(NAK, request, [], server=OTHER)
    with Counted("ack_received"):
        server.reply(ACK, request)
    server.bound()


@case("quirks")
def Q20_refused_after_the_ack(server):
    request = server.exchange()
    with Counted("discarded_state", by=2):
        server.reply(NAK, request, [(56, b"no")])
        server.reply(NAK, request, [(56, b"no, no")])
    server.bound()
    # also while the address is probed
    server.expect_arp()
    with Counted("discarded_state"):
        server.reply(NAK, request, [(56, b"never")])
    # the filter has no use for the same once more
    with Counted("in_replayed"):
        server.reply(NAK, request, [(56, b"never")])
    server.bound()


@case("quirks")
def Q24_offer_echoes_rapid_commit(server):
    server.reply(OFFER, server.expect(DISCOVER), NOTHING_BAD + [(80, b"")])
    request = server.expect(REQUEST)
    check(server.store.get("/ip") is None, "bound by an OFFER")
    server.reply(ACK, request)
    server.bound()


@case("quirks")
def Q25_lease_time_is_missing_or_0(server):
    for lease in (None, 0):
        server.lease(lease=lease)
        time_s = int(server.store.get("/lease/time"))
        check(3590 <= time_s <= 3600, f"/lease/time {time_s}")
        server.again()
    server.lease(NOTHING_BAD + [(51, b"\x0e\x10")], lease=None)  # two octets
    check(int(server.store.get("/lease/time")) > 3590, "51 of two octets is missing")


@case("quirks")
def Q26_very_short_leases(server):
    server.lease(lease=60)
    check(55 <= int(server.store.get("/lease/time")) <= 60, "60 s are kept")
    server.again()
    server.lease(lease=5)
    check(25 <= int(server.store.get("/lease/time")) <= 30, "the floor is 30 s")


@case("quirks")
def Q27_t1_and_t2_make_no_sense(server):
    for t1, t2 in ((500, 400), (300, 600), (300, 700), (0, 0), (525, 525), (0xFFFFFFFF, 1)):
        server.lease(NOTHING_BAD + [(58, u32(t1)), (59, u32(t2))])
        value_is(server, "/lease/t1", str(LEASE_S // 2))
        value_is(server, "/lease/t2", str(LEASE_S * 7 // 8))
        server.again()
    server.lease(NOTHING_BAD + [(58, u32(100)), (59, u32(200))])
    value_is(server, "/lease/t1", "100")
    value_is(server, "/lease/t2", "200")


@case("quirks")
def Q28_subnet_mask_is_missing(server):
    server.exchange([ROUTER, NAME_SERVER])
    server.bound(ADDRESS + "/8")
    server.again()
    server.exchange([ROUTER, NAME_SERVER, (1, ip("255.0.255.0"))])
    server.bound(ADDRESS + "/8")


@case("quirks")
def Q29_no_address_is_offered(server):
    discover = server.expect(DISCOVER)
    bad = ("0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "0.1.2.3", "240.0.0.1")
    with Counted("discarded_address", by=len(bad)):
        for address in bad:
            server.reply(OFFER, discover, yiaddr=address)
    server.reply(OFFER, discover)
    request = server.expect(REQUEST)
    with Counted("discarded_address"):
        server.reply(ACK, request, yiaddr="0.0.0.0")
    server.reply(ACK, request)
    server.bound()


@case("quirks")
def U52_subnets_own_addresses_are_offered(server):
    discover = server.expect(DISCOVER)
    with Counted("discarded_subnet", by=2):
        server.reply(OFFER, discover, yiaddr="10.77.0.255")
        server.reply(OFFER, discover, yiaddr="10.77.0.0")
    server.reply(OFFER, discover)
    request = server.expect(REQUEST)
    with Counted("discarded_subnet"):
        server.reply(ACK, request, yiaddr="10.77.0.255")
        server.reply(ACK, request, [(1, ip("255.255.255.254")), ROUTER], yiaddr="10.77.0.255")
    server.bound("10.77.0.255/31")
    server.configured("10.77.0.255")
    server.store.ask("renew")
    with Counted("discarded_subnet"):
        server.reply(ACK, server.expect(REQUEST), yiaddr="10.77.0.255")


@case("quirks")
def Q30_link_local_address_is_offered(server):
    discover = server.expect(DISCOVER)
    with Counted("discarded_link_local"):
        server.reply(OFFER, discover, yiaddr="169.254.7.7")
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("quirks")
def Q31_single_values_come_twice(server):
    twice = [(54, ip(SERVER)), (54, ip(OTHER)), (51, u32(300)), (51, u32(900)), MASK,
             (1, ip("255.255.0.0")), (26, b"\x05\x78"), (26, b"\x02\x58"), ROUTER, NAME_SERVER]
    request = server.exchange(twice, server=None, lease=None)
    check(request[54] == ip(SERVER), f"54: {request.text()}")
    server.bound()
    value_is(server, "/lease/server", SERVER)
    value_is(server, "/mtu", "1400")
    check(290 <= int(server.store.get("/lease/time")) <= 300, "the first lease time counts")


@case("quirks")
def Q32_texts_end_in_nul(server):
    server.lease([MASK, ROUTER, (15, b"lab.example\0\0\0")])
    value_is(server, "/domain", "lab.example")
    server.again()
    server.lease([MASK, ROUTER, (15, b"lab\0.example")])
    value_is(server, "/domain", None)


@case("quirks")
def Q33_host_name_of_no_length(server):
    server.lease(NOTHING_BAD + [(12, b""), (15, b""), (6, b""), (3, b""), (119, b"")])


@case("quirks")
def Q34_garbage_after_a_mangled_domain(server):
    server.lease([MASK, ROUTER, NAME_SERVER, (15, b"hotel wifi!!"), b"\x0f\x90hotel"], end=False)
    value_is(server, "/gateway", SERVER)
    value_is(server, "/nameserver/001", SERVER)


@case("quirks")
def Q35_no_end_or_a_truncated_option(server):
    server.lease(end=False)
    server.again()
    server.lease(NOTHING_BAD + [b"\x2b\xc8\x01\x02"], end=False)
    value_is(server, "/domain", "lab.example")
    server.again()
    # 52 before the end that is missing opens the file field
    more = dhcp4.options([(26, b"\x05\x14"), b"\xff"])
    server.lease(NOTHING_BAD + [(52, b"\1")], file=more, end=False)
    value_is(server, "/mtu", "1300")


@case("quirks")
def Q36_overload_inside_the_overloaded_fields(server):
    file = dhcp4.options([(52, b"\3"), (26, b"\x05\x14"), b"\xff"])
    sname = dhcp4.options([(52, b"\1"), (15, b"sname.example"), b"\xff"])
    server.lease([MASK, ROUTER, (52, b"\1"), (52, b"\3")], file=file, sname=sname)
    value_is(server, "/mtu", "1300")
    value_is(server, "/domain", None)
    server.again()
    server.lease([MASK, ROUTER, (52, b"\3")], file=file, sname=sname)
    value_is(server, "/mtu", "1300")
    value_is(server, "/domain", "sname.example")


@case("quirks")
def Q37_several_domains_in_15(server):
    server.lease([MASK, ROUTER, (15, b"lab.example corp.example")])
    value_is(server, "/domain", "lab.example")
    server.again()
    server.lease([MASK, ROUTER, (15, b"bad_name.example")])
    value_is(server, "/domain", None)


@case("quirks")
def U26_names_that_are_left_out(server):
    with Counted("ignored_domain", by=2):
        server.lease([MASK, ROUTER, (15, b"u26.example; .corp.example a,b"),
                      (119, b"\3a_b\0\2c;\0")])
    value_is(server, "/domain", "corp.example")
    value_is(server, "/search", "a_b")
    wait_host(("cat", os.environ["LAB_RESOLV"]), r"search a_b\n")
    server.again()
    with Counted("ignored_domain", "ignored_search", by=2):
        server.lease([MASK, ROUTER, (15, b"local;"), (119, b"\3a.b\0")])
    value_is(server, "/domain", None)
    value_is(server, "/search", None)


@case("quirks")
def Q39_router_outside_of_the_subnet(server):
    server.exchange([(1, ip("255.255.255.255")), (3, ip("10.99.0.1"))])
    server.bound(ADDRESS + "/32")
    wait_host(("ip", "-4", "route", "show", "default"), r"via 10\.99\.0\.1 ")
    check("onlink" in host("ip", "-4", "route", "show", "default"), "an on-link next hop")
    check(host("ip", "-4", "route", "show", "10.99.0.1") == "", "without a route of its own")


@case("quirks")
def U27_routers_that_cannot_be_one(server):
    routers = ("10.77.0.255", "10.77.0.0", ADDRESS, "0.0.0.0", "127.0.0.1", "224.0.0.1", OTHER)
    with Counted("ignored_router", by=6):
        server.lease([MASK, (3, b"".join(map(ip, routers)))])
    value_is(server, "/gateway", OTHER)
    wait_host(("ip", "-4", "route", "show", "default"), re.escape(f"via {OTHER} "))
    server.again()
    bad = ip("10.77.0.255")
    with Counted("ignored_router", "ignored_route", by=2):
        server.lease([MASK, (121, bytes((0,)) + bad + bytes((8, 11)) + bad + bytes((8, 12)) + ip(OTHER))])
    value_is(server, "/gateway", None)
    check(server.store.below("/route") == ["12.0.0.0/8 via " + OTHER], server.store.text())
    wait_host(("ip", "-4", "route", "show", "12.0.0.0/8"), re.escape(f"via {OTHER} "))
    check("Invalid argument" not in host("calfpen", "status"), host("calfpen", "status"))


@case("quirks")
def Q40_route_by_ourselves_is_on_link(server):
    routes = bytes((24, 192, 0, 2)) + ip(ADDRESS) + bytes((32, 10, 77, 0, 44)) + ip("10.77.0.44")
    server.lease([MASK, (121, routes + bytes((0,)) + ip(SERVER))])
    check("192.0.2.0/24 onlink" in server.store.below("/route"), server.store.text())
    check("10.77.0.44/32 onlink" in server.store.below("/route"), server.store.text())
    wait_host(("ip", "-4", "route", "show", "192.0.2.0/24"), "scope link")


@case("quirks")
def Q41_router_beside_classless_routes(server):
    server.lease([MASK, (3, ip(OTHER)), (121, bytes((16, 10, 99)) + ip("10.77.0.2"))])
    value_is(server, "/gateway", None)  # V4-46: also without a default route in 121
    check(server.store.below("/route") == ["10.99.0.0/16 via 10.77.0.2"], server.store.text())
    server.again()
    server.lease([MASK, (3, ip(OTHER)), (33, ip("10.50.0.1") + ip("10.77.0.2")),
                  (121, bytes((0,)) + ip(SERVER))])
    value_is(server, "/gateway", SERVER)
    check(not server.store.below("/route"), server.store.text())


@case("quirks")
def Q42_microsoft_routes_alone(server):
    server.lease([MASK, (3, ip(OTHER)), (249, bytes((0,)) + ip(SERVER) + bytes((8, 44)) + ip(OTHER))])
    value_is(server, "/gateway", SERVER)
    check(server.store.below("/route") == ["44.0.0.0/8 via " + OTHER], server.store.text())
    server.again()
    server.lease([MASK, (249, bytes((0,)) + ip(OTHER)), (121, bytes((0,)) + ip(SERVER))])
    value_is(server, "/gateway", SERVER)


@case("quirks")
def Q44_absurd_mtu(server):
    for mtu, stored in ((0, None), (67, None), (68, None), (575, None), (576, "576")):
        server.lease([MASK, ROUTER, (26, struct.pack("!H", mtu))])
        value_is(server, "/mtu", stored)
        if stored:
            wait_host(("ip", "link", "show", "dev", UPLINK), f"mtu {stored} ")
        server.again()
    wait_host(("ip", "link", "show", "dev", UPLINK), "mtu 1500 ")


@case("quirks")
def Q45_servers_that_are_no_servers(server):
    bad = b"".join(map(ip, ("0.0.0.0", "127.0.0.1", SERVER, "255.255.255.255", "224.0.0.1", OTHER)))
    server.lease([MASK, ROUTER, (6, bad), (42, bad)])
    check(server.store.below("/nameserver") == [SERVER, OTHER], server.store.text())
    check(server.store.below("/ntp") == [SERVER, OTHER], server.store.text())


@case("quirks")
def Q46_client_identifier_is_altered(server):
    discover = server.expect(DISCOVER)
    altered = (discover[61][:-1] + b"\xfe", discover[61][:-1], discover[61] + b"\0", b"", bytes(255))
    with Counted("discarded_client_id", by=len(altered)):
        for identifier in altered:
            server.reply(OFFER, discover, NOTHING_BAD + [(61, identifier)])
    server.reply(OFFER, discover, NOTHING_BAD + [(61, discover[61])])
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("quirks", "native")
def Q47_udp_checksum_is_left_to_a_device(server):
    def open_socket():
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        channel.bind((SERVER, 67))
        return channel
    with in_namespace(os.environ["LAB_SERVER_NS"], open_socket) as channel:
        there = ("10.77.0.255", 68)
        channel.sendto(server.message(OFFER, server.expect(DISCOVER)), there)
        channel.sendto(server.message(ACK, server.expect(REQUEST)), there)
        server.bound()
    server.again()
    discover = server.expect(DISCOVER)
    with Counted("discarded_udp_checksum"):
        server.send(server.frame(server.message(OFFER, discover), check=0x1234))
    server.silent(0.1)


@case("quirks", "native")
def Q48_no_checksum_and_more_octets(server):
    discover = server.expect(DISCOVER)
    server.send(server.frame(server.message(OFFER, discover), check=0, trailer=bytes(40)))
    request = server.expect(REQUEST)
    # UDP ends before IP does
    payload = server.message(ACK, request)
    server.send(server.frame(payload + b"\x35\x01\x06" * 4, check=0, length=8 + len(payload),
                             trailer=b"\xff" * 9))
    server.bound()


@case("quirks", "native")
def Q49_fragments(server):
    discover = server.expect(DISCOVER)
    with Counted("in_fragment"):
        server.send(server.frame(server.message(OFFER, discover), ip4={"fragment": 0x2000}))
    with Counted("in_accepted", by=0):
        server.send(server.frame(server.message(OFFER, discover), ip4={"fragment": 0x2010}))
        server.send(server.frame(server.message(OFFER, discover), ip4={"fragment": 0x0010}))
    server.silent(0.1)
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("quirks")
def Q50_arp_of_switches_is_no_conflict(server):
    server.lease()
    before = counters()
    server.expect_arp()
    for _ in range(2):
        # Cisco: the sender's MAC is not the frame's; all zero
        server.arp(1, "0.0.0.0", ADDRESS, sender_mac="02:00:00:00:77:02",
                   source_mac="02:00:00:00:77:55")
        server.arp(1, ADDRESS, ADDRESS, sender_mac="00:00:00:00:00:00",
                   source_mac="02:00:00:00:77:55")
    server.silent(0.3)
    after = counters()
    check(before["conflict"] == after["conflict"], "a conflict was seen")
    server.bound()


@case("quirks")
def Q52_control_octets_in_the_message(server):
    server.reply(OFFER, server.expect(DISCOVER))
    request = server.expect(REQUEST)
    with Counted("nak_received"):
        server.reply(NAK, request, [(56, b"marker-52 \x1b[2J\r\n<err> forged\x07\x80\xff \0 end")])
    end = time.monotonic() + PATIENCE * 2
    while "marker-52" not in log():
        check(time.monotonic() < end, "the server's message is not in the log")
        time.sleep(0.02)
    check(log().count("forged") == 1 and "\n<err> forged" not in log(), "a line was forged")
    server.reply(OFFER, server.expect(DISCOVER, 5))
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("quirks", "native")
def V4_64_forcerenew_is_ignored(server):
    request = server.lease()
    with Counted("in_forcerenew", by=2):
        server.reply(FORCERENEW, request, xid=request.xid ^ 0x5A5A5A5A)
        server.reply(FORCERENEW, request)
    # The filter looks at the first option only
    with Counted("in_unknown_xid"):
        server.reply(FORCERENEW, request, before=[MASK], xid=request.xid ^ 0x5A5A5A5A)
    with Counted("discarded_forcerenew"):
        server.reply(FORCERENEW, request, before=[MASK])
    server.silent(0.2)
    server.bound()
