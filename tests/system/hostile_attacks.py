# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""Attack classes (C4): what broke other clients must not matter to this one."""

import os
import random
import struct

import dhcp4
from dhcp4 import ACK, DISCOVER, FORCERENEW, NAK, OFFER, REQUEST, ip
from hostile import (ADDRESS, MASK, NOTHING_BAD, ROUTER, SERVER, UPLINK, Counted, assert_sane, case,
                     check, counters, host)

# Length of every option of fixed length that a server may send
FIXED = {1: 4, 2: 4, 13: 2, 16: 4, 19: 1, 20: 1, 22: 2, 23: 1, 24: 4, 26: 2, 27: 1, 28: 4, 29: 1,
         30: 1, 31: 1, 32: 4, 34: 1, 35: 4, 36: 1, 37: 1, 38: 4, 39: 1, 46: 1, 50: 4, 51: 4, 52: 1,
         54: 4, 57: 2, 58: 4, 59: 4, 80: 0, 91: 4, 92: 4, 93: 2, 108: 4, 116: 1, 118: 4, 145: 1,
         152: 4, 153: 4, 154: 4, 155: 4, 156: 1, 157: 1, 210: 4, 211: 4}
TEXTS = (12, 14, 15, 17, 18, 40, 47, 56, 60, 62, 64, 66, 67, 77, 86, 87, 100, 101, 114, 119, 209,
         210, 224, 252)
SHELL = (b"x'; touch /tmp/owned; '", b"$(reboot)", b"`id`", b"a;b", b"a&b", b"a|b", b"a\nnameserver 6.6.6.6",
         b"a\\b", b"a\0b", b"\"", b"a b\tc", b"../../etc/passwd", b"a#b", b"-rf", b"a\xc3\xbc", b"\x7f")


def lengths(code):
    return sorted({0, max(FIXED[code] - 1, 0), FIXED[code] + 1, 255} - {FIXED[code]})


def still_works(server):
    """An ordinary lease in the end."""
    server.again()
    server.lease()


@case("attacks")
def C4_01_C4_22_every_fixed_length_is_wrong(server):
    for code in FIXED:
        if code in (52, 54):
            continue
        for length in lengths(code):
            server.exchange([MASK, ROUTER, (code, b"\7" * length)] if code != 1 else
                            [ROUTER, (code, b"\7" * length)], end=length < 255)
            server.store.wait(lambda values: values.get("/lease/state") == "bound",
                              f"a lease with option {code} of {length} octets")
            server.again()
    server.lease()


@case("attacks", "native")
def C4_02_C4_03_lengths_of_ip_and_udp(server):
    discover = server.expect(DISCOVER)
    payload = server.message(OFFER, discover)
    real = 8 + len(payload)
    with Counted("in_udp_length", by=14):
        for length in list(range(8)) + [8, 240, 247, real + 1, 0x7FFF, 0xFFFF]:
            server.send(server.frame(payload, length=length, check=0))
    with Counted("in_ip_header", by=4):
        for total in (0, 20, 27, 0xFFFF):
            server.send(server.frame(payload, ip4={"total": total}, check=0))
    # Header lengths below 20 and over the datagram: not even UDP for port 68
    with Counted("in_accepted", by=0):
        for first in (0x40, 0x41, 0x44, 0x4F, 0x65, 0x05):
            server.send(server.frame(payload, ip4={"first": first}, check=0))
    with Counted("discarded_ip_checksum"):
        server.send(server.frame(payload, ip4={"check": 0x1234}))
    server.silent(0.1)
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("attacks")
def C4_04_texts_that_grow_when_they_are_printed(server):
    routes = b"".join(bytes((32, 203, 0, 113, n)) + ip("10.77.0.254") for n in range(100, 170))
    search = b"".join(bytes((1, 97 + n % 26)) + b"\0" for n in range(80))
    server.lease([MASK, ROUTER, (121, routes[:252]), (121, routes[252:504]), (121, routes[504:]),
                  (119, search), (43, b"\xff" * 200)])
    check(len(server.store.below("/route")) == 64, "64 routes are kept")
    still_works(server)


@case("attacks")
def C4_08_shell_metacharacters(server):
    for text in SHELL:
        server.exchange([MASK, ROUTER] + [(code, text) for code in TEXTS], sname=text, file=text)
        server.bound()
        assert_sane(server.store)
        server.again()
    check(not os.path.exists("/tmp/owned"), "it was run")


@case("attacks")
def C4_09_proxy_discovery_is_not_stored(server):
    server.lease(NOTHING_BAD + [(252, b"http://x/'\nnameserver 6.6.6.6")])
    check(not any(path.startswith("/option") for path in server.store.values), server.store.text())


@case("attacks")
def C4_10_sname_and_file_go_nowhere(server):
    server.lease(sname=b"marker-10", file=b"marker-10;\nmarker-10")
    check(not any("marker-10" in value for value in server.store.values.values()), "in the store")
    for directory in ("/etc", "/run/calfpen", "/var/lib/calfpen", "/var/log/calfpen"):
        check(not host("sh", "-c", f"grep -rls marker-10 {directory} || true"), directory)


@case("attacks")
def C4_11_directories_in_a_time_zone(server):
    server.lease(NOTHING_BAD + [(100, b"../../../etc/passwd"), (101, b"../../../etc/shadow"),
                                (56, b"\x1b]0;x\x07")])
    check(not any("etc/" in value for value in server.store.values.values()), "in the store")


@case("attacks")
def C4_12_frames_beyond_every_size(server):
    discover = server.expect(DISCOVER)
    payload = server.message(OFFER, discover)
    def set_mtu(mtu):
        host("ip", "link", "set", UPLINK, "mtu", mtu)
        host("ip", "-netns", os.environ["LAB_SERVER_NS"], "link", "set",
             os.environ["LAB_SERVER_IF"], "mtu", mtu)
    set_mtu("65535")
    with Counted("in_too_long", by=4):
        for size in (1515, 4096, 32768, 65535):
            server.send(server.frame(payload + bytes(size - 14 - 28 - len(payload)), check=0))
    set_mtu("1500")
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("attacks")
def C4_13_C4_21_search_lists(server):
    label63, label64 = b"\x3f" + b"a" * 63, b"\x40" + b"a" * 64
    bad = {
        "a loop": b"\xc0\x00", "a loop of two": b"\xc0\x02\xc0\x00", "forward": b"\xc0\x04\1a\0\1b\0",
        "to itself": b"\1a\xc0\x02", "the last octet": b"\1a\0\xc0", "beyond": b"\1a\xc0\xff",
        "64": label64 + b"\0", "256": label63 * 4 + b"\0", "no end": b"\3abc", "label beyond": b"\7abc",
        "reserved bits": b"\x80\1\0", "octets": b"\3a\nb\0", "blank": b"\3a b\0", "dot": b"\3a.b\0",
        "nul": b"\3a\0b\0", "a pointer each": b"\1a\0" + b"\xc0\x00" * 100,
        "chain": b"\1a\0" + b"".join(b"\xc0" + bytes((2 * n + 1,)) for n in range(100)),
    }
    for name, value in bad.items():
        server.lease([MASK, ROUTER, (119, value[:255])])
        search = server.store.get("/search")
        check(search is None or name in ("a pointer each", "chain"), f"{name}: /search={search}")
        server.again()
    good = b"\3lab\7example\0\4corp\xc0\x04"
    for at in range(1, len(good)):  # split over two instances
        server.lease([MASK, ROUTER, (119, good[:at]), (119, good[at:])])
        check(server.store.get("/search") == "lab.example corp.example", f"split at {at}")
        server.again()
    server.lease([MASK, ROUTER, (119, b"")])


@case("attacks")
def C4_14_C4_17_overload(server):
    for value in (b"", b"\0", b"\4", b"\xff", b"\1\1", b"\3" * 255):
        file = dhcp4.options([(52, b"\3")] * 42)
        sname = dhcp4.options([(52, b"\3")] * 21)
        server.lease([MASK, ROUTER, (52, value)], file=file, sname=sname)
        server.again()
    server.lease([MASK, ROUTER, b"\x34"], end=False)
    server.again()
    server.lease([MASK, ROUTER, b"\x34\1"], end=False)
    server.again()
    # No END, no PAD, full to the last octet
    server.lease([MASK, ROUTER, (52, b"\3")], file=b"\x0f\x7e" + b"a" * 126, sname=b"\x0f\x3f" + b"a" * 62)


@case("attacks")
def C4_15_lengths_past_the_end(server):
    for tail in (b"\x0f", b"\x0f\1", b"\x0f\xff", b"\x0f\xffabc", b"\x79\5\0\12", b"\0" * 50 + b"\6",
                 b"\x77\x10\3lab"):
        server.lease([MASK, ROUTER, tail], end=False)
        check(server.store.get("/domain") is None, server.store.text())
        server.again()
    server.lease()


@case("attacks")
def C4_16_arrays_with_a_ragged_tail(server):
    for code in (3, 4, 5, 6, 33, 41, 42, 44, 65, 68, 121, 249):
        for length in (1, 2, 3, 5, 7, 9, 11, 255):
            server.lease([MASK, (code, (bytes((24, 192, 0, 2)) + ip(SERVER)) [:length].ljust(length, b"\x0a"))])
            check(code not in (3, 6, 42) or not server.store.get("/gateway"), server.store.text())
            server.again()
    server.lease()


@case("attacks")
def C4_19_authentication_and_arp_of_every_length(server):
    for length in list(range(0, 40)) + [254, 255]:
        server.lease(NOTHING_BAD + [(90, (b"\1\1\0" + b"\xff" * 255)[:length])])
        server.again()
    server.lease()
    packet = dhcp4.arp(2, dhcp4.mac("02:00:00:00:77:99"), ip(ADDRESS), bytes(6), ip(ADDRESS))
    for length in range(28):
        server.send(dhcp4.ethernet(dhcp4.BROADCAST_MAC, dhcp4.mac("02:00:00:00:77:99"), 0x806,
                                   packet[:length]))
    for change in (struct.pack("!HHBB", 6, 0x800, 6, 4), struct.pack("!HHBB", 1, 0x86DD, 6, 4),
                   struct.pack("!HHBB", 1, 0x800, 0, 4), struct.pack("!HHBB", 1, 0x800, 6, 255)):
        server.send(dhcp4.ethernet(dhcp4.BROADCAST_MAC, dhcp4.mac("02:00:00:00:77:99"), 0x806,
                                   change + packet[6:]))
    server.silent(0.2)
    server.bound()


@case("attacks")
def C4_21_6rd_of_every_length(server):
    for length in list(range(0, 30)) + [255]:
        server.exchange(NOTHING_BAD + [(212, (b"\x0e\x40" + b"\xff" * 255)[:length])])
        server.bound()
        server.again()
    server.lease()


@case("attacks", "native")
def C4_23_C4_28_messages_of_strangers(server):
    request = server.lease()
    taken = counters()["nak_received"]
    # Without our xid nothing gets past the filter, whatever it is
    with Counted("in_unknown_xid", "in_forcerenew", by=4):
        for kind in (OFFER, ACK, NAK, FORCERENEW):
            server.reply(kind, request, xid=request.xid ^ 1 << 12)
    with Counted("in_other_chaddr"):
        server.reply(NAK, request, [], chaddr=dhcp4.mac("02:00:00:00:77:03").ljust(16, b"\0"))
    with Counted("in_not_reply"):
        server.reply(NAK, request, [], op=1)
    with Counted("in_hardware", by=2):
        server.reply(NAK, request, [], htype=6)
        server.reply(NAK, request, [], hlen=16)
    with Counted("in_cookie"):
        server.reply(NAK, request, [], cookie=b"\x63\x82\x53\x62")
    # With it, but of another server
    server.configured()
    server.store.ask("renew")
    renewal = server.expect(REQUEST)
    with Counted("discarded_server", by=2):
        server.reply(NAK, renewal, [], server="10.77.0.66")
        server.reply(NAK, renewal, [], server=None)
    server.reply(ACK, renewal)
    server.bound()
    check(counters()["nak_received"] == taken, "a NAK was taken")


@case("attacks")
def C4_24_vendor_options_that_lie(server):
    inner = b"\1\xff\2\0\3\x80" + b"\xff" * 100
    server.lease(NOTHING_BAD + [(43, inner), (124, b"\0\0\0\1\xff"), (125, b"\0\0\0\1\xff" + inner),
                                (82, b"\1\xff"), (12, b"a" * 255)])


@case("attacks")
def C4_29_the_longest_data_to_echo(server):
    huge = [(90, b"\1" * 255), (43, b"\2" * 255), (60, b"\3" * 255), (82, b"\4" * 250), (118, b"\5" * 80)]
    request = server.exchange(NOTHING_BAD + huge)
    check(request.size == 300 and request[90] is None, request.text())
    server.bound()


@case("attacks")
def C4_26_C4_31_a_thousand_mutations(server):
    chance = random.Random(77)
    for _ in range(20):
        discover = server.expect(DISCOVER, 6)
        for kind in (OFFER, ACK, NAK):
            for _ in range(4):
                octets = bytearray(server.message(kind, discover, NOTHING_BAD + [(119, b"\3lab\xc0\0")]))
                for _ in range(chance.randint(1, 12)):
                    octets[chance.randrange(240, len(octets))] = chance.randrange(256)
                server.send(server.frame(bytes(octets[:chance.randint(240, len(octets))])))
        # Whatever these did, it goes on
        server.again()
    # As many steps as a message can ask for
    for filler in (b"\0", b"\x0f\0", b"\x77\1\0", b"\x79\1\0", b"\x77\2\xc0\0", b"\x34\1\3"):
        server.exchange([MASK, ROUTER, filler * (1100 // len(filler))], file=b"\x0f\0" * 64)
        server.bound()
        server.again()
    server.lease()
