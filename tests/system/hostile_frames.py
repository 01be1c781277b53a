# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""Replies in frames that are unusual but not wrong: a lease, in every mode."""

import dhcp4
from dhcp4 import ACK, DISCOVER, NAK, OFFER, REQUEST, ip
from hostile import Counted, case

OTHER = dhcp4.mac("02:00:00:00:77:99")
TAKEN = "10.77.0.151"


def answer(server, kind, request, tags=b"", **frame):
    octets = server.frame(server.message(kind, request), **frame)
    server.send(octets[:12] + tags + octets[12:])


def lease(server, **frame):
    """A lease and its renewal, all replies in such frames."""
    with Counted("in_accepted", by=3):
        answer(server, OFFER, server.expect(DISCOVER), **frame)
        answer(server, ACK, server.expect(REQUEST), **frame)
        server.bound()
        server.configured()
        server.store.ask("renew")
        renewal = server.expect(REQUEST)
        with Counted("ack_received"):
            answer(server, ACK, renewal, **frame)
    server.bound()


# TPID, then priority, drop eligible, VLAN id
PRIORITY_6 = b"\x81\0\xc0\0"
PRIORITY_0_MAY_BE_DROPPED = b"\x81\0\x10\0"
SERVICE_PRIORITY_7 = b"\x88\xa8\xe0\0"
VLAN_5 = b"\x81\0\xc0\5"


@case("frames")
def U01_replies_with_a_priority_tag(server):
    lease(server, tags=PRIORITY_6)


@case("frames")
def U01_replies_with_other_priority_tags(server):
    lease(server, tags=PRIORITY_0_MAY_BE_DROPPED)
    server.again()
    lease(server, tags=SERVICE_PRIORITY_7)
    server.again()
    lease(server, tags=SERVICE_PRIORITY_7 + PRIORITY_6)


@case("frames")
def U01_a_vlan_is_none_of_ours(server):
    discover = server.expect(DISCOVER)
    with Counted("in_vlan", by=3), Counted("in_accepted", by=0):
        for tags in VLAN_5, PRIORITY_6 + VLAN_5, VLAN_5 + PRIORITY_6:
            answer(server, OFFER, discover, tags=tags)
    answer(server, OFFER, discover, tags=PRIORITY_6)
    answer(server, ACK, server.expect(REQUEST))
    server.bound()


@case("frames")
def U01_conflict_with_a_priority_tag(server):
    # the cases after this one use the other address
    server.exchange(yiaddr=TAKEN)
    server.bound(TAKEN + "/24")
    server.configured(TAKEN)
    octets = dhcp4.ethernet(dhcp4.BROADCAST_MAC, OTHER, 0x806, dhcp4.arp(
        2, OTHER, ip(TAKEN), dhcp4.BROADCAST_MAC, ip(TAKEN)) + bytes(18))
    with Counted("in_arp"), Counted("arp_received"):
        server.send(octets[:12] + PRIORITY_6 + octets[12:])


@case("frames")
def U02_replies_from_the_port_of_a_nat(server):
    lease(server, source_port=1067)


@case("frames")
def U02_replies_from_port_0_and_the_last_port(server):
    lease(server, source_port=0)
    server.again()
    lease(server, source_port=65535)


@case("frames")
def U02_another_port_opens_nothing_else(server):
    discover = server.expect(DISCOVER)
    with Counted("in_unknown_xid"):
        server.send(server.frame(server.message(OFFER, discover, xid=discover.xid ^ 1 << 12),
                                 source_port=1067))
    with Counted("in_not_reply"):
        server.send(server.frame(server.message(OFFER, discover, op=1), source_port=1067))
    answer(server, OFFER, discover, source_port=1067)
    request = server.expect(REQUEST)
    with Counted("nak_received"):
        server.send(server.frame(server.message(NAK, request, []), source_port=1068))
    answer(server, OFFER, server.expect(DISCOVER, seconds=15), source_port=1067)
    answer(server, ACK, server.expect(REQUEST), source_port=1069)
    server.bound()


# What is left of such a frame where the kernel's mark is lost: the octets
@case("frames")
def Q47_U46_udp_checksum_is_the_pseudo_header_sum(server):
    lease(server, check="partial")


@case("frames")
def U46_the_same_with_octets_behind_the_datagram(server):
    lease(server, check="partial", trailer=b"\x5a" * 21)


@case("frames")
def U46_a_wrong_checksum_is_wrong_in_each_mode(server):
    discover = server.expect(DISCOVER)
    with Counted("discarded_udp_checksum"):
        answer(server, OFFER, discover, check=0x1234)
    answer(server, OFFER, discover, check="partial")
    answer(server, ACK, server.expect(REQUEST), check=0)
    server.bound()
