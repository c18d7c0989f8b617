# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles that come with the program: below all others, and root's alone."""
import json
import os
import shutil

import pytest

from lab import ForwardProxy, Keep, ToyProxy, kernel
from lab.world import PRESETS

ETC = "/etc/nsproxy"
HOME = "/run/lab/home/.config/nsproxy"
UID = 61234
ENV = {"NSPROXY_PRESETS": PRESETS}
TOY_PORT, TOY_I2P_PORT = 9059, 4459


class Anybody:
    """Equal to any word: a proxy that takes every name and password."""

    def __eq__(self, other):
        return True

    __hash__ = None


def copy_presets(path):
    """The real ones, but that toys stand for Tor and I2P: the lab's real Tor
    may have the real port (see test_tor.py)."""
    with open(PRESETS, encoding="ascii") as file:
        text = file.read()
    assert ":9050" in text and ":4444" in text
    text = text.replace(":4444", f":{TOY_I2P_PORT}")
    with open(path, "w", encoding="ascii") as file:
        file.write(text.replace(":9050", f":{TOY_PORT}"))
    os.chmod(path, 0o644)
    return path


def compiled_in(lab):
    """Where the program looks by itself."""
    return lab.nsproxy("config", "path").out.split()[0]


@pytest.fixture
def installed(lab):
    """The presets where `meson install` puts them; the path."""
    path = compiled_in(lab)
    share = os.path.dirname(os.path.dirname(path))
    kernel.mount("lab", share, "tmpfs", data="mode=0755")
    os.mkdir(os.path.dirname(path))
    yield copy_presets(path)
    kernel.umount(share)


@pytest.fixture
def put():
    def write(where, text):
        os.makedirs(where, exist_ok=True)
        path = f"{where}/nsproxy.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        if where == HOME:
            for name in (path, where, os.path.dirname(where)):
                os.chown(name, UID, UID)
    yield write
    shutil.rmtree(ETC, ignore_errors=True)
    shutil.rmtree("/run/lab/home/.config", ignore_errors=True)


def shown(lab, name, **how):
    ran = lab.nsproxy("config", "show", "--json", name, **how)
    assert ran.rc == 0, ran
    return json.loads(ran.out)


@pytest.mark.smoke
@pytest.mark.parametrize("user", [True, False])
def test_installed_tor_needs_no_configuration(lab, installed, user):
    with ToyProxy(lab, listen=("host", "127.0.0.1", TOY_PORT),
                  auth=(Anybody(), Anybody())) as tor:
        ran = lab.nsproxy("run", "-P", "tor", "--", "curl", "-sS",
                          "http://preset.example/", user=user)
        assert ran.rc == 0 and ran.err == "", ran
    assert tor.log[0].host == "preset.example"
    assert len(tor.log[0].user) == 32            # isolated
    ran = lab.nsproxy("config", "show", "tor", user=user)
    assert f"{installed}:" in ran.out and ran.rc == 0, ran
    assert lab.nsproxy("config", "check", user=user).rc == 0


@pytest.mark.smoke
@pytest.mark.parametrize("user", [True, False])
def test_installed_i2p_needs_no_configuration(lab, installed, user):
    def curl(*words):
        return lab.nsproxy("run", "-P", "i2p", *words[:-1], "--", "curl",
                           "-sS", "-m", "20", words[-1], user=user)
    with ForwardProxy(lab, "host", "127.0.0.1", TOY_I2P_PORT) as i2p:
        ran = curl("http://preset.i2p/x")
        assert ran.rc == 0 and ran.err == "", ran
        assert i2p.requests == ["GET http://preset.i2p/x HTTP/1.1"]
        assert curl("http://example.org/").rc == 6     # no such name
        assert curl("http://203.0.113.5/").rc == 7     # refused
        assert len(i2p.raw) == 1
        assert curl("--only", "example.org", "http://example.org/").rc == 0
        assert i2p.requests[1] == "GET http://example.org/ HTTP/1.1"
    ran = lab.nsproxy("config", "show", "i2p", user=user)
    assert f"{installed}:" in ran.out and "that forwards" in ran.out, ran


def test_a_profile_without_only_lets_an_outproxy_have_all(lab, put):
    put(HOME, 'profile "i2p" { '
        f'chain = {{"http://127.0.0.1:{TOY_I2P_PORT}?forward"}} }}\n')
    with ForwardProxy(lab, "host", "127.0.0.1", TOY_I2P_PORT) as i2p:
        ran = lab.nsproxy("run", "-P", "i2p", "--", "curl", "-sS",
                          "http://example.org/", env=ENV)
    assert ran.rc == 0 and i2p.requests == [
        "GET http://example.org/ HTTP/1.1"], ran


def test_nothing_installed_is_fine(lab):
    assert not os.path.exists(compiled_in(lab))
    ran = lab.nsproxy("run", "-P", "tor", "--", "true")
    assert ran.rc == 125 and "no profile 'tor'" in ran.err, ran


def test_profiles_of_root_and_users_go_before_it(lab, put):
    assert shown(lab, "tor", env=ENV)["from"]["file"] == PRESETS
    put(ETC, 'profile "tor" { chain = "socks5://10.0.0.1:1" }\n')
    got = shown(lab, "tor", env=ENV)
    assert got["from"]["file"] == f"{ETC}/nsproxy.conf"
    assert got["goes_before"]["file"] == PRESETS
    ran = lab.nsproxy("config", "show", "tor", env=ENV)
    assert f"goes before the preset in {PRESETS}:" in ran.out, ran
    put(HOME, 'profile "tor" { chain = "socks5://10.0.0.2:1" }\n'
        'profile "mine" { chain = {"tor", "http://h"} }\n')
    got = shown(lab, "tor", env=ENV)
    assert got["from"]["file"] == f"{HOME}/nsproxy.conf"
    assert got["goes_before"]["file"] == f"{ETC}/nsproxy.conf"
    assert lab.nsproxy("config", "check", env=ENV).rc == 0


def test_chains_can_name_it(lab, put):
    put(ETC, 'profile "far" { chain = {"tor", "socks5://203.0.113.9:1"} }\n')
    assert shown(lab, "far", env=ENV)["way_out"][0] \
        == "socks5 127.0.0.1:9050"


@pytest.mark.row("U11")
def test_root_is_not_led_elsewhere(lab):
    path = lab.home_file("presets.conf", 'profile "evil" '
                         '{ chain = "direct://" }\n')
    env = {"NSPROXY_PRESETS": path}
    assert shown(lab, "evil", env=env)["name"] == "evil"
    ran = lab.nsproxy("config", "show", "evil", env=env, user=False)
    assert ran.rc == 4 and "no profile" in ran.err, ran


@pytest.mark.row("U11")
def test_setuid_start_is_not_led_elsewhere(lab):
    suid = "/run/lab/bin/nsproxy-suid"
    shutil.copy(lab.nsproxy_path, suid)
    os.chmod(suid, 0o4755)
    try:
        ran = lab.run([suid, "config", "path"], env=ENV)
    finally:
        os.unlink(suid)
    assert ran.rc == 0 and PRESETS not in ran.out, ran
    assert PRESETS in lab.nsproxy("config", "path", env=ENV).out


@pytest.mark.row("S05")
@pytest.mark.parametrize("owner, mode, word", [
    (UID + 1, 0o644, "belongs to uid"), (0, 0o666, "everybody may write")])
def test_strangers_presets_are_refused(lab, owner, mode, word):
    path = lab.home_file("presets.conf", 'profile "x" { chain = "h:1" }\n')
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    ran = lab.nsproxy("run", "-P", "x", "--", "true",
                      env={"NSPROXY_PRESETS": path})
    assert ran.rc == 125 and word in ran.err, ran


def test_presets_stand_only_when_named(lab):
    with Keep(lab, {"mine": 'chain = "socks5://10.66.0.2:1080"'}) as keep:
        assert keep("up", "--all", env=ENV).rc == 0
        ran = keep("list", env=ENV)
        assert "mine" in ran.out and "tor" not in ran.out, ran


def test_named_sandbox_of_a_preset(lab):
    keep = Keep(lab)
    plain = keep.env
    mine = {"NSPROXY_PRESETS": copy_presets(f"{keep.home}/presets.conf")}
    keep.env = lambda extra=None: plain(mine | (extra or {}))
    with keep, ToyProxy(lab, listen=("host", "127.0.0.1", TOY_PORT),
                        auth=(Anybody(), Anybody())) as tor:
        keep.up("tor")
        ran = keep.exec("tor", "curl", "-sS", "http://preset.example/")
        assert ran.rc == 0 and tor.log[0].host == "preset.example", ran
        assert "tor" in keep("list").out
