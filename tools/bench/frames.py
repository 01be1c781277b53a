# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The frame filter: its cost for the host's traffic and for junk, and a lease under a flood."""

import os
import platform
import re

FILTER = "xdp-filter's way"  # re-implemented: Debian's does not load on Linux 6.18
CLASSIC = "dhclient's filter"  # the same tests, as packet loads in a tc program
SOCKET = "packet socket"  # with dhclient's filter

# Replies to us that fail before the check of the xid: at the first check, in the middle, at the last.
JUNK = (("truncated", "truncated BOOTP"), ("not_reply", "no BOOTREPLY"), ("forcerenew", "FORCERENEW"))


def in_lab(bench, name, *arguments):
    return bench.lab(bench.build / "bench/bin" / name, *arguments)


def fastest(seen):
    """Keep the minimum of all rounds: other load on the machine only adds to it."""
    return {label: rounds.best(min) for label, rounds in seen.items()}


def most(seen):
    """Keep the maximum of all rounds, for rates."""
    return {label: rounds.best(max) for label, rounds in seen.items()}


def measure_run(bench):
    """BPF_PROG_RUN: the programs alone."""
    ns = fastest(in_lab(bench, "frames-run", bench.cpu, bench.rounds(61)))
    run, over_xdp, over_tc = "BPF_PROG_RUN: ", ns["bare_pass"], ns["bare_next"]
    bench.row(
        run + "TCP segment, XDP, over an empty program",
        "ns",
        ns["xdp_tcp"] - over_xdp,
        ns["filter_tcp"] - over_xdp,
        FILTER,
        "ours <= 4",
    )
    bench.row(
        run + "TCP segment, tc, over an empty program",
        "ns",
        ns["tc_tcp"] - over_tc,
        ns["classic_tcp"] - over_tc,
        CLASSIC,
    )
    for label, what in JUNK + (("xid", "xid of nobody"),):
        bench.row(f"{run}{what}, XDP", "ns", ns["xdp_" + label], ns["bare_drop"], "XDP_DROP")
    bench.row(run + "xid of nobody, XDP", "ns", ns["xdp_xid"], ns["filter_junk"], FILTER)
    bench.row(
        run + "xid of nobody, tc, over an empty program",
        "ns",
        ns["tc_xid"] - over_tc,
        ns["classic_junk"] - over_tc,
        CLASSIC,
    )
    for label, what in (("tcp", "TCP segment"), ("udp", "datagram to the host")):
        for hook, name in (("xdp", "XDP"), ("tc", "tc")):
            more = ns[f"{hook}_both_{label}"] - ns[f"{hook}_{label}"]
            bench.row(f"{run}{what}, {name}, what the rules of a second calf add", "ns", more, goal="ours <= 2")
    for name, program in (("xdp", "frame_xdp"), ("tc", "uplink_ingress"), ("tap", "tap_ingress")):
        bench.row(f"instructions verified, {program}", "", ns["verified_" + name])


def measure_live(bench):
    """Live frames over the lab's veth: packet rates on one CPU."""
    rate = most(in_lab(bench, "frames-live", bench.cpu, bench.rounds(7)))
    live = "live frames: "
    bench.row(live + "TCP passed, XDP", "Mpps", rate["xdp_tcp"], rate["xdp_empty_tcp"], "empty XDP", "ratio >= 0.95")
    bench.row(live + "TCP passed, XDP", "Mpps", rate["xdp_tcp"], rate["filter_tcp"], FILTER)
    for label, what in JUNK:
        bench.row(
            f"{live}{what} dropped, XDP", "Mpps", rate["xdp_" + label], rate["bare_drop"], "XDP_DROP", "ratio >= 0.9"
        )
    bench.row(
        live + "xid of nobody dropped, XDP", "Mpps", rate["xdp_xid"], rate["bare_drop"], "XDP_DROP", "ratio >= 0.6"
    )
    bench.row(live + "xid of nobody dropped, XDP", "Mpps", rate["xdp_xid"], rate["filter_junk"], FILTER)
    bench.row(live + "TCP passed, tc", "Mpps", rate["tc_tcp"], rate["tc_empty_tcp"], "empty tc")
    bench.row(live + "TCP passed, tc", "Mpps", rate["tc_tcp"], rate["none_tcp"], "no program")
    bench.row(live + "TCP passed, tc", "Mpps", rate["tc_tcp"], rate["classic_tcp"], SOCKET)
    bench.row(live + "xid of nobody dropped, tc", "Mpps", rate["tc_xid"], rate["none_junk"], "no program")
    bench.row(live + "xid of nobody dropped, tc", "Mpps", rate["tc_xid"], rate["classic_junk"], SOCKET)


def measure_tcp(bench):
    """The host's TCP over the uplink, with and without Calfpen."""
    rate = in_lab(bench, "frames-tcp", bench.cpu, bench.rounds(7))
    for way, what in (("in", "host TCP, to the host"), ("out", "host TCP, from the host")):
        without = rate[way + "_without"]
        bench.row(what + ", auto", "Gbit/s", rate[way + "_auto"], without, "without us", "ratio >= 0.95")
        bench.row(what + ", native", "Gbit/s", rate[way + "_native"], without, "without us")


def measure_latency(bench):
    """From a reply on the wire to the next request on the wire."""
    us = in_lab(bench, "frames-latency", bench.cpu, bench.rounds(61))
    for what in ("discover", "renewal"):
        for mode in ("tc", "native"):
            bench.row(
                f"{what.upper() if what == 'discover' else what}: wire to calf to wire, {mode}, p50",
                "us",
                us[f"{what}_{mode}_p50"],
                us[what + "_socket_p50"],
                SOCKET,
                "ratio <= 1.05",
            )
    for mode in ("tc", "native"):
        name = "dhclient's way"  # from a packet socket to a UDP socket
        measure_ = f"renewal: wire to calf to wire, {mode}, p50"
        bench.row(measure_, "us", us[f"renewal_{mode}_p50"], us["renewal_udp_p50"], name)


def measure_lease(bench):
    """A lease during a flood of 1 Mpps of replies to us with an unknown xid."""
    frame = bench.directory / "junk.hex"
    frame.write_text(junk())
    program = bench.top / "tools/bench/frames-lease"
    seen = bench.lab(program, bench.build, bench.cpu, bench.rounds(3), frame, bench.directory, server=True)
    for name in ("auto", "native"):
        flood, share = seen[name + "_flood"], seen[name + "_share"]
        lease = f"lease under 1 Mpps, {name}"
        bench.row(lease, "ms", flood, seen[name + "_quiet"], "no flood", "ratio <= 2")
        peer, peer_name = (seen["dhclient_share"], "dhclient") if "dhclient_share" in seen else (None, None)
        bench.row(f"{lease}, calf's share of a CPU", "%", share, peer, peer_name, "ours <= 5")
        bench.row(f"{lease}, frames that arrived", "Mpps", seen[name + "_rate"], goal="ours >= 0.9")


def junk():
    """An unsolicited DHCPOFFER to the lab's uplink, in hex."""
    mac = "020000007702"
    bootp = "02010600" + "deadbeef" + "00" * 20 + mac + "00" * 10 + "00" * 192 + "63825363" + "350102ff"
    bootp += "00" * (300 - len(bootp) // 2)
    udp = "00430044" + f"{8 + len(bootp) // 2:04x}" + "0000" + bootp
    ip = "4500" + f"{20 + len(udp) // 2:04x}" + "00000000" + "4011" + "0000" + "0a4d0001" + "0a4d0096" + udp
    return mac + "020000007701" + "0800" + ip


def measure(bench):
    if os.geteuid() != 0:
        bench.skip("the frame filter", "needs root")
        return
    measure_run(bench)
    release = tuple(map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups()))
    for part in (measure_live, measure_tcp, measure_latency):
        if release < (6, 6):
            bench.skip(part.__doc__, "no tcx before Linux 6.6")
        else:
            part(bench)
    measure_lease(bench)
