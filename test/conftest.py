# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the end-to-end tests: one lab a process, silent wires."""
import ast
import os
import pathlib
import shutil
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# The lab needs the path above.
from lab import Keep, Lab, TorNet, ToyProxy, chain   # noqa: E402


def find_binary():
    named = os.environ.get("NSPROXY")
    if named:
        return named
    for build in ("build-gcc", "build"):
        path = HERE.parent / build / "src" / "nsproxy"
        if path.exists():
            return str(path)
    return None


def heed_signals():
    """Of who began us in the background or by nohup(1), ours inherit deaf
    ears, and would pass them on to the programs under test."""
    for sig in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(sig) == signal.SIG_IGN:
            signal.signal(sig, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    heed_signals()
    config.addinivalue_line(
        "markers", "loud: this test means to send on the host's own wires")
    config.addinivalue_line(
        "markers", "smoke: the few that also run with sanitizers")
    config.addinivalue_line(
        "markers", "alone: needs the machine for itself (timing)")
    config.addinivalue_line(
        "markers", "long: takes its time; make lab has it")
    config.addinivalue_line(
        "markers", "no_lab: reads files alone")
    config.addinivalue_line(
        "markers", "row(id, ...): the rows of rows.txt that it proves")
    config.addinivalue_line(
        "markers", "net: needs a Tor or I2P network of the lab's own")


def pytest_pycollect_makemodule(module_path):
    """Of two tests with one name only the last would run."""
    tree = ast.parse(module_path.read_bytes())
    names = [one.name for one in tree.body
             if isinstance(one, ast.FunctionDef)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise pytest.UsageError(f"{module_path}: defined twice: {twice}")


@pytest.fixture(scope="session")
def world():
    if os.geteuid() != 0:
        pytest.skip("the lab needs root to make namespaces")
    return Lab(find_binary())


@pytest.fixture
def lab(world):
    if not world.nsproxy_path:
        pytest.fail("no nsproxy binary: build it or set NSPROXY")
    return world


@pytest.fixture(autouse=True)
def silent_wires(request):
    """Nothing may come over the host's own wires, in any test, unless it is
    marked loud."""
    if os.geteuid() != 0 or request.node.get_closest_marker("no_lab"):
        yield
        return
    world = request.getfixturevalue("world")
    if request.node.get_closest_marker("loud"):
        yield
        world.sweep()
        for wire in world.wires.values():
            wire.settle(0.2)
            wire.forget()
        return
    with world.watch("inet", "lan", after_s=0.02) as verdict:
        yield
        world.sweep()
    assert verdict, f"leak: {verdict}"


@pytest.fixture(scope="session")
def tornet(world):
    if not shutil.which("tor", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.fail("tor is not installed: tools/install-deps test")
    with TorNet.up(world) as net:
        yield net


@pytest.fixture
def proxy(lab):
    with ToyProxy(lab) as toy:
        yield toy


@pytest.fixture
def keep(lab, proxy):
    """A user's daemon with two profiles, unless a file has its own."""
    with Keep(lab, {"work": chain(proxy), "other": chain(proxy)}) as one:
        yield one


@pytest.fixture
def need():
    """need("tor"): the program's path; missing is a fault."""
    def look(program):
        path = shutil.which(program,
                            path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if not path:
            pytest.fail(f"{program} is not installed: tools/install-deps test")
        return path
    return look
