# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of the lab and the wires between them.

    host -- eth0 -- inet   198.51.100.2 -> .1, 2001:db8::2 -> ::1 (default)
    host -- lan0 -- lan    192.168.77.2 -> .1, fd00:77::2 -> ::1
    host -- prx0 -- prx    10.66.0.1 -> .2, fd00:66::1 -> ::2
    prx  -- out0 -- inet   192.0.2.1 -> .2, 2001:db8:2::1 -> ::2

Programs under test run in `host`; proxies in `prx` at 10.66.0.2; `inet`
answers for all of 203.0.113.0/24 and 2001:db8:1::/64. The first three wires
are captured at their far side. `host` forwards packets, as a host with
containers does: the worst case for a leak.

Everything happens in a mount namespace of this process: /run, /etc and
/dev/net/tun in it are the lab's own, with an ordinary user of its own, and
all of it goes with the process.
"""
import os
import shutil
import stat
import subprocess
import tempfile

from . import kernel
from .far import FarServers
from .proxy import UDP_PORTS
from .run import Runner
from .wire import Watch, Wire

UID = GID = 61234
EXTRA_GID = 61235
USER = "nsplab"
ROOT = "/run/lab"
PRESETS = f"{ROOT}/presets.conf"      # found by NSPROXY_PRESETS alone
PLACES = ("host", "inet", "lan", "prx")

QUIET = {
    "net/ipv6/conf/default/addr_gen_mode": "1",
    "net/ipv6/conf/all/addr_gen_mode": "1",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/mldv1_unsolicited_report_interval": "10",
    "net/ipv6/conf/default/mldv2_unsolicited_report_interval": "10",
    "net/ipv4/conf/default/igmpv2_unsolicited_report_interval": "10",
    "net/ipv4/conf/default/igmpv3_unsolicited_report_interval": "10",
}

# (device in the first place, first, second, its own half of each address)
LINKS = [
    ("eth0", "host", "inet", "198.51.100.2/24", "198.51.100.1/24",
     "2001:db8::2/64", "2001:db8::1/64"),
    ("lan0", "host", "lan", "192.168.77.2/24", "192.168.77.1/24",
     "fd00:77::2/64", "fd00:77::1/64"),
    ("prx0", "host", "prx", "10.66.0.1/24", "10.66.0.2/24",
     "fd00:66::1/64", "fd00:66::2/64"),
    ("out0", "prx", "inet", "192.0.2.1/24", "192.0.2.2/24",
     "2001:db8:2::1/64", "2001:db8:2::2/64"),
]

ROUTES = """
-n host route add default via 198.51.100.1
-n host -6 route add default via 2001:db8::1
-n inet route add local 203.0.113.0/24 dev lo
-n inet -6 route add local 2001:db8:1::/64 dev lo
-n prx route add 203.0.113.0/24 via 192.0.2.2
-n prx route add unreachable 203.0.113.250/32
-n prx -6 route add 2001:db8:1::/64 via 2001:db8:2::2
-n prx -6 route add unreachable 2001:db8:1::250/128
"""


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Lab(Runner):
    """One world; make it once a process."""

    def __init__(self, binary=None):
        super().__init__()
        self.binary = binary
        self.proxy_ports = {1080}
        self._private_mounts()
        self._private_etc()
        self._tun()
        self._programs()
        self._places()
        self.far = FarServers(self.path("inet"))
        self.wires = {
            "inet": Wire("inet", self.path("inet"), "eth0"),
            "lan": Wire("lan", self.path("lan"), "lan0"),
            "prx": Wire("prx", self.path("prx"), "prx0", self._to_proxy),
        }
        for wire in self.wires.values():
            wire.settle()

    @staticmethod
    def path(place):
        return f"/run/netns/{place}"

    def watch(self, *names, after_s=0.3):
        """Were these wires silent meanwhile? All of them by default; the
        proxy's wire counts what is not for the proxy."""
        return Watch([self.wires[n] for n in names or self.wires], after_s)

    def _to_proxy(self, packet):
        if packet.dst != "10.66.0.2":
            return False
        if packet.proto == "tcp":
            return packet.dport in self.proxy_ports
        if packet.proto == "fragment of 17":
            return True      # its first part has the port, and is judged
        if packet.proto == "udp":
            return packet.dport in UDP_PORTS
        return packet.proto == "icmp" and packet.payload[:1] == b"\x03"

    # --- files

    @staticmethod
    def _private_mounts():
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("lab", "/run", "tmpfs", data="mode=0755")
        for path in ("lab/bin", "lab/home", "lab/dev", "lab/etc", "lock",
                     "netns", "nscd", "systemd/resolve", "avahi-daemon",
                     "dbus", "sshd"):
            os.makedirs(f"/run/{path}")
        os.chown(f"{ROOT}/home", UID, GID)
        os.chmod(f"{ROOT}/home", 0o755)

    @staticmethod
    def _private_etc():
        etc = f"{ROOT}/etc"
        subprocess.run(["cp", "-a", "/etc/.", etc], check=False,
                       stderr=subprocess.DEVNULL)
        # What this machine's nsproxy is told is not told in the lab.
        shutil.rmtree(f"{etc}/nsproxy", ignore_errors=True)
        with open(f"{etc}/passwd", "a", encoding="ascii") as file:
            file.write(f"{USER}:x:{UID}:{GID}::{ROOT}/home:/bin/bash\n")
        with open(f"{etc}/group", "a", encoding="ascii") as file:
            file.write(f"{USER}:x:{GID}:\nnspextra:x:{EXTRA_GID}:{USER}\n")
        with open(f"{etc}/shadow", "a", encoding="ascii") as file:
            file.write(f"{USER}:*:19000::::::\n")
        for name, text in {
                "resolv.conf": "nameserver 198.51.100.53\n"
                               "nameserver 192.168.77.53\n"
                               "search lan.example\n"
                               "options timeout:1 attempts:1\n",
                "hosts": "127.0.0.1 localhost\n::1 localhost\n",
                "nsswitch.conf": "passwd: files\ngroup: files\n"
                                 "hosts: files myhostname dns\n"
                                 "networks: files\n"}.items():
            path = f"{etc}/{name}"
            if os.path.lexists(path):
                os.unlink(path)
            _write(path, text)
            os.chmod(path, 0o644)
        kernel.mount(etc, "/etc", flags=kernel.MS_BIND)

    @staticmethod
    def _tun():
        node = f"{ROOT}/dev/tun"
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(10, 200))
        os.chmod(node, 0o666)
        kernel.mount(node, "/dev/net/tun", flags=kernel.MS_BIND)

    def _programs(self):
        here = os.path.dirname(__file__)
        shutil.copy(f"{here}/inside.py", f"{ROOT}/inside.py")
        shutil.copy(f"{here}/burst.py", f"{ROOT}/burst.py")
        shutil.copy(f"{here}/../../data/presets.conf", PRESETS)
        os.chmod(PRESETS, 0o644)
        if self.binary:
            self.nsproxy_path = f"{ROOT}/bin/nsproxy"
            shutil.copy(self.binary, self.nsproxy_path)
            os.chmod(self.nsproxy_path, 0o755)
            self._hide_presets()

    @staticmethod
    def neighbour(name):
        """The path of a program that tools/build-programs built."""
        built = os.path.join(os.path.dirname(__file__), "..", "..",
                             "build-programs", name)
        path = f"{ROOT}/bin/{name}"
        if not os.path.exists(path):
            shutil.copy(built, path)
            os.chmod(path, 0o755)
        return path

    def _hide_presets(self):
        """Whatever is installed on this machine is not there in the lab."""
        path = subprocess.run([self.nsproxy_path, "config", "path"],
                              stdout=subprocess.PIPE, check=False,
                              text=True).stdout.partition("\n")[0]
        if os.path.exists(path):
            kernel.mount("lab", os.path.dirname(path), "tmpfs")

    def home_file(self, name, text, mode=0o600):
        """A file of the ordinary user's; its path."""
        path = f"{ROOT}/home/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, UID, GID)
        os.chmod(path, mode)
        return path

    @staticmethod
    def scratch():
        """A directory of the ordinary user's."""
        path = tempfile.mkdtemp(dir=f"{ROOT}/home")
        os.chown(path, UID, GID)
        return path

    # --- places

    def _places(self):
        self._ip("".join(f"netns add {place}\n" for place in PLACES))
        for place in PLACES:
            kernel.call_in(self.path(place), self._hush)
            self._ip(f"-n {place} link set lo up\n")
        for link in LINKS:
            self._link(*link)
        self._ip(ROUTES)
        kernel.call_in(self.path("host"), lambda: (
            _write("/proc/sys/net/ipv4/ip_forward", "1"),
            _write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
            _write("/proc/sys/net/ipv6/conf/all/forwarding", "1")))
        kernel.call_in(self.path("inet"), lambda: _write(
            "/proc/sys/net/ipv6/ip_nonlocal_bind", "1"))
        for place in PLACES:
            kernel.call_in(self.path(place), lambda: _write(
                "/proc/sys/net/ipv4/icmp_ratemask", "0"))

    @staticmethod
    def _hush():
        for name, value in QUIET.items():
            try:
                _write(f"/proc/sys/{name}", value)
            except OSError:
                pass

    @staticmethod
    def _ip(batch):
        for line in batch.strip().splitlines():
            subprocess.run(["ip", *line.split()], check=True)

    def _link(self, dev, one, two, *addresses):
        peer = dev if one == "host" else "prxin"
        mac = "address 02:00:00:00:00:01 up"
        one4, two4, one6, two6 = addresses
        self._ip(f"""
-n {one} link add {dev} type veth peer name {peer} netns {two}
-n {one} link set {dev} arp off multicast off {mac}
-n {two} link set {peer} arp off multicast off {mac}
-n {one} link set {dev} multicast on
-n {one} addr add {one4} dev {dev}
-n {two} addr add {two4} dev {peer}
-n {one} -6 addr add {one6} dev {dev} nodad
-n {two} -6 addr add {two6} dev {peer} nodad
""")
