# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The handlers: from a DHCPACK on the wire to the address, versus other clients, in the lab."""

import os
import shutil
import subprocess

# The minimum that a script must do: set the address with its lifetime.
UDHCPC_SCRIPT = """\
#!/bin/sh
case $1 in
bound|renew) ip address replace "$ip/$mask" dev "$interface" valid_lft "$lease" preferred_lft "$lease" ;;
esac
"""


def flush(command):
    return f"{{ {command}; sleep 0.2; ip address flush dev uplink0; ip route flush dev uplink0; true; }} >/dev/null 2>&1"


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
            f"ip link set uplink0 up; setsid {program} floor {count} "
            f"</dev/null >{top}/{label}.log 2>&1 & echo $! >{top}/floor.pid; sleep 0.1; "
            f"busybox udhcpc -f -i uplink0 -s /bin/true "
            f"</dev/null >{top}/udhcpc.log 2>&1 & echo $! >{top}/udhcpc.pid",
            flush(f"sleep 0.3; kill $(cat {top}/udhcpc.pid); kill -- -$(cat {top}/floor.pid)"),
        )


def clients(bench):
    """(label, name, START, END) of those that are installed."""
    top = bench.directory
    script = top / "udhcpc.sh"
    script.write_text(UDHCPC_SCRIPT)
    script.chmod(0o755)
    path = f"PATH={bench.build / 'bin'}:$PATH:/usr/sbin:/sbin"
    # each run starts from scratch: nothing of the last lease is left
    fresh = "rm -rf /var/lib/calfpen/* /run/calfpen/* /sys/fs/bpf/calfpen"
    rows = [
        (
            "ours",
            "calfpen",
            f"{path} setsid calfpen run --interface uplink0 --cgroup-parent $LAB_CGROUP "
            f"</dev/null >{top}/ours.log 2>&1 & echo $! >{top}/ours.pid",
            flush(f"sleep 1; kill $(cat {top}/ours.pid); while pgrep calfpen-priv; do sleep 0.05; done; {fresh}"),
        )
    ]
    if shutil.which("busybox"):
        rows.append(
            (
                "udhcpc",
                "udhcpc",
                f"ip link set uplink0 up; busybox udhcpc -f -i uplink0 -s {script} "
                f"</dev/null >{top}/udhcpc.log 2>&1 & echo $! >{top}/udhcpc.pid",
                flush(f"sleep 0.5; kill $(cat {top}/udhcpc.pid)"),
            )
        )
    if shutil.which("dhclient", path="/usr/sbin:/sbin"):
        rows.append(
            (
                "dhclient",
                "dhclient",
                f"ip link set uplink0 up; /usr/sbin/dhclient -d -lf {top}/dhclient.leases -pf {top}/dhclient.pid uplink0 "
                f"</dev/null >{top}/dhclient.log 2>&1 &",
                flush(f"sleep 0.5; kill $(cat {top}/dhclient.pid); rm -f {top}/dhclient.leases"),
            )
        )
    if shutil.which("dhcpcd", path="/usr/sbin:/sbin"):
        rows.append(
            (
                "dhcpcd",
                "dhcpcd -A",
                f"ip link set uplink0 up; /usr/sbin/dhcpcd -A -B -4 -f /dev/null uplink0 "
                f"</dev/null >{top}/dhcpcd.log 2>&1 & echo $! >{top}/dhcpcd.pid",
                flush(f"sleep 0.5; kill $(cat {top}/dhcpcd.pid); rm -rf /var/lib/dhcpcd/*"),
            )
        )
    return rows


def measure_lease(bench):
    """Each round, the clients take turns on one lab's uplink."""
    rows = clients(bench)
    command = [str(bench.top / "tools/lab"), "--", str(bench.build / "bench/bin/handlers-lease")]
    command.append(str(bench.rounds(9)))
    least = list(floors(bench)) if shutil.which("busybox") else []
    for label, _, start, end in rows + least:
        command += [label, start, end]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600, check=False)
    if done.returncode != 0:
        logs = "".join(
            f"\n--- {log.name}\n{log.read_text(errors='replace')[-800:]}"
            for log in sorted(bench.directory.glob("*.log"))
        )
        raise bench.failure(f"handlers-lease: exit status {done.returncode}{logs}")
    seen = bench.numbers(done.stdout)
    peers = {name: seen[label] for label, name, _, _ in rows if label != "ours"}
    measure = "DHCPACK to RTM_NEWADDR, p50"
    if not peers:
        bench.skip(measure, "no other client is installed", "ratio <= 0.5", ours=seen["ours"].value)
        return
    fastest = min(peers, key=lambda name: peers[name].value)
    bench.row(measure, "us", seen["ours"], peers[fastest], fastest, "ratio <= 0.5")
    for name, rounds in peers.items():
        if name != fastest:
            bench.row(measure, "us", seen["ours"], rounds, name)
    for label, name, _, _ in least:
        bench.row(measure, "us", seen["ours"], seen[label], name)


def measure_pass(bench):
    seen = bench.program("handlers-pass", bench.cpu, bench.rounds(15))
    bench.row("lease: address, route, resolv.conf", "ms", seen["lease"])
    bench.row("64 routes", "ms", seen["routes_64"], goal="ours <= 5")
    bench.row("64 routes, each by a gateway outside", "ms", seen["routes_64_and_ways"])
    bench.row("64 routes again, nothing to do", "ms", seen["routes_64_again"])
    bench.row("renewal that changes nothing", "us", seen["renewal"], seen["bare_request"], "RTM_NEWADDR")
    bench.row("end: all taken back", "ms", seen["end"])


def measure(bench):
    measure_pass(bench)
    if os.geteuid() != 0:
        bench.skip("DHCPACK to RTM_NEWADDR", "needs root", "ratio <= 0.5")
        return
    measure_lease(bench)
