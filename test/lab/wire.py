# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures: what arrived at the far side of a wire.

A capture sits in the peer's namespace and counts what comes in, so nothing in
the host's place can hide a packet from it. All neighbours are static and all
chatter is switched off: a wire is silent unless somebody sends.
"""
import select
import socket
import struct
import threading
import time

from .kernel import call_in

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET = 263
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33
KEEP = 200


class Packet:
    """The few fields a verdict needs."""

    def __init__(self, frame):
        self.when = time.monotonic()
        self.proto = None
        self.src = self.dst = "?"
        self.sport = self.dport = None
        self.payload = b""
        kind = struct.unpack_from("!H", frame, 12)[0]
        if kind == 0x0800 and len(frame) >= 34:
            self._ip4(frame[14:])
        elif kind == 0x86dd and len(frame) >= 54:
            self._ip6(frame[14:])
        else:
            self.proto = f"ether {kind:04x}"

    def _ip4(self, ip):
        self.src = socket.inet_ntop(socket.AF_INET, ip[12:16])
        self.dst = socket.inet_ntop(socket.AF_INET, ip[16:20])
        if struct.unpack_from("!H", ip, 6)[0] & 0x1fff:
            self.proto = f"fragment of {ip[9]}"
        else:
            self._transport(ip[9], ip[(ip[0] & 15) * 4:])

    def _ip6(self, ip):
        self.src = socket.inet_ntop(socket.AF_INET6, ip[8:24])
        self.dst = socket.inet_ntop(socket.AF_INET6, ip[24:40])
        following, rest = ip[6], ip[40:]
        if following == 44:
            if struct.unpack_from("!H", rest, 2)[0] & 0xfff8:
                self.proto = f"fragment of {rest[0]}"
                return
            following, rest = rest[0], rest[8:]
        self._transport(following, rest)

    def _transport(self, number, rest):
        self.proto = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}.get(
            number, f"proto {number}")
        if number in (6, 17) and len(rest) >= 4:
            self.sport, self.dport = struct.unpack_from("!HH", rest)
        self.payload = bytes(rest[:256])

    def __repr__(self):
        return (f"{self.proto} {self.src}:{self.sport} > "
                f"{self.dst}:{self.dport}")


class Wire:
    """All that comes in at one interface of one place."""

    def __init__(self, name, ns_path, dev, ignore=None):
        self.name = name
        self.ignore = ignore
        self.seen = 0
        self.kept = []
        self.lost = 0
        self._lock = threading.Lock()
        self._sock = call_in(ns_path, lambda: self._open(dev))
        self._stop = False
        self._thread = threading.Thread(target=self._read, daemon=True,
                                        name=f"wire-{name}")
        self._thread.start()

    @staticmethod
    def _open(dev):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        sock.bind((dev, ETH_P_ALL))
        sock.setblocking(False)
        return sock

    def _read(self):
        while not self._stop:
            select.select([self._sock], [], [], 0.2)
            self.drain()

    def drain(self):
        with self._lock:
            while True:
                try:
                    frame, addr = self._sock.recvfrom(512)
                except BlockingIOError:
                    return
                except OSError:
                    self._stop = True
                    return
                if addr[2] == PACKET_OUTGOING:
                    continue
                packet = Packet(frame)
                if self.ignore and self.ignore(packet):
                    continue
                self.seen += 1
                if len(self.kept) < KEEP:
                    self.kept.append(packet)

    def settle(self, quiet_s=0.5, limit_s=6):
        """Wait until nothing has come for a while; return what is seen."""
        end = time.monotonic() + limit_s
        last, since = -1, time.monotonic()
        while time.monotonic() < end:
            self.drain()
            if self.seen != last:
                last, since = self.seen, time.monotonic()
            if time.monotonic() - since >= quiet_s:
                break
            time.sleep(0.02)
        return self.seen

    def forget(self):
        with self._lock:
            self.seen = 0
            self.kept = []

    def dropped(self):
        """Packets the kernel could not keep for us since the last call."""
        raw = self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return struct.unpack("II", raw)[1]

    def close(self):
        self._stop = True
        self._thread.join(2)
        self._sock.close()


class Verdict:
    """What came over the wires during a while: filled in when it ends."""

    def __init__(self):
        self.leaks = {}
        self.lost = 0

    def __bool__(self):
        return not self.leaks and not self.lost

    def __repr__(self):
        return f"<{self}>"

    def __str__(self):
        lines = [f"{name}: {count} packets, first: {kept[:5]}"
                 for name, (count, kept) in self.leaks.items()]
        if self.lost:
            lines.append(f"inconclusive: {self.lost} packets not captured")
        return "; ".join(lines) or "silent"


class Watch:
    """`with Watch(wires) as v: ...; assert v, v` - were they silent?"""

    def __init__(self, wires, after_s=0.3):
        self.wires = wires
        self.after_s = after_s
        self.verdict = Verdict()

    def __enter__(self):
        for wire in self.wires:
            wire.drain()
            wire.forget()
            wire.dropped()
        return self.verdict

    def __exit__(self, *exc):
        time.sleep(self.after_s)
        for wire in self.wires:
            wire.drain()
            if wire.seen:
                self.verdict.leaks[wire.name] = (wire.seen, list(wire.kept))
            self.verdict.lost += wire.dropped()
        return False
