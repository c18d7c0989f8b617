# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets where the host's daemons would listen, to see who asks them."""
import os
import socket
import struct
import threading

from .run import name_of


class Decoy:
    """Hangs up on whoever connects; .came has their programs' names.

    but: those that set the stage, and are not noted
    """

    def __init__(self, path, but=()):
        self.path, self.but = path, but
        self.came = []
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            pid = struct.unpack("3i", sock.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            name = name_of(pid)
            if name not in self.but:
                self.came.append(name)
            sock.close()

    def close(self):
        self.sock.close()
        os.unlink(self.path)
