# SPDX-License-Identifier: GPL-3.0-or-later
"""What the data plane spends on one of each does not grow unseen."""
import os
import platform
import subprocess
import sys

import pytest

BENCH = os.path.join(os.path.dirname(__file__), "..", "..", "bench", "run")

pytestmark = pytest.mark.alone


@pytest.mark.skipif(platform.machine() != "x86_64" or
                    "ASAN_OPTIONS" in os.environ,
                    reason="the numbers are those of a plain x86-64 build")
def test_instructions_and_system_calls_are_what_they_may_be(tmp_path):
    ran = subprocess.run([sys.executable, BENCH, "--check", "--out",
                          tmp_path], capture_output=True, text=True,
                         timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
