# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""What a client does, seen from outside: its frames, by the kernel's time stamps, and its address."""

import ctypes
import os
import select
import socket
import struct
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
NEWLINK, NEWADDR = 16, 20
GROUPS = 0x1 | 0x10  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR
IFF_LOWER_UP = 0x10000
SO_TIMESTAMPNS = 35
ETH_P_IP = 0x0800
SERVER_NAMESPACE = "/run/netns/server"


def set_namespace(fd, kind):
    if LIBC.setns(fd, kind):
        raise OSError(ctypes.get_errno(), "setns")


class Events:
    """Links and addresses of an interface, from now on. A time is that at which the event is read."""

    def __init__(self, interface):
        self.index = socket.if_nametoindex(interface)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.bind((0, GROUPS))
        self.pending = []  # (time, type, body)

    def next(self, limit_s):
        """The next event, or None."""
        if not self.pending and select.select([self.socket], [], [], limit_s)[0]:
            data, now = self.socket.recv(65536), time.monotonic()
            while len(data) >= 16:
                length, kind = struct.unpack("=IH", data[:6])
                self.pending.append((now, kind, data[16:length]))
                data = data[(length + 3) & ~3 :]
        return self.pending.pop(0) if self.pending else None

    def await_event(self, limit_s, is_wanted, check=None):
        """The time of the first wanted event, or None. Calls check() while there is none."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            event = self.next(0.5)
            if event and is_wanted(*event[1:]):
                return event[0]
            if not event and check:
                check()
        return None

    def await_address(self, limit_s, check=None):
        def is_address(kind, body):
            return kind == NEWADDR and struct.unpack("=I", body[4:8])[0] == self.index

        return self.await_event(limit_s, is_address, check)

    def await_carrier(self, limit_s):
        def is_carrier(kind, body):
            if kind != NEWLINK:
                return False
            index, flags = struct.unpack("=iI", body[4:12])
            return index == self.index and bool(flags & IFF_LOWER_UP)

        return self.await_event(limit_s, is_carrier)

    def close(self):
        self.socket.close()


class Frames:
    """DHCP messages that arrive at the lab's server, from now on."""

    def __init__(self):
        own, server = (os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in ("/proc/self/ns/net", SERVER_NAMESPACE))
        set_namespace(server, CLONE_NEWNET)  # of this thread, the only one
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        finally:
            set_namespace(own, CLONE_NEWNET)
            os.close(own)
            os.close(server)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def first_s(self):
        """When the first one came, on the clock of time.monotonic(); or None."""
        while True:
            try:
                data, ancillary, _, address = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return None
            header = 4 * (data[0] & 15) if data else 0
            is_dhcp = len(data) >= header + 8 and data[9] == 17 and data[header + 2 : header + 4] == b"\0\x43"
            if is_dhcp and address[2] != socket.PACKET_OUTGOING:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                return seconds + nanoseconds / 1e9 - (time.time() - time.monotonic())

    def close(self):
        self.socket.close()
