# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""The configuration store: the gate alone, and writes through the gateway versus redis and etcd."""

import base64
import http.client
import json
import os
import shutil
import socket

WRITE = "write, event, 4 subjects"

DESCRIPTION = """\
name: bench
executable: calf-bench
limits: {memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 100}
keys:
  - {path: /bench/, type: text, count: 64, max_length: 1023, access: [read, write, delete]}
frames:
  - {check: dhcp4, local_port: 68, remote_port: 67, max_frame: 1514, ingress_per_second: 50,
     ingress_burst: 20, egress_per_second: 30, egress_burst: 10}
"""


def measure_gate(bench):
    seen = bench.program("store-gate", bench.cpu, bench.rounds(15))
    write, bare = seen["write"], seen["bare_call"]
    n_subjects = int(seen["subjects_max"].value)

    bench.row(WRITE, "ns", write, seen["map_update"], "bpf() map update", "ratio <= 2.0")
    bench.row(WRITE, "ns", write, bare, "getppid()")
    bench.row(WRITE + ", above the call itself", "ns", write, seen["empty_run"], "empty BPF_PROG_RUN")
    bench.row(WRITE + ", and the ring wakes", "ns", seen["write_waking"], write, "does not wake")
    bench.row("read", "ns", seen["read"], bare, "getppid()")
    bench.row(
        "commit of 16 keys", "ns", seen["commit_16"], write.times(16), "16 writes",
        "ratio <= 0.35",
    )
    bench.row("batch of 16 writes", "ns", seen["batch_16"], write.times(16), "16 writes")
    bench.row(
        "write among 4,096 keys", "ns", seen["write_keys_4096"], seen["write_keys_10"],
        "among 10", "ratio <= 1.4",
    )
    bench.row(
        "write among 4,096 keys, ten of them in turn", "ns", seen["write_10_of_4096"], seen["write_keys_10"],
        "among 10", "ratio <= 1.1",
    )
    bench.row(
        f"write beside {n_subjects} subjects", "ns", seen["write_subjects_max"],
        seen["write_subjects_1"], "alone", "ratio <= 1.1",
    )
    bench.row(
        "commit of 16 keys beside 8 calves", "ns", seen["commit_16_eight"],
        seen["commit_16_alone"], "alone", "ratio <= 1.05",
    )
    bench.row("list of 1,024 keys", "us", seen["list_1024"], goal="ours <= 2000")
    bench.row("verified_insns of a gate", "", seen["verified_insns"], goal="ours <= 10000")
    bench.row("making the maps", "ms", seen["store_made"])
    bench.row("loading the first gate", "ms", seen["first_gate"], goal="ours <= 10")
    bench.row("loading a further gate, of 4 at once", "ms", seen["further_gate"], goal="ours <= 6")
    bench.row("loading a further gate, each alone", "ms", seen["further_alone"])


def measure_event(bench):
    seen = bench.program("store-event", bench.cpu, bench.rounds(15))
    bench.row(
        "event to callback, epoll, p50", "us", seen["event_p50"], seen["eventfd_p50"], "eventfd",
        "ratio <= 1.5", ours_p99=seen["event_p99"].value,
    )
    bench.row("event to callback, epoll, p99", "us", seen["event_p99"], seen["eventfd_p99"], "eventfd")


def measure_contention(bench):
    """A subject that writes while two others commit in a loop on every CPU."""
    seen = bench.program("store-contention", bench.cpus, bench.rounds(9))
    bench.row(
        "write beside commit loops, p50", "us", seen["contended_p50"], seen["alone_p50"],
        "the same, alone",
    )
    bench.row(
        "write beside commit loops, p99", "us", seen["contended_p99"], goal="ours <= 1000",
        alone_p99=seen["alone_p99"].value,
    )


def measure_audit(bench):
    """A line of the audit log on the disk of the build directory."""
    directory = bench.directory / "audit"
    directory.mkdir()
    seen = bench.program("store-audit", bench.cpu, bench.rounds(15), directory)
    bench.row(
        "audit line with its hash", "us", seen["chained"], seen["appended"], "only formatted and appended",
        "ours <= 10",
    )
    bench.row("hash of an audit line", "us", seen["hash"])


def start_redis(bench, cpus):
    """Start redis-server on our own socket. Returns (process or None, socket or why not)."""
    path = bench.directory / "redis.sock"
    server = shutil.which("redis-server")
    if not server:
        return None, "no redis-server (tools/bootstrap bench)"
    process = bench.start(
        [server, "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no",
         "--daemonize", "no", "--dir", str(bench.directory)],
        path.exists,
        cpus,
    )
    return process, str(path)


# In a network namespace of its own, so that its port for other members, of which there are none, exists
# nowhere else; clients use a socket in our directory. Its log is in memory, because the other two write
# nothing to a disk.
ETCD = """\
ip link set lo up
mount -t tmpfs etcd data
exec etcd --data-dir data/etcd --logger zap --listen-client-urls unix://etcd.sock:0 \
    --advertise-client-urls unix://etcd.sock:0 --listen-peer-urls http://127.0.0.1:2380 \
    --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask_etcd(bench, path, call, **fields):
    """One call of etcd's JSON gateway, for what is not measured."""
    connection = UnixConnection(path)
    try:
        connection.request("POST", "/v3/" + call, json.dumps(fields))
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise bench.failure(f"etcd: {call}: {text.decode(errors='replace')}")
    return json.loads(text)


def start_etcd(bench, cpus):
    """
    Start etcd-server with a user who may only access /bench/. Returns (process or None, [socket,
    token], or why not).
    """
    if not shutil.which("etcd"):
        return None, "no etcd (tools/bootstrap bench)"
    path = bench.directory / "etcd.sock:0"
    (bench.directory / "data").mkdir(exist_ok=True)
    process = bench.start(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-euc", ETCD], path.exists, cpus
    )

    def ask(call, **fields):
        return ask_etcd(bench, str(path), call, **fields)

    def encode(key):
        return base64.b64encode(key).decode()

    for user, role in (("root", "root"), ("bench", "bench")):
        ask("auth/user/add", name=user, password="bench")
        if role != "root":  # which exists
            ask("auth/role/add", name=role)
            permission = {"permType": "READWRITE", "key": encode(b"/bench/"), "range_end": encode(b"/bench0")}
            ask("auth/role/grant", name=role, perm=permission)
        ask("auth/user/grant", user=user, role=role)
    ask("auth/enable")
    return process, [str(path), ask("auth/authenticate", name="bench", password="bench")["token"]]


def make_calf(bench):
    directory = bench.directory / "calf"
    directory.mkdir()
    (directory / "calf.yaml").write_text(DESCRIPTION)
    (directory / "calf-bench").write_text("")
    os.chmod(directory / "calf-bench", 0o755)
    return directory


def measure_gateway(bench):
    """Every comparison runs on one CPU, those with many clients also on all of them."""
    gateway = bench.build / "lib/calfpen/calfpen-gateway"
    calf = make_calf(bench)

    def beside_peers(mode, cpus, rounds, with_etcd=False):
        """What store-gateway prints, and why a peer is missing."""
        redis, redis_socket = start_redis(bench, cpus)
        etcd, etcd_access = start_etcd(bench, cpus) if with_etcd else (None, None)
        try:
            seen = bench.program(
                "store-gateway", mode, cpus, bench.rounds(rounds), gateway, calf,
                redis_socket if redis else "-", *(etcd_access if etcd else []),
            )
        finally:
            for process in (redis, etcd):
                if process:
                    bench.stop(process)
        why_not = {} if redis else {"redis": redis_socket}
        return seen, why_not | ({} if etcd or not with_etcd else {"etcd": etcd_access})

    def compare(measure, unit, seen, label, why_not, goal=None, peer="redis"):
        if peer in why_not:
            bench.skip(
                measure, why_not[peer], goal, unit=unit, ours=seen["gateway_" + label].value, peer_name=peer
            )
        else:
            bench.row(measure, unit, seen["gateway_" + label], seen[f"{peer}_{label}"], peer, goal)

    seen, why_not = beside_peers("one", bench.cpu, 25, with_etcd=True)
    memory = seen
    compare("write through the gateway, p50", "us", seen, "p50", why_not, "ratio <= 1.1")
    compare("write through the gateway, p50", "us", seen, "p50", why_not, peer="etcd")
    compare("write through the gateway, p99", "us", seen, "p99", why_not)
    compare("write through the gateway, p99", "us", seen, "p99", why_not, peer="etcd")
    write = seen["gate"]
    if "redis" in why_not:
        bench.skip(WRITE, why_not["redis"], "ratio <= 0.2", unit="ns", ours=write.value, peer_name="redis SET")
    else:
        bench.row(WRITE, "ns", write, seen["redis_p50"].times(1e3), "redis SET", "ratio <= 0.2")
    share = "the gate's share of a write through it"
    bench.row(share, "ns", write, seen["gateway_p50"].times(1e3), "gateway", "ratio <= 0.15")
    # a reader that sleeps in read() is woken when its own request is taken, too
    seen, why_not = beside_peers("blocking", bench.cpu, 15)
    compare("write through the gateway, client sleeps in read()", "us", seen, "p50", why_not)
    seen, why_not = beside_peers("watched", bench.cpu, 15, with_etcd=True)
    compare("write through the gateway, a watcher is told", "us", seen, "p50", why_not)
    compare("write through the gateway, a watcher is told", "us", seen, "p50", why_not, peer="etcd")
    # no goals: a process for each client, which is the isolation, is woken for its requests alone
    seen, why_not = beside_peers("pipelined", bench.cpu, 25)
    compare("pipelined, 16 deep", "1/s", seen, "rate", why_not)
    for cpus, where in ((bench.cpu, "one CPU"), (bench.cpus, "all CPUs")):
        seen, why_not = beside_peers("many", cpus, 9)
        n_clients = int(seen["clients"].value)
        compare(f"{n_clients} gateways, a client each, {where}", "1/s", seen, "rate", why_not)
    bench.row(
        "memory of a gateway, VmRSS", "MiB", memory["rss"], goal="ours <= 1.5",
        rss_anon=memory["rss_anon"].value, rss_file=memory["rss_file"].value,
    )
    bench.row("memory of a gateway, RssAnon", "MiB", memory["rss_anon"])


def measure(bench):
    measure_gate(bench)
    measure_event(bench)
    measure_contention(bench)
    measure_audit(bench)
    measure_gateway(bench)
