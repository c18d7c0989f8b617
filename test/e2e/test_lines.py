# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd command lines, by the thousand.

NSPROXY_LINES says how many; 400 when it is not set, and `make lab` has 20000.
"""
import concurrent.futures
import os
import random
import re
import subprocess

import pytest

COUNT = int(os.environ.get("NSPROXY_LINES", "400"))
SEED = int(os.environ.get("NSPROXY_SEED", "7"))

VERBS = ["run", "serve", "check", "demo", "config", "up", "down", "restart",
         "switch", "reload", "attach", "detach", "list", "status", "exec",
         "shell", "pids", "id", "logs", "gc", "stop", "version", "help",
         "--help", "--version", "", "-", "--", "rnu", "Run", "@worker",
         "@keeper", "@builder", "@minder"]
WORDS = ["-x", "-e", "-p", "-d", "-4", "-6", "-q", "-v", "-P", "-u", "-l",
         "--json", "--guard", "--only", "--engine", "--config", "--helper",
         "--no-such", "--guard=", "--guard=none", "--json=1", "-xqv", "-",
         "--", "---", "", " ", "show", "path", "import", "check", "work", "..",
         "../../etc", "/", "/dev/null", "/etc/shadow", "a b", "a\nb", "\x1b[2J",
         "é", "%s%n", "$HOME", "`id`", "0", "-1", "65536", "99999999999999999",
         "socks5://127.0.0.1:1", "socks5://", "socks5://u:p@", "http://[::1",
         "direct://", "direct://?dev=nope", "block://", "ftp://x", "socks5:x",
         "socks5://127.0.0.1:1?timeout=0", "127.0.0.1:80:80", ":", "1:2:3:4",
         "udp://", "tcp://127.0.0.1:53", "fake", "off", "*.i2p", "x" * 300,
         "x" * 70000, "--pid", "1", "--netns", "--user", "--follow", "true"]
# Whoever was understood may do as it was told: that is no odd line.
LASTING = {"serve", "logs", "shell", "check"}
NO_WORDS = {"demo", "version", "list", "gc", "stop"}
STATUSES = {0, 1, 2, 3, 4, 5, 6, 7, 125, 126, 127}
PLAIN = re.compile(r"[\x20-\x7e…]*")


def line_of(number):
    dice = random.Random(f"{SEED}/{number}")
    words = [dice.choice(VERBS)]
    for _ in range(dice.choice([0, 1, 1, 2, 2, 3, 4, 6])):
        word = dice.choice(WORDS)
        # Not those that would become a proxy's name, which is asked for.
        if dice.random() < .2 and ":" not in word:
            octets = bytearray(word.encode()[:200] or b"q")
            for _ in range(dice.randint(1, 3)):
                octets[dice.randrange(len(octets))] = dice.randint(1, 255)
            word = bytes(octets)
        words.append(word)
    if words[0] == "demo":
        words += ["x"]       # without a word it shows what the host does
    if dice.random() < .01:
        words += ["--"] * 5000
    return words


def judge(words, ran):
    """What is wrong with how it ended, or None."""
    said = ran.stderr.decode("utf-8", "replace")
    if ran.returncode not in STATUSES:
        return f"status {ran.returncode}"
    text = [word.decode("latin-1") if isinstance(word, bytes) else word
            for word in words]
    if ran.returncode == 0 and words[0] in NO_WORDS and words[1:] and not (
            {"-h", "--help", "--", "--json", "--dry-run"} & set(text)):
        return "it does as if nothing had been said"
    if ran.returncode == 0 or words[0] in ("help", "--help"):
        return None
    lines = said.splitlines()
    if not lines:
        # What is wrong with a configuration is `config check`'s answer.
        return None if words[0] in ("run", "exec") or ran.stdout else (
            "it says nothing")
    if not 1 <= len(lines) <= 4 or len(said) > 4096:
        return f"{len(lines)} lines"
    if not lines[0].startswith("nsproxy: "):
        return "it does not say who it is"
    if not all(PLAIN.fullmatch(line) for line in lines):
        return "it says what it was told"
    return None


def try_line(lab, number):
    words = line_of(number)
    try:
        ran = subprocess.run(
            [*lab.prefix(), lab.nsproxy_path, *words],
            stdin=subprocess.DEVNULL, capture_output=True, 
            timeout=2 if words[0] in LASTING else 20,
            cwd="/run/lab/home", check=False,
            env=lab.environment({"XDG_RUNTIME_DIR": "/nonexistent"}))
    except subprocess.TimeoutExpired:
        fault = None if words[0] in LASTING else "it does not end"
        ran = None
    else:
        fault = judge(words, ran)
    return fault and (number, fault, [w[:80] for w in words[:12]],
                      ran and (ran.returncode, ran.stderr[-300:]))


def test_a_crash_or_a_second_page_would_be_noticed(lab):
    """The control: a judge that finds nothing wrong finds nothing."""
    class Ran:
        returncode, stderr, stdout = -11, b"", b""
    assert judge(["run"], Ran) == "status -11"
    Ran.returncode, Ran.stderr = 2, b""
    assert judge(["up"], Ran)
    Ran.stderr = b"nsproxy: up: \x1b[2J\n"
    assert judge(["up"], Ran)
    Ran.stderr = b"usage\n" * 50
    assert judge(["up"], Ran)
    Ran.stderr = b"nsproxy: up: what?\n"
    assert not judge(["up"], Ran)


def test_what_a_terminal_would_obey_is_quoted(lab):
    ran = lab.nsproxy("attach", "x", "--pid", "\udce0\x1b[2J")
    assert ran.rc == 2 and "'\\xe0\\x1b[2J' is no process" in ran.err, ran


@pytest.mark.row("U02")
def test_odd_command_lines_end_in_one_sentence(lab):
    with lab.watch() as verdict, \
            concurrent.futures.ThreadPoolExecutor(4) as crew:
        faults = list(filter(None, crew.map(
            lambda number: try_line(lab, number), range(COUNT))))
    assert verdict, verdict
    assert not faults, (len(faults), faults[:8])
