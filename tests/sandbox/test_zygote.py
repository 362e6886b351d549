"""A zygote and the sandboxes that are entered from it, when one of them ends."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil
import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launch import GraderBroke
from grader.harness.preloaded import Preloaded
from grader.sandbox import bubblewrap, joining
from tests.harness.living import BOTH, LIMIT_S, is_zygote, survivors
from tests.harness.small import LIGHT, Warm
from tests.sandbox.conftest import needed
from tests.sandbox.trying import ANSWERS

KNOWS_COLORSYS = """
import sys

def chat(thread_id, text):
    return "yes" if "colorsys" in sys.modules else None
"""


@pytest.fixture
def preloaded() -> Iterator[Preloaded]:
    """A zygote that several harnesses share."""
    needed(tiers.ISOLATED)
    with Preloaded([tiers.FORKSERVER, *LIGHT]) as made:
        yield made


def zygotes(but: Collection[psutil.Process] = ()) -> list[psutil.Process]:
    """Return those that this process has started, and that run, but for some."""
    own = psutil.Process().children()
    return [each for each in own if each not in but and is_zygote(each)]


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


def test_one_that_a_zygote_has_forked(preloaded: Preloaded, tmp_path: Path) -> None:
    """it imports what the first has not, ends with its own owner, and is replaced"""
    modules, others = [tiers.FORKSERVER, *LIGHT, "colorsys"], zygotes()
    with Preloaded(modules, preloaded) as branch:
        launcher = ForkLauncher(tiers.ISOLATED, branch)
        for _ in range(2):
            one = Warm(launcher, LIGHT, tmp_path)
            forked = psutil.Process(one.harness.launcher.root_pid()).parents()[1]
            (first,) = zygotes(others)
            assert forked.ppid() == first.pid
            assert one.verdict(KNOWS_COLORSYS).passed
            one.close()
            forked.kill()
            assert not survivors([forked])
        one = Warm(launcher, LIGHT, tmp_path)
        branched = first.children()
    assert not survivors(branched)
    assert one.verdict(ANSWERS).passed
    one.close()
    plain = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    assert not plain.verdict(KNOWS_COLORSYS).passed
    plain.close()


def test_one_that_is_given(preloaded: Preloaded, tmp_path: Path) -> None:
    """a process uses the zygote that it is given, and its own where that has ended"""
    others = zygotes()
    given = Preloaded([tiers.FORKSERVER, *LIGHT], control=preloaded.branch())
    with given:
        one = Warm(ForkLauncher(tiers.ISOLATED, given), LIGHT, tmp_path)
        forked = psutil.Process(one.harness.launcher.root_pid()).parents()[1]
        assert len(zygotes(others)) == 1
        forked.kill()
        assert not survivors([forked])
        other = Warm(ForkLauncher(tiers.ISOLATED, given), LIGHT, tmp_path)
        assert len(zygotes(others)) == BOTH
        for each in (one, other):
            assert each.verdict(ANSWERS).passed
            each.close()


def test_it_ends_with_its_owner(preloaded: Preloaded, tmp_path: Path) -> None:
    """a zygote, and the other one, end when nobody needs them; sandboxes do not"""
    others = zygotes()
    one = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    preloaded.another.start()
    own = zygotes(others)
    preloaded.close()
    assert len(own) == BOTH
    assert not survivors(own)
    assert one.verdict(ANSWERS).passed
    one.close()


def test_a_sandbox_that_is_gone(preloaded: Preloaded, tmp_path: Path) -> None:
    """nobody is forked into a sandbox that has ended, and the zygote goes on"""
    preloaded.start()
    before = zygotes()
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours, theirs = socket.socketpair()
    log = tmp_path / "log"
    order = {"sandbox": gone.pid, "becomes": "os:abort", "arguments": []}
    with ours, theirs, log.open("wb") as output:
        files = [theirs.fileno(), output.fileno(), output.fileno()]
        preloaded.fork({**order, "environment": {}}, files)
        theirs.close()
        ours.settimeout(LIMIT_S)
        assert ours.recv(1) == b""  # whoever was forked for it has ended
    assert "FileNotFoundError" in log.read_text()
    one = Warm(ForkLauncher(tiers.ISOLATED, preloaded), LIGHT, tmp_path)
    assert zygotes() == before
    assert one.verdict(ANSWERS).passed
    one.close()


def test_a_sandbox_that_cannot_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where nobody may enter one there is no first tier, and the reason is told"""
    needed(tiers.ISOLATED)
    refused = tmp_path / "refused.py"
    refused.write_text("raise PermissionError('not let in')\n")
    monkeypatch.setattr(joining, "__file__", str(refused))
    why = bubblewrap.available.__wrapped__()
    assert why == "to enter a sandbox failed: PermissionError: not let in"


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
    launcher = ForkLauncher(tiers.ISOLATED)  # kept, so that nothing goes by chance
    with pytest.raises(
        GraderBroke, match="did not start a sandbox: bwrap: Unknown option"
    ):
        Warm(launcher, LIGHT, tmp_path)
    assert not survivors(set(psutil.Process().children(recursive=True)) - before)
    assert list(tmp_path.iterdir()) == []
