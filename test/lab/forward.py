# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy as I2P's is: requests in absolute form and nothing else.

It knows no CONNECT, writes down every octet it got, and is careless on
purpose: a bare LF ends a line, Transfer-Encoding goes before Content-Length,
and whatever stands behind a request is taken for the next one, also when it
was asked to close (it listens on for a moment). So what was smuggled past
nsproxy would be served here.

Its one site answers for all names below .i2p:
  /big?N   N octets      /drip  slowly, in chunks      /early  before the body
  /torn    the same, and a reset at once
  /none    nothing, hangs up      /stay    its report, and never hangs up
  /odd?N   the N-th of ODD        else a report as JSON
"""
import hashlib
import json
import socket
import threading
import time

from .far import pattern
from .kernel import abort, call_in, thread_in


LINGER_S = 0.3
BACK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ODD = [b"\0" * 40000,                                       # no HTTP
       b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30000,       # no end
       b"HTTP/1.1 100 Continue\r\n\r\n" * 50000 + BACK,
       b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
       b"HTTP/1.1 200 OK\r\nContent-Le",
       BACK + BACK]


class Hangup(Exception):
    """The other side has gone."""


class Reader:
    """Octets of a connection, all of them kept."""

    def __init__(self, sock, record):
        self.sock, self.record, self.buf = sock, record, b""

    def fill(self):
        got = self.sock.recv(65536)
        if not got:
            raise Hangup
        self.record += got
        self.buf += got

    def line(self):
        while b"\n" not in self.buf:
            self.fill()
        line, _, self.buf = self.buf.partition(b"\n")
        return line.rstrip(b"\r")

    def take(self, count):
        while len(self.buf) < count:
            self.fill()
        data, self.buf = self.buf[:count], self.buf[count:]
        return data


class ForwardProxy:
    """Listens at once. .requests: request lines as understood; .raw: one
    bytearray a connection; .refused: lines that were in no absolute form;
    .left: the ends of /stay"""

    def __init__(self, lab, place="prx", host="10.66.0.2", port=4444,
                 login=None, tls=None):
        self.host, self.port, self.login = host, port, login
        self.tls = tls
        self.requests, self.refused, self.raw = [], [], []
        self.heads, self.left = [], []
        lab.proxy_ports.add(port)

        def make():
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(256)
            return sock
        self._listener = call_in(lab.path(place), make)
        thread_in(lab.path(place), self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def url(self, options="?forward"):
        login = f"{self.login}@" if self.login else ""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{login}{self.host}:{self.port}{options}"

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        record = bytearray()
        self.raw.append(record)
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            reader = Reader(sock, record)
            while self._one(sock, reader):
                sock.settimeout(LINGER_S)
        except (OSError, Hangup):
            pass
        finally:
            sock.close()

    def _one(self, sock, reader):
        first = reader.line().decode("latin-1")
        sock.settimeout(None)
        lines = []
        while line := reader.line():
            lines.append(line.decode("latin-1"))
        self.requests.append(first)
        self.heads.append(lines)
        words = first.split(" ")
        if len(words) != 3 or not words[1].startswith("http://"):
            self.refused.append(first)
            sock.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n"
                         b"Content-Length: 0\r\n\r\n")
            return False
        host, _, path = words[1][7:].partition("/")
        fields = {k.lower().strip(): v.strip() for k, _, v in
                  (line.partition(":") for line in lines)}
        if path == "none":
            return False
        if path in ("early", "torn"):
            sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n"
                         b"\r\nno\n")
            if path == "torn":
                time.sleep(0.1)
                abort(sock)
            return False
        body = self._body(sock, reader, fields)
        keeps = self._answer(sock, words[0], host, path, fields, body, lines)
        if path == "stay":
            try:
                sock.recv(1)
            finally:
                self.left.append(path)
        return keeps

    @staticmethod
    def _body(sock, reader, fields):
        if "100-continue" in fields.get("expect", ""):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "transfer-encoding" not in fields:
            return reader.take(int(fields.get("content-length", 0)))
        body = b""
        while size := int(reader.line().split(b";")[0], 16):
            body += reader.take(size)
            reader.line()
        while reader.line():
            pass
        return body

    @staticmethod
    def _answer(sock, method, host, path, fields, body, lines):
        kind, _, count = path.partition("?")
        if kind == "odd":
            sock.sendall(ODD[int(count)])
            return False
        if kind == "drip":
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         b"\r\n")
            for word in (b"one ", b"two ", b"three"):
                sock.sendall(b"%x\r\n%s\r\n" % (len(word), word))
                time.sleep(0.2)
            sock.sendall(b"0\r\n\r\n")
            return True
        if kind == "big":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                         % int(count))
            for chunk in pattern(int(count)):
                sock.sendall(chunk)
            return True
        page = json.dumps({
            "method": method, "host": host, "path": path, "fields": fields,
            "lines": lines, "length": len(body),
            "sha": hashlib.sha256(body).hexdigest()}).encode() + b"\n"
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
                     b"Keep-Alive: timeout=60\r\nX-Site: yes\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(page)
                     + (b"" if method == "HEAD" else page))
        return True
