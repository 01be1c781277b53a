# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""Quirks that an operator's option answers, and the next life of a calf."""

import time

import dhcp4
from dhcp4 import ACK, DISCOVER, NAK, OFFER, REQUEST, ip
from hostile import ADDRESS, MASK, NOTHING_BAD, ROUTER, SERVER, case, check, kill_calf


# client_id: none, hostname: box.lab.example, broadcast: 1, use_hostname: 1,
# classless: 0, parameters: 252
@case("operator")
def Q06_no_client_identifier_is_sent(server):
    request = server.lease()
    check(request[61] is None, f"61: {request.text()}")
    check(server.renew()[61] is None, "nor in a renewal")


@case("operator")
def Q11_either_name_is_sent_never_both(server):
    discover = server.expect(DISCOVER)
    check(discover[12] == b"box" and discover[81] is None, discover.text())


@case("operator")
def Q14_replies_are_broadcast_on_request(server):
    discover = server.expect(DISCOVER)
    check(discover.flags == 0x8000, discover.text())
    to_all = {"destination": "255.255.255.255", "to": dhcp4.BROADCAST_MAC}
    server.send(server.frame(server.message(OFFER, discover), **to_all))
    request = server.expect(REQUEST)
    check(request.flags == 0x8000, request.text())
    server.send(server.frame(server.message(ACK, request), **to_all))
    server.bound()
    check(server.renew().flags == 0, "V4-30: configured, unicast reaches us")


@case("operator")
def Q38_qualified_host_name(server):
    for text, stored in ((b"given.lab.example", "given.lab.example"), (b"given\0", "given"),
                         (b"bad_name", None), (b"-x", None), (b"x'; reboot", None), (b"a" * 255, None)):
        server.lease(NOTHING_BAD + [(12, text)])
        got = server.store.get("/hostname")
        check(got == stored, f"{text}: /hostname={got}")
        server.again()


@case("operator")
def Q43_wrong_classless_routes_are_ignored(server):
    wrong = bytes((0,)) + ip("10.77.0.66") + bytes((1, 128)) + ip("10.77.0.66")
    for code in (121, 249):
        server.lease([MASK, ROUTER, (code, wrong)])
        check(server.store.get("/gateway") == SERVER, server.store.text())
        check(not server.store.below("/route"), server.store.text())
        server.again()


@case("operator")
def C4_09_what_is_only_stored_stays_hex(server):
    text = b"http://x/'\nnameserver 6.6.6.6\0$(reboot)"
    server.lease(NOTHING_BAD + [(252, text)])
    check(server.store.get("/option/252") == text.hex(), server.store.text())
    server.again()
    server.lease(NOTHING_BAD + [(252, b"\xff" * 255), (252, b"\xfe" * 255)])
    check(server.store.get("/option/252") == "ff" * 255 + "fe" * 255, server.store.text())


@case("restarts")
def Q23_init_reboot_is_met_by_anything(server):
    server.lease()
    for answer in (ACK, NAK, None):
        server.configured()
        kill_calf()
        request = server.expect(REQUEST, 15)
        check(request[50] == ip(ADDRESS) and request[54] is None, f"V4-14: {request.text()}")
        check(request.ciaddr == bytes(4), f"V4-14: {request.text()}")
        if answer == ACK:
            server.reply(ACK, request)
            server.bound()
            continue
        if answer == NAK:
            server.reply(NAK, request, [])
        else:
            server.expect(REQUEST, 15)
            server.configured()  # it is kept while nobody says anything
        server.reply(OFFER, server.expect(DISCOVER, 15))
        server.reply(ACK, server.expect(REQUEST))
        server.bound()


@case("restarts")
def C4_28_refused_by_a_stranger_while_rebooting(server):
    server.lease()
    server.configured()
    kill_calf()
    request = server.expect(REQUEST, 15)
    server.reply(NAK, request, [], server=None)  # it does not say whose it is
    time.sleep(0.05)
    server.reply(ACK, request)
    server.bound()
