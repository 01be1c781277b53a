# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""
The DHCP clients that are measured: how each is started in the lab, and how it is ended so that the
next one finds a host that never had a lease. All scripts do only what they must, set the address.
"""

import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from support_events import Events, Frames, set_namespace

UPLINK = "uplink0"
LIMIT_S = 30
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
CLONE_NEWNS = 0x20000

UDHCPC_SCRIPT = """\
#!/bin/sh
case $1 in
bound|renew) ip address replace "$ip/$mask" dev "$interface" valid_lft "$lease" preferred_lft "$lease" ;;
esac
"""

DHCLIENT_SCRIPT = """\
#!/bin/sh
case $reason in
BOUND | REBOOT) ip address replace "$new_ip_address/24" dev "$interface" valid_lft "$new_dhcp_lease_time" \\
	preferred_lft "$new_dhcp_lease_time" ;;
esac
"""


class LabFailure(Exception):
    """A client did not do what it must; the text says what."""


def lab_processes():
    """The processes of the lab, without kernel threads, which have no memory."""
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and is_process(path)}


def is_process(path):
    try:
        return any(line.startswith("VmRSS") for line in (path / "status").read_text().splitlines())
    except OSError:  # it has ended
        return False


def pss_kib(pids):
    """The proportional share of memory of these processes, together."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def pss_of_pairs(pids):
    """The proportional share of the calf dhcp4 and its gateway, and of another calf and its gateway, on average."""
    shares = {}
    for pid in pids:
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:  # it has ended
            continue
        shares.setdefault(name, []).append(pss_kib([pid]))
    gateways, others = shares["calfpen-gateway"], shares["calf-observer"]
    gateway = sum(gateways) / len(gateways)
    return shares["calf-dhcp4"][0] + gateway, sum(others) / len(others) + gateway


class Client:
    """
    One client: start(), await_address() and end(), in the lab; or the same as shell commands.

    sees_carrier  it sends at once when there is a carrier
    remembers     it asks for the address of its last run
    mounts        an open mount namespace in which it is executed, or None
    """

    def __init__(self, label, name, directory, command, traces, settle_s=0.5, sees_carrier=False, remembers=False):
        self.label, self.name = label, name
        self.command = list(map(str, command))  # arguments may contain $LAB_CGROUP
        self.traces = traces  # files that it leaves, as shell patterns
        self.settle_s = settle_s  # what it does after the address takes no longer
        self.sees_carrier, self.remembers = sees_carrier, remembers
        self.mounts = None
        self.log = Path(directory) / f"{label}.log"
        self.pid_file = Path(directory) / f"{label}.pid"
        self.process = self.before = self.events = self.frames = self.start_s = None

    # --- commands for a shell in the lab

    def flush(self):
        remove = f"rm -rf {' '.join(self.traces)}; " if self.traces else ""
        return f"{remove}ip address flush dev {UPLINK}; ip route flush dev {UPLINK}; true"

    def start_command(self):
        words = [f'"{word}"' if "$" in word else shlex.quote(word) for word in self.command]
        return (
            f"ip link set {UPLINK} up; setsid {' '.join(words)} "
            f"</dev/null >{self.log} 2>&1 & echo $! >{self.pid_file}"
        )

    def end_command(self):
        """End the client and wait for all of its processes, which are in the session that setsid made."""
        kill = f"sleep {self.settle_s}; p=$(cat {self.pid_file}); kill $p"
        wait = f"while [ -e /proc/$p ] || pgrep calfpen-priv; do sleep 0.02; done"
        return f"{{ {kill}; {wait}; {self.flush()}; }} >/dev/null 2>&1"

    # --- the same for a program in the lab

    def fail(self, text):
        raise LabFailure(f"{self.name}: {text}: {self.log.read_text(errors='replace')[-800:]}")

    def start(self, sees_frames=False):
        """Start it; the clock runs from its exec."""
        subprocess.run(["ip", "link", "set", UPLINK, "up"], check=True)
        self.before = lab_processes()
        self.events, self.frames = Events(UPLINK), Frames() if sees_frames else None
        reader, writer = os.pipe()

        def prepare():
            if self.mounts is not None:
                set_namespace(self.mounts, CLONE_NEWNS)
            os.write(writer, struct.pack("d", time.monotonic()))

        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.expandvars(word) for word in self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=prepare,
            )
        (self.start_s,) = struct.unpack("d", os.read(reader, 8))
        os.close(reader)
        os.close(writer)

    def await_address(self):
        """Milliseconds from its exec to its address; None: not within the limit."""
        address_s = self.events.await_address(LIMIT_S, self.check_running)
        self.events.close()
        return None if address_s is None else 1000 * (address_s - self.start_s)

    def frame_ms(self):
        """Milliseconds from its exec to its first frame. Call it when there is an address."""
        frame_s = self.frames.first_s()
        self.frames.close()
        return 1000 * (frame_s - self.start_s)

    def check_running(self):
        if self.process.poll() is not None:
            self.fail("ended")

    def await_after_carrier(self, plug):
        """Milliseconds from the carrier, which plug() makes, to the address."""
        plug()
        carrier_s = self.events.await_carrier(LIMIT_S)
        address_s = self.events.await_address(LIMIT_S, self.check_running)
        self.events.close()
        if carrier_s is None or address_s is None:
            self.fail("no address")
        return 1000 * (address_s - carrier_s)

    def pids(self):
        """All of its processes, helpers and what they left included."""
        return lab_processes() - self.before

    def stop(self):
        """The address is gone afterwards, what the client remembers is not."""
        self.process.terminate()
        self.process.wait()
        limit = time.monotonic() + LIMIT_S
        while self.pids():
            if time.monotonic() > limit:
                self.fail("left processes behind")
            time.sleep(0.02)
        subprocess.run(["ip", "address", "flush", "dev", UPLINK], check=True)

    def end(self):
        """To a host that never had a lease."""
        self.stop()
        subprocess.run(["sh", "-c", self.flush()], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def calfpen(label, name, directory, build, *options):
    command = [Path(build) / "bin/calfpen", "run", "--interface", UPLINK, "--cgroup-parent", "$LAB_CGROUP", *options]
    traces = ["/var/lib/calfpen/*", "/run/calfpen/*", "/sys/fs/bpf/calfpen"]
    return Client(label, name, directory, command, traces, settle_s=1, sees_carrier=True, remembers=True)


def observers(directory, build, count):
    """Further calves: copies of the one of the tests that has keys only. Returns the options that add them."""
    template = Path(build) / "tests/calf/observer"
    options = ["--calf", Path(build) / "lib/calfpen/calves/dhcp4"]
    for name in (f"observer{i}" for i in range(count)):
        calf = Path(directory) / name
        calf.mkdir(exist_ok=True)
        shutil.copy(template / "calf-observer", calf)
        text = (template / "calf.yaml").read_text()
        text = text.replace("name: observer", f"name: {name}").replace("/observer/", f"/{name}/")
        (calf / "calf.yaml").write_text(text)
        options += ["--calf", calf]
    return options


def script(directory, name, text):
    path = Path(directory) / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def peers(directory):
    """The other clients, of those that are installed."""
    found = []
    program = shutil.which("busybox", path=PATH)
    if program:
        command = [program, "udhcpc", "-f", "-i", UPLINK, "-s", script(directory, "udhcpc.sh", UDHCPC_SCRIPT)]
        found.append(Client("udhcpc", "udhcpc", directory, command, []))
    program = shutil.which("dhclient", path=PATH)
    if program:
        leases = Path(directory) / "dhclient.leases"
        command = [program, "-d", "-sf", script(directory, "dhclient.sh", DHCLIENT_SCRIPT)]
        command += ["-lf", leases, "-pf", Path(directory) / "dhclient-own.pid", UPLINK]
        found.append(Client("dhclient", "dhclient", directory, command, [str(leases)], remembers=True))
    program = shutil.which("dhcpcd", path=PATH)
    if program:
        for label, name, options in (("dhcpcd_A", "dhcpcd -A", ["-A"]), ("dhcpcd", "dhcpcd", [])):
            command = [program, *options, "-B", "-4", "-f", "/dev/null", UPLINK]
            client = Client(label, name, directory, command, ["/var/lib/dhcpcd/*"])
            client.sees_carrier = client.remembers = "-A" in options  # without, it takes 5 s more each time
            found.append(client)
    return found


NETWORKD = "/lib/systemd/systemd-networkd"
NETWORKD_PREPARE = f"""\
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/systemd/network
chown -R systemd-network: /run/systemd/netif
printf '[Match]\\nName={UPLINK}\\n[Network]\\nDHCP=ipv4\\nLinkLocalAddressing=no\\n' \\
\t>/run/systemd/network/10-uplink.network
mount -o remount,ro,bind /sys
"""


def networkd(directory):
    """systemd-networkd, only in the lab, or None. With a read-only /sys, it does not wait for udev."""
    if not Path(NETWORKD).exists():
        return None
    client = Client("networkd", "networkd", directory, [NETWORKD], ["/run/systemd/netif/*/*"], sees_carrier=True)
    # A process that has a mount namespace of its own, until it is open here.
    keeper = subprocess.Popen(
        ["unshare", "-m", "sh", "-ec", NETWORKD_PREPARE + "echo; read _"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if keeper.stdout.read(1):
        client.mounts = os.open(f"/proc/{keeper.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    keeper.communicate(b"\n")
    if client.mounts is None:
        raise LabFailure("networkd: cannot prepare its mount namespace")
    return client


def run_in_lab(main):
    """Call main() of a program that runs in the lab. Never outside of it."""
    if not os.environ.get("LAB"):
        sys.exit(f"{Path(sys.argv[0]).name}: runs only in tools/lab")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except LabFailure as failure:
        sys.exit(f"{Path(sys.argv[0]).name}: {failure}")
