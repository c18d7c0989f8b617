# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell on a pseudo-terminal, to try job control as a person does."""
import os
import pty
import re
import select
import subprocess
import time

PROMPT = "ready> "


class Terminal:
    """bash with job control; type() and expect()."""

    def __init__(self, lab, user=True):
        self.master, slave = pty.openpty()
        self.seen = ""
        self.mark = 0
        self.popen = subprocess.Popen(
            ["setsid", "--ctty", *lab.prefix(user), "bash", "--norc",
             "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave,
            env=lab.environment({"PS1": PROMPT, "TERM": "dumb"}),
            cwd="/run/lab/home")
        os.close(slave)
        self.expect(re.escape(PROMPT))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def type(self, text):
        os.write(self.master, text.encode())

    def line(self, text):
        self.type(text + "\n")

    def key(self, letter):
        """Ctrl-LETTER."""
        self.type(chr(ord(letter.upper()) - 64))

    def expect(self, pattern, timeout=10):
        """Wait for a pattern in what came since the last match."""
        end = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.seen[self.mark:])
            if found:
                self.mark += found.end()
                return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(
                    f"no {pattern!r} in {self.seen[self.mark:]!r}")
            try:
                self.seen += os.read(self.master, 4096).decode(
                    "utf-8", "replace")
            except OSError as problem:
                raise AssertionError(
                    f"terminal closed: {self.seen!r}") from problem

    def prompt(self, timeout=10):
        return self.expect(re.escape(PROMPT), timeout)

    def ask(self, text, timeout=15):
        """Type a line, wait for the prompt, give what was printed between."""
        self.line(text)
        self.expect(r"\r\n", timeout)
        start = self.mark
        self.prompt(timeout)
        return self.seen[start:self.mark - len(PROMPT)].replace("\r", "")

    def close(self):
        os.close(self.master)
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
