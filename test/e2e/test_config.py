# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: what a configuration may say, who may say it, and run -P."""
import json
import os
import shutil

import pytest

from lab import Little, ToyProxy

FAR = "203.0.113.5"
ETC = "/etc/nsproxy"
HOME = "/run/lab/home/.config/nsproxy"
UID = 61234
CURL = ["curl", "-sS", "--max-time", "20"]


class Files:
    """The configuration's files, for root (/etc) and the ordinary user."""

    @staticmethod
    def put(path, text, owner, mode):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, owner, owner)
        os.chmod(path, mode)
        return path

    def system(self, text, name="nsproxy.conf", owner=0, mode=0o644):
        return self.put(f"{ETC}/{name}", text, owner, mode)

    def user(self, text, name="nsproxy.conf", owner=UID, mode=0o600):
        path = self.put(f"{HOME}/{name}", text, owner, mode)
        at = os.path.dirname(path)
        while at != "/run/lab/home":
            os.chown(at, UID, UID)
            at = os.path.dirname(at)
        return path


@pytest.fixture
def files(lab):
    yield Files()
    shutil.rmtree(ETC, ignore_errors=True)
    shutil.rmtree("/run/lab/home/.config", ignore_errors=True)


def config(lab, *words, **how):
    return lab.nsproxy("config", *words, **how)


def said(ran):
    """The problems as (file's name, line, message)."""
    got = json.loads(ran.out)
    assert got["schema"] == "nsproxy.config-check/1"
    assert set(got) == {"schema", "problems"}
    return [(os.path.basename(p["file"]), p["line"], p["message"])
            for p in got["problems"]]


# --- run -P

@pytest.mark.smoke
def test_profile_with_a_password_file(lab, files):
    with ToyProxy(lab, auth=("joe", "hunter2")) as proxy:
        secret = files.user("hunter2\n", "secret")
        files.user(f"""
proxy "office" {{ url = "socks5://10.66.0.2:{proxy.port}"
    username = "joe"  password-file = "{secret}" }}
profile "work" {{ chain = {{"office"}} }}
""")
        ran = lab.nsproxy("run", "-P", "work", "--", *CURL,
                          "http://profile.example/")
        assert ran.rc == 0 and ran.err == "", ran
        assert proxy.log[0].host == "profile.example"
        assert proxy.log[0].user == "joe"
        ran = lab.nsproxy("run", "--profile=work", "--", "sh", "-c",
                          "env; cat /proc/$PPID/cmdline")
        assert ran.rc == 0 and "hunter2" not in ran.out, ran


@pytest.mark.smoke
def test_system_profile_for_root_and_user(lab, files, proxy):
    files.system(f'profile "all" {{ chain = "{proxy.url()}" }}\n',
                 "conf.d/10-all.conf")
    for user in (False, True):
        ran = lab.nsproxy("run", "-P", "all", "--", *CURL, "http://a.example/",
                          user=user)
        assert ran.rc == 0, ran
    assert len(proxy.log) == 2


def test_doors_and_dns_of_a_profile(lab, files, proxy):
    files.user(f"""
profile "doors" {{ chain = {{"{proxy.url()}"}}  dns = off
    expose = {{"127.0.0.1:4444"}} }}
""")
    say = "s = tcp('127.0.0.1', %d); s.sendall(b'hi'); s.recv(9)\n"
    with Little(lab, "host", "127.0.0.1", 4444) as one, \
            Little(lab, "host", "127.0.0.1", 4445) as two:
        got = lab.inside(say % 4444 + say % 4445 + "out('hi')",
                         opts=["-P", "doors", "-e", "127.0.0.1:4445"])
        assert got == "hi" and (one.came, two.came) == (1, 1)
    got = lab.inside("out(err(lambda: socket.gethostbyname('a.example')))",
                     opts=["-P", "doors", "-d", "fake"])
    assert got == "OK" or got is None, got


def test_same_door_twice_is_one_door(lab, files, proxy):
    files.user(f"""
profile "doors" {{ chain = "{proxy.url()}"  expose = {{"127.0.0.1:4444"}} }}
""")
    with Little(lab, "host", "127.0.0.1", 4444):
        got = lab.inside("s = tcp('127.0.0.1', 4444); s.sendall(b'hi');"
                         "out(s.recv(9).decode())",
                         opts=["-P", "doors", "-e", "127.0.0.1:4444"])
    assert got == "hi"


def test_proxy_option_goes_before_the_profiles_chain(lab, files, proxy):
    files.user('profile "shut" { chain = "block://" }\n')
    code = "out(connect_err('a.example', 7)[0])"
    assert lab.inside(code, opts=["-P", "shut"]) != "OK"
    assert lab.inside(code, proxy, opts=["-P", "shut"]) == "OK"


def test_environment_does_not_go_before_a_profile(lab, files, proxy):
    files.user('profile "shut" { chain = "block://" }\n')
    got = lab.inside("out(connect_err('a.example', 7)[0])",
                     opts=["-P", "shut"], env={"ALL_PROXY": proxy.url()})
    assert got != "OK" and not proxy.log


def test_profiles_in_a_chain(lab, files, proxy):
    with ToyProxy(lab, listen=("inet", "203.0.113.201", 1081),
                  out="inet") as second:
        files.user(f"""
proxy "near" {{ url = "{proxy.url()}" }}
profile "near" {{ chain = "near" }}
profile "far" {{ chain = {{"near", "{second.url()}"}} }}
profile "all" {{ chain = {{"far"}} }}
""")
        got = lab.inside("out(connect_err('a.example', 7)[0])",
                         opts=["-P", "all"])
    assert got == "OK"
    assert proxy.log[0].host == "203.0.113.201"
    assert second.log[0].host == "a.example"


def test_udp_none_is_told_at_once(lab, files, proxy):
    files.user(f"""
proxy "p" {{ url = "{proxy.url()}"  udp = none }}
profile "quiet" {{ chain = "p" }}
""")
    code = (f"s = udp('{FAR}', 7); s.settimeout(5)\n"
            "def ask():\n    s.send(b'x'); s.recv(9)\nout(err(ask))")
    assert lab.inside(code, opts=["-P", "quiet"]) == "ECONNREFUSED"
    assert not proxy.udp_log


class Anybody:
    """Equal to any user name, and to any password."""

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.row("P18")
def test_isolation_gives_each_run_another_user(lab, files):
    with ToyProxy(lab, auth=(Anybody(), Anybody())) as proxy:
        files.user(f"""
profile "tor" {{ chain = "socks5://10.66.0.2:{proxy.port}"
    isolate = sandbox }}
""")
        for _ in "ab":
            lab.inside("out(connect_err('a.example', 7)[0])",
                       opts=["-P", "tor"])
        users = [seen.user for seen in proxy.log]
    assert len(users) == 2 and len(set(users)) == 2, users
    assert all(user and len(user) == 32 for user in users), users


@pytest.mark.parametrize("text, word", [
    ('profile "other" { chain = "direct://" }', "no profile 'work'"),
    ('profile "work" { chain = "nobody" }', "nsproxy.conf:1: no proxy"),
    ('profile "work" { chain = "direct://" guard = strict }', "strict"),
    ('profile "wrok" { chain = "direct://" }', "did you mean 'wrok'"),
    ('profile "work" { chain = "direct://" }\nx', "nsproxy.conf:2: "),
    ("", "no profile 'work'"),
])
def test_bad_profile_is_125_and_never_runs(lab, files, text, word):
    files.user(text)
    mark = f"{lab.scratch()}/ran"
    ran = lab.nsproxy("run", "-P", "work", "--", "touch", mark)
    assert ran.rc == 125 and word in ran.err, ran
    assert not os.path.exists(mark)
    assert len(ran.err.splitlines()) <= 3, ran


def test_helpers_are_not_started_and_that_is_said(lab, files):
    mark = f"{lab.scratch()}/helped"
    files.user(f"""
profile "h" {{ chain = "block://"
    helper "touch" {{ command = {{"touch", "{mark}"}} }} }}
""")
    ran = lab.nsproxy("run", "-P", "h", "true")
    assert ran.rc == 0 and "helpers" in ran.err, ran
    assert not os.path.exists(mark)


# --- config check

def test_good_is_0_and_says_so(lab, files):
    files.system('proxy "p" { url = "socks5://h" }\n')
    files.user('profile "mine" { chain = "p" }\n')
    assert config(lab, "check").rc == 0
    assert said(config(lab, "check", "--json")) == []
    assert config(lab, "check", user=False).rc == 0


def test_nothing_there_is_fine(lab, files):
    assert config(lab, "check").rc == 0
    assert "no profiles" in config(lab, "show").out


def test_all_problems_of_all_files(lab, files):
    files.system('proxy "p" {\n  urls = "socks5://h"\n  url = "sock5://h"\n}\n'
                 'profile "a" {\n  chain = {"q"}\n  expose = "x"\n}\n')
    files.system('profile "a" { chain = "a" }\n', "conf.d/20.conf")
    files.user('proxy "p" { url = "http://h" }\nproxy "p" {}\n}')
    ran = config(lab, "check", "--json")
    assert ran.rc == 1
    got = said(ran)
    assert [(name, line) for name, line, _ in got] == [
        ("nsproxy.conf", 2), ("nsproxy.conf", 3), ("nsproxy.conf", 7),
        ("20.conf", 1), ("nsproxy.conf", 3)], got
    assert "did you mean 'url'" in got[0][2]
    ran = config(lab, "check")
    assert ran.rc == 1 and len(ran.out.splitlines()) == 5, ran
    assert ran.out.startswith(f"{ETC}/nsproxy.conf:2: "), ran


def test_named_file_is_checked_alone(lab, files):
    files.system("nonsense {\n")
    path = lab.home_file("my.conf", 'profile "a" { chain = "direct://" }\n')
    assert config(lab, "check", path).rc == 0
    ran = config(lab, "check", path, user=False)
    assert ran.rc == 1 and "belongs to uid 61234" in ran.out, ran
    os.chmod(path, 0o666)
    ran = config(lab, "check", path)
    assert ran.rc == 1 and "everybody may write it" in ran.out, ran
    ran = config(lab, "check", "/no/such/file", "--json")
    assert ran.rc == 1 and said(ran)[0][1] == 0, ran


@pytest.mark.row("S05")
@pytest.mark.parametrize("owner, mode, word", [
    (UID, 0o644, "must be root's"), (0, 0o666, "everybody may write"),
    (0, 0o664, "group may write")])
def test_system_file_of_a_stranger_is_refused(lab, files, owner, mode, word):
    files.system('profile "a" { chain = "direct://" }\n', owner=owner,
                 mode=mode)
    for user in (False, True):
        ran = config(lab, "check", user=user)
        assert ran.rc == 1 and word in ran.out, ran
        assert lab.nsproxy("run", "-P", "a", "true", user=user).rc == 125


def test_system_directory_of_a_stranger_is_refused(lab, files):
    files.system('profile "a" { chain = "direct://" }\n', "conf.d/1.conf")
    os.chmod(f"{ETC}/conf.d", 0o777)
    ran = config(lab, "check", user=False)
    assert ran.rc == 1 and "conf.d: everybody may write" in ran.out, ran


@pytest.mark.row("S05")
@pytest.mark.parametrize("owner, mode, word", [
    (0, 0o644, "must be yours"), (61239, 0o644, "must be yours"),
    (UID, 0o646, "everybody may write")])
def test_users_file_of_a_stranger_is_refused(lab, files, owner, mode, word):
    files.user('profile "a" { chain = "direct://" }\n', owner=owner,
               mode=mode)
    ran = config(lab, "check")
    assert ran.rc == 1 and word in ran.out, ran


@pytest.mark.parametrize("mode, text, word", [
    (0o644, "x", "chmod 600"), (0o640, "x", "chmod 600"),
    (0o600, "", "empty"), (0o600, "a\nb\n", "more than one line"),
    (0o600, "x" * 256, "longer than 255")])
def test_bad_password_file(lab, files, mode, text, word):
    secret = files.user(text, "secret", mode=mode)
    files.user(f'proxy "p" {{ url = "http://h" username = u\n'
               f'password-file = "{secret}" }}\n')
    ran = config(lab, "check")
    assert ran.rc == 1 and word in ran.out, ran
    assert "nsproxy.conf:2: 'password-file'" in ran.out, ran


def test_roots_secrets_are_no_problem_of_users(lab, files):
    secret = files.system("hunter2\n", "secrets/p", mode=0o600)
    os.chmod(f"{ETC}/secrets", 0o700)
    files.system(f'proxy "p" {{ url = "http://h" username = u '
                 f'password-file = "{secret}" }}\n'
                 'profile "a" { chain = "p" }\n')
    assert config(lab, "check", user=False).rc == 0
    assert config(lab, "check").rc == 0
    ran = lab.nsproxy("run", "-P", "a", "true")
    assert ran.rc == 125 and "Permission denied" in ran.err, ran


def test_system_files_users_may_not_read_are_left_out(lab, files):
    files.system('profile "a" { chain = "direct://" }\n', mode=0o600)
    files.user('profile "b" { chain = "block://" }\n')
    ran = config(lab, "check")
    assert ran.rc == 0 and "may not read" in ran.out, ran
    assert lab.nsproxy("run", "-P", "b", "true").rc == 0


def test_environment_is_not_expanded(lab, files):
    files.user('profile "a" { chain = "direct://"\n'
               'helper "h" { command = {"${HOME}", \'${HOME}\'} } }\n')
    ran = config(lab, "show", "a", "--json")
    got = json.loads(ran.out)["helpers"][0]["settings"]["command"]["value"]
    assert got == ["${HOME}", "${HOME}"], ran
    files.user("profile ${NAME} { chain = ${WAY} }\n")
    ran = config(lab, "check", env={"NAME": "a", "WAY": "direct://"})
    assert ran.rc == 1 and "quotes" in ran.out, ran


@pytest.mark.row("S05")
def test_fifo_and_directory_do_not_hang(lab, files):
    files.user("")
    for make in (os.mkfifo, os.mkdir):
        path = f"{HOME}/conf.d/1.conf"
        os.makedirs(f"{HOME}/conf.d", exist_ok=True)
        os.chown(f"{HOME}/conf.d", UID, UID)
        make(path)
        os.chown(path, UID, UID)
        ran = config(lab, "check", timeout=5)
        assert ran.rc == 1 and "no ordinary file" in ran.out, ran
        (os.unlink if make is os.mkfifo else os.rmdir)(path)


def test_xdg_config_home(lab, files):
    path = lab.scratch()
    assert f"{path}/nsproxy/nsproxy.conf" in config(
        lab, "path", env={"XDG_CONFIG_HOME": path}).out
    assert f"{HOME}/nsproxy.conf" in config(
        lab, "path", env={"XDG_CONFIG_HOME": "relative"}).out
    assert HOME not in config(lab, "path", user=False).out


# --- config show

def test_show_tells_values_and_where_from(lab, files):
    files.system('profile "a" { chain = "direct://" }\n'
                 'defaults { veth = true }\n')
    own = files.user('proxy "p" { url = "socks5://u:hunter2@h" }\n'
                     'profile "a" {\n chain = {"p", "http://v:hunter2@g"}\n}\n')
    ran = config(lab, "show", "a")
    assert ran.rc == 0 and "hunter2" not in ran.out, ran
    assert f"goes before the system's in {ETC}/nsproxy.conf:1" in ran.out, ran
    assert f"{own}:3" in ran.out, ran
    ran = config(lab, "show", "a", "--json")
    got = json.loads(ran.out)
    assert got["schema"] == "nsproxy.config-show/1"
    assert got["from"] == {"file": own, "line": 2}
    assert got["goes_before"] == {"file": f"{ETC}/nsproxy.conf", "line": 1}
    assert got["settings"]["chain"] == {
        "value": ["p", "http://v:***@g"], "from": {"file": own, "line": 3}}
    assert got["settings"]["veth"] == {"value": False, "from": None}
    assert got["settings"]["guard"] == {"value": "guarded", "from": None}
    assert got["way_out"] == ["socks5 h:1080 as 'u'", "http g:8080 as 'v'"]
    assert "hunter2" not in config(lab, "show", "p", "--json").out
    got = json.loads(config(lab, "show", "--json").out)
    assert [p["name"] for p in got["profiles"]] == ["a"]
    ran = config(lab, "show", "a", user=False)
    assert "goes before" not in ran.out and "true" in ran.out, ran


def test_show_of_nobody_is_4(lab, files):
    ran = config(lab, "show", "nobody")
    assert ran.rc == 4 and ran.out == "", ran


def test_show_of_a_broken_configuration_is_1(lab, files):
    files.user("x")
    assert config(lab, "show").rc == 1


@pytest.mark.parametrize("words", [[], ["chekc"], ["check", "a", "b"],
                                   ["path", "x"], ["import"], ["--nonsense"],
                                   ["show", "--nonsense"]])
def test_called_wrongly_is_2(lab, words):
    ran = config(lab, *words)
    assert ran.rc == 2 and ran.err.startswith("nsproxy: config: "), ran


# --- config import

SEED = {
    "profiles": {
        "geph": {
            "vconns": [{"target": "Root"}],
            "procs": {"su": None, "normal": {
                "program": "geph4", "argv": ["connect", "--x=\"$\\"],
                "user": None}},
            "tun2socks": {"SrcAddrPort": {"vconn": {"target": "Root"},
                                          "v6": False, "port": 9909}},
            "dnsproxy": {"Enabled": {"v6": False, "port": 5353,
                                     "args": None}}},
        "i2p": {"vconns": [{"target": "Root"}], "procs": {},
                "tun2socks": "Disabled", "dnsproxy": "Disabled"},
        "geph1": {
            "vconns": [{"target": "Root"}, {"target": {"Named": "i2p"}}],
            "procs": {}, "tun2socks": {"SrcAddrPort": {
                "vconn": {"target": {"Named": "i2p"}}, "port": 1}},
            "dnsproxy": {"Enabled": {"args": [
                "-l", "127.0.0.1", "-u", "tls://9.9.9.9",
                "--upstream=1.1.1.1"]}}},
        "named": {"dnsproxy": {"Enabled": {"args": [
            "-u", "tls://dns.example", "-u", "1.1.1.1"]}}},
        "boot": {"dnsproxy": {"Enabled": {"args": [
            "-u", "tls://dns.example", "--bootstrap=9.9.9.9"]}}},
        "bad/name": {"vconns": [], "procs": {}, "tun2socks": "Disabled",
                     "dnsproxy": "Disabled"},
    },
    "flatpak": {"org.example.App": "geph"},
}

OLD = {"params": {"work": {
    "cmd": {"program": "gost", "argv": ["-F=socks5://$ip_vh:9909"]},
    "hport": 9908, "chain": True, "ipv6": True,
    "dns_argv": ["-u", "tcp://9.9.9.9:53"]}}, "flatpak": {}}


def test_import_makes_a_good_configuration(lab, files):
    ran = config(lab, "import", lab.home_file("s.json", json.dumps(SEED)))
    assert ran.rc == 0, ran
    for word in ("bad/name", "flatpak", "'i2p'", "tls://dns.example", "'geph1'",
                 "another namespace"):
        assert word in ran.err, (word, ran)
    files.user(ran.out)
    assert config(lab, "check").rc == 0, (ran, config(lab, "check"))
    got = {name: json.loads(config(lab, "show", name, "--json").out)
           for name in ("geph", "i2p", "geph1", "named", "boot")}
    value = {name: {k: v["value"] for k, v in one["settings"].items()}
             for name, one in got.items()}
    assert value["geph"]["chain"] == ["socks5://127.0.0.1:9909"]
    assert value["geph"]["dns"] == ["tcp://1.1.1.1"]
    assert value["i2p"]["chain"] == ["block://"]
    assert value["geph1"]["chain"] == ["block://"]
    assert value["geph1"]["dns"] == ["dnsproxy", "tls://9.9.9.9", "1.1.1.1"]
    assert value["named"]["dns"] == ["1.1.1.1"], "nobody knows its address"
    assert value["boot"]["dns"] == ["dnsproxy", "tls://dns.example",
                                    "bootstrap=9.9.9.9"]


def test_import_of_the_older_shape(lab, files):
    ran = config(lab, "import", lab.home_file("s.json", json.dumps(OLD)))
    assert ran.rc == 0 and "$ip_vh" not in ran.out, ran
    assert "'cmd'" in ran.err and "'chain'" in ran.err, ran
    files.user(ran.out)
    assert config(lab, "check").rc == 0
    assert json.loads(config(lab, "show", "work", "--json").out)["way_out"] \
        == ["socks5 127.0.0.1:9908"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"profiles": 1}',
                                  '{"profiles": {"a": {}, "a": {}}}',
                                  "[" * 5000])
def test_import_of_something_else_is_1(lab, text):
    ran = config(lab, "import", lab.home_file("s.json", text))
    assert ran.rc == 1 and ran.out == "", ran
    assert ran.err.startswith("nsproxy: config: "), ran


@pytest.mark.parametrize("text", [
    '{"profiles": {"a": {}, "b": null, "": {}}}',
    '{"profiles": {"a": {"tun2socks": 1, "vconns": 2, "dnsproxy": [],'
    ' "procs": "x", "other": {}}}}',
    '{"profiles": {"a": {"tun2socks": {"SrcAddrPort": {"port": -1,'
    ' "vconn": {"target": "Root"}}}, "vconns": [1, null, {}],'
    ' "dnsproxy": {"Enabled": {"args": [1, "-u"]}},'
    ' "procs": {"normal": {"program": "\\u0001", "argv": [1]}}}}}',
    '{"params": {"a": {"hport": "x", "cmd": 1, "dns_argv": ["-u", "-u"]}}}',
    '{"profiles": {"a": {}}, "params": {"a": {"hport": 7}}}',
    *(pytest.param(json.dumps({"params": {"a": {"cmd": {"program": "x",
                                                        **more}}}}), id=name)
      for name, more in ({f"user {user}": {"user": user} for user in
                          ("", "@sudo", "0", "no such", 'a"b')} |
                         {"words": {"argv": ["y"] * 64},
                          "octets": {"argv": ["y" * 4094]}}).items())])
def test_import_of_odd_values_stays_shut(lab, files, text):
    ran = config(lab, "import", lab.home_file("s.json", text))
    assert ran.rc == 0, ran
    files.user(ran.out)
    assert config(lab, "check").rc == 0, (ran, config(lab, "check"))
    assert "direct" not in ran.out


def test_the_shipped_example_is_good(lab, files):
    here = os.path.dirname(__file__)
    example = f"{here}/../../doc/examples/nsproxy.conf"
    with open(example, encoding="utf-8") as file:
        files.system(file.read())
    ran = config(lab, "check", user=False)
    assert ran.rc == 0, ran
