# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""
A start: from the exec of a client to its first frame and its address, alone and many at once, the
runtimes of containers, and the memory of the processes, in the lab.
"""

import os
import shutil

WITH_BASE = True  # as another client

INSTANCES = (16, 64)
# measure, suffix of the labels, unit, goals by peer
ROWS = (
    ("exec to first frame", "_frame_ms", "ms", {}),
    ("exec to address", "_ms", "ms", {"udhcpc": 0.75, "dhclient": 2.5, "networkd": 2.5}),
    ("exec to address, with a lease of an earlier run", "_again_ms", "ms", {"dhclient": 0.5, "dhcpcd_A": 0.5}),
    ("carrier to address, when the cable was out", "_cable_ms", "ms", {"networkd": 0.5, "dhcpcd_A": 0.5}),
    ("memory of all processes, PSS", "_kib", "KiB", {}),
)
NAMES = {"networkd": "networkd", "udhcpc": "udhcpc", "dhclient": "dhclient", "dhcpcd_A": "dhcpcd -A", "dhcpcd": "dhcpcd"}


def clients(bench):
    builds = [bench.build] + ([bench.base.build] if bench.base else [])
    program = bench.top / "tools/bench/start-clients"
    seen = bench.lab(program, bench.rounds(9), bench.directory, *builds, server=True, limit=900)
    bench.row(
        "exec to address, with 3 further calves", "ms", seen["four_ms"], seen["ours_ms"], "dhcp4 alone",
        "ratio <= 1.5",
    )
    bench.row(
        "a further calf and its gateway, PSS", "KiB", seen["observer_pair_kib"], seen["dhcp4_pair_kib"],
        "dhcp4 and its gateway", "ratio <= 1.0",
    )
    bench.row("memory of the supervisor, PSS", "KiB", seen["supervisor_kib"], goal="ours <= 1331")
    for measure_, suffix, unit, goals in ROWS:
        ours, base = seen["ours" + suffix], seen.get("base" + suffix)
        there = [label for label in NAMES if label + suffix in seen]
        if not there:
            bench.row(measure_, unit, ours, base=base)
        for label in there:
            goal = f"ratio <= {goals[label]}" if label in goals else None
            bench.row(measure_, unit, ours, seen[label + suffix], NAMES[label], goal, base)


def instances(bench):
    """So many at once that the CPUs are the limit."""
    program = bench.top / "tools/bench/start-many"
    for count in INSTANCES:
        seen = bench.lab(program, bench.rounds(3), count, bench.directory, bench.build, limit=300)
        bench.row(f"an instance's share of a start of {count} at once", "ms", seen["each_ms"], goal="ours <= 30")


def runtimes(bench):
    measure_ = "create and start a container"
    if not shutil.which("runc"):
        bench.skip(measure_, "there is no runc")
        return
    program = bench.top / "tools/bench/start-runtimes"
    seen = bench.lab(program, bench.rounds(40), bench.directory, bench.build, server=True, limit=300)
    bench.row(measure_, "ms", seen["pen_ms"], seen["runc_ms"], "runc", "ours <= 5")


def measure(bench):
    if os.geteuid() != 0:
        bench.skip(ROWS[1][0], "needs root")
        return
    clients(bench)
    instances(bench)
    runtimes(bench)
