# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPN of real programs: its server in `prx`, its client in `host`.

What it carries leaves `prx` for the far end, which sees the client's address
inside the VPN; on the host's wires there is its transport alone, on the
proxy's wire and a port that counts as the proxy's.
"""
import os
import signal
import subprocess

from . import kernel
from .run import is_of_this_lab, pids, wait_for, words_of

SERVER = "10.66.0.2"
PORT = 20194
SOCKET = "/run/wireguard/wg9.sock"
NET4, NET6 = "10.8.0", "fd00:8:"

# For code inside: page(host) is the address that the far end saw, or why not.
PAGE = """
import errno, json
def page(host):
    try:
        with socket.create_connection((host, 80), timeout=8) as s:
            s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
            return json.loads(s.makefile().read().split('\\n\\n')[1]) \\
                ['from'].removeprefix('::ffff:')
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)
"""


def ip(*words, place="host"):
    return subprocess.run(["ip", "-n", place, *words], check=True,
                          capture_output=True, text=True).stdout


def has_link(dev, place="host"):
    return subprocess.run(["ip", "-n", place, "link", "show", dev],
                          check=False, capture_output=True).returncode == 0


class Vpn:
    """What all of them share; `with` starts both sides."""

    def __init__(self, lab, dev="tun0", net4=NET4, net6=NET6):
        self.lab, self.dev = lab, dev
        self.ours, self.theirs = f"{net4}.2", f"{net4}.1"
        self.ours6, self.theirs6 = f"{net6}:2", f"{net6}:1"
        self.dir = lab.scratch()
        self.server = self.client = None

    def __enter__(self):
        for kind in ("ipv4", "ipv6"):
            self._forward(kind, "1")
        self.start_server()
        # The far end answers to the VPN's addresses.
        ip("route", "replace", f"{self.ours}/32", "via", "192.0.2.1",
           place="inet")
        ip("-6", "route", "replace", f"{self.ours6}/128", "via",
           "2001:db8:2::1", place="inet")
        self.start()
        return self

    def _forward(self, kind, value):
        def write():
            path = f"/proc/sys/net/{kind}/conf/all/forwarding"
            with open(path, "w", encoding="ascii") as file:
                file.write(value)
        kernel.call_in(self.lab.path("prx"), write)

    def __exit__(self, *exc):
        self.kill()
        self.end(self.server)
        ip("route", "del", f"{self.ours}/32", place="inet")
        ip("-6", "route", "del", f"{self.ours6}/128", place="inet")
        for kind in ("ipv4", "ipv6"):
            self._forward(kind, "0")

    @staticmethod
    def end(job, sig=signal.SIGKILL):
        if job and job.popen.poll() is None:
            os.kill(job.pid, sig)
            job.popen.wait(10)

    def kill(self, sig=signal.SIGKILL):
        """End the client's program."""
        self.end(self.client, sig)

    def is_up(self):
        """Does the server's end answer through the device?"""
        return self.lab.run(
            ["ping", "-c1", "-W1", "-I", self.dev, self.theirs],
            user=False).rc == 0

    def wait_up(self):
        if not wait_for(self.is_up, 20):
            raise AssertionError(f"no VPN: {self.client.ran(None)}\n"
                                 f"{self.server and self.server.ran(None)}")


class OpenVpn(Vpn):
    """openvpn(8) by TLS, each side knowing the other's certificate."""

    def _certificate(self, side):
        base = f"{self.dir}/{side}"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", f"/CN={side}", "-keyout", f"{base}.key", "-out",
             f"{base}.crt"], check=True, capture_output=True)
        said = subprocess.run(
            ["openssl", "x509", "-fingerprint", "-sha256", "-noout", "-in",
             f"{base}.crt"], check=True, capture_output=True, text=True)
        return said.stdout.strip().partition("=")[2]

    def _side(self, side, other, *words, **how):
        return self.lab.start(
            ["openvpn", "--dev-type", "tun", "--topology", "subnet",
             "--proto", "udp", "--cert", f"{self.dir}/{side}.crt", "--key",
             f"{self.dir}/{side}.key", "--peer-fingerprint", other,
             "--verb", "3", *words], user=False, **how)

    def start_server(self):
        self.prints = {side: self._certificate(side)
                       for side in ("server", "client")}
        net4 = self.theirs.rpartition(".")[0]
        net6 = self.theirs6.rpartition(":")[0]
        os.mkdir(f"{self.dir}/clients")
        with open(f"{self.dir}/clients/client", "w",
                  encoding="ascii") as file:
            file.write(f"ifconfig-push {self.ours} 255.255.255.0\n"
                       f"ifconfig-ipv6-push {self.ours6}/64 {self.theirs6}\n")
        os.chmod(self.dir, 0o755)
        self.server = self._side(
            "server", self.prints["client"], "--server", f"{net4}.0",
            "255.255.255.0", "--server-ipv6", f"{net6}:/64", "--dh", "none",
            "--client-config-dir", f"{self.dir}/clients", "--local", SERVER,
            "--port", str(PORT), "--dev", "tun9", place="prx")

    def start(self):
        """The client, in the host's place; again after kill()."""
        self.client = self._side(
            "client", self.prints["server"], "--client", "--route-nopull",
            "--remote", SERVER, str(PORT), "--nobind", "--connect-retry", "1",
            "--dev", self.dev)
        self.wait_up()


class WireGuard(Vpn):
    """wireguard-go(8) on the server's side, and a file for the other."""

    def __init__(self, lab, dev="wgx", net4="10.9.0", net6="fd00:9:"):
        super().__init__(lab, dev, net4, net6)
        self.path = f"{self.dir}/{dev}.conf"

    @staticmethod
    def _key():
        """Private and public."""
        private = subprocess.run(["wg", "genkey"], check=True,
                                 capture_output=True, text=True).stdout
        public = subprocess.run(["wg", "pubkey"], check=True, input=private,
                                capture_output=True, text=True).stdout
        return private.strip(), public.strip()

    def start_server(self):
        self.own, public = self._key()
        server, self.peer = self._key()
        conf = f"{self.dir}/server"
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"[Interface]\nPrivateKey = {server}\n"
                       f"ListenPort = {PORT}\n[Peer]\nPublicKey = {public}\n"
                       f"AllowedIPs = {self.ours}/32, {self.ours6}/128\n")
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)        # of one that was killed
        self.server = self.lab.start(["wireguard-go", "-f", "wg9"],
                                     user=False, place="prx")
        assert wait_for(lambda: os.path.exists(SOCKET)), \
            self.server.ran(None)
        ran = self.lab.run(["wg", "setconf", "wg9", conf], user=False,
                           place="prx")
        assert ran.rc == 0, ran
        ip("addr", "add", f"{self.theirs}/24", "dev", "wg9", place="prx")
        ip("addr", "add", f"{self.theirs6}/64", "dev", "wg9", place="prx")
        ip("link", "set", "wg9", "up", place="prx")
        ip("route", "replace", f"{self.ours}/32", "dev", "wg9", place="prx")

    def write(self, interface="", peer="", allowed="0.0.0.0/0, ::/0"):
        """The file, with more lines in either section."""
        with open(self.path, "w", encoding="ascii") as file:
            file.write(f"""[Interface]
PrivateKey = {self.own}
Address = {self.ours}/24, {self.ours6}/64
{interface}
[Peer]
PublicKey = {self.peer}
Endpoint = {SERVER}:{PORT}
AllowedIPs = {allowed}
PersistentKeepalive = 1
{peer}""")
        os.chown(self.path, 0, 0)
        os.chmod(self.path, 0o600)

    def start(self):
        os.chmod(self.dir, 0o755)
        self.write()

    def pids(self):
        """Those that carry the client's side."""
        return [pid for pid in pids() if words_of(pid) ==
                ["wireguard-go", self.dev] and is_of_this_lab(pid)]
