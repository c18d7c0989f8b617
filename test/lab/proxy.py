# SPDX-License-Identifier: GPL-3.0-or-later
"""Toy proxies: SOCKS5, SOCKS4a and HTTP CONNECT on one port, with faults.

A toy proxy listens in one place and dials from another, tells names apart by
a table of its own, and writes down everything it was asked, so that a test
can see whether a name or an address came, and who asked.
"""
import base64
import errno
import os
import random
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

from .kernel import CLONE_NEWNET, abort, call_in, setns, thread_in

ATYP_IP4, ATYP_NAME, ATYP_IP6 = 1, 3, 4
CONNECT, ASSOCIATE, RESOLVE = 1, 3, 0xf0      # the last is Tor's own
UDP_PORTS = range(20000, 30000)      # relays live here: the wires know it
MOST_ASSOCIATIONS = 3000             # of four descriptors: we may have 20 000

CODES = {errno.ECONNREFUSED: 5, errno.ENETUNREACH: 3, errno.EHOSTUNREACH: 4,
         errno.ETIMEDOUT: 6, errno.EACCES: 2}
STATUSES = {errno.ECONNREFUSED: 502, errno.ETIMEDOUT: 504, errno.EACCES: 403}


@dataclass
class Asked:
    """One wish of a client."""
    proto: str
    cmd: str
    atyp: int
    host: str
    port: int
    user: str = ""


@dataclass
class Faults:
    """How to misbehave; all off by default.

    reply      SOCKS5 code or HTTP status to answer with, without dialling
    raw_reply  these octets instead of any reply, then silence
    delay_s    wait before the reply
    dribble_s  one octet at a time, so long apart
    close_at   "accept", "greet" or "request": hang up there
    silent_at  the same places: say nothing more, stay open
    endless    an HTTP head that never ends
    glue       read the far end's first octets and send them in one segment
               with the reply
    bnd        what UDP ASSOCIATE claims to have bound (address)
    no_udp     refuse UDP ASSOCIATE with code 7
    udp_as_name  answer datagrams with a name in the header
    """
    reply: int | None = None
    raw_reply: bytes | None = None
    delay_s: float = 0
    dribble_s: float | None = None
    close_at: str | None = None
    silent_at: str | None = None
    endless: bool = False
    glue: bool = False
    bnd: str | None = None
    no_udp: bool = False
    udp_as_name: str | None = None


@dataclass
class Names:
    """What the proxy's own resolver knows; the rest is 203.0.113.80."""
    table: dict = field(default_factory=dict)
    default: str | None = "203.0.113.80"

    def look_up(self, name):
        low = name.lower().rstrip(".")
        if low in self.table:
            return self.table[low]
        if low.startswith("v6.") or ".v6." in low:
            return "2001:db8:1::80"
        if low.startswith("nx."):
            return None
        return self.default


def is_far(address):
    """Proxies here serve the far end only, so that no wire but theirs sees
    what they do."""
    return address.startswith(("203.0.113.", "2001:db8:1:"))


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        got = sock.recv(count - len(data))
        if not got:
            raise EOFError
        data += got
    return data


class HangUp(Exception):
    """Close this client now."""


class ToyProxy:
    """Listens at once; close() when done (or use it in a with statement)."""

    def __init__(self, lab, listen=("prx", "10.66.0.2", 1080), out="prx",
                 names=None, auth=None, faults=None, unix=None, tls=None,
                 serves=("socks5", "socks4a", "http")):
        self.lab, self.out = lab, out
        self.place, self.host, self.port = listen
        self.names = Names(names or {})
        self.auth, self.tls, self.serves = auth, tls, serves
        self.faults = faults or Faults()
        self.log = []
        self.udp_log = []
        self.accepted = 0
        self.controls = []           # TCP sides of live UDP associations
        self.clients = set()
        self._closed = False
        self.unix = unix
        self._listener = call_in(lab.path(self.place), self._listen)
        if not unix:
            self.port = self._listener.getsockname()[1]
        thread_in(lab.path(self.place), self._accept, "proxy")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def url(self, scheme="socks5", auth=None):
        if self.unix:
            return f"socks5+unix:{self.unix}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        login = f"{auth[0]}:{auth[1]}@" if auth else ""
        return f"{scheme}://{login}{host}:{self.port}"

    def asked(self, host=None, port=None):
        return [a for a in self.log if host in (None, a.host)
                and port in (None, a.port)]

    def close(self):
        self._closed = True
        for sock in [self._listener, *self.clients]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()

    def reset_clients(self):
        for sock in list(self.clients):
            abort(sock)

    # --- being a server

    def _listen(self):
        if self.unix:
            sock = socket.socket(socket.AF_UNIX)
            if os.path.exists(self.unix):
                os.unlink(self.unix)
            sock.bind(self.unix)
            os.chmod(self.unix, 0o666)
        else:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            sock = socket.socket(family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, self.port))
        sock.listen(4096)
        return sock

    def _accept(self):
        while not self._closed:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.clients.add(sock)
            threading.Thread(target=self._client, args=(sock,),
                             daemon=True).start()

    def _client(self, sock):
        raw = sock
        try:
            self._stage(sock, "accept")
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            first = sock.recv(1)
            if first == b"\x05" and "socks5" in self.serves:
                self._socks5(sock)
            elif first == b"\x04" and "socks4a" in self.serves:
                self._socks4a(sock)
            elif first.isalpha() and "http" in self.serves:
                self._http(sock, first)
        except (OSError, EOFError, HangUp, ssl.SSLError):
            pass
        finally:
            self.clients.discard(raw)
            sock.close()

    def _stage(self, sock, where):
        if self.faults.close_at == where:
            raise HangUp
        if self.faults.silent_at == where:
            while sock.recv(4096):
                pass
            raise HangUp

    def _say(self, sock, data):
        if self.faults.dribble_s is None:
            sock.sendall(data)
            return
        for octet in data:
            sock.sendall(bytes([octet]))
            time.sleep(self.faults.dribble_s)

    # --- the protocols, up to a connected far socket

    def _socks5(self, sock):
        methods = read_exactly(sock, read_exactly(sock, 1)[0])
        self._stage(sock, "greet")
        user = ""
        if self.auth:
            if 2 not in methods:
                sock.sendall(b"\x05\xff")
                raise HangUp
            self._say(sock, b"\x05\x02")
            read_exactly(sock, 1)
            user = read_exactly(sock, read_exactly(sock, 1)[0]).decode()
            word = read_exactly(sock, read_exactly(sock, 1)[0]).decode()
            good = (user, word) == tuple(self.auth)
            self._say(sock, b"\x01\x00" if good else b"\x01\x01")
            if not good:
                raise HangUp
        elif 0 not in methods:
            sock.sendall(b"\x05\xff")
            raise HangUp
        else:
            self._say(sock, b"\x05\x00")
        _, cmd, _, atyp = read_exactly(sock, 4)
        host, port = self._dest(sock, atyp)
        self._stage(sock, "request")
        if cmd == ASSOCIATE:
            self._associate(sock, user)
            return
        if cmd == RESOLVE:
            self.log.append(Asked("socks5", "resolve", atyp, host, port, user))
            found = self.names.look_up(host)
            self._say(sock, self._socks5_reply(0, (found, 0)) if found
                      else self._socks5_reply(4))
            return
        self.log.append(Asked("socks5", "connect", atyp, host, port, user))
        self._go(sock, host, port, self._socks5_reply)

    @staticmethod
    def _dest(sock, atyp):
        if atyp == ATYP_IP4:
            host = socket.inet_ntoa(read_exactly(sock, 4))
        elif atyp == ATYP_IP6:
            host = socket.inet_ntop(socket.AF_INET6, read_exactly(sock, 16))
        elif atyp == ATYP_NAME:
            host = read_exactly(sock, read_exactly(sock, 1)[0]).decode(
                "latin-1")
        else:
            raise HangUp
        return host, struct.unpack("!H", read_exactly(sock, 2))[0]

    @staticmethod
    def _socks5_reply(code, bound=("0.0.0.0", 0)):
        return (struct.pack("!BBBB", 5, code, 0, 1)
                + socket.inet_aton(bound[0]) + struct.pack("!H", bound[1]))

    def _socks4a(self, sock):
        cmd, port = struct.unpack("!BH", read_exactly(sock, 3))
        address = read_exactly(sock, 4)
        user = self._text(sock)
        host, atyp = socket.inet_ntoa(address), ATYP_IP4
        if address[:3] == b"\0\0\0" and address[3]:
            host, atyp = self._text(sock), ATYP_NAME
        if cmd != CONNECT:
            raise HangUp
        self._stage(sock, "request")
        self.log.append(Asked("socks4a", "connect", atyp, host, port, user))

        def reply(code):
            return struct.pack("!BBHI", 0, 90 if code == 0 else 91, 0, 0)
        self._go(sock, host, port, reply)

    @staticmethod
    def _text(sock):
        text = b""
        while (octet := read_exactly(sock, 1)) != b"\0":
            text += octet
        return text.decode("latin-1")

    def _http(self, sock, head):
        while b"\r\n\r\n" not in head:
            head += read_exactly(sock, 1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in
                   (line.partition(":") for line in lines[1:] if line)}
        self._stage(sock, "request")
        user = ""
        login = headers.get("proxy-authorization", "")
        if login.lower().startswith("basic "):
            user = base64.b64decode(login[6:]).decode()
        if self.auth and user != ":".join(self.auth):
            sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                         b"Proxy-Authenticate: Basic realm=\"x\"\r\n"
                         b"Content-Length: 0\r\n\r\n")
            raise HangUp
        if self.faults.endless:
            self._endless(sock)
        host, _, port = target.rpartition(":")
        if method != "CONNECT":
            raise HangUp
        host = host.strip("[]")
        atyp = (ATYP_IP6 if ":" in host else ATYP_IP4
                if host.replace(".", "").isdigit() else ATYP_NAME)
        self.log.append(Asked("http", "connect", atyp, host, int(port),
                              user.split(":")[0]))
        self._go(sock, host, int(port), self._http_reply)

    @staticmethod
    def _http_reply(code):
        if code == 0:
            return b"HTTP/1.1 200 Connection established\r\nX-Toy: yes\r\n\r\n"
        status = code if code >= 100 else 502 if code == 5 else 503
        return (b"HTTP/1.1 %d No\r\nContent-Length: 3\r\n\r\nno\n" % status)

    @staticmethod
    def _endless(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200000):
            sock.sendall(b"X-Filler: " + b"x" * 100 + b"\r\n")
            time.sleep(0.001)
        raise HangUp

    # --- dialling and relaying

    def _dial(self, host, port):
        address = host
        if not host.replace(".", "").isdigit() and ":" not in host:
            address = self.names.look_up(host)
            if address is None:
                raise OSError(errno.EHOSTUNREACH, "no such name")
        with open(self.lab.path(self.out), "rb") as ns:
            setns(ns.fileno(), CLONE_NEWNET)
        if not is_far(address):
            raise OSError(errno.ENETUNREACH, "not my business")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        far = socket.socket(family)
        far.settimeout(20)
        try:
            far.connect((address, port))
        except OSError:
            far.close()
            raise
        far.settimeout(None)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return far

    def _go(self, sock, host, port, make_reply):
        faults = self.faults
        if faults.delay_s:
            time.sleep(faults.delay_s)
        if faults.raw_reply is not None:
            self._say(sock, faults.raw_reply)
            while sock.recv(4096):
                pass
            raise HangUp
        if faults.reply is not None:
            self._say(sock, make_reply(faults.reply))
            raise HangUp
        try:
            far = self._dial(host, port)
        except OSError as err:
            number = err.errno or errno.ETIMEDOUT
            if make_reply == self._http_reply:
                code = STATUSES.get(number, 503)
            else:
                code = CODES.get(number, 1)
            self._say(sock, make_reply(code))
            raise HangUp from err
        glued = far.recv(4096) if faults.glue else b""
        self._say(sock, make_reply(0) + glued)
        if sock.type == socket.SOCK_STREAM and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Relay(sock, far).run()

    # --- UDP

    def _associate(self, sock, user):
        if self.faults.no_udp:
            sock.sendall(self._socks5_reply(7))
            raise HangUp
        if len(self.controls) >= MOST_ASSOCIATIONS:
            sock.sendall(self._socks5_reply(1))
            raise HangUp
        relay = call_in(self.lab.path(self.place), self._relay_socket)
        bnd = self.faults.bnd or self.host
        self.log.append(Asked("socks5", "associate", 0, "", 0, user))
        self.controls.append(sock)
        self._say(sock, self._socks5_reply(0, (bnd, relay.getsockname()[1])))
        with open(self.lab.path(self.out), "rb") as ns:
            setns(ns.fileno(), CLONE_NEWNET)
        out = {family: socket.socket(family, socket.SOCK_DGRAM)
               for family in (socket.AF_INET, socket.AF_INET6)}
        for family, far in out.items():
            far.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))
        try:
            self._datagrams(sock, relay, out, user)
        finally:
            self.controls.remove(sock)
            for far in (relay, *out.values()):
                far.close()

    def _relay_socket(self):
        ports = random.sample(UDP_PORTS, 200)
        for port in ports:
            relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                relay.bind((self.host if not self.unix else "127.0.0.1",
                            port))
                return relay
            except OSError:
                relay.close()
        raise OSError(errno.EADDRINUSE, "no relay port")

    def _datagrams(self, sock, relay, out, user):
        client = None
        poll = select.poll()
        by_fd = {s.fileno(): s for s in (sock, relay, *out.values())}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        while True:
            ready = [by_fd[fd] for fd, _ in poll.poll()]
            if sock in ready and not sock.recv(100):
                return
            if relay in ready:
                data, client = relay.recvfrom(65536)
                self._datagram_out(data, out, user)
            for far in out.values():
                if far in ready:
                    data, peer = far.recvfrom(65536)
                    if client:
                        relay.sendto(self._udp_head(peer) + data, client)

    def _udp_head(self, peer):
        if self.faults.udp_as_name:
            name = self.faults.udp_as_name.encode()
            return (b"\0\0\0\x03" + bytes([len(name)]) + name
                    + struct.pack("!H", peer[1]))
        if ":" in peer[0]:
            return (b"\0\0\0\x04" + socket.inet_pton(socket.AF_INET6, peer[0])
                    + struct.pack("!H", peer[1]))
        return (b"\0\0\0\x01" + socket.inet_aton(peer[0])
                + struct.pack("!H", peer[1]))

    def _datagram_out(self, data, out, user):
        atyp, rest = data[3], data[4:]
        if atyp == ATYP_IP4:
            host, rest = socket.inet_ntoa(rest[:4]), rest[4:]
        elif atyp == ATYP_IP6:
            host, rest = socket.inet_ntop(socket.AF_INET6, rest[:16]), rest[16:]
        else:
            size = rest[0]
            host, rest = rest[1:1 + size].decode("latin-1"), rest[1 + size:]
        port, payload = struct.unpack("!H", rest[:2])[0], rest[2:]
        self.udp_log.append(Asked("socks5", "udp", atyp, host, port, user))
        address = self.names.look_up(host) if atyp == ATYP_NAME else host
        if address is None or not is_far(address):
            return
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            out[family].sendto(payload, (address, port))
        except OSError:
            pass


class Relay:
    """Both ways; an end travels as an end, a reset as a reset."""

    def __init__(self, near, far):
        self.near, self.far = near, far
        self.broken = False

    def run(self):
        back = threading.Thread(target=self._pump, args=(self.far, self.near),
                                daemon=True)
        back.start()
        self._pump(self.near, self.far)
        back.join()
        self.far.close()

    def _pump(self, source, target):
        try:
            while data := source.recv(1 << 18):
                target.sendall(data)
            if not self.broken:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            if not self.broken:
                self.broken = True
                for sock in (self.near, self.far):
                    abort(sock)
