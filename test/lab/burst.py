# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes of all kinds, again and again: whatever can go around a proxy.

Run inside a sandbox: burst.py SECONDS [FILE]. Each probe carries the marker
"burst", so that a capture tells where it came from. Prints how many rounds it
made; FILE is touched after the first one. Every error is fine: what counts is
what the wires show.
"""
import errno
import os
import socket
import struct
import sys
import time

MARK = b"burst-probe-0123456789"
TARGETS4 = ["203.0.113.9", "192.168.77.1", "198.51.100.1", "198.51.100.2",
            "10.66.0.2", "10.66.0.1", "169.254.169.254", "100.64.0.1",
            "255.255.255.255", "192.168.77.255", "224.0.0.251", "127.0.0.1"]
TARGETS6 = ["2001:db8:1::9", "fd00:77::1", "2001:db8::1", "fd00:66::2",
            "ff02::fb", "fe80::1", "::ffff:203.0.113.9"]
QUERY = (b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
         b"\x0bburst-probe\x07example\x03org\x00\x00\x01\x00\x01")
held = []


def quiet(work, *args):
    try:
        return work(*args)
    except (OSError, ValueError, AttributeError):
        return None


def tcp(family, address, port, proto=0, fast=False):
    sock = socket.socket(family, socket.SOCK_STREAM, proto)
    sock.setblocking(False)
    held.append(sock)
    if fast:
        sock.sendto(MARK, 0x20000000, (address, port))      # MSG_FASTOPEN
        return
    code = sock.connect_ex((address, port))
    if code not in (0, errno.EINPROGRESS):
        sock.close()


def udp(family, address, port, data=MARK, proto=0):
    with socket.socket(family, socket.SOCK_DGRAM, proto) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setblocking(False)
        sock.sendto(data, (address, port))


def ping(family, address):
    proto = 58 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    kind = 128 if family == socket.AF_INET6 else 8
    with socket.socket(family, socket.SOCK_DGRAM, proto) as sock:
        sock.setblocking(False)
        sock.sendto(struct.pack("!BBHHH", kind, 0, 0, 0, 1) + MARK,
                    (address, 0))


def raw(address):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as sock:
        sock.sendto(MARK, (address, 0))


def packet():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        for _, name in socket.if_nameindex():
            sock.bind((name, 0))
            sock.send(b"\xff" * 12 + b"\x08\x00" + MARK)


def bound(option, value, address):
    """Try to choose the device or the mark a packet leaves by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, option, value)
        sock.sendto(MARK, (address, 7))


def foreign_source(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)            # IP_FREEBIND
        sock.bind(("198.51.100.2", 0))
        sock.sendto(MARK, (address, 7))


def fragments(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.sendto(MARK * 2900, (address, 7))


def round_of_probes(number):
    for address in TARGETS4:
        quiet(tcp, socket.AF_INET, address, 80)
        quiet(udp, socket.AF_INET, address, 7)
        quiet(udp, socket.AF_INET, address, 53, QUERY)
        quiet(udp, socket.AF_INET, address, 5353, QUERY)
        quiet(ping, socket.AF_INET, address)
    for address in TARGETS6:
        quiet(tcp, socket.AF_INET6, address, 80)
        quiet(udp, socket.AF_INET6, address, 7)
        quiet(udp, socket.AF_INET6, address, 53, QUERY)
        quiet(ping, socket.AF_INET6, address)
    for address in TARGETS4[:4]:
        quiet(tcp, socket.AF_INET, address, 443, 0, True)
        quiet(tcp, socket.AF_INET, address, 443, 262)        # MPTCP
        quiet(udp, socket.AF_INET, address, 7, MARK, 136)    # UDP-Lite
        quiet(tcp, socket.AF_INET, address, 53)
        quiet(raw, address)
        quiet(bound, 25, b"lo", address)                     # BINDTODEVICE
        quiet(bound, 36, 1, address)                         # MARK
        quiet(bound, 5, 1, address)                          # DONTROUTE
        quiet(foreign_source, address)
    quiet(packet)
    quiet(fragments, "203.0.113.9")
    if number % 50 == 0:
        quiet(socket.getaddrinfo, f"burst-{number}.example.org", 80)
    while len(held) > 300:
        held.pop(0).close()


def main():
    end = time.monotonic() + float(sys.argv[1])
    rounds = 0
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"
    while time.monotonic() < end:
        round_of_probes(rounds)
        rounds += 1
        if rounds == 1 and len(sys.argv) > 2:
            with open(sys.argv[2], "w", encoding="ascii"):
                pass
        time.sleep(0.002)
    print(rounds)


if __name__ == "__main__":
    main()
