"""The command that starts a program in a bubblewrap sandbox: strict, and with little.

Inside there are the interpreter, the packages, the few modules of the grader that
stand on the untrusted side, one scratch folder, and the sockets of the fakes. Not
there: the user's files, the exercises and their checks, other submissions, a network,
other processes, an environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
HOME = "/tmp"
GRADER = "/opt/grader"  # where those modules are inside
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives", "/etc/ssl")
TMP_LIMIT_B = 64 * 1024 * 1024  # of /tmp, and of shared memory
PROBE_LIMIT_S = 10.0
HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


def arguments(
    command: Sequence[str],
    scratch: Sequence[Path],
    read_only: Sequence[Path],
    modules: Sequence[Path],
    environment: Mapping[str, str],
) -> list[str]:
    """Return bubblewrap's arguments, the command last.

    Args:
        scratch: folders that the program may change, at the same path inside.
        read_only: what else it may read, at the same path too.
        modules: files of the package `grader`, found below GRADER inside.
        environment: all of the program's environment.
    """
    built = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    built += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    built += ["--cap-drop", "ALL"]
    if os.getuid():
        built += ["--unshare-user", "--disable-userns"]
    else:  # to become somebody else; see walls.become, and then they are gone
        built += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    built += ["--clearenv", "--hostname", "sandbox"]
    for name, value in environment.items():
        built += ["--setenv", name, value]
    for folder in ("/tmp", "/dev/shm"):
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
    """Return what every program inside may read: the walls of a process name it."""
    kept = [*_interpreter(), *SYSTEM, *SETTINGS, GRADER, "/proc", "/etc"]
    return [*kept, "/dev"]


def writable() -> list[str]:
    """Return what every program inside may change, beside its own folders."""
    devices = ("null", "zero", "full", "random", "urandom", "shm")
    return ["/tmp", *(f"/dev/{name}" for name in devices)]


@cache
def available() -> str:
    """Return why bubblewrap cannot be used on this machine, or "" where it can."""
    if sys.platform != "linux":
        return "bubblewrap is Linux's own"
    found = shutil.which("bwrap")
    if found is None:
        return "expected the command bwrap (Debian, Ubuntu: apt install bubblewrap)"
    command = [found, *arguments(["/bin/true"], (), (), (), {})]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"bubblewrap did not start: {problem}"
    if ran.returncode:
        said = ran.stderr.strip().splitlines()[-1:]
        return f"bubblewrap refused to start: {''.join(said)[:200]}"
    return ""


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
