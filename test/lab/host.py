# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the host's, other for the time of a test."""
import os
from contextlib import contextmanager


@contextmanager
def replaced(path, make):
    """In the lab's own /etc: make(path) stands there instead."""
    os.rename(path, f"{path}.aside")
    try:
        make(path)
        yield
    finally:
        if os.path.lexists(path):
            os.unlink(path)
        os.rename(f"{path}.aside", path)


def text(words):
    def make(path):
        with open(path, "w", encoding="ascii") as file:
            file.write(words)
    return make
