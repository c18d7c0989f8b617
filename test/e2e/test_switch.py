# SPDX-License-Identifier: GPL-3.0-or-later
"""Another plan for a sandbox that lives: switch and reload."""
import json
import os
import signal
import time

import pytest

from lab import Keep, ToyProxy
from lab.run import (is_alive, name_of, parent_of, pids, role_of, wait_for,
                     words_of)

FAR = "203.0.113.5"


def chain(*proxies, more=""):
    urls = ", ".join(f'"{p.url()}"' for p in proxies)
    return f"chain = {{{urls}}}\n{more}"


@pytest.fixture
def other(lab):
    with ToyProxy(lab, listen=("prx", "10.66.0.2", 1081)) as toy:
        yield toy


@pytest.fixture(params=[True, False], ids=["user", "root"])
def keep(lab, proxy, other, request):
    profiles = {"one": chain(proxy), "two": chain(other),
                "exposing": chain(other, more='expose = {"127.0.0.1:5432"}'),
                "strict": chain(other, more="guard = strict")}
    with Keep(lab, profiles, user=request.param) as made:
        made.profiles = profiles
        made.up("one")
        yield made


TALK = """
s = tcp('203.0.113.5', 7)
print('open', flush=True)
for line in sys.stdin:
    s.sendall(line.encode()); got = s.recv(100).decode() or sys.exit(3)
    print('got', got.strip(), flush=True)
"""


def talk(keep):
    """A program inside that echoes lines over one connection."""
    read, write = os.pipe()
    job = keep.inside_start("one", TALK, stdin=read)
    os.close(read)
    assert job.says("open"), job.ran(None)
    return job, write


@pytest.mark.row("P15")
@pytest.mark.smoke
def test_switch_moves_new_connections_and_keeps_old_ones(keep, proxy, other):
    before = keep.status("one")
    job, write = talk(keep)
    os.write(write, b"first\n")
    assert job.says("got first")
    assert keep("switch", "one", "two").rc == 0
    said = keep.inside("one", "out(connect_err('new.example', 80)[0])")
    assert said == "OK" and other.asked("new.example", 80)
    os.write(write, b"second\n")
    assert job.says("got second"), "by the old way"
    after = keep.status("one")
    assert after["netns"] == before["netns"] and after["profile"] == "two"
    assert after["keeper"] == before["keeper"]
    assert after["worker"] != before["worker"]
    assert name_of(before["worker"]) == "nsproxy-retired"
    os.close(write)
    job.wait()
    assert wait_for(lambda: not is_alive(before["worker"])), "its last is gone"
    assert not proxy.asked("new.example", 80)


@pytest.mark.row("P15")
def test_switch_can_cut(keep, other):
    job, write = talk(keep)
    old = keep.status("one")["worker"]
    assert keep("switch", "--close", "one", "two").rc == 0
    assert not is_alive(old)
    os.write(write, b"x\n")
    assert job.wait().rc != 0, "its connection has ended"
    os.close(write)
    assert keep.inside("one", "out(connect_err('n.example', 80)[0])") == "OK"


def test_switch_and_back_again(keep, proxy, other):
    for profile, toy in [("two", other), ("one", proxy), ("two", other)]:
        assert keep("switch", "one", profile).rc == 0
        name = f"to-{profile}.example"
        assert keep.inside(
            "one", f"out(connect_err({name!r}, 80)[0])") == "OK"
        assert toy.asked(name, 80)


@pytest.mark.parametrize("profile, word", [
    ("exposing", "expose"), ("strict", "guard"), ("nowhere", "nowhere")])
def test_switch_that_cannot_be_changes_nothing(keep, profile, word):
    before = keep.status("one")
    ran = keep("switch", "one", profile)
    assert ran.rc in (1, 4) and word in ran.err, ran
    assert keep.status("one") == before
    assert keep.inside("one", "out(connect_err('n.example', 80)[0])") == "OK"


def test_switch_words(keep):
    assert keep("switch", "one").rc == 2
    assert keep("switch", "nobody", "two").rc == 4
    assert keep("switch", "one", "a/b").rc == 1


def test_connects_during_switches_are_answered(keep, other):
    """Each one succeeds or is refused truly; none hangs, none leaks."""
    job = keep.inside_start("one", """
ends = []
end = time.monotonic() + 4
print('on', flush=True)
while time.monotonic() < end:
    ends.append(timed(lambda: tcp('203.0.113.5', 7, 10).close()))
bad = [e for e in ends if e[0] not in ('OK', 'ECONNRESET') or e[1] > 4]
out([len(ends), bad[:5], sum(e[0] != 'OK' for e in ends)])""")
    assert job.says("on")
    for profile in ["two", "one"] * 4:
        assert keep("switch", "one", profile).rc == 0
        time.sleep(0.2)
    ran = job.wait()
    count, bad, odd = json.loads(ran.out.splitlines()[-1])
    assert count > 20 and bad == [] and odd <= 2, ran


def test_down_cuts_retired_workers_too(keep, other):
    job, write = talk(keep)
    old = keep.status("one")["worker"]
    assert keep("switch", "one", "two").rc == 0
    assert is_alive(old)
    assert keep("down", "one").rc == 0
    assert wait_for(lambda: not is_alive(old), 3)
    os.close(write)
    job.wait()


def test_switched_one_is_adopted_with_its_profile(keep, proxy, other):
    assert keep("switch", "one", "two").rc == 0
    box = keep.status("one")
    keep.kill()
    keep.start()
    assert wait_for(lambda: keep.status("one")["state"] == "up")
    after = keep.status("one")
    assert after["profile"] == "two" and after["worker"] == box["worker"]
    os.kill(box["worker"], signal.SIGKILL)
    assert wait_for(lambda: keep.status("one")["worker"] not in
                    (0, box["worker"]))
    assert wait_for(lambda: keep.status("one")["state"] == "up")
    assert keep.inside("one", "out(connect_err('k.example', 80)[0])") == "OK"
    assert other.asked("k.example", 80), "the kept plan is the new one"


@pytest.mark.row("K07")
def test_daemon_killed_in_the_middle_of_a_switch(keep, proxy, other):
    for i, pause in enumerate([0.001, 0.003, 0.006, 0.01, 0.02, 0.04]):
        job = keep.lab.start([keep.lab.nsproxy_path, "switch", "one",
                              ["two", "one"][i % 2]], user=keep.user,
                             env=keep.env())
        time.sleep(pause)
        keep.kill()
        job.wait()
        keep.start()
        assert wait_for(lambda: keep.status("one")["state"] == "up", 15)
        name = f"after{i}.example"
        assert wait_for(lambda: keep.inside(
            "one", f"out(connect_err({name!r}, 80, 5)[0])") == "OK", 15)
        assert proxy.asked(name, 80) or other.asked(name, 80)


def builder_of(daemon):
    """The pid of a daemon's builder, or 0."""
    return next((pid for pid in pids() if parent_of(pid) == daemon and
                 role_of(pid) == "@builder"), 0)


def test_builder_killed_while_the_worker_retires(keep):
    """Its worker has let go and keeps a connection: another one comes."""
    job, write = talk(keep)
    old = keep.status("one")["worker"]
    os.kill(old, signal.SIGSTOP)         # so that the builder waits for it
    ask = keep.lab.start([keep.lab.nsproxy_path, "switch", "one", "two"],
                         user=keep.user, env=keep.env())
    builder = wait_for(lambda: builder_of(keep.job.pid), step_s=0.001)
    assert builder, ask.ran(None)
    time.sleep(0.3)
    os.kill(builder, signal.SIGKILL)
    os.kill(old, signal.SIGCONT)
    assert ask.wait().rc == 1
    assert wait_for(lambda: name_of(old) == "nsproxy-retired")
    assert keep.inside("one", "out(connect_err('n.example', 80, 5)[0])") == \
        "OK"
    assert wait_for(lambda: keep.status("one")["state"] == "up")
    assert keep.status("one")["worker"] not in (0, old)
    os.write(write, b"still\n")
    assert job.says("got still"), "and its connection is kept"
    os.close(write)
    job.wait()


@pytest.mark.row("R09")
def test_switch_that_cannot_be_written_down_is_told(keep):
    os.mkdir(keep.state + ".new")
    ran = keep("switch", "one", "two")
    os.rmdir(keep.state + ".new")
    assert ran.rc == 1 and "state.json" in ran.err, ran
    assert keep.status("one")["profile"] == "two", "as the hint says"


# --- names

CACHED = """
address = socket.getaddrinfo('kept.example', 80)[0][4][0]
print('has', address, flush=True)
for line in sys.stdin:
    print('said', connect_err(address, 80)[0], flush=True)
"""


@pytest.mark.row("D12")
def test_names_outlive_their_worker(keep, proxy, other):
    """A program that remembers an address reaches the same name by it."""
    read, write = os.pipe()
    job = keep.inside_start("one", CACHED, stdin=read)
    os.close(read)
    assert job.says("has"), job.ran(None)
    worker = keep.status("one")["worker"]
    os.kill(worker, signal.SIGKILL)
    assert wait_for(lambda: keep.status("one")["worker"] not in (0, worker))
    os.write(write, b"\n")
    assert job.says("said OK"), job.ran(None)
    assert proxy.asked("kept.example", 80)
    assert keep("switch", "one", "two").rc == 0
    os.write(write, b"\n")
    assert wait_for(lambda: job.out.count("said OK") == 2), job.ran(None)
    assert other.asked("kept.example", 80)
    os.close(write)
    job.wait()


# --- reload

def test_reload_leaves_the_unchanged_alone(keep):
    keep.up("two")
    before = [keep.status(n) for n in ("one", "two")]
    ran = keep("reload")
    assert ran.rc == 0 and ran.out == "", ran
    assert [keep.status(n) for n in ("one", "two")] == before
    told = json.loads(keep("reload", "--json").out)
    assert told["schema"] == "nsproxy.reload/1"
    assert {c["name"]: c["what"] for c in told["changes"]} == {
        "one": "unchanged", "two": "unchanged"}


def test_reload_minds_no_order_of_exposed_addresses(lab, proxy):
    def hosts(*ips):
        with open("/etc/hosts", "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n::1 localhost\n"
                       + "".join(f"{ip} db.internal\n" for ip in ips))
    hosts("192.168.77.10", "192.168.77.11")
    try:
        text = chain(proxy, more='expose = {"db.internal:5432"}')
        with Keep(lab, {"one": text}) as made:
            worker = made.up("one")["worker"]
            hosts("192.168.77.11", "192.168.77.10")
            ran = made("reload", "--json")
            told = json.loads(ran.out)["changes"]
            assert [one["what"] for one in told] == ["unchanged"], ran
            assert made.status("one")["worker"] == worker
            hosts("192.168.77.12", "192.168.77.10")
            ran = made("reload")
            assert ran.rc == 1 and "expose" in ran.out, "another address"
    finally:
        hosts()


def test_reload_switches_what_has_changed(keep, proxy, other):
    keep.up("two")
    two = keep.status("two")
    keep.write(keep.profiles | {"one": chain(other)})
    ran = keep("reload")
    assert ran.rc == 0 and ran.out == "one switched: chain\n", ran
    assert keep.inside("one", "out(connect_err('r.example', 80)[0])") == "OK"
    assert other.asked("r.example", 80)
    assert keep.status("two") == two
    keep.write(keep.profiles | {"one": chain(other, more='users = {"0"}')})
    worker = keep.status("one")["worker"]
    assert keep("reload").out == "one switched: users\n"
    assert keep.status("one")["worker"] == worker, "no traffic is touched"


@pytest.mark.parametrize("option", ["eager", "fresh"])
def test_reload_switches_to_other_options_of_a_proxy(keep, proxy, option):
    text = f'chain = {{"{proxy.url()}?{option}"}}'
    keep.write(keep.profiles | {"one": text})
    assert keep("reload").out == "one switched: chain\n"
    assert keep("reload").out == ""


def test_reload_starts_what_shall_start_by_itself(keep, other):
    keep.write(keep.profiles | {"new": chain(other, more="autostart = true")})
    ran = keep("reload")
    assert ran.rc == 0 and ran.out == "new started: autostart\n", ran
    assert keep.status("new")["state"] == "up"
    assert keep("reload").out == ""


def test_reload_of_what_is_gone_or_needs_a_restart(keep, other):
    keep.up("two")
    more = keep.profiles | {"two": chain(other, more="guard = strict")}
    del more["one"]
    keep.write(more)
    before = [keep.status(n) for n in ("one", "two")]
    ran = keep("reload")
    assert ran.rc == 1, ran
    assert "one gone: " in ran.out and "two failed: " in ran.out, ran
    assert "'guard'" in ran.out, ran
    assert [keep.status(n) for n in ("one", "two")] == before


@pytest.mark.row("S04")
def test_reload_of_a_broken_file_changes_nothing(keep):
    before = keep.status("one")
    with open(f"{keep.config}/nsproxy.conf", "a", encoding="ascii") as file:
        file.write('profile "x" { chian = "y" }\n')
    ran = keep("reload")
    assert ran.rc == 1 and "nsproxy.conf:" in ran.err, ran
    assert "chian" in ran.err
    said = len(keep.job.err)
    os.kill(keep.job.pid, signal.SIGHUP)
    assert wait_for(lambda: "not all is as the configuration says"
                    in keep.job.err[said:]), keep.job.err
    assert "nsproxy.conf:" in keep.job.err[said:], keep.job.err
    assert "chian" in keep.job.err[said:]
    assert keep.status("one") == before
    keep.write(keep.profiles)


def test_hangup_reloads(keep, other):
    keep.write(keep.profiles | {"one": chain(other)})
    worker = keep.status("one")["worker"]
    os.kill(keep.job.pid, signal.SIGHUP)
    assert wait_for(lambda: keep.status("one")["worker"] != worker)
    assert wait_for(lambda: keep.status("one")["state"] == "up")


def test_hangup_starts_what_shall_start_by_itself(keep, other):
    keep.write(keep.profiles | {"new": chain(other, more="autostart = true")})
    said = len(keep.job.err)
    for _ in range(3):
        os.kill(keep.job.pid, signal.SIGHUP)
    assert wait_for(lambda: "new started: autostart\n" in keep.job.err[said:])
    assert keep.status("new")["state"] == "up"
    assert wait_for(lambda: not [pid for pid in keep.job.family()[1:]
                                 if "reload" in words_of(pid)])
