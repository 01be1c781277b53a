# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The handlers: from a DHCPACK on the wire to the address, versus other clients, in the lab."""

import os
import shutil

from support_clients import UPLINK, calfpen, peers


def floors(bench):
    """The floor: processes that only pass the address on, while a client sets nothing."""
    program = bench.build / "bench/bin/handlers-lease"
    top = bench.directory
    for label, count, name in (
        ("floor1", 1, "one process that does nothing else"),
        ("floor3", 3, "three processes that do nothing else"),
    ):
        yield (
            label,
            name,
            f"ip link set {UPLINK} up; setsid {program} floor {count} "
            f"</dev/null >{top}/{label}.log 2>&1 & echo $! >{top}/floor.pid; sleep 0.1; "
            f"busybox udhcpc -f -i {UPLINK} -s /bin/true "
            f"</dev/null >{top}/udhcpc.log 2>&1 & echo $! >{top}/udhcpc.pid",
            f"{{ sleep 0.3; kill $(cat {top}/udhcpc.pid); kill -- -$(cat {top}/floor.pid); sleep 0.2; "
            f"ip address flush dev {UPLINK}; ip route flush dev {UPLINK}; true; }} >/dev/null 2>&1",
        )


def clients(bench):
    """(label, name, START, END) of ours and of those that are installed."""
    # dhcpcd without -A first probes the address for seconds
    others = [client for client in peers(bench.directory) if client.label != "dhcpcd"]
    for client in [calfpen("ours", "calfpen", bench.directory, bench.build)] + others:
        yield client.label, client.name, client.start_command(), client.end_command()


MEASURE = "DHCPACK to RTM_NEWADDR, p50"
# What may be asked of three processes that pass an address on.
GOALS = {"dhcpcd -A": "ratio <= 1.0", "three processes that do nothing else": "ratio <= 1.4"}


def measure_lease(bench):
    """Each round, the clients take turns on one lab's uplink."""
    rows = list(clients(bench)) + (list(floors(bench)) if shutil.which("busybox") else [])
    words = [word for label, _, start, end in rows for word in (label, start, end)]
    program = bench.build / "bench/bin/handlers-lease"
    seen = bench.lab(program, bench.rounds(9), *words, server=True, limit=600)
    measured = {name: seen[label] for label, name, _, _ in rows if label != "ours"}
    for name, goal in GOALS.items():
        if name in measured:
            bench.row(MEASURE, "us", seen["ours"], measured[name], name, goal)
        else:
            bench.skip(MEASURE, "not installed (tools/bootstrap bench)", goal, peer_name=name)
    for name, rounds in measured.items():
        if name not in GOALS:
            bench.row(MEASURE, "us", seen["ours"], rounds, name)


def measure_pass(bench):
    seen = bench.program("handlers-pass", bench.cpu, bench.rounds(15))
    bench.row("lease: address, route, resolv.conf", "ms", seen["lease"])
    bench.row("64 routes", "ms", seen["routes_64"], goal="ours <= 5")
    bench.row("64 routes, each by a gateway outside", "ms", seen["routes_64_and_ways"])
    bench.row("64 routes again, nothing to do", "ms", seen["routes_64_again"])
    bench.row("renewal that changes nothing", "us", seen["renewal"], seen["bare_request"], "RTM_NEWADDR")
    bench.row("end: all taken back", "ms", seen["end"])
    bench.row(
        "200 keys of four calves, nothing to do",
        "us",
        seen["providers_4"],
        seen["providers_1"],
        "as many of one",
        "ratio <= 1.2",
    )


def measure_value(bench):
    seen = bench.program("handlers-value", bench.cpu, bench.rounds(15))
    bench.row(
        "parsing an IPv6 address with lifetimes",
        "ns",
        seen["parse"],
        seen["parse_libc"],
        "inet_pton() and strtoul()",
        "ours <= 200",
    )


def measure(bench):
    measure_pass(bench)
    measure_value(bench)
    if os.geteuid() != 0:
        bench.skip(MEASURE, "needs root")
        return
    measure_lease(bench)
