# SPDX-License-Identifier: GPL-3.0-or-later
"""A Tor network of our own: real tor, and nobody else's relays.

Three directory authorities, two relays and an exit live at 10.66.0.2 in the
place `prx`, and so does a hidden service whose site is the far server. The
client is the user's own tor: in `host`, on 127.0.0.1:9050. The exit asks a toy
DNS server at the far end. Nothing is kept between two runs.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from .kernel import call_in
from .proxy import read_exactly
from .run import wait_for
from .upstream import ToyDns

SOCKS_PORT = 9050
OR_PORTS = range(5000, 5010)
DIR_PORTS = range(7000, 7010)
RELAYS = "10.66.0.2"
RESOLVER = "203.0.113.54"
BOOT_S = 90
BOOTS = 3
NAMES = {
    ("site.tor.example", "A"): ["203.0.113.81"],
    ("first.tor.example", "A"): ["203.0.113.83"],
    ("six.tor.example", "AAAA"): ["2001:db8:1::81"],
    ("both.tor.example", "A"): ["203.0.113.82"],
    ("both.tor.example", "AAAA"): ["2001:db8:1::82"],
    ("8.8.8.8.in-addr.arpa", "PTR"): ["eight.tor.example."],
    ("fake.tor.example", "A"): ["198.18.5.5"],
} | {(f"n{i}.many.tor.example", "A"): [f"203.0.113.{i}"] for i in range(200)}

COMMON = """
TestingTorNetwork 1
RunAsDaemon 0
DataDirectory {home}
Log notice stdout
SafeLogging 0
ProtocolWarnings 1
AssumeReachable 1
PathsNeededToBuildCircuits 0.25
"""
RELAY = """
Nickname {name}
Address {relays}
OrPort {relays}:{orport}
SocksPort 0
ContactInfo nobody
ExitRelay 0
"""
AUTHORITY = """
DirPort {relays}:{dirport}
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 10
V3AuthVoteDelay 2
V3AuthDistDelay 2
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinExitFlagThreshold 0
AuthDirTestReachability 0
"""
EXIT = """
ExitRelay 1
ExitPolicyRejectPrivate 0
ExitPolicy accept *:*
ExitPolicy accept6 *:*
IPv6Exit 1
ServerDNSResolvConfFile {top}/resolv.conf
ServerDNSDetectHijacking 0
ServerDNSAllowBrokenConfig 1
ServerDNSTestAddresses
"""
CLIENT = """
SocksPort 127.0.0.1:{socks}
ControlSocket {home}/control
CookieAuthentication 1
ClientRejectInternalAddresses 0
ConfluxEnabled 0
"""
SERVICE = """
SocksPort 0
Log [rend]info file {home}/rend.log
HiddenServiceDir {home}/service
HiddenServicePort 80 203.0.113.5:80
"""


class Tor:
    """One tor process; ended by its pid."""

    def __init__(self, net, name, place, torrc):
        self.net, self.name, self.place = net, name, place
        self.home = f"{net.top}/{name}"
        self.popen = None
        self.torrc = torrc

    def make(self):
        os.makedirs(f"{self.home}/keys", exist_ok=True)
        for path in (self.home, f"{self.home}/keys"):
            os.chown(path, self.net.uid, self.net.uid)
            os.chmod(path, 0o700)

    def words(self):
        return [*self.net.lab.prefix(True, self.place), "tor", "-f",
                f"{self.home}/torrc"]

    def start(self):
        with open(f"{self.home}/torrc", "w", encoding="ascii") as file:
            file.write(self.torrc)
        with open(f"{self.home}/out.log", "ab") as log:
            self.popen = subprocess.Popen(
                self.words(), env=self.net.lab.environment(), cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

    def stop(self):
        if self.popen:
            self.popen.kill()
            self.popen.wait()
        self.popen = None

    def log(self):
        with open(f"{self.home}/out.log", encoding="utf-8") as file:
            return file.read()

    def is_alive(self):
        return self.popen is not None and self.popen.poll() is None


class TorNet:
    """`with TorNet(lab) as net: curl over net.url(), net.onion`"""

    def __init__(self, lab):
        self.lab = lab
        self.uid = 61234
        self.top = tempfile.mkdtemp(prefix="tor.", dir="/run/lab")
        os.chown(self.top, self.uid, self.uid)
        self.dns = ToyDns(lab, host=RESOLVER, table=dict(NAMES))
        lab.proxy_ports |= set(OR_PORTS) | set(DIR_PORTS)
        self.tors = {}
        self.boot_s = 0
        self.events = []

    @classmethod
    def up(cls, lab):
        """One that has come up. A network whose first consensus comes at a bad
        moment for its service needs minutes; a new one is there sooner."""
        for attempt in range(BOOTS):
            net = cls(lab)
            try:
                return net.__enter__()
            except AssertionError:
                if attempt + 1 == BOOTS:
                    raise
        raise AssertionError("not reached")

    def __enter__(self):
        if self.boot_s:
            return self                 # it is up already
        began = time.monotonic()
        try:
            self._build()
            self._settle()
        except BaseException:
            self.__exit__()
            raise
        self.boot_s = time.monotonic() - began
        return self

    def __exit__(self, *exc):
        for tor in self.tors.values():
            tor.stop()
        self.dns.close()
        shutil.rmtree(self.top, ignore_errors=True)

    @staticmethod
    def url(user=None):
        return (f"socks5://{user + '@' if user else ''}"
                f"127.0.0.1:{SOCKS_PORT}")

    # --- building

    def _tor(self, name, place, text, **more):
        home = f"{self.top}/{name}"
        tor = Tor(self, name, place, (COMMON + text).format(
            home=home, top=self.top, name=name, relays=RELAYS, **more))
        tor.make()
        self.tors[name] = tor
        return tor

    def _build(self):
        with open(f"{self.top}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {RESOLVER}\n")
        authorities = [self._tor(f"auth{i}", "prx", RELAY + AUTHORITY,
                                 orport=OR_PORTS[i], dirport=DIR_PORTS[i])
                       for i in range(3)]
        for i, (name, text) in enumerate([("relaya", ""), ("relayb", ""),
                                          ("exit", EXIT)]):
            self._tor(name, "prx", RELAY.replace(
                "ExitRelay 0\n", "" if text else "ExitRelay 0\n") + text,
                orport=OR_PORTS[3 + i])
        self._tor("service", "prx", SERVICE)
        self._tor("client", "host", CLIENT, socks=SOCKS_PORT)
        lines = self._identities(authorities)
        for tor in self.tors.values():
            tor.torrc += lines
            tor.start()

    def _identities(self, authorities):
        """Keys for all authorities at once; the lines that name them."""
        certs = [subprocess.Popen(
            [*self.lab.prefix(True, tor.place), "tor-gencert",
             "--create-identity-key", "-m", "12", "-a",
             f"{RELAYS}:{DIR_PORTS[i]}", "--passphrase-fd", "0"],
            cwd=f"{tor.home}/keys", stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for i, tor in enumerate(authorities)]
        for cert in certs:
            cert.communicate(b"none\n")
        lines = ""
        for i, tor in enumerate(authorities):
            with open(f"{tor.home}/keys/authority_certificate",
                      encoding="ascii") as file:
                ident = re.search(r"^fingerprint (\w+)", file.read(),
                                  re.M).group(1)
            said = subprocess.run(
                [*self.lab.prefix(True, tor.place), "tor", "--quiet",
                 "--ignore-missing-torrc", "-f", "/nonexistent",
                 "--DataDirectory", tor.home, "--OrPort", "1",
                 "--Nickname", tor.name, "--Address", RELAYS,
                 "--DirAuthority",
                 f"a orport=1 v3ident={ident} {RELAYS}:1 {'0' * 40}",
                 "--ExitRelay", "0", "--list-fingerprint"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                env=self.lab.environment()).stdout.decode()
            found = re.search(rf"^{tor.name} ([0-9A-F ]+)$", said, re.M)
            if not found:
                raise AssertionError(f"no fingerprint: {said}")
            lines += (f"DirAuthority {tor.name} orport={OR_PORTS[i]} "
                      f"no-v2 v3ident={ident} {RELAYS}:{DIR_PORTS[i]} "
                      f"{found.group(1).replace(' ', '')}\n")
        return lines

    def _settle(self):
        """Up is what has reached a site and the onion."""
        end = time.monotonic() + BOOT_S
        for target in ("site.tor.example", self.onion_when_there(end)):
            while not self._reaches(target, 80):
                bad = self._dead()
                if bad or time.monotonic() > end:
                    logs = [bad] if bad else self.tors.values()
                    raise AssertionError(f"no way to {target}: " + "\n".join(
                        f"{tor.name}: {tor.log()[-3000:]}" for tor in logs))
                time.sleep(0.2)
        self._listen()

    def onion_when_there(self, end):
        """Its name, once it can be found: a client that asked too early does
        not ask the same directories again for a minute."""
        def uploads():
            try:
                with open(f"{self.tors['service'].home}/rend.log",
                          encoding="utf-8") as file:
                    return file.read().count("finished with status 200")
            except FileNotFoundError:
                return 0
        if not wait_for(uploads, end - time.monotonic()):
            raise AssertionError("the service is not told of: "
                                 + self.tors["service"].log())
        seen = -1
        while uploads() != seen:       # to the last directory
            seen = uploads()
            time.sleep(1)
        return self.onion

    def _reaches(self, name, port):
        """Does plain SOCKS5 to the client lead there?"""
        def ask():
            with socket.socket() as sock:
                sock.settimeout(20)
                sock.connect(("127.0.0.1", SOCKS_PORT))
                sock.sendall(b"\5\1\0" + b"\5\1\0\3" + bytes([len(name)])
                             + name.encode() + port.to_bytes(2, "big"))
                return read_exactly(sock, 4)[2:] == b"\5\0"
        try:
            return call_in(self.lab.path("host"), ask)
        except (OSError, EOFError):
            return False

    def _listen(self):
        """Write down what becomes of streams, in Tor's own words."""
        sock, stream = self._controlled()

        def work():
            try:
                for line in stream:
                    self.events.append(line.rstrip("\r\n"))
            except (OSError, ValueError):
                pass
        self._say(stream, "SETEVENTS STREAM")
        sock.settimeout(None)
        threading.Thread(target=work, daemon=True).start()

    def _dead(self):
        return next((t for t in self.tors.values() if not t.is_alive()), None)

    # --- the client's control port

    def _controlled(self):
        client = self.tors["client"].home
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(f"{client}/control")
        stream = sock.makefile("rw", encoding="utf-8", newline="\r\n")
        with open(f"{client}/control_auth_cookie", "rb") as file:
            self._say(stream, f"AUTHENTICATE {file.read().hex()}")
        return sock, stream

    def _say(self, stream, command):
        stream.write(command + "\r\n")
        stream.flush()
        return self._hear(stream)

    def control(self, command):
        """The lines of the client's answer."""
        sock, stream = self._controlled()
        with sock, stream:
            return self._say(stream, command)

    @staticmethod
    def _hear(stream):
        lines = []
        while True:
            line = stream.readline().rstrip("\r\n")
            if not line:
                return lines
            if line[3:4] == "+":
                lines.append(line[4:])
                while (line := stream.readline().rstrip("\r\n")) != ".":
                    lines.append(line)
            elif line[3:4] == "-":
                lines.append(line[4:])
            else:
                return lines + [line[4:]]

    # --- what the client was asked, in its own words

    def forget(self):
        """From here on: what asked_for() and .dns.asked tell."""
        time.sleep(0.05)             # for what Tor is still saying
        self.events.clear()
        self.dns.asked.clear()

    def wishes(self, target):
        """How SOCKS clients wanted HOST:PORT since forget()."""
        return [e for e in self.events if f" {target} " in f"{e} "
                and (" NEW " in e or " NEWRESOLVE " in e)]

    def asked_count(self, target):
        return len(self.wishes(target))

    def asked_for(self, target):
        return wait_for(lambda: self.asked_count(target) > 0, 2)

    def circuits_of_streams(self, address):
        """(circuit, SOCKS user or None) of each stream to an address."""
        users = {}
        for line in self.control("GETINFO circuit-status"):
            words = line.split()
            user = re.search(r'SOCKS_USERNAME="([^"]*)"', line)
            if words and words[0].isdigit():
                users[words[0]] = user.group(1) if user else None
        used = []
        for line in self.control("GETINFO stream-status"):
            words = line.split()
            if len(words) == 4 and words[3].rsplit(":", 1)[0] == address:
                used.append((words[2], users[words[2]]))
        return used

    def stop_client(self):
        self.tors["client"].stop()

    def start_client(self):
        self.tors["client"].start()
        self._settle()

    @property
    def onion(self):
        with open(f"{self.tors['service'].home}/service/hostname",
                  encoding="ascii") as file:
            return file.read().strip()
