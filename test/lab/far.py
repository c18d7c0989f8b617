# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers at the far end: any address of 203.0.113.0/24 and 2001:db8:1::/64.

TCP  7 echo, 9 sink (counts and hashes until the end, then tells), 19 source
(one line with a number, then so many octets), 11 ends its own side first,
12 greets first, 13 resets after a line, 14 never reads, 15 never answers,
80 a page that tells what it saw; 79 is closed.
UDP  7 echo, 8 answers from another address and port (full cone), 79 closed.
"""
import hashlib
import json
import socket
import struct
import threading
import time

from .kernel import abort, call_in, end, thread_in

IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50
PATTERN = bytes(range(256)) * 1024


def pattern(count):
    """The octets a source sends: the same few over and over."""
    whole, rest = divmod(count, len(PATTERN))
    return [PATTERN] * whole + [PATTERN[:rest]]


def pattern_hash(count):
    digest = hashlib.sha256()
    for chunk in pattern(count):
        digest.update(chunk)
    return digest.hexdigest()


def read_line(sock, limit=1024):
    line = b""
    while not line.endswith(b"\n") and len(line) < limit:
        got = sock.recv(1)
        if not got:
            break
        line += got
    return line


class FarServers:
    """All of them, in one place; .seen lists who came."""

    def __init__(self, ns_path):
        self.ns_path = ns_path
        self.seen = []
        self._open = []
        tcp = {7: self.echo, 9: self.sink, 19: self.source, 11: self.early_end,
               12: self.greeter, 13: self.resetter, 14: self.deaf,
               15: self.mute, 80: self.page}
        for port, serve in tcp.items():
            self._listen(port, serve)
        for family in (socket.AF_INET, socket.AF_INET6):
            self._datagrams(family, 7, self.udp_echo)
            self._datagrams(family, 8, self.udp_elsewhere)

    # --- how they are started

    def _listen(self, port, serve):
        def make():
            sock = socket.socket(socket.AF_INET6)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(("::", port))
            sock.listen(1024)
            return sock
        sock = call_in(self.ns_path, make)
        self._open.append(sock)
        thread_in(self.ns_path, lambda: self._accept(sock, port, serve))

    def _accept(self, listener, port, serve):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            self.seen.append(("tcp", sock.getsockname()[0], port, peer[0]))
            threading.Thread(target=self._one, args=(serve, sock),
                             daemon=True).start()

    @staticmethod
    def _one(serve, sock):
        try:
            serve(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def _datagrams(self, family, port, serve):
        def make():
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            if family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                sock.bind(("0.0.0.0", port))
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(("::", port))
            return sock
        sock = call_in(self.ns_path, make)
        self._open.append(sock)

        def work():
            while True:
                try:
                    data, control, _, peer = sock.recvmsg(65536, 256)
                except OSError:
                    return
                if not peer:
                    return           # it was shut
                self.seen.append(("udp", None, port, peer[0]))
                serve(sock, data, control, peer)
        thread_in(self.ns_path, work)

    def close(self):
        for sock in self._open:
            end(sock)

    # --- TCP

    @staticmethod
    def echo(sock):
        while data := sock.recv(65536):
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    @staticmethod
    def sink(sock):
        digest, count = hashlib.sha256(), 0
        try:
            while data := sock.recv(1 << 18):
                digest.update(data)
                count += len(data)
        except ConnectionResetError:
            FarServers.cut_counts.append(count)
            raise
        sock.sendall(f"{count} {digest.hexdigest()}\n".encode())

    cut_counts = []

    @staticmethod
    def source(sock):
        for chunk in pattern(int(read_line(sock))):
            sock.sendall(chunk)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)

    @staticmethod
    def early_end(sock):
        sock.sendall(b"that is all from me\n")
        sock.shutdown(socket.SHUT_WR)
        count = 0
        while data := sock.recv(65536):
            count += len(data)
        FarServers.early_end_counts.append(count)

    early_end_counts = []

    @staticmethod
    def greeter(sock):
        sock.sendall(b"220 hello from the far end\r\n")
        FarServers.echo(sock)

    @staticmethod
    def resetter(sock):
        read_line(sock)
        sock.sendall(b"x" * 1000)
        time.sleep(0.1)
        abort(sock)

    @staticmethod
    def deaf(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(60)

    @staticmethod
    def mute(sock):
        while sock.recv(65536):
            pass

    @staticmethod
    def page(sock):
        head = b""
        while b"\r\n\r\n" not in head:
            got = sock.recv(4096)
            if not got:
                return
            head += got
        first, *lines = head.decode("latin-1").split("\r\n")
        host = next((l[5:].strip() for l in lines
                     if l.lower().startswith("host:")), "")
        body = json.dumps({"request": first, "host": host,
                           "at": sock.getsockname()[0],
                           "from": sock.getpeername()[0],
                           "head": lines}).encode() + b"\n"
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     b"Connection: close\r\nContent-Length: %d\r\n\r\n"
                     % len(body) + body)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)

    # --- UDP

    @staticmethod
    def _from_there(control):
        """Control data that makes the answer come from the address asked."""
        for level, kind, data in control:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                return [(level, kind, struct.pack("=I4s4s", 0, data[8:12],
                                                  b"\0\0\0\0"))]
            if (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
                return [(level, kind, data[:16] + b"\0\0\0\0")]
        return []

    def udp_echo(self, sock, data, control, peer):
        try:
            sock.sendmsg([data], self._from_there(control), 0, peer)
        except OSError:
            pass

    def udp_elsewhere(self, _sock, data, _control, peer):
        """data: "IP PORT rest": answer from there, whoever was asked."""
        try:
            address, port, rest = data.split(b" ", 2)
            family = socket.AF_INET6 if b":" in address else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind((address.decode(), int(port)))
                other.sendto(rest, peer)
        except (OSError, ValueError):
            pass


class Little:
    """One small server at an address of any place: serve(sock) for each."""

    def __init__(self, lab, place, host, port, serve=FarServers.echo):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.came = 0

        def make():
            sock = socket.socket(family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(64)
            return sock
        self.sock = call_in(lab.path(place), make)
        self.port = self.sock.getsockname()[1]

        def accept():
            while True:
                try:
                    sock, _ = self.sock.accept()
                except OSError:
                    return
                self.came += 1
                threading.Thread(target=FarServers._one, args=(serve, sock),
                                 daemon=True).start()
        thread_in(lab.path(place), accept)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        end(self.sock)


class LittleUdp:
    """A UDP echo at an address of any place."""

    def __init__(self, lab, place, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def make():
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.bind((host, port))
            return sock
        self.sock = call_in(lab.path(place), make)

        def work():
            while True:
                try:
                    data, peer = self.sock.recvfrom(65536)
                except OSError:
                    return
                if not peer:
                    return
                self.sock.sendto(data, peer)
        thread_in(lab.path(place), work)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
