# SPDX-License-Identifier: GPL-3.0-or-later
"""Real programs, which nobody here wrote, behind real proxies."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from lab import Little
from lab.run import wait_for

FAR, FAR6 = "203.0.113.5", "2001:db8:1::5"
WEB = "203.0.113.90"
GO = shutil.which("go") or "/usr/local/go/bin/go"


# --- a web server at the far end with real things in it

@pytest.fixture(scope="module")
def web(world):
    """http://WEB:8000/ with a git repository, a package archive, a file."""
    root = "/run/lab/web"
    os.makedirs(f"{root}/deb", exist_ok=True)
    env = {**os.environ, "HOME": root, "GIT_CONFIG_NOSYSTEM": "1",
           "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    subprocess.run(f"""set -e; cd {root}
git init -q work; cd work; seq 50000 > numbers; git add .; git commit -qm one
cd ..; git clone -q --bare work repo.git
git --git-dir=repo.git update-server-info
head -c 20000000 /dev/urandom > big; sha256sum big > big.sum
mkdir -p pkg/DEBIAN pkg/usr/share
printf 'Package: nsp-hello\\nVersion: 1\\nArchitecture: all\\n\
Maintainer: a <a@b>\\nDescription: test\\n' > pkg/DEBIAN/control
dpkg-deb -b pkg deb/nsp-hello.deb >/dev/null
cd deb; size=$(stat -c %s nsp-hello.deb)
{{ dpkg-deb -f nsp-hello.deb; echo Filename: ./nsp-hello.deb;
   echo Size: $size; echo SHA256: $(sha256sum nsp-hello.deb | cut -d' ' -f1);
   echo; }} > Packages
""", shell=True, check=True, env=env, capture_output=True)
    job = subprocess.Popen(
        [*world.prefix(False, "inet"), "/usr/bin/python3", "-m",
         "http.server", "-d", root, "-b", WEB, "8000"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_for(lambda: world.outside(
        f"out(connect_err('{WEB}', 8000)[0])", place="prx") == "OK", 10)
    yield f"http://{WEB}:8000"
    job.kill()
    job.wait()


@pytest.mark.smoke
def test_curl(lab, proxy, web):
    ran = lab.sandbox(["sh", "-c", f"curl -sS {web}/big | sha256sum; "
                       f"curl -sS {web}/big.sum; curl -sS -6 "
                       f"'http://[{FAR6}]/'"], proxy)
    one, two, page = ran.out.splitlines()
    assert one.split()[0] == two.split()[0] and json.loads(page), ran


def test_curl_own_proxy_variables_do_not_confuse(lab, proxy):
    ran = lab.sandbox(["curl", "-sS", "http://a.example/"],
                      env={"ALL_PROXY": proxy.url("socks5h")})
    assert ran.rc == 0 and proxy.log[0].host == "a.example", ran


def test_wget(lab, proxy, web, need):
    need("wget")
    ran = lab.sandbox(["wget", "-q", "-O", "-", f"{web}/big.sum"], proxy)
    assert ran.rc == 0 and "big" in ran.out, ran
    ran = lab.sandbox(["wget", "-q", "-O", "-", "http://name.example/"],
                      proxy)
    assert ran.rc == 0 and proxy.log[-1].host == "name.example", ran


def test_git_clone(lab, proxy, web, need):
    need("git")
    where = f"{lab.scratch()}/clone"
    ran = lab.sandbox(["git", "clone", "-q", f"{web}/repo.git", where], proxy)
    assert ran.rc == 0 and os.path.exists(f"{where}/numbers"), ran


def test_apt_get_update_and_download(lab, proxy, web):
    base = "/run/lab/apt"
    subprocess.run(["mkdir", "-p", f"{base}/lists/partial",
                    f"{base}/archives/partial"], check=True)
    subprocess.run(["chown", "-R", "_apt", base], check=True)
    with open(f"{base}/sources.list", "w", encoding="ascii") as file:
        file.write(f"deb [trusted=yes] {web}/deb ./\n")
    opts = [f"Dir::Etc::SourceList={base}/sources.list",
            "Dir::Etc::SourceParts=/dev/null",
            f"Dir::State::Lists={base}/lists",
            f"Dir::Cache={base}", "Acquire::Languages=none",
            "Acquire::http::Proxy=false"]
    words = [word for opt in opts for word in ("-o", opt)]
    ran = lab.sandbox(["apt-get", *words, "update"], proxy, user=False,
                      timeout=60)
    assert ran.rc == 0 and "W:" not in ran.err, ran
    ran = lab.sandbox(["apt-get", *words, "download", "nsp-hello"], proxy,
                      user=False, timeout=60, cwd=f"{base}/archives")
    assert ran.rc == 0 and os.path.exists(
        f"{base}/archives/nsp-hello_1_all.deb"), ran


def test_dig_and_getent(lab, proxy, need):
    need("dig")
    ran = lab.sandbox(["sh", "-c", "dig +short n.example; getent hosts "
                       "n.example; getent ahosts n.example; host n.example "
                       "|| true"], proxy)
    assert ran.out.count("198.1") >= 2, ran


def test_python_urllib(lab, proxy):
    got = lab.inside("""
import urllib.request, concurrent.futures as f
def one(i):
    return urllib.request.urlopen('http://p%d.example/' % i,
                                  timeout=20).status
with f.ThreadPoolExecutor(10) as pool:
    out(sum(pool.map(one, range(50))))""", proxy)
    assert got == 50 * 200
    assert len({a.host for a in proxy.log}) == 50


@pytest.mark.parametrize("words", [[], ["-R"], ["-P", "8"], ["-P", "8", "-R"],
                                   ["-u", "-b", "50M"],
                                   ["-u", "-b", "50M", "-R"], ["--bidir"]])
def test_iperf3(lab, proxy, words, need):
    iperf3 = need("iperf3")
    server = lab.start([iperf3, "-s", "-1", "-B", "203.0.113.60"],
                       place="inet", user=False)
    assert wait_for(lambda: "5201" in lab.run(
        ["ss", "-Hltn"], place="inet", user=False).out)
    ran = lab.sandbox([iperf3, "-c", "203.0.113.60", "-t", "2", "-J", *words],
                      proxy, timeout=40)
    server.kill_family()
    assert ran.rc == 0, ran
    end = json.loads(ran.out)["end"]
    if "-u" in words:
        assert end["sum"]["lost_percent"] < 60, end["sum"]
    else:
        assert end["sum_received"]["bits_per_second"] > 1e8, end


# --- programs that bring their own resolver

MUSL = r"""
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct addrinfo *list, hint = { .ai_socktype = SOCK_STREAM };
	char got[9] = "";
	int fd;
	if (argc < 3 || getaddrinfo(argv[1], argv[2], &hint, &list))
		return 3;
	for (; list; list = list->ai_next) {
		fd = socket(list->ai_family, list->ai_socktype, 0);
		if (!connect(fd, list->ai_addr, list->ai_addrlen))
			break;
		close(fd);
	}
	if (!list || write(fd, "musl", 4) != 4 || read(fd, got, 8) != 4)
		return 4;
	return puts(got) < 0;
}
"""


def test_static_musl_program(lab, proxy, need):
    musl = need("musl-gcc")
    path = "/run/lab/bin/musl-probe"
    subprocess.run([musl, "-static", "-x", "c", "-", "-o", path], input=MUSL,
                   text=True, check=True)
    ran = lab.sandbox([path, "musl.example", "7"], proxy)
    assert ran.out == "musl\n" and proxy.log[0].host == "musl.example", ran


GOPROG = """package main
import ("fmt"; "io"; "net"; "net/http"; "os")
func main() {
	r, err := http.Get(os.Args[1])
	if err != nil { fmt.Println(err); os.Exit(1) }
	b, _ := io.ReadAll(r.Body)
	fmt.Println(len(b) > 0, r.StatusCode)
	_, err = net.Dial("tcp", os.Args[2])
	fmt.Println(err)
}
"""


def test_static_go_program(lab, proxy):
    if not os.path.exists(GO):
        pytest.fail("go is not installed: tools/install-deps test")
    base = "/run/lab/go"
    os.makedirs(base, exist_ok=True)
    with open(f"{base}/probe.go", "w", encoding="ascii") as file:
        file.write(GOPROG)
    subprocess.run([GO, "build", "-o", "/run/lab/bin/go-probe", "probe.go"],
                   cwd=base, check=True, capture_output=True,
                   env={**os.environ, "CGO_ENABLED": "0", "HOME": base,
                        "GOFLAGS": "-mod=mod", "GO111MODULE": "off"})
    with lab.watch() as verdict:
        ran = lab.sandbox(["/run/lab/bin/go-probe", "http://go.example/",
                           f"{FAR}:79"], proxy)
    assert "true 200" in ran.out and "refused" in ran.out, ran
    assert proxy.log[0].host == "go.example" and verdict, proxy.log


def test_busy_processes(lab, proxy):
    """Many processes at once, as a browser has them."""
    got = lab.inside("""
def child(i):
    s = tcp('c%d.example' % i, 19); s.sendall(b'300000\\n')
    os._exit(len(read_all(s)) != 300000)
pids = []
for i in range(60):
    pid = os.fork()
    if not pid: child(i)
    pids.append(pid)
out([os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids])""",
                     proxy, timeout=60)
    assert got == [0] * 60


# --- real proxies

def check_through(lab, url, *, udp=True, ends=True):
    """The same few wishes through any proxy. @ends: it carries half-closes
    (microsocks ends both ways at the first end)."""
    with lab.watch() as verdict:
        got = lab.inside(f"""
s = tcp('far.example', 9)
s.sendall(bytes(3000000))
if {ends}:
    s.shutdown(1); said = [read_all(s).decode().split()[0]]
else: said = ['3000000']
said += [connect_err('{FAR}', 79)[0]]
s = tcp('{FAR}', 19); s.sendall(b'3000000\\n'); said.append(len(read_all(s)))
u = udp('{FAR}', 7, 3)
try: u.send(b'u'); said.append(u.recv(9).decode())
except OSError as e: said.append(errno.errorcode.get(e.errno, 'timeout'))
out(said)""", url, timeout=60)
    assert got[0] == "3000000" and got[2] == 3000000, got
    assert got[1] in ("ECONNREFUSED", "EHOSTUNREACH", "EACCES"), got
    assert got[3] == ("u" if udp else "ECONNREFUSED"), got
    assert verdict, verdict


@pytest.fixture
def far_name():
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write(f"{FAR} far.example\n")


def listening(lab, port, place="prx"):
    return wait_for(lambda: f":{port} " in lab.run(
        ["ss", "-Hltn"], place=place, user=False).out, 10)


def test_microsocks(lab, need, far_name):
    lab.start([need("microsocks"), "-i", "10.66.0.2", "-p", "1080"],
              place="prx")
    assert listening(lab, 1080)
    check_through(lab, "socks5://10.66.0.2:1080", udp=False,
                  ends=False)
    ran = lab.sandbox(["curl", "-sS", f"http://{FAR}/"],
                      "socks5://10.66.0.2:1080?eager&timeout=2")
    assert ran.rc and "it may want to be asked without '?eager'" in ran.err, ran


def test_microsocks_with_credentials(lab, need, far_name):
    lab.start([need("microsocks"), "-i", "10.66.0.2", "-p", "1080", "-u",
               "joe", "-P", "word"], place="prx")
    assert listening(lab, 1080)
    check_through(lab, "socks5://joe:word@10.66.0.2:1080", udp=False,
                  ends=False)
    ran = lab.sandbox(["curl", "-sS", f"http://{FAR}/"],
                      "socks5://joe:bad@10.66.0.2:1080")
    assert ran.rc == 7 and ran.secs < 5, ran


def test_dante(lab, need, far_name):
    danted = need("danted")
    with open("/run/lab/danted.conf", "w", encoding="ascii") as file:
        file.write("""
logoutput: /run/lab/danted.log
internal: 10.66.0.2 port = 1080
external: out0
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0/0 to: 0/0 }
socks pass { from: 0/0 to: 0/0 command: bind connect udpassociate
  udp.portrange: 20000-20100 }
socks pass { from: 0/0 to: 0/0 command: bindreply udpreply }
""")
    lab.start([danted, "-f", "/run/lab/danted.conf"], place="prx", user=False)
    assert listening(lab, 1080)
    check_through(lab, "socks5://10.66.0.2:1080")
    check_through(lab, "socks5://10.66.0.2:1080?eager")


def test_ssh_dynamic_forwarding(lab, need, far_name):
    need("ssh")
    sshd = need("sshd")
    base = "/run/lab/ssh"
    os.makedirs(base, exist_ok=True)
    subprocess.run(f"""cd {base}; rm -f *
ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f id
cp id.pub keys; chown 61234 id keys; chmod 600 id""",
                   shell=True, check=True)
    with open(f"{base}/config", "w", encoding="ascii") as file:
        file.write(f"Port 1083\nListenAddress 10.66.0.2\nHostKey {base}/host\n"
                   f"AuthorizedKeysFile {base}/keys\nStrictModes no\n"
                   f"PidFile none\nUsePAM no\nPermitRootLogin yes\n")
    lab.proxy_ports.add(1083)
    lab.start([sshd, "-D", "-e", "-f", f"{base}/config"], place="prx",
              user=False)
    assert listening(lab, 1083)
    lab.start(["ssh", "-N", "-D", "127.0.0.1:1084", "-i", f"{base}/id", "-p",
               "1083", "-o", "StrictHostKeyChecking=no", "-o",
               "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
               "nsplab@10.66.0.2"])
    assert listening(lab, 1084, "host"), (lab.jobs[-1].err, lab.jobs[-2].err)
    check_through(lab, "socks5://127.0.0.1:1084", udp=False)
    check_through(lab, "socks5://127.0.0.1:1084?eager", udp=False)


def test_nsproxy_serve_on_the_hosts_loopback(lab):
    """The whole thing with nothing but ourselves; a server on the host that
    the proxy reaches and the sandbox does not."""
    job = lab.start([lab.nsproxy_path, "serve", "127.0.0.1:0"])
    found = wait_for(lambda: re.search(r"listening on .*:(\d+)\n", job.out))
    assert found, job.ran(None)
    with Little(lab, "host", "127.0.0.1", 8099):
        got = lab.inside("out([connect_err('127.0.0.1', 8099)[0],"
                         "connect_err('198.51.100.2', 8099)[0]])",
                         f"socks5://127.0.0.1:{found.group(1)}?eager")
    assert got == ["ECONNREFUSED"] * 2
    os.kill(job.pid, signal.SIGTERM)


def test_strace_sees_no_capabilities(lab, proxy, need):
    ran = lab.sandbox([need("strace"), "-f", "-qq", "-e", "trace=connect",
                       "curl", "-sS", "http://strace.example/"], proxy)
    assert ran.rc == 0 and "connect(" in ran.err, ran


@pytest.mark.row("P17")
def test_two_sandboxes_do_not_mix(lab, proxy):
    from lab import ToyProxy
    with ToyProxy(lab, listen=("prx", "10.66.0.2", 1085)) as other:
        lab.proxy_ports.add(1085)
        jobs = [lab.sandbox_start(
            ["sh", "-c", f"for i in $(seq 30); do curl -sS -o /dev/null "
             f"http://{name}$i.example/ || exit 1; done"], way)
            for name, way in (("one", proxy), ("two", other))]
        for job in jobs:
            ran = job.wait(60)
            assert ran.rc == 0, ran
    assert len(proxy.log) == len(other.log) == 30
    assert all(a.host.startswith("one") for a in proxy.log)
    assert all(a.host.startswith("two") for a in other.log)
