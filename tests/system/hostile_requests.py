# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""What servers want of our messages (Q01..Q16) and do not get from others."""

import time

import dhcp4
from dhcp4 import ACK, DECLINE, DISCOVER, NAK, OFFER, RELEASE, REQUEST, ip
from hostile import (ADDRESS, LEASE_S, NOTHING_BAD, SERVER, Counted, case, check, counters)

DEFAULT_PARAMETERS = bytes((121, 249, 1, 3, 33, 6, 15, 119, 26, 42, 114, 162))


def conversation(server):
    """DISCOVER, REQUEST, the REQUEST of a renewal, RELEASE."""
    discover = server.expect(DISCOVER)
    server.reply(OFFER, discover)
    request = server.expect(REQUEST)
    server.reply(ACK, request)
    server.bound()
    renewal = server.renew()
    server.store.ask("release")
    release = server.expect(RELEASE)
    return discover, request, renewal, release


@case("requests")
def Q01_secs_is_never_0(server):
    discover, request, renewal, _ = conversation(server)
    for message in (discover, request, renewal):
        check(message.secs >= 1, f"secs: {message.text()}")
    check(request.secs == discover.secs, "V4-10: the REQUEST has the secs of the DISCOVER")


@case("requests")
def Q02_message_type_is_the_first_option(server):
    for message in conversation(server):
        check(message.options[0][0] == 53, f"order: {message.text()}")


@case("requests")
def Q03_no_message_is_below_300_octets(server):
    for message in conversation(server):
        check(message.size >= 300, f"{message.size} octets: {message.text()}")


@case("requests")
def Q04_no_frame_is_over_576_octets(server):
    for message in conversation(server):
        check(message.size + 28 + 14 <= 576, f"{message.size} octets: {message.text()}")
        check(message.tail is not None, "END is missing")
        check(message.size == 300 or not message.tail, "octets after END beyond the padding")


@case("requests")
def Q05_what_is_announced_in_57_can_be_received(server):
    discover = server.expect(DISCOVER)
    size = int.from_bytes(discover[57] or b"", "big")
    check(size >= 576, f"57: {discover.text()}")
    used = len(server.message(OFFER, discover)) + 1
    blocks, left = divmod(size - used, 257)
    check(left != 1, "choose other options")
    filler = [(224, bytes(255))] * blocks + ([(224, bytes(left - 2))] if left else [])
    # One octet was counted for nothing: END is part of the message
    payload = server.message(OFFER, discover, NOTHING_BAD + filler, tail=b"\0")
    check(len(payload) == size, f"{len(payload)} octets were built, not {size}")
    server.send(server.frame(payload))
    request = server.expect(REQUEST)
    check(request[57] == discover[57], f"57: {request.text()}")
    server.send(server.frame(server.message(ACK, request, NOTHING_BAD + filler, tail=b"\0")))
    server.bound()


@case("requests")
def Q07_a_client_identifier_is_sent(server):
    messages = conversation(server)
    for message in messages:
        check(message[61] == b"\1" + server.client_mac, f"V4-11: {message.text()}")


@case("requests")
def Q08_what_is_sent_anyway_is_not_asked_for(server):
    for message in conversation(server)[:3]:
        check(not set(message[55]) & {51, 54, 58, 59}, f"55: {message.text()}")


@case("requests")
def Q09_the_whole_list_is_asked_for_in_every_message(server):
    discover, request, renewal, release = conversation(server)
    check(discover[55] == DEFAULT_PARAMETERS, f"55: {discover.text()}")
    check(request[55] == discover[55] == renewal[55], "V4-12: the same list in all")
    check(release[55] is None, "RELEASE has no list")


@case("impatient")
def Q10_rapid_commit_is_dropped_when_nobody_answers(server):
    tries = 0
    while True:
        discover = server.expect(DISCOVER, 6)
        if discover[80] is None:
            break
        check(discover[80] == b"", f"V4-53: 80 has length 0: {discover.text()}")
        tries += 1
        check(tries < 4, "option 80 is never given up")
    check(tries == 2, f"{tries} DISCOVERs with option 80")
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("requests")
def Q12_renewal_is_unicast_first(server):
    server.lease()
    renewal = server.renew()
    frame = renewal.frame
    check(frame.ip_destination == ip(SERVER), f"to {dhcp4.ip_text(frame.ip_destination)}")
    check(frame.ip_source == ip(ADDRESS) and renewal.ciaddr == ip(ADDRESS), renewal.text())
    check(frame.destination == server.mac, "V4-15: unicast on Ethernet, too")
    check(renewal[50] is None and renewal[54] is None, f"V4-15: {renewal.text()}")


@case("requests")
def Q13_server_identifier_leads_nowhere(server):
    times = [(58, (1).to_bytes(4, "big")), (59, (2).to_bytes(4, "big"))]
    # No route, on the segment but silent, multicast
    for bogus in ("1.1.1.1", "10.77.0.77", "224.0.0.1"):
        server.lease(NOTHING_BAD + times, server=bogus)
        request = server.expect(REQUEST, 5)
        if request.frame.ip_destination == ip(bogus):
            request = server.expect(REQUEST, 5)
        check(request.frame.ip_destination == ip("255.255.255.255"), "broadcast at T2")
        check(request.ciaddr == ip(ADDRESS) and request[54] is None, f"V4-16: {request.text()}")
        server.reply(ACK, request, server=SERVER)
        server.store.wait(lambda values: values.get("/lease/server") == SERVER, "rebound")
        server.again()


# An address that was declined is not taken again: each its own.
@case("requests")
def Q15_decline_follows_the_ack(server):
    address = "10.77.0.160"
    request = server.exchange(yiaddr=address)
    server.bound(address + "/24")
    operation, sender, target = server.expect_arp()
    while sender != "0.0.0.0":
        operation, sender, target = server.expect_arp()
    check((operation, target) == (1, address), "V4-56: a probe")
    server.arp(2, address, address, target_mac="02:00:00:00:77:02")
    decline = server.expect(DECLINE)
    check(decline[50] == ip(address) and decline[54] == ip(SERVER), f"V4-27: {decline.text()}")
    check(decline[61] == request[61] and decline[55] is None, f"V4-27: {decline.text()}")
    check(decline.frame.ip_destination == ip("255.255.255.255"), "V4-27: broadcast")
    check(decline.ciaddr == bytes(4), f"Q16: {decline.text()}")
    server.store.wait(lambda values: "/ip" not in values, "the address is given up")


@case("requests")
def Q16_ciaddr_is_0_before_a_lease(server):
    discover = server.expect(DISCOVER)
    check(discover.ciaddr == bytes(4), discover.text())
    server.reply(OFFER, discover, yiaddr="10.77.0.161")
    request = server.expect(REQUEST)
    check(request.ciaddr == bytes(4), f"V4-09: {request.text()}")
    server.reply(ACK, request, yiaddr="10.77.0.161")
    server.bound("10.77.0.161/24")
    server.arp(1, "10.77.0.161", "10.77.0.161")
    decline = server.expect(DECLINE)
    check(decline.ciaddr == bytes(4), decline.text())


@case("requests")
def Q53_messages_are_as_for_ethernet(server):
    for message in conversation(server):
        check((message.op, message.htype, message.hlen, message.hops) == (1, 1, 6, 0), message.text())
        check(message.mac == server.client_mac, f"V4-01: {message.text()}")


@case("requests")
def V4_28_release_is_unicast_and_names_the_server(server):
    _, request, _, release = conversation(server)
    check(release.ciaddr == ip(ADDRESS) and release[50] is None, release.text())
    check(release[54] == ip(SERVER) and release[61] == request[61], release.text())
    check(release.frame.ip_destination == ip(SERVER), "unicast")
    server.store.wait(lambda values: "/ip" not in values, "the keys of the lease are deleted")
    server.silent(0.3)


@case("requests")
def V4_54_rapid_commit(server):
    discover = server.expect(DISCOVER)
    check(discover[80] == b"", f"80 is sent: {discover.text()}")
    with Counted("discarded_state"):
        server.reply(ACK, discover)  # without 80
    server.reply(ACK, discover, NOTHING_BAD + [(80, b"")])
    server.bound()
    server.silent(0.2)


@case("requests")
def C4_25_nothing_of_our_memory_is_sent(server):
    for message in conversation(server):
        unused = message.chaddr[6:] + message.sname + message.file + message.giaddr + message.siaddr
        check(not any(unused + message.yiaddr + message.tail), f"not zero: {message.text()}")


@case("requests")
def C4_30_transactions_are_random(server):
    xids = []
    for _ in range(30):
        xids.append(server.expect(DISCOVER).xid)
        server.again()
    check(len(set(xids)) == len(xids), "an xid came twice")
    for bit in range(32):
        ones = sum(xid >> bit & 1 for xid in xids)
        check(0 < ones < len(xids), f"bit {bit} never changes: {xids}")


@case("requests")
def V4_08_no_ack_is_taken_that_nobody_asked_for(server):
    discover = server.expect(DISCOVER)
    with Counted("discarded_state", by=2):
        server.reply(ACK, discover)
        server.reply(NAK, discover)
    server.reply(OFFER, discover)
    server.reply(ACK, server.expect(REQUEST))
    server.bound()


@case("impatient")
def Q22_request_is_never_answered(server):
    before = counters()["request_sent"]
    server.reply(OFFER, server.expect(DISCOVER, 6))
    began = time.monotonic()
    for _ in range(5):
        server.expect(REQUEST, 12)
    again = server.expect(DISCOVER, 12)
    check(again.time - began > 8, "no tight loop")
    check(counters()["request_sent"] - before == 5, "5 tries")
    server.reply(OFFER, again)
    server.reply(ACK, server.expect(REQUEST), lease=LEASE_S)
    server.bound()


@case("impatient")
def Q21_refused_for_ever(server):
    pauses = []
    for _ in range(3):
        discover = server.expect(DISCOVER, 8)
        if pauses and pauses[-1] is None:
            pauses[-1] = discover.time - refused
        server.reply(OFFER, discover)
        server.reply(NAK, server.expect(REQUEST))
        refused = time.monotonic()
        pauses.append(None)
    check(pauses[0] > 0.9 and pauses[1] > 1.9, f"pauses {pauses}")


@case("impatient")
def Q51_the_address_is_in_use_for_ever(server):
    server.lease()
    server.arp(1, ADDRESS, ADDRESS)
    server.arp(1, ADDRESS, ADDRESS)
    server.expect(DECLINE)
    declined = time.monotonic()
    discover = server.expect(DISCOVER, 25)
    check(discover.time - declined > 9.9, f"asked again after {discover.time - declined:.1f} s")
    # The same address again is not taken, another one is
    with Counted("discarded_conflict"):
        server.reply(OFFER, discover)
    server.reply(OFFER, discover, yiaddr="10.77.0.151")
    server.reply(ACK, server.expect(REQUEST), yiaddr="10.77.0.151")
    server.bound("10.77.0.151/24")
