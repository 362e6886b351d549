"""The command that starts a program in a bubblewrap sandbox: strict, and with little.

Inside there are the interpreter, the packages, the few modules of the grader that
stand on the untrusted side, one scratch folder, and the sockets of the fakes. Not
there: the user's files, the exercises and their checks, other submissions, a network,
other processes, an environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from grader.sandbox import joining

PACKAGE = Path(__file__).parents[1]
HOME = "/tmp"
GRADER = "/opt/grader"  # where those modules are inside
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = (
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/hosts"),
    *("/etc/nsswitch.conf", "/etc/mime.types"),
)
SHARED = ("/tmp", "/dev/shm")  # by all that runs inside
TMP_LIMIT_B = 64 * 1024 * 1024  # of /tmp, and of shared memory
# Users that no machine has: above those of systemd's, containers' and networks'.
FIRST_UID, LAST_UID = 1_500_000_000, 1_999_999_999
NOBODY = "65534"  # what root is called inside where it can become nobody else
PROBE_LIMIT_S = 10.0
WAITS = "/bin/cat"  # what is in a sandbox until somebody enters it, and after


def arguments(
    command: Sequence[str],
    scratch: Sequence[Path],
    read_only: Sequence[Path],
    modules: Sequence[Path],
    environment: Mapping[str, str],
    becomes: bool = False,
) -> list[str]:
    """Return bubblewrap's arguments, the command last.

    Args:
        scratch: folders that the program may change, at the same path inside.
        read_only: what else it may read, at the same path too.
        modules: files of the package `grader`, found below GRADER inside.
        environment: all of the program's environment.
        becomes: whether who enters will become somebody else, as only root can.
    """
    built = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    built += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    built += ["--cap-drop", "ALL"]
    if not becomes:
        built += ["--unshare-user", "--disable-userns"]
        if not os.getuid():
            built += ["--uid", NOBODY, "--gid", NOBODY]
    built += ["--clearenv", "--hostname", "sandbox"]
    for name, value in environment.items():
        built += ["--setenv", name, value]
    for folder in SHARED:
        if folder == "/dev/shm":
            built += ["--dev", "/dev"]
        built += ["--perms", "1777", "--size", str(TMP_LIMIT_B), "--tmpfs", folder]
    built += ["--proc", "/proc"]
    places = [*_interpreter(), *map(str, (*scratch, *read_only)), *SETTINGS, GRADER]
    for path in _above(places):  # made by the bindings, they would be root's alone
        built += ["--perms", "0755", "--dir", path]
    for path in _interpreter():
        built += ["--ro-bind", path, path]
    for path in SYSTEM:
        if os.path.islink(path):
            built += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            built += ["--ro-bind", path, path]
    for path in SETTINGS:
        built += ["--ro-bind-try", path, path]
    for path in _masked():
        built += ["--tmpfs", path]
    built += ["--perms", "0755", "--dir", GRADER]
    for folder in sorted({str(Path(_place(m)).parent) for m in modules}):
        built += ["--perms", "0755", "--dir", folder]
    for module in modules:
        built += ["--ro-bind", str(module), _place(module)]
    for each in scratch:
        built += ["--bind", str(each), str(each)]
    for each in read_only:
        built += ["--ro-bind", str(each), str(each)]
    return [*built, "--chdir", HOME, "--", *command]


def readable() -> list[str]:
    """Return what every program may read: the walls of a process name it."""
    return [*_interpreter(), *SYSTEM, *SETTINGS, GRADER, "/proc"]


def writable() -> list[str]:
    """Return what every program inside may change, beside its own folders.

    /tmp is not among these: the folders of other processes may be below it.
    """
    devices = ("null", "zero", "full", "random", "urandom", "shm")
    return [f"/dev/{name}" for name in devices]


@cache
def available() -> str:
    """Return why bubblewrap cannot be used on this machine, or "" where it can."""
    if sys.platform != "linux":
        return "bubblewrap is Linux's own"
    found = shutil.which("bwrap")
    if found is None:
        return "expected the command bwrap (Debian, Ubuntu: apt install bubblewrap)"
    command = [found, *arguments(["/bin/true"], (), (), (), {}, others())]
    return _problem("bubblewrap", command) or _cannot_be_entered(found)


@cache
def others() -> bool:
    """Whether we are root, and can become the users that no machine has."""
    if os.getuid():
        return False
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/uid_map").read_text("ascii").splitlines():
            first, _, count = map(int, line.split())
            if first <= FIRST_UID and first + count > LAST_UID:
                return True
    return False


def _problem(what: str, command: Sequence[str]) -> str:
    """Return why a command does not succeed, or "" where it does."""
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{what} did not start: {problem}"
    said = ran.stderr.strip().splitlines()[-1:] if ran.returncode else []
    return f"{what} failed: {''.join(said)[:200]}" if ran.returncode else ""


def _cannot_be_entered(bwrap: str) -> str:
    """Return why a sandbox cannot be entered from outside, or "" where it can.

    That is so where bubblewrap may do more than its user, as a setuid program.
    """
    told, info = os.pipe()
    inside = arguments([WAITS], (), (), (), {}, others())
    with (
        os.fdopen(told, "rb") as first,
        subprocess.Popen(
            [bwrap, "--info-fd", str(info), *inside],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[info],
            env={},
        ) as waits,
    ):
        os.close(info)
        assert waits.stdin is not None
        assert waits.stdout is not None
        try:
            waits.stdin.write(b"\n")
            waits.stdin.flush()
            waits.stdout.read(1)  # all is there that will be seen inside
            pid = str(json.loads(first.read())["child-pid"])
        except (OSError, ValueError, KeyError) as problem:
            return f"bubblewrap did not start: {problem}"
        enters = [sys.executable, "-IS", joining.__file__, pid]
        return _problem("to enter a sandbox", enters)


def _interpreter() -> list[str]:
    """Return the folders of Python and its packages, outermost first."""
    names = ("/usr", sys.base_prefix, sys.base_exec_prefix, sys.prefix)
    paths = {path for name in names for path in (name, os.path.realpath(name))}
    return sorted(path for path in paths if os.path.isdir(path))


def _above(paths: Iterable[str]) -> list[str]:
    """Return all folders above these, outermost first."""
    found = {str(folder) for path in paths for folder in Path(path).parents}
    return sorted(found - {"/", "/tmp"})


def _masked() -> list[str]:
    """Return folders of the package `grader` that would be seen inside otherwise."""
    package, prefixes = str(PACKAGE.resolve()), _interpreter()
    return [package] if any(package.startswith(f"{p}/") for p in prefixes) else []


def _place(module: Path) -> str:
    return str(Path(GRADER, "grader", module.relative_to(PACKAGE)))
