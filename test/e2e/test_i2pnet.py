# SPDX-License-Identifier: GPL-3.0-or-later
"""I2P: sites that real i2pd routers serve and fetch, in a net of their own.

All of it is the real i2pd; what one router alone can show, and what a stand-in
must, is in test_i2p.py.
"""
import json
import os
import shutil

import pytest

from lab import i2p as i2p_lab
from lab.i2p import I2pNet
from lab.run import wait_for

pytestmark = [pytest.mark.net, pytest.mark.alone]

ONLY = ("--only", "*.i2p")
REAL = f"http://{i2p_lab.HOST}:{i2p_lab.HTTP}?forward"
REAL_SOCKS = f"socks5://{i2p_lab.HOST}:{i2p_lab.SOCKS}"


@pytest.fixture(scope="module")
def net(world):
    program = shutil.which("i2pd", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.fail("i2pd is not installed: tools/install-deps test")
    with I2pNet(world, program) as net:
        yield net


@pytest.fixture(scope="module")
def site(net):
    return net.site()


def test_the_routers_know_one_another(net):
    assert wait_for(lambda: f"Routers:</b> {i2p_lab.ROUTERS}"
                    in net.console(), 30), net.console()


def test_a_site_of_i2p_is_fetched_end_to_end(lab, site):
    with lab.watch() as silence:
        ran = lab.sandbox(["curl", "-sS", "-m", "60", f"http://{site}/a?b"],
                          REAL, ONLY, timeout=70)
    page = json.loads(ran.out)
    assert page["request"] == "GET /a?b HTTP/1.1" and page["host"] == site
    assert silence, silence


def test_a_client_that_keeps_its_connection_reads_a_site_twice(lab, site):
    got = lab.inside(f"""
import http.client
c = http.client.HTTPConnection({site!r}, timeout=60)
pages = []
for path in ("/1", "/2"):
    c.request("GET", path)
    pages.append(json.loads(c.getresponse().read())["request"])
out(pages)
""", REAL, ONLY, timeout=130)
    assert got == ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]


def test_a_site_is_fetched_by_the_socks_proxy_too(lab, site):
    ran = lab.sandbox(["curl", "-sS", "-m", "60", f"http://{site}/s"],
                      REAL_SOCKS, ONLY, timeout=70)
    assert json.loads(ran.out)["host"] == site, ran
