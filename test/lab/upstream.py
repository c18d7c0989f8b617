# SPDX-License-Identifier: GPL-3.0-or-later
"""A toy DNS server at the far end, on UDP and TCP port 53."""
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from .kernel import call_in, end, thread_in


class ToyDns:
    """Answers from a table {(name, type): [text, ...]}.

    Names under big. come truncated over UDP, names under slow. after delay_s,
    names under mute. never. .asked lists (transport, name, type);
    .connections counts TCP connections.
    """

    def __init__(self, lab, place="inet", host="203.0.113.53", table=None,
                 ttl=300, delay_s=0.05):
        self.table = table or {}
        self.ttl, self.delay_s = ttl, delay_s
        self.asked = []
        self.connections = 0
        self._lock = threading.Lock()
        path = lab.path(place)
        self._udp = call_in(path, lambda: self._open(socket.SOCK_DGRAM, host))
        self._tcp = call_in(path, lambda: self._open(socket.SOCK_STREAM, host))
        thread_in(path, self._serve_udp)
        thread_in(path, self._serve_tcp)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        for sock in (self._udp, self._tcp):
            end(sock)

    @staticmethod
    def _open(kind, host):
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, 53))
        if kind == socket.SOCK_STREAM:
            sock.listen(64)
        return sock

    def _answer(self, wire, transport):
        """The octets to send back, or None."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((transport, name, kind))
        if name.startswith("mute."):
            return None
        if name.startswith("slow."):
            time.sleep(self.delay_s)
        reply = dns.message.make_response(query, recursion_available=True)
        texts = self.table.get((name, kind))
        if texts:
            reply.answer.append(dns.rrset.from_text_list(
                question.name, self.ttl, "IN", kind, texts))
        elif not any(known == name for known, _ in self.table):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        if not texts:
            reply.authority.append(dns.rrset.from_text(
                "example.", 60, "IN", "SOA", "ns. root. 1 2 3 4 30"))
        if transport == "udp" and name.startswith("big."):
            reply.answer = []
            reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=65535)

    def _serve_udp(self):
        while True:
            try:
                wire, peer = self._udp.recvfrom(65536)
            except OSError:
                return
            if not wire:
                continue
            threading.Thread(target=self._one, args=(wire, peer),
                             daemon=True).start()

    def _one(self, wire, peer):
        answer = self._answer(wire, "udp")
        if answer:
            try:
                self._udp.sendto(answer, peer)
            except OSError:
                pass

    def _serve_tcp(self):
        while True:
            try:
                sock, _ = self._tcp.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._stream, args=(sock,),
                             daemon=True).start()

    def _stream(self, sock):
        """Each query by a thread of its own: answers come out of order."""
        from .proxy import read_exactly

        def one(wire):
            answer = self._answer(wire, "tcp")
            if answer:
                with self._lock:
                    sock.sendall(struct.pack("!H", len(answer)) + answer)
        try:
            while True:
                size = struct.unpack("!H", read_exactly(sock, 2))[0]
                wire = read_exactly(sock, size)
                threading.Thread(target=one, args=(wire,),
                                 daemon=True).start()
        except (OSError, EOFError):
            sock.close()
