"""Who enters a sandbox from outside brings nothing in, and keeps no right."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launch import PACKAGE_ROOT, GraderBroke
from grader.harness.preloaded import Preloaded
from grader.sandbox import bubblewrap, joining
from grader.vocabulary import process
from tests.harness.living import LIMIT_S, survivors
from tests.harness.small import LIGHT, Warm
from tests.sandbox.conftest import needed

ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"
SEEN = """
import os

def chat(thread_id, text):
    if text == "status":
        return open("/proc/self/status").read()
    if text == "files":
        kinds = [os.fstat(int(n)) for n in os.listdir("/proc/self/fd") if known(n)]
        return repr([(each.st_dev, each.st_ino) for each in kinds])
    spaces = os.listdir("/proc/self/ns")
    return repr({n: os.stat(f"/proc/self/ns/{n}").st_ino for n in spaces})

def known(number):
    return os.path.lexists(f"/proc/self/fd/{number}")
"""
RIGHTS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# Judges one answer in a sandbox; run by a user without any right outside.
AS_A_USER = """
import os, sys
from pathlib import Path
from grader.harness.fork_launcher import ForkLauncher
from tests.harness.small import LIGHT, Warm
assert os.getuid() == 1000
one = Warm(ForkLauncher(1), LIGHT, Path(sys.argv[1]))
print(one.harness.tier, one.harness.got_through, one.verdict(sys.argv[2]).passed)
one.close()
"""


@pytest.fixture
def preloaded() -> Iterator[Preloaded]:
    """A zygote that several harnesses share."""
    needed(tiers.ISOLATED)
    with Preloaded([tiers.FORKSERVER, *LIGHT]) as made:
        yield made


def status(pid: int | str) -> dict[str, str]:
    """Return what Linux says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}


def test_no_right_is_left(isolated: Warm) -> None:
    """neither a submission's process nor who forks it can get any right again"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "status"))
    lines = str(run.replies[0].value).splitlines()
    inside = {n: v.strip() for n, _, v in (line.partition(":") for line in lines)}
    forkserver = status(isolated.harness.launcher.root_pid())
    for found in (inside, forkserver):
        assert [int(found[name], 16) for name in RIGHTS] == [0] * len(RIGHTS)
        assert found["NoNewPrivs"] == "1"
    waits = psutil.Process(isolated.harness.launcher.root_pid()).ppid()
    assert int(status(waits)["CapEff"], 16) == 0
    if not os.getuid():
        uids = {*forkserver["Uid"].split(), *forkserver["Gid"].split()}
        assert uids == {str(isolated.harness.launcher.owner)}
        assert forkserver["Groups"] == ""


def test_it_is_in_all_of_the_namespaces(isolated: Warm) -> None:
    """who has entered shares no namespace with us that the sandbox does not share"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "namespaces"))
    inside = ast.literal_eval(str(run.replies[0].value))
    for name in ("ipc", "mnt", "net", "pid", "pid_for_children", "uts"):
        assert inside[name] != os.stat(f"/proc/self/ns/{name}").st_ino


def test_nothing_is_open(isolated: Warm) -> None:
    """a submission's process holds no file that the zygote has, and none of ours"""
    run = isolated.history(SEEN, process(0).calls("chat", "a", "files"))
    inside = set(ast.literal_eval(str(run.replies[0].value)))
    held = set()
    zygote = psutil.Process(isolated.harness.launcher.root_pid()).parent()
    assert zygote is not None
    outer = zygote.parent()
    assert outer is not None
    for pid in (os.getpid(), outer.pid):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # what has listed them
                found = os.stat(f"/proc/{pid}/fd/{name}")
                held.add((found.st_dev, found.st_ino))
    nowhere = os.stat(os.devnull)
    held.discard((nowhere.st_dev, nowhere.st_ino))
    assert not inside & held


def test_what_several_share(preloaded: Preloaded, tmp_path: Path) -> None:
    """sandboxes that were entered from one zygote have nothing else in common"""
    made = [
        Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path) for _ in range(2)
    ]
    try:
        roots = [each.harness.launcher.root_pid() for each in made]
        first = psutil.Process(roots[0])
        waits = [psutil.Process(root).parent() for root in roots]
        assert len({each.ppid() for each in waits if each is not None}) == 1
        spaces = [
            os.stat(f"/proc/{root}/ns/{n}") for root in roots for n in ("pid", "mnt")
        ]
        assert len({each.st_ino for each in spaces}) == 4
        assert [each.verdict(ANSWERS).passed for each in made] == [True, True]
        made[0].close()
        assert not survivors([first])
        assert made[1].verdict(ANSWERS).passed
    finally:
        made[1].close()


def test_a_zygote_that_has_ended(preloaded: Preloaded, tmp_path: Path) -> None:
    """whoever comes next is given another, and who is inside stays"""
    first = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    waits = psutil.Process(first.harness.launcher.root_pid()).parent()
    assert waits is not None
    zygote = psutil.Process(waits.ppid())
    zygote.kill()
    assert not survivors([zygote])
    second = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    try:
        assert first.verdict(ANSWERS).passed
        assert second.verdict(ANSWERS).passed
    finally:
        first.close()
        second.close()


def test_it_ends_with_its_owner(preloaded: Preloaded, tmp_path: Path) -> None:
    """a zygote, and the other one, end when nobody needs them; sandboxes do not"""
    one = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    preloaded.another.start()
    me = psutil.Process()
    zygotes = [c for c in me.children() if "grader.harness.zygote" in c.cmdline()]
    preloaded.close()
    left = [c for c in me.children() if c in zygotes]
    assert len(zygotes) - len(left) >= 2
    assert one.verdict(ANSWERS).passed
    one.close()


def test_a_sandbox_that_is_gone(preloaded: Preloaded) -> None:
    """nobody is forked into a sandbox that has ended, and the zygote goes on"""
    needs = subprocess.Popen(["sleep", "0"])
    needs.wait()
    with pytest.raises(FileNotFoundError):
        joining.join(needs.pid)


def test_an_order_that_is_too_long(preloaded: Preloaded) -> None:
    """what would not arrive whole is not sent"""
    with pytest.raises(GraderBroke, match="too long"):
        preloaded.fork({"arguments": ["a" * 100_000]}, [])


def test_a_bubblewrap_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a sandbox that does not start is an error, and leaves nothing"""
    needed(tiers.ISOLATED)
    built = bubblewrap.arguments

    def wrong(*given: object) -> list[str]:
        return ["--no-such-option", *built(*given)]  # type: ignore[arg-type]

    monkeypatch.setattr(bubblewrap, "arguments", wrong)
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(GraderBroke, match="bubblewrap did not start"):
        Warm(ForkLauncher(tiers.ISOLATED), LIGHT, tmp_path)
    assert not survivors(set(psutil.Process().children(recursive=True)) - before)
    assert list(tmp_path.iterdir()) == []


def test_as_an_ordinary_user(tmp_path: Path) -> None:
    """who is not root enters a sandbox too, and nothing gets through it"""
    needed(tiers.ISOLATED)
    if shutil.which("unshare") is None:
        pytest.skip("the program unshare, of the system package util-linux, is missing")
    user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    ran = subprocess.run(
        [*user, sys.executable, "-c", AS_A_USER, str(tmp_path), ANSWERS],
        capture_output=True,
        text=True,
        timeout=LIMIT_S * 3,
        env={**os.environ, "PYTHONPATH": PACKAGE_ROOT},
    )
    if "unshare" in ran.stderr:
        pytest.skip("this machine lets nobody have a user namespace")
    assert ran.stdout.split() == ["1", "{}", "True"], ran.stderr
