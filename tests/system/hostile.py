# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""A scripted DHCP server that breaks rules, and a look at what became of it.

Each case is a function that begins with a client that was just told to start
(/control/dhcp4/renew) and ends with whatever state; the frame of all cases is here:
between two of them the lease is released, and after each the same things must
hold: no process died, no write was denied, all keys and resolv.conf are sane.
"""

import ctypes
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import traceback

import dhcp4
from dhcp4 import ACK, DISCOVER, NAK, OFFER, RELEASE, REQUEST, ip

UPLINK = os.environ.get("LAB_UPLINK", "")
SERVER = "10.77.0.1"
ADDRESS = "10.77.0.150"
LEASE_S = 600
# A wait ends what hangs, it judges no speed: a busy machine takes longer than
# the seconds of a case say.
PATIENCE = 4
MASK = (1, ip("255.255.255.0"))
ROUTER = (3, ip(SERVER))
NAME_SERVER = (6, ip(SERVER))
NOTHING_BAD = [MASK, ROUTER, NAME_SERVER, (15, b"lab.example")]

GROUPS = {}


class Failure(Exception):
    """What a case expected and what it got."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def case(*groups):
    """Register a function as a case; its name begins with the ids it shows."""
    def register(function):
        for group in groups:
            GROUPS.setdefault(group, []).append(function)
        return function
    return register


def in_namespace(name, function):
    """Call it in the network namespace NAME and come back."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as here, open(f"/run/netns/{name}", "rb") as there:
        if libc.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return function()
        finally:
            libc.setns(here.fileno(), 0x40000000)


class Store:
    """The keys as `calfpen watch` tells them."""

    def __init__(self):
        self.values = {}
        self.removed = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(["calfpen", "watch"], stdout=subprocess.PIPE)
        threading.Thread(target=self.follow, daemon=True).start()
        self.wait(lambda values: "synced" in values, "the store's keys")

    def follow(self):
        """Take what comes at once as a whole: `calfpen watch` writes a commit so, and nobody may
        see a part of it."""
        rest = b""
        while chunk := os.read(self.process.stdout.fileno(), 1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            with self.changed:
                for line in lines:
                    self.take(line.decode().split(" ", 3))
                self.changed.notify_all()

    def take(self, words):
        if words[0] == "synced":
            self.values["synced"] = words[1]
        elif words[1] == "set":
            self.values[words[2]] = words[3] if len(words) > 3 else ""
        elif words[1] == "del":
            self.values.pop(words[2], None)
            self.removed.append(words[2])

    def wait(self, condition, what, seconds=5):
        """Until condition(values) holds."""
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self.values), PATIENCE * seconds):
                raise Failure(f"{what}: not within {PATIENCE * seconds} s; keys: {self.text()}")

    def text(self):
        return ", ".join(f"{path}={value}" for path, value in sorted(self.values.items())
                         if path.startswith("/") and not path.startswith(("/config", "/status")))

    def get(self, path):
        with self.changed:
            return self.values.get(path)

    def below(self, directory):
        """Values of a directory, in order of their names."""
        with self.changed:
            return [value for path, value in sorted(self.values.items())
                    if path.startswith(directory + "/")]

    def ask(self, request):
        """Write /control/dhcp4/REQUEST and wait until it is acted upon."""
        path = f"/control/dhcp4/{request}"
        with self.changed:
            self.removed.clear()
        subprocess.run(["calfpen", "set", path, "now"], check=True, stdout=subprocess.DEVNULL)
        with self.changed:
            if not self.changed.wait_for(lambda: path in self.removed, PATIENCE * 5):
                raise Failure(f"nobody acts on {path}")

    def close(self):
        self.process.terminate()
        self.process.wait()


class Server:
    """The wire: what the client sends, and answers of any shape."""

    def __init__(self):
        def open_channel():
            channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            channel.bind((os.environ["LAB_SERVER_IF"], 3))
            return channel
        self.channel = in_namespace(os.environ["LAB_SERVER_NS"], open_channel)
        self.client_mac = dhcp4.mac(os.environ["LAB_UPLINK_MAC"])
        self.mac = dhcp4.mac("02:00:00:00:77:01")
        self.store = Store()
        self.renewed = None  # xid of the last renewal on request
        self.seen = []  # all messages of the client's: (time, frame, message)

    # --- in

    def receive(self, seconds):
        """The client's next frame, as (time, frame, message) or (time, ARP octets, None)."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.channel], [], [], left)[0]:
                return None
            data, address = self.channel.recvfrom(65536)
            now = time.monotonic()
            if address[2] == 4 or data[6:12] != self.client_mac:  # 4: sent by this host
                continue
            if data[12:14] == b"\x08\x06":
                return now, data, None
            if data[12:14] != b"\x08\0" or data[23] != 17 or data[34:38] != b"\0\x44\0\x43":
                continue
            try:
                frame = dhcp4.Frame(data)
                message = dhcp4.Message(frame.payload)
            except ValueError as reason:
                raise Failure(f"the client sent a bad frame, {reason}: {data.hex()}") from None
            self.seen.append((now, frame, message))
            return now, frame, message

    def expect(self, kind, seconds=3, **fields):
        """The client's next message, which must be of this type."""
        end = time.monotonic() + PATIENCE * seconds
        while True:
            got = self.receive(end - time.monotonic())
            check(got, f"no {dhcp4.TYPES[kind]} within {PATIENCE * seconds} s; keys: {self.store.text()}")
            if got[2] is None:
                continue
            message = got[2]
            if message.type == RELEASE and kind != RELEASE:
                continue  # of the case before
            if message.type == REQUEST != kind and message.xid == self.renewed:
                continue  # a renewal that was answered, in its other form
            check(message.type == kind, f"{dhcp4.TYPES[kind]} expected: {message.text()}")
            for name, value in fields.items():
                check(getattr(message, name) == value, f"{name} is not {value}: {message.text()}")
            message.frame, message.time = got[1], got[0]
            return message

    def expect_arp(self, seconds=3):
        """The client's next ARP packet: (operation, sender, target)."""
        end = time.monotonic() + PATIENCE * seconds
        while True:
            got = self.receive(end - time.monotonic())
            check(got, f"no ARP within {PATIENCE * seconds} s")
            if got[2] is None:
                operation, sender, target = struct.unpack_from("!H6x4s6x4s", got[1], 20)
                return operation, dhcp4.ip_text(sender), dhcp4.ip_text(target)

    def silent(self, seconds):
        """No DHCP message of the client's for this long."""
        end = time.monotonic() + seconds
        while True:
            got = self.receive(end - time.monotonic())
            if got is None:
                return
            check(got[2] is None, f"silence expected: {got[2] and got[2].text()}")

    def drain(self):
        while self.receive(0.001):
            pass

    # --- out

    def send(self, frame):
        self.channel.send(frame)

    def message(self, kind, request, options=NOTHING_BAD, *, yiaddr=ADDRESS, server=SERVER,
                lease=LEASE_S, before=(), end=True, tail=b"", **fields):
        """The octets of a reply; `server`, `lease` None: without 54, 51; `before`: 53."""
        items = list(before) + [(53, bytes((kind,)))]
        if server is not None:
            items.append((54, ip(server)))
        if lease is not None and kind != NAK:
            items.append((51, struct.pack("!I", lease)))
        head = {
            "op": 2, "htype": 1, "hlen": 6, "hops": 0, "xid": request.xid, "secs": 0,
            "flags": request.flags, "ciaddr": request.ciaddr,
            "yiaddr": ip(yiaddr) if kind != NAK else bytes(4), "siaddr": bytes(4),
            "giaddr": bytes(4), "chaddr": request.chaddr, "sname": b"", "file": b"",
            "cookie": dhcp4.COOKIE, **fields,
        }
        cookie = head.pop("cookie")
        data = struct.pack(dhcp4.Message.FORMAT, *head.values()) + cookie
        return data + dhcp4.options(items + list(options)) + (b"\xff" if end else b"") + tail

    def frame(self, payload, source=SERVER, destination=ADDRESS, to=None, ip4=None, trailer=b"",
              **udp):
        datagram = dhcp4.udp(ip(source), ip(destination), payload, **udp)
        packet = dhcp4.ipv4(ip(source), ip(destination), datagram, **(ip4 or {}))
        return dhcp4.ethernet(to or self.client_mac, self.mac, 0x800, packet) + trailer

    def reply(self, kind, request, options=NOTHING_BAD, **change):
        self.send(self.frame(self.message(kind, request, options, **change)))

    def arp(self, operation, sender, target, sender_mac="02:00:00:00:77:99",
            source_mac=None, target_mac="00:00:00:00:00:00"):
        packet = dhcp4.arp(operation, dhcp4.mac(sender_mac), ip(sender), dhcp4.mac(target_mac),
                           ip(target))
        self.send(dhcp4.ethernet(dhcp4.BROADCAST_MAC, dhcp4.mac(source_mac or sender_mac), 0x806,
                                 packet + bytes(18)))

    # --- exchanges

    def exchange(self, options=NOTHING_BAD, **change):
        """From DISCOVER to ACK, the same options in OFFER and ACK: the REQUEST."""
        self.reply(OFFER, self.expect(DISCOVER), options, **change)
        request = self.expect(REQUEST)
        self.reply(ACK, request, options, **change)
        return request

    def bound(self, address=ADDRESS + "/24"):
        self.store.wait(lambda values: values.get("/ip") == address and
                        values.get("/lease/state") == "bound", f"bound to {address}")

    def lease(self, options=NOTHING_BAD, **change):
        """An exchange that must lead to a lease."""
        request = self.exchange(options, **change)
        self.bound()
        return request

    def lease_of(self, options, address):
        """The same, of an address with another mask."""
        self.exchange(options)
        self.bound(address)

    def again(self):
        """Give the lease back and begin anew."""
        self.store.ask("release")
        self.drain()
        self.store.ask("renew")

    def configured(self, address=ADDRESS):
        """Until the host has the address: only from it unicast is sent."""
        wait_host(("ip", "-4", "address", "show", "dev", UPLINK), re.escape(f"inet {address}/"))

    def renew(self, options=NOTHING_BAD, **change):
        """A renewal on request, answered: the REQUEST."""
        self.configured()
        self.store.ask("renew")
        request = self.expect(REQUEST)
        while request.xid == self.renewed:
            request = self.expect(REQUEST)
        self.renewed = request.xid
        self.reply(ACK, request, options, **change)
        return request


# --- what became of it


def status():
    """Also of an instance that is being restarted (8), or whose calf fails often (9)."""
    done = subprocess.run(["calfpen", "status", "--all", "--json"], check=False,
                          capture_output=True, text=True)
    if done.returncode not in (0, 8, 9):
        raise subprocess.SubprocessError(f"calfpen status: {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def counters(state=None):
    """Frame counters and the calf's metrics, by name."""
    state = state or status()
    result = {name: value["packets"] for name, value in state["frames"].items()}
    for name, value in state["state"]["calves"][0]["counters"].items():
        result[name.removeprefix("calf_dhcp4_").removesuffix("_total")] = value
    return result


class Counted:
    """with Counted("in_fragment", 2): ... - counters that must grow by so much."""

    def __init__(self, *names, by=1):
        self.names, self.by = names, by

    def sum(self):
        now = counters()
        return sum(now[name] for name in self.names)

    def __enter__(self):
        self.before = self.sum()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            return
        end = time.monotonic() + PATIENCE * 3
        while self.sum() - self.before < self.by and time.monotonic() < end:
            time.sleep(0.01)
        grown = self.sum() - self.before
        check(grown == self.by, f"{' + '.join(self.names)}: {grown} counted, not {self.by}")


def host(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_host(command, pattern, seconds=3):
    """Until the output of a command matches."""
    end = time.monotonic() + PATIENCE * seconds
    while True:
        output = host(*command)
        if re.search(pattern, output):
            return output
        check(time.monotonic() < end, f"{' '.join(command)}: no {pattern} in {output!r}")
        time.sleep(0.02)


NAME = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
DOMAIN = NAME.replace("0-9", "0-9_")
IPV4 = r"\d{1,3}(\.\d{1,3}){3}"
NUMBER = r"\d{1,10}"
KEYS = {
    "/ip": rf"{IPV4}/\d\d?", "/gateway": IPV4, "/mtu": r"\d{3,5}", "/domain": NAME,
    "/search": rf"{DOMAIN}( {DOMAIN})*", "/hostname": NAME, r"/nameserver/00[1-8]": IPV4,
    r"/ntp/00[1-8]": IPV4, r"/route/0\d\d": rf"{IPV4}/\d\d? (via {IPV4}|onlink)",
    "/captive-portal": r"[!-~]+", r"/dnr/00[1-8]": r"[ -~]+", "/ipv6-only": NUMBER,
    r"/option/\d{3}": r"([0-9a-f]{2})*", "/lease/time": rf"{NUMBER}|infinite",
    "/lease/state": r"[a-z0-9-]+", "/lease/(server|address)": IPV4, "/lease/t[12]": rf"{NUMBER}|infinite",
    "/lease/expires": r"[0-9TZ:-]+|never",
}
RESOLV = rf"#[ -~]*|domain {NAME}|search( {DOMAIN}){{1,6}}|nameserver {IPV4}"


def assert_sane(store):
    """Nothing of a server's is anywhere in a form that it must not have."""
    with store.changed:
        values = dict(store.values)
    for path, value in values.items():
        if not path.startswith("/") or re.match("/(status|config|control|link)/|/(mac|link|address)$", path):
            continue
        pattern = next((p for name, p in KEYS.items() if re.fullmatch(name, path)), None)
        check(pattern, f"a key that nobody expects: {path}={value}")
        check(re.fullmatch(pattern, value), f"a bad value: {path}={value!r}")
    with open(os.environ["LAB_RESOLV"], encoding="latin-1") as file:
        lines = file.read().splitlines()
    for line in lines:
        check(re.fullmatch(RESOLV, line), f"resolv.conf: {line!r}")
    check(sum(line.startswith("nameserver") for line in lines) <= 3, f"resolv.conf: {lines}")
    with open(os.path.join(os.environ["LAB_DIR"], "calfpen.log"), "rb") as file:
        bad = re.search(rb"[^ -~\n]", file.read())
    check(not bad, f"an octet in the log that nobody can print: {bad}")


def identities():
    state = status()
    calf = state["state"]["calves"][0]
    return {"supervisor": state["pid"], "watcher": state["state"]["watcher_pid"],
            "calf": calf["pid"], "gateway": calf["gateway_pid"], "restarts": calf["restarts"],
            "denials": state["store"]["denials"]}


def kill_calf():
    """For the group "restarts", whose cases are about its next life."""
    os.kill(status()["state"]["calves"][0]["pid"], signal.SIGKILL)


def run_case(server, function, restarts):
    before = identities()
    server.store.ask("release")
    server.drain()
    server.store.ask("renew")
    function(server)
    after = identities()
    check(restarts or before == after, f"before {before}, after {after}")
    try:
        os.kill(after["calf"], 0)
    except ProcessLookupError:
        raise Failure("the calf is dead") from None
    assert_sane(server.store)


def run(groups):
    """Lines "case ok NAME" and "case not ok NAME: REASON"; True if all are ok."""
    server = Server()
    ok = True
    for group in groups:
        for function in GROUPS[group]:
            start = time.monotonic()
            try:
                run_case(server, function, group == "restarts")
                took = int((time.monotonic() - start) * 1000)
                print(f"case ok {function.__name__} ({took} ms)", flush=True)
            except Failure as reason:
                ok = False
                print(f"case not ok {function.__name__}: {reason}", flush=True)
            except Exception:  # a case that breaks must not hide the next ones
                ok = False
                print(f"case not ok {function.__name__}: the case itself", flush=True)
                traceback.print_exc()
    server.store.close()
    return ok
