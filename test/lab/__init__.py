# SPDX-License-Identifier: GPL-3.0-or-later
"""Small internets made of namespaces, to test nsproxy end to end.

Read world.py first: it builds the places. far.py has the servers at the far
end, proxy.py the toy proxies, forward.py one that takes plain requests only,
upstream.py a toy DNS server, host.py replaces files of the host, decoy.py
sockets that none should ask, tornet.py a Tor network, vpn.py has VPNs of real
programs, wire.py the captures, run.py starts programs in the host's place,
inside.py is what tests run in a sandbox; machine.py boots a whole system;
taken.py makes a process of ours call what it is told.
"""
from .decoy import Decoy
from .far import FarServers, Little, LittleUdp
from .forward import ForwardProxy
from .keep import Flow, Keep, chain
from .machine import Machine
from .proxy import Faults, ToyProxy
from .run import Job, Ran
from .terminal import Terminal
from .tornet import TorNet
from .upstream import ToyDns
from .world import Lab

__all__ = ["Decoy", "Faults", "FarServers", "Flow", "ForwardProxy", "Job",
           "Keep", "Lab", "Little", "LittleUdp", "Machine", "Ran", "Terminal",
           "TorNet", "ToyDns", "ToyProxy", "chain"]
