# SPDX-License-Identifier: GPL-3.0-or-later
"""Real i2pd routers in the proxy's place: one alone, or a small I2P of a few.

They know one another by files copied beforehand, ask nobody for more, and
have a network number that no other network has. i2pd talks to no address of a
reserved range, so each has one that is not, on the loopback device of a place
that has no route to anywhere such an address could be.

Router 0 has the proxies and the console, at 10.66.0.2; router 1 has a site.
Alone, router 0 builds no tunnels; it still answers for names, and passes what
is no name of I2P to its outproxy, which may be there or not.
"""
import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.request

from .far import FarServers, Little
from .kernel import call_in
from .run import wait_for

PLACE, HOST = "prx", "10.66.0.2"
HTTP, SOCKS, CONSOLE, OUTPROXY = 14444, 14447, 17070, 14445
ROUTERS = 4

CONF = """nat = false
ipv4 = true
ipv6 = false
floodfill = true
netid = 77
bandwidth = X
share = 100
log = file
loglevel = warn
host = {address}
address4 = {address}
port = {port}
[http]
enabled = true
address = {console}
port = 17070
[httpproxy]
enabled = {proxies}
address = 10.66.0.2
port = 14444
outproxy = socks://10.66.0.2:14445
inbound.length = 1
outbound.length = 1
[socksproxy]
enabled = {proxies}
address = 10.66.0.2
port = 14447
inbound.length = 1
outbound.length = 1
[ntcp2]
published = true
port = {ntcp2}
[ssu2]
published = true
port = {ssu2}
[exploratory]
inbound.length = 1
outbound.length = 1
[sam]
enabled = false
[upnp]
enabled = false
[nettime]
enabled = false
[addressbook]
enabled = false
[persist]
profiles = false
[reseed]
threshold = 0
urls = https://127.0.0.1:1/
yggurls = https://127.0.0.1:1/
"""

SITE = """[site]
type = http
host = 127.0.0.1
port = {port}
keys = site.dat
inbound.length = 1
outbound.length = 1
"""


def identity(info):
    """The hash that a router is known by, from its own description."""
    size = 387 + int.from_bytes(info[385:387], "big")
    return base64.b64encode(hashlib.sha256(info[:size]).digest(),
                            b"-~").decode()


class I2pNet:
    """Routers run from the start on; close() ends them."""

    def __init__(self, lab, program, count=ROUTERS):
        self.lab, self.program, self.count = lab, program, count
        self.dir = tempfile.mkdtemp(dir="/run/lab")
        os.chmod(self.dir, 0o755)
        self.routers = []
        self.restarts = 0
        lab.proxy_ports.update((HTTP, SOCKS, OUTPROXY))
        self.web = Little(lab, PLACE, "127.0.0.1", 0, FarServers.page)
        for i in range(self.count):
            self._ip("add", i)
            self._configure(i)
        try:
            self._introduce()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._stop()
        self.web.__exit__()
        for i in range(self.count):
            self._ip("del", i)
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def _address(i):
        return f"45.77.{i}.1"

    def _ip(self, verb, i):
        subprocess.run(["ip", "-n", PLACE, "addr", verb,
                        f"{self._address(i)}/32", "dev", "lo"], check=True)

    def _configure(self, i):
        at = f"{self.dir}/{i}"
        os.makedirs(at)
        with open(f"{at}/i2pd.conf", "w", encoding="ascii") as file:
            file.write(CONF.format(
                address=self._address(i), port=20000 + i, ntcp2=21000 + i,
                ssu2=22000 + i, proxies="false" if i else "true",
                console=self._address(i) if i else HOST))
        with open(f"{at}/tunnels.conf", "w", encoding="ascii") as file:
            if i == 1:
                file.write(SITE.format(port=self.web.port))
        subprocess.run(["chown", "-R", "61234:61234", at], check=True)

    def _start(self):
        for i in range(self.count):
            at = f"{self.dir}/{i}"
            self.routers.append(subprocess.Popen(
                [*self.lab.prefix(True, PLACE), self.program,
                 f"--datadir={at}", f"--conf={at}/i2pd.conf",
                 f"--tunconf={at}/tunnels.conf", f"--tunnelsdir={at}/none"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, cwd="/"))

    def _stop(self):
        for router in self.routers:
            router.kill()
        for router in self.routers:
            router.wait()
        self.routers.clear()

    def _introduce(self):
        """Each makes a description of itself; all get all of them."""
        self._start()
        paths = [f"{self.dir}/{i}/router.info" for i in range(self.count)]
        assert wait_for(lambda: all(map(os.path.exists, paths)), 30), paths
        assert wait_for(lambda: all(map(os.path.getsize, paths)), 5), paths
        self._stop()
        infos = [open(path, "rb").read() for path in paths]
        for i in range(self.count):
            for info in infos:
                name = identity(info)
                at = f"{self.dir}/{i}/netDb/r{name[0]}"
                os.makedirs(at, exist_ok=True)
                with open(f"{at}/routerInfo-{name}.dat", "wb") as file:
                    file.write(info)
            subprocess.run(["chown", "-R", "61234:61234",
                            f"{self.dir}/{i}"], check=True)
        self._start()

    def listens(self):
        """Are router 0's proxies and its console there?"""
        def ask():
            for port in (HTTP, SOCKS, CONSOLE):
                try:
                    socket.create_connection((HOST, port), 5).close()
                except OSError:
                    return False
            return True
        return call_in(self.lab.path(PLACE), ask)

    def console(self, i=0, page=""):
        host = self._address(i) if i else HOST

        def ask():
            try:
                with urllib.request.urlopen(
                        f"http://{host}:{CONSOLE}/{page}", timeout=5) as got:
                    return got.read().decode()
            except OSError:
                return ""
        return call_in(self.lab.path(PLACE), ask)

    def site(self, tries=3, limit_s=75):
        """The site's name, once it can be reached by router 0's proxy.

        Most starts have tunnels within a minute; one that has not begins
        anew."""
        for _ in range(tries - 1):
            name = self._site(limit_s)
            if name:
                return name
            self.restarts += 1
            self._stop()
            self._start()
        name = self._site(limit_s)
        assert name, "no tunnel came to be"
        return name

    def _site(self, limit_s):
        found = wait_for(lambda: re.search(
            r"b32=([a-z2-7]{52})", self.console(1, "?page=i2p_tunnels")), 30,
            0.5)
        assert found, self.console(1, "?page=i2p_tunnels")
        name = f"{found[1]}.b32.i2p"

        def reached():
            ran = self.lab.run(["curl", "-sS", "-m", "20", "-x",
                                f"http://{HOST}:{HTTP}", f"http://{name}/"],
                               user=False, place=PLACE)
            return '"request"' in ran.out
        return name if wait_for(reached, limit_s, 1) else None
