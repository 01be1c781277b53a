# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""ACKs that extend a lease and leave out what the server has said before."""

import os

from dhcp4 import ACK, REQUEST, ip
from hostile import (ADDRESS, SERVER, UPLINK, case, check, host, kill_calf, wait_host)

# 10/8 would be the class's mask
FULL = [(1, ip("255.255.254.0")), (3, ip(SERVER)), (6, ip("10.77.0.53")), (15, b"lab.example"),
        (26, (1400).to_bytes(2, "big")), (42, ip("10.77.0.123")),
        (33, ip("192.0.2.9") + ip("10.77.0.2")), (114, b"https://portal.lab.example/")]
KEPT = {"/ip": f"{ADDRESS}/23", "/gateway": SERVER, "/nameserver/001": "10.77.0.53",
        "/domain": "lab.example", "/mtu": "1400", "/ntp/001": "10.77.0.123",
        "/route/001": "192.0.2.9/32 via 10.77.0.2", "/captive-portal": "https://portal.lab.example/",
        "/lease/server": SERVER}


def full_lease(server):
    server.lease_of(FULL, f"{ADDRESS}/23")


def assert_kept(server, lease_s):
    """After an ACK for lease_s seconds, which tells it apart from those before."""
    server.store.wait(lambda values: values.get("/lease/time") in (str(lease_s), str(lease_s - 1)) and
                      values.get("/lease/state") == "bound", f"renewed for {lease_s} s")
    for path, value in KEPT.items():
        check(server.store.get(path) == value, f"{path}={server.store.get(path)}, not {value}")
    wait_host(("ip", "-4", "address", "show", "dev", UPLINK), rf"inet {ADDRESS}/23 ")
    wait_host(("ip", "-4", "route", "show", "default"), rf"via {SERVER} dev {UPLINK}")
    wait_host(("ip", "-4", "route", "show", "192.0.2.9"), "via 10.77.0.2")
    wait_host(("ip", "link", "show", "dev", UPLINK), "mtu 1400 ")
    check("10.0.0.0/8" not in host("ip", "-4", "route", "show"), "a route of the class's mask")
    with open(os.environ["LAB_RESOLV"], encoding="latin-1") as file:
        check("nameserver 10.77.0.53" in file.read(), "the name server is gone")


@case("renewals")
def U03_renewal_keeps_what_it_does_not_mention(server):
    full_lease(server)
    for lease_s in (700, 800):
        server.renew([], lease=lease_s)
        assert_kept(server, lease_s)
    # Not even the server, and wrong ones are none
    server.renew([(1, ip("255.0.255.0")), (3, bytes(4)), (6, b"\1")], lease=900, server=None)
    assert_kept(server, 900)


@case("renewals")
def U03_rebinding_keeps_what_it_does_not_mention(server):
    times = [(58, (2).to_bytes(4, "big")), (59, (3).to_bytes(4, "big"))]
    server.lease_of(FULL + times, f"{ADDRESS}/23")
    request = server.expect(REQUEST, 6)
    while request.frame.ip_destination != ip("255.255.255.255"):
        request = server.expect(REQUEST, 6)
    server.reply(ACK, request, [], lease=700)
    assert_kept(server, 700)


@case("renewals")
def U03_renewal_changes_what_it_mentions(server):
    full_lease(server)
    server.renew([(6, ip("10.77.0.54")), (121, b"\x08\x0a" + ip("10.77.0.2"))], lease=700)
    server.store.wait(lambda values: values.get("/nameserver/001") == "10.77.0.54", "another server")
    check(server.store.get("/gateway") is None, "121 has all routes")
    check(server.store.below("/route") == ["10.0.0.0/8 via 10.77.0.2"], server.store.text())
    check(server.store.get("/ip") == KEPT["/ip"], server.store.text())
    check(server.store.get("/domain") == KEPT["/domain"], server.store.text())


@case("restarts")
def U03_restarted_calf_keeps_what_the_ack_does_not_mention(server):
    full_lease(server)
    server.configured()
    kill_calf()
    request = server.expect(REQUEST, 15)
    check(request[50] == ip(ADDRESS) and request.ciaddr == bytes(4), request.text())
    server.reply(ACK, request, [], lease=700)
    assert_kept(server, 700)
    server.renew([], lease=800)
    assert_kept(server, 800)
