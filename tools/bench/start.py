# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""A start: from the exec of a client to its address, and the memory of its processes, in the lab."""

import os

from support_clients import peers

WITH_BASE = True  # as another client


def measure(bench):
    address, memory = "exec to address", "memory of all processes, PSS"
    if os.geteuid() != 0:
        bench.skip(address, "needs root")
        return
    builds = [bench.build] + ([bench.base.build] if bench.base else [])
    program = bench.top / "tools/bench/start-clients"
    seen = bench.lab(program, bench.rounds(9), bench.directory, *builds, server=True, limit=900)
    others = peers(bench.directory)
    bench.row(
        "exec to address, with 3 further calves", "ms", seen["four_ms"], seen["ours_ms"], "dhcp4 alone",
        "ratio <= 2.0",
    )
    bench.row(
        "a further calf and its gateway, PSS", "KiB", seen["observer_pair_kib"], seen["dhcp4_pair_kib"],
        "dhcp4 and its gateway", "ratio <= 1.0",
    )
    for measure_, unit, suffix in ((address, "ms", "_ms"), (memory, "KiB", "_kib")):
        ours, base = seen["ours" + suffix], seen.get("base" + suffix)
        if not others:
            bench.row(measure_, unit, ours, base=base)
        for peer in others:
            bench.row(measure_, unit, ours, seen[peer.label + suffix], peer.name, base=base)
