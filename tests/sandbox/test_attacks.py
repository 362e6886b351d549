"""What a hostile submission tries, and that it neither harms nor gains anything.

Each attack runs inside the real walls; what it aims at is a decoy of the test's own.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from grader.vocabulary import process
from tests.harness.small import Warm, exercise
from tests.sandbox.trying import DATA, TRIES, look

JOURNAL = "kept.jsonl"  # what is kept of a run, beside where it is without being kept


def files_of_the_grader(warm: Warm, tmp_path: Path) -> dict[str, Path]:
    """Return what a submission would like to read, decoys where there is none yet."""
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_text("decoy")
    root = Path(__file__).parents[2]
    return {
        "journal": warm.harness.folder / JOURNAL,
        "log of the forkserver": warm.harness.folder / "forkserver.log",
        "gradebook": gradebook,
        "exercise": root / "grader" / "exercises" / "ex04_memory_saver.py",
        "checks": root / "grader" / "vocabulary" / "exercise.py",
        "supervisor": root / "grader" / "harness" / "supervisor.py",
        "solution": root / "solutions",
        "right answers": root / "tests" / "submissions",
        "keys": Path("/etc/shadow"),
        "home": Path.home(),
    }


def test_reads(walled: Warm, tmp_path: Path) -> None:
    """nothing of the grader, the gradebook, the solutions or the user can be read"""
    paths = files_of_the_grader(walled, tmp_path)
    aims = {name: [str(path), path.is_dir()] for name, path in paths.items()}
    text = f"""
def read(path, is_folder):
    return os.listdir(path) if is_folder else open(path, "rb").read()

def look(what):
    return {{name: tried(lambda: read(*aim)) for name, aim in {aims}.items()}}
"""
    journal = paths["journal"]
    (seen,) = look(walled, text, "a", keep=journal)
    refused = [{"met": "FileNotFoundError"}, {"met": "PermissionError"}]
    assert {name: got for name, got in seen.items() if got not in refused} == {}
    # What was not found inside was there outside, and the journal said of this call.
    assert [name for name, path in paths.items() if not path.exists()] == []
    assert '"kind": "call"' in journal.read_text("utf-8")
    journal.unlink()


def test_environment_and_arguments(walled: Warm) -> None:
    """no process in sight shows the environment of the grader or of whoever runs it"""
    os.environ["CANARY_OF_THE_TEST"] = "a-secret-of-the-teacher"
    text = """
def look(what):
    found = []
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        for file in ("environ", "cmdline"):
            try:
                seen = open(f"/proc/{pid}/{file}", "rb").read()
                if b"a-secret-of-the-teacher" in seen:
                    found.append(pid)
            except OSError:
                pass
    return [found, sorted(os.environ)]
"""
    try:
        (seen,) = look(walled, text, "a")
    finally:
        del os.environ["CANARY_OF_THE_TEST"]
    assert seen[0] == []
    assert "CANARY_OF_THE_TEST" not in seen[1]


def test_network(walled: Warm) -> None:
    """neither the machine's ports nor its datagrams nor abstract sockets are reached"""
    name = f"\0decoy-{os.getpid()}"
    with ExitStack() as stack:
        tcp, udp, abstract = (
            stack.enter_context(socket.socket(*kind))
            for kind in ((), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX,))
        )
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        abstract.bind(name)
        for each in (tcp, abstract):
            each.listen()
            each.setblocking(False)
        udp.setblocking(False)
        text = f"""
def look(what):
    def connect(family, address, *kind):
        with socket.socket(family, *kind) as client:
            client.settimeout(2)
            client.connect(address)
    def fast(call):
        with socket.socket() as client:
            client.settimeout(2)
            call(client, MSG_FASTOPEN)
    def send():
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"x", ("127.0.0.1", {udp.getsockname()[1]}))
    port = {tcp.getsockname()[1]}
    address = ("127.0.0.1", port)
    STREAM, MPTCP, MSG_FASTOPEN = socket.SOCK_STREAM, 262, 0x20000000
    return {{
        "tcp": tried(lambda: connect(socket.AF_INET, address)),
        "paths": tried(lambda: connect(socket.AF_INET, address, STREAM, MPTCP)),
        "fast": tried(lambda: fast(lambda s, f: s.sendto(b"x", f, address))),
        "faster": tried(lambda: fast(lambda s, f: s.sendmsg([b"x"], (), f, address))),
        "streams": tried(lambda: socket.socket(socket.AF_INET, STREAM, 132)),
        "packets": tried(lambda: socket.socket(socket.AF_INET6, 5, 132)),
        "udp": tried(send),
        "abstract": tried(lambda: connect(socket.AF_UNIX, {name!r})),
        "name": tried(lambda: socket.create_connection(("example.com", 80), 2)),
        "raw": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
        "vsock": tried(lambda: socket.socket(40)),
    }}
"""
        (seen,) = look(walled, text, "a")
        for waiting in (tcp, abstract):
            with pytest.raises(BlockingIOError):
                waiting.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(8)
    assert {k for k, v in seen.items() if "got" in v} <= {"udp"}


def test_privileges(walled: Warm) -> None:
    """no namespace, mount, other user, device or kernel interface is to be had"""
    text = """
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)

def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

def look(what):
    return {
        "user namespace": tried(lambda: call(libc.unshare(0x10000000))),
        "mount": tried(lambda: call(libc.mount(b"a", b"/tmp", b"tmpfs", 0, None))),
        "root": tried(lambda: os.setuid(0)) if os.getuid() else {"met": "nobody"},
        "chroot": tried(lambda: os.chroot("/")),
        "device": tried(lambda: os.mknod("disk", 0o60600, os.makedev(8, 0))),
        "memory": tried(lambda: open("/dev/mem", "rb")),
        "priority": tried(lambda: os.nice(-5)),
        "clock": tried(lambda: time.clock_settime(0, time.time())),
        "io_uring": tried(lambda: call(libc.syscall(425, 1, None))),
    }
"""
    (seen,) = look(walled, text, "a")
    assert all("met" in result for result in seen.values()), seen


def test_interpreter_is_read_only(walled: Warm) -> None:
    """no library, start-up file or shared folder can be poisoned for who comes next"""
    text = """
import site, sysconfig
def look(what):
    places = [sysconfig.get_path("purelib"), sys.prefix, sys.base_prefix, "/usr/lib",
              os.path.dirname(os.__file__), "/etc", os.path.dirname(os.getcwd())]
    places += [os.path.dirname(__file__)]
    return {place: tried(lambda: open(place + "/sitecustomize.py", "w"))
            for place in places}
"""
    (seen,) = look(walled, text, "a")
    assert all("met" in result for result in seen.values()), seen


def test_nothing_is_left_for_the_next(isolated: Warm) -> None:
    """shared memory, files and daemons of one run are unknown to the next"""
    leaves = """
def look(what):
    for folder in ("/dev/shm", os.environ["HOME"]):
        open(folder + "/left", "w").write("answers")
    if os.fork() == 0:
        os.setsid()
        threading.Event().wait()
    return "left"
"""
    finds = """
def look(what):
    folders = ("/dev/shm", os.environ["HOME"])
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [[f for f in folders if os.path.exists(f + "/left")], len(pids)]
"""
    ((_, before),) = look(isolated, finds, "a")
    assert look(isolated, leaves, "a") == ["left"]
    assert look(isolated, finds, "a") == [[[], before]]


def test_the_seed(walled: Warm) -> None:
    """nothing in sight of a submission holds the seed that all is drawn from"""
    text = """
import gc
def look(what):
    texts = [repr(sorted(os.environ.items())), repr(sys.argv)]
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        try:
            texts.append(repr(open(f"/proc/{pid}/cmdline", "rb").read()))
        except OSError:
            pass
    kinds = (dict, list, tuple, str)
    texts += [repr(found)[:5000] for found in gc.get_objects() if type(found) in kinds]
    return [text[:200] for text in texts if str(int(what) + 1) in text]
"""
    calls = [process(0).calls("look", "918272")]
    order = walled.order(TRIES + text, exercise(*calls, contract=DATA), seed=918273)
    run = walled.run(walled.harness.run(order)).runs["only"]
    assert run.replies[0].value == []
