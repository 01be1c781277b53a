# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Calfpen Authors
"""DHCPv4 frames for tests: read what a client sends, build what servers send.

Written apart from the code under test and stricter in reading than any client
may be: a client's message that breaks a rule here is a failed test. Building
knows no rules at all.
"""

import struct

COOKIE = b"\x63\x82\x53\x63"
TYPES = ("", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM", "FORCERENEW")
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM, FORCERENEW = range(1, 10)
BROADCAST_MAC = b"\xff" * 6
ADDRESSES = {1, 3, 6, 28, 42, 50, 54}
NUMBERS = {2, 26, 51, 57, 58, 59, 108}
TEXTS = {12, 15, 56, 60, 114}


def ip(text):
    return bytes(int(part) for part in text.split("."))


def ip_text(octets):
    return ".".join(str(octet) for octet in octets)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Message:
    """A BOOTP message; options as a list of (code, octets), in order."""

    FIELDS = ("op", "htype", "hlen", "hops", "xid", "secs", "flags", "ciaddr", "yiaddr", "siaddr",
              "giaddr", "chaddr", "sname", "file")
    FORMAT = "!BBBBIHH4s4s4s4s16s64s128s"

    def __init__(self, data):
        size = struct.calcsize(self.FORMAT)
        if len(data) < size + 4 or data[size:size + 4] != COOKIE:
            raise ValueError("not a DHCP message")
        for name, value in zip(self.FIELDS, struct.unpack_from(self.FORMAT, data)):
            setattr(self, name, value)
        self.size = len(data)
        self.options, self.tail = [], None
        at = size + 4
        while at < len(data):
            code = data[at]
            if code == 255:
                self.tail = data[at + 1:]
                break
            if code == 0:
                at += 1
                continue
            length = data[at + 1] if at + 1 < len(data) else -1
            if length < 0 or at + 2 + length > len(data):
                raise ValueError(f"option {code} ends outside of the message")
            self.options.append((code, data[at + 2:at + 2 + length]))
            at += 2 + length

    def __getitem__(self, code):
        """The octets of an option, all its instances joined; None if absent."""
        parts = [value for which, value in self.options if which == code]
        return b"".join(parts) if parts else None

    @property
    def type(self):
        return (self[53] or b"\0")[0]

    @property
    def mac(self):
        return self.chaddr[:6]

    def text(self):
        """Name of the type, then NAME=VALUE: fields, options by number."""
        words = [TYPES[self.type] if self.type < len(TYPES) else str(self.type)]
        words += [f"xid={self.xid:08x}", f"secs={self.secs}", f"flags={self.flags:04x}"]
        words += [f"{name}={ip_text(getattr(self, name))}" for name in ("ciaddr", "yiaddr", "giaddr")]
        words.append("order=" + ",".join(str(code) for code, _ in self.options))
        seen = set()
        for code, _ in self.options:
            if code not in seen and code != 53:
                words.append(f"{code}={option_text(code, self[code])}")
            seen.add(code)
        return " ".join(words)


def option_text(code, value):
    if code in ADDRESSES and len(value) % 4 == 0:
        return ",".join(ip_text(value[at:at + 4]) for at in range(0, len(value), 4))
    if code in NUMBERS and value:
        return str(int.from_bytes(value, "big"))
    if code == 55:
        return ",".join(str(octet) for octet in value)
    if code in TEXTS and value.isascii() and value.decode().isprintable():
        return value.decode().replace(" ", "_")
    return value.hex()


class Frame:
    """An Ethernet frame with UDP over IPv4, read with every length checked."""

    def __init__(self, data):
        if len(data) < 42 or data[12:14] != b"\x08\0" or data[14] != 0x45:
            raise ValueError("not a plain IPv4 frame")
        self.destination, self.source = data[:6], data[6:12]
        total, fragment, protocol = struct.unpack_from("!H2xHxB", data, 16)
        if total > len(data) - 14 or total < 28 or protocol != 17 or fragment & 0x3FFF:
            raise ValueError("not a whole UDP datagram")
        header = data[14:34]
        if checksum(header):
            raise ValueError("IPv4 checksum")
        self.ip_source, self.ip_destination = header[12:16], header[16:20]
        self.source_port, self.destination_port, length, check = struct.unpack_from("!HHHH", data, 34)
        if length != total - 20:
            raise ValueError("UDP length")
        datagram = data[34:34 + length]
        pseudo = header[12:20] + struct.pack("!HH", 17, length)
        # The bare pseudo-header sum is a checksum left to a device
        if check and checksum(pseudo + datagram) and check != checksum(pseudo) ^ 0xFFFF:
            raise ValueError("UDP checksum")
        self.payload = datagram[8:]


def options(items):
    """Octets of options; octets among the items are taken as they are."""
    return b"".join(item if isinstance(item, bytes) else bytes((item[0], len(item[1]))) + item[1]
                    for item in items)


def ethernet(destination, source, protocol, payload):
    return destination + source + struct.pack("!H", protocol) + payload


def ipv4(source, destination, payload, protocol=17, **change):
    """`change`: first (version and header length), total, fragment, check."""
    header = struct.pack("!BBHHHBBH4s4s", change.get("first", 0x45), 0,
                         change.get("total", 20 + len(payload)), 0, change.get("fragment", 0), 64,
                         protocol, 0, source, destination)
    check = change.get("check", checksum(header))
    return header[:10] + struct.pack("!H", check) + header[12:] + payload


def udp(source, destination, payload, source_port=67, destination_port=68, **change):
    """`change`: length, check; check "partial" leaves it to a device."""
    length = change.get("length", 8 + len(payload))
    pseudo = source + destination + struct.pack("!HH", 17, length)
    header = struct.pack("!HHHH", source_port, destination_port, length, 0)
    check = change.get("check", checksum(pseudo + header + payload) or 0xFFFF)
    if check == "partial":
        check = checksum(pseudo) ^ 0xFFFF
    return header[:6] + struct.pack("!H", check) + payload


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation, sender_mac, sender, target_mac,
                       target)
