# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is compared: one function each, which puts a client behind itself.

A contender is a context: it sets up what it needs, yields a Way, and undoes
it. All reach the far end by the same `nsproxy serve`, but for those without a
proxy. To add one is to add a function.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

from lab import Lab, kernel
from lab.run import family_of, name_of, wait_for

FAR, PORT, SOCKS = "10.99.0.1", 9000, 1080
PROXY = f"{FAR}:{SOCKS}"
URL = f"socks5://{PROXY}"
# Who closes first leaves a port in TIME_WAIT for a minute, and some do so for
# each connection. connect(2) looks at one half of the ports before the other:
# when all of that half wait, each costs whoever dials from there 7 ms.
SYSCTLS = {"ip_local_port_range": "1024 65535",
           "tcp_max_syn_backlog": "8192",
           "tcp_tw_reuse": "1"}
ALL = []


@dataclass
class Way:
    """How a client is started so that it goes this way."""
    prefix: list = field(default_factory=list)
    options: list = field(default_factory=list)      # the client's own
    place: str = "host"
    user: bool = True
    pid: int = 0                                     # of a process beside it
    names: tuple = ()                                # whose memory counts

    def pids(self, client):
        """The contender's own processes, while a client runs."""
        found = family_of(self.pid) if self.pid else []
        return found + [p for p in family_of(client)
                        if name_of(p).startswith(self.names or ("\0",))]


@dataclass
class Contender:
    name: str
    enter: object
    needs: tuple = ()
    udp: bool = True


def contender(name, needs=(), udp=True):
    def add(function):
        ALL.append(Contender(name, contextlib.contextmanager(function),
                             needs, udp))
        return function
    return add


def ip(*lines):
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True,
                       stderr=subprocess.DEVNULL)


def lacks(what):
    """The program that is not here, or ""."""
    return next((need for need in what.needs if not program(need)), "")


def program(name):
    """A path in PATH, or of what tools/build-programs built."""
    built = os.path.join(os.path.dirname(__file__), "..", "build-programs",
                         name)
    return shutil.which(name) or (built if os.path.exists(built) else None)


def settle(place):
    """Let this place dial as often as it can."""
    def write():
        for name, value in SYSCTLS.items():
            path = pathlib.Path(f"/proc/sys/net/ipv4/{name}")
            if path.exists():
                path.write_text(value, encoding="ascii")
    kernel.call_in(Lab.path(place), write)


@contextlib.contextmanager
def netns(name):
    """An empty place."""
    ip(f"netns add {name}", f"-n {name} link set lo up")
    settle(name)
    try:
        yield name
    finally:
        ip(f"netns del {name}")


@contextlib.contextmanager
def wired(name, third):
    """A place with a wire to the host's, and the far end behind it."""
    with netns(name):
        ip(f"-n host link add b{name} type veth peer name w0 netns {name}",
           f"-n host addr add 10.98.{third}.1/24 dev b{name}",
           f"-n host link set b{name} up",
           f"-n {name} addr add 10.98.{third}.2/24 dev w0",
           f"-n {name} link set w0 up",
           f"-n {name} route add default via 10.98.{third}.1")
        yield name


def conf_file(text):
    file = tempfile.NamedTemporaryFile("w", dir="/run/lab", delete=False,
                                       prefix="bench-")
    with file:
        file.write(text)
    os.chmod(file.name, 0o644)
    return file.name


@contextlib.contextmanager
def job(bench, words, place="host"):
    """A process beside the client, as root."""
    one = bench.lab.start(words, user=False, place=place)
    try:
        yield one
    finally:
        one.kill_family()


@contextlib.contextmanager
def tun(bench, words, dev, mtu):
    """A program that makes a TUN in the host's place; the device is moved to
    a place of its own, where the client is."""
    place = f"n{dev}"
    with netns(place), job(bench, words) as one:
        if not wait_for(lambda: one.popen.poll() is not None or
                        bench.lab.run(["ip", "link", "show", dev],
                                      user=False).rc == 0) \
                or one.popen.poll() is not None:
            raise RuntimeError(f"made no {dev}: {(one.out + one.err)[-300:]}")
        ip(f"-n host link set {dev} netns {place}",
           f"-n {place} addr replace 198.18.0.1/15 dev {dev}",
           f"-n {place} link set {dev} mtu {mtu} up",
           f"-n {place} route replace default dev {dev}")
        yield Way(place=place, pid=one.pid)


# --- without a proxy, and without help

@contender("veth, no proxy")
def veth(bench):
    with wired("veth", 1) as place:
        yield Way(place=place)


@contender("native client")
def native(bench):
    yield Way(options=["-x", PROXY])


# --- nsproxy

def run(bench, *opts, url=URL):
    return [bench.lab.nsproxy_path, "run", "-q", "-x", url, *opts, "--"]


@contender("nsproxy run")
def nsproxy(bench):
    yield Way(prefix=run(bench), names=("nsproxy",))


@contender("nsproxy, eager", udp=False)
def nsproxy_eager(bench):
    yield Way(prefix=run(bench, url=f"{URL}?eager"), names=("nsproxy",))


@contender("nsproxy + tun2socks", needs=("tun2socks",))
def nsproxy_engine(bench):
    yield Way(prefix=run(bench, "--engine", "tun2socks"),
              names=("nsproxy", "tun2socks"))


# --- its neighbours

@contender("tun2socks", needs=("tun2socks",))
def tun2socks(bench):
    with tun(bench, [program("tun2socks"), "-loglevel", "error", "-device",
                     "tun://t2s0", "-mtu", "16384", "-proxy", URL], "t2s0",
             16384) as way:
        yield way


@contender("hev-socks5-tunnel", needs=("hev-socks5-tunnel",))
def hev(bench):
    conf = conf_file(f"""
tunnel: {{ name: hev0, mtu: 8500, ipv4: 198.18.0.1 }}
socks5: {{ address: {FAR}, port: {SOCKS}, udp: udp, pipeline: true }}
""")
    with tun(bench, ["hev-socks5-tunnel", conf], "hev0", 8500) as way:
        yield way


@contender("tun2proxy", needs=("tun2proxy-bin",))
def tun2proxy(bench):
    with tun(bench, ["tun2proxy-bin", "--tun", "t2p0", "--proxy", URL,
                     "--dns", "direct"], "t2p0", 1500) as way:
        yield way


@contender("sing-box", needs=("sing-box",))
def sing_box(bench):
    conf = conf_file(f"""{{
"log": {{"level": "error"}},
"inbounds": [{{"type": "tun", "interface_name": "sbx0", "mtu": 16384,
              "address": ["198.18.0.1/15"], "auto_route": false}}],
"outbounds": [{{"type": "socks", "server": "{FAR}",
               "server_port": {SOCKS}}}]}}""")
    with tun(bench, ["sing-box", "run", "-c", conf], "sbx0", 16384) as way:
        yield way


@contender("nlzy/nsproxy", needs=("nlzy-nsproxy",))
def nlzy(bench):
    """Under this name, since its own is ours, too."""
    yield Way(prefix=["nlzy-nsproxy", "-s", FAR, "-p", str(SOCKS)],
              names=("nlzy-nsproxy",))


@contender("proxychains4", needs=("proxychains4",), udp=False)
def proxychains(bench):
    conf = conf_file(f"strict_chain\n[ProxyList]\nsocks5 {FAR} {SOCKS}\n")
    yield Way(prefix=["proxychains4", "-q", "-f", conf])


@contender("redsocks", needs=("redsocks", "nft"), udp=False)
def redsocks(bench):
    conf = conf_file(f"""
base {{ log_info = off; log = "file:/dev/null"; daemon = off;
       redirector = iptables; }}
redsocks {{ local_ip = 127.0.0.1; local_port = 12345; ip = {FAR};
           port = {SOCKS}; type = socks5; splice = true; }}
""")
    rules = conf_file(f"""
table ip red {{ chain out {{ type nat hook output priority -100;
    ip daddr {FAR} tcp dport {SOCKS} accept
    meta l4proto tcp redirect to :12345
}}
}}
""")
    with wired("reds", 2) as place:
        subprocess.run(["ip", "netns", "exec", place, "nft", "-f", rules],
                       check=True)
        with job(bench, ["redsocks", "-c", conf], place) as one:
            yield Way(place=place, pid=one.pid)


# --- user-mode networks, without a proxy

@contender("slirp4netns", needs=("slirp4netns",))
def slirp(bench):
    with netns("slirp") as place, \
            job(bench, ["slirp4netns", "--configure", "--mtu=65520",
                        "--netns-type=path", f"/run/netns/{place}",
                        "tap0"]) as one:
        if not wait_for(lambda: subprocess.run(
                ["ip", "-n", place, "route", "get", FAR], check=False,
                capture_output=True).returncode == 0):
            raise RuntimeError(f"no network: {one.err[-300:]}")
        yield Way(place=place, pid=one.pid)


@contender("pasta", needs=("pasta",))
def pasta(bench):
    yield Way(prefix=["pasta", "--config-net", "-q", "-m", "65520", "--"],
              names=("pasta", "passt"))
