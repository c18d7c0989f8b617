# SPDX-License-Identifier: GPL-3.0-or-later
"""A WireGuard configuration becomes an interface in a sandbox."""
import os
import signal

import pytest

from lab import Keep, ToyDns
from lab.run import wait_for
from lab.vpn import PAGE, WireGuard, has_link, ip

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"


@pytest.fixture
def vpn(lab):
    with WireGuard(lab) as one:
        yield one


@pytest.fixture
def keep(lab, vpn):
    with Keep(lab, {"wg": f'wireguard = "{vpn.path}"'}, user=False) as one:
        yield one
    assert not has_link("wgx"), "nothing is left on the host"
    assert wait_for(lambda: not vpn.pids()), "nor a program"


def seen(keep, *hosts):
    return keep.inside("wg", PAGE + f"out([page(h) for h in {hosts!r}])")


@pytest.mark.smoke
def test_file_becomes_the_network_of_a_sandbox(lab, vpn, keep):
    vpn.write("DNS = 203.0.113.53, search.example\nMTU = 1280")
    with ToyDns(lab, table={("behind.example", "A"): [FAR]}), \
            lab.watch() as verdict:
        box = keep.up("wg")
        assert box["way"] == "wireguard wgx"
        assert not has_link("wgx"), "the host's programs do not have it"
        assert seen(keep, FAR, FAR6, "behind.example") == [
            vpn.ours, vpn.ours6, vpn.ours]
        assert "mtu 1280" in keep.inside("wg", "out(sh('ip link show wgx')[1])")
    assert verdict, verdict


def test_only_allowed_networks_are_reached(lab, vpn, keep):
    vpn.write(allowed="203.0.113.77/24")     # bits behind the length
    keep.up("wg")
    assert seen(keep, FAR, "192.0.2.2", FAR6) == [
        vpn.ours, "ENETUNREACH", "ENETUNREACH"]


def test_killed_program_means_no_network(lab, vpn, keep):
    with lab.watch() as verdict:
        keep.up("wg")
        assert seen(keep, FAR) == [vpn.ours]
        (pid,) = vpn.pids()
        os.kill(pid, signal.SIGKILL)
        assert wait_for(lambda: not vpn.pids())
        assert seen(keep, FAR, FAR6) == ["ENETUNREACH"] * 2
        assert keep("restart", "wg").rc == 0
        assert seen(keep, FAR) == [vpn.ours]
    assert verdict, verdict


def test_killed_keeper_gets_another_interface(lab, vpn, keep):
    with lab.watch() as verdict:
        box = keep.up("wg")
        os.kill(box["keeper"], signal.SIGKILL)

        def look():
            now = keep.status("wg")
            return now["state"] == "up" and now["keeper"] != box["keeper"]
        assert wait_for(look, 20), keep.status("wg")
        assert seen(keep, FAR) == [vpn.ours]
        assert len(vpn.pids()) == 1
    assert verdict, verdict


def test_down_removes_it(lab, vpn, keep):
    keep.up("wg")
    assert keep("down", "wg").rc == 0
    assert not has_link("wgx")
    assert wait_for(lambda: not vpn.pids())
    assert os.listdir("/run/wireguard") == ["wg9.sock"]


def test_program_has_one_capability_and_gains_none(lab, vpn, keep):
    keep.up("wg")
    (pid,) = vpn.pids()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        said = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    assert int(said["CapEff"], 16) == int(said["CapBnd"], 16) == 1 << 12
    assert said["NoNewPrivs"] == "1"
    files = [os.readlink(f"/proc/{pid}/fd/{fd}")
             for fd in os.listdir(f"/proc/{pid}/fd")]
    assert not [f for f in files if "nsproxy" in f or "net:[" in f], files


def test_name_that_is_taken_is_refused(lab, vpn, keep):
    ip("tuntap", "add", "wgx", "mode", "tun")
    try:
        ran = keep("up", "wg")
        assert ran.rc != 0 and "'wgx' on the host already" in ran.err, ran
    finally:
        ip("link", "del", "wgx")


def test_changed_file_is_told_by_reload(lab, vpn, keep):
    keep.up("wg")
    vpn.write("MTU = 1300")
    ran = keep("reload")
    assert "'wireguard' of the profile differs" in ran.out + ran.err, ran


@pytest.mark.parametrize("interface, peer, line, word", [
    ("PostUp = iptables -A x", "", 4, "commands are not run here"),
    ("Table = 77", "", 4, "one table"),
    ("Frobnicate = 1", "", 4, "knows no such option"),
    ("MTU = 12", "", 4, "from 576"),
    ("Address = 10.0.0.0/33", "", 4, "no IP/LENGTH"),
    ("", "Endpoint = vpn.example:51820", 10, "names are not looked up"),
    ("", "PresharedKey = short", 10, "that is no key"),
    ("", "[Peer]", 10, "has no PublicKey"),
])
def test_what_cannot_be_had_is_told_with_its_line(lab, vpn, keep, interface,
                                                  peer, line, word):
    vpn.write(interface, peer)
    ran = keep("config", "check")
    said = ran.out + ran.err
    assert ran.rc != 0 and f"wgx.conf:{line}: " in said and word in said, ran
    assert vpn.own not in said and "short" not in said


def test_file_that_others_may_read_is_refused(lab, vpn, keep):
    os.chmod(vpn.path, 0o644)
    ran = keep("up", "wg")
    assert ran.rc != 0 and "chmod 600" in ran.err, ran
    assert not has_link("wgx")
