"""No process of a submission asks the fakes under another's name, nor learns it."""

from __future__ import annotations

import re
from typing import Any

from grader.fakes.callers import BOUND
from grader.vocabulary import process
from tests.harness.small import Warm
from tests.sandbox.pairs import BOTH, run, values
from tests.sandbox.trying import look


def test_nobody_learns_of_another(walled: Warm) -> None:
    """what a process had from the forkserver tells no other's URL, key or folder"""
    # It looks before it needs memory itself, and for the form of each, because to be
    # told one would be to know it.
    text = r"""
import re
FORMS = [rb"127.0.0.1:\d+/([\w-]{22})/", rb"sk-[0-9a-f]{32}", rb"/process-\d+"]

def found():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            start, end = (int(each, 16) for each in place.split("-"))
            if rights.startswith("rw"):
                memory.seek(start)
                data = memory.read(end - start)
                for form in FORMS:
                    yield from (m.group(m.re.groups) for m in re.finditer(form, data))

FOUND = sorted({each.decode() for each in found()})

def look(what):
    url, key = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
    return [[url.split("/")[3], key, "/" + os.path.basename(os.getcwd())], FOUND]
"""
    for own, found in look(walled, text, *"aaaaaa", processes=6):
        assert set(own) <= set(found)
        assert set(found) <= set(own)


def test_no_name_of_a_socket_is_told(isolated: Warm) -> None:
    """what the kernel says of connections does not say whose URL each is for"""
    text = """
kept = []

def look(what):
    if FIRST:
        kept.append(connected())
        assert answered(kept[0], own()[0] + "/models", own()[1]) == 200
        return own()[0].split("/")[1]
    told = ""
    for name in os.listdir("/proc/net"):
        try:
            told += open("/proc/net/" + name).read()
        except (OSError, UnicodeDecodeError):
            pass
    return told
"""
    name, told = look(isolated, BOTH + text, "a", "a", processes=2)
    assert name not in told
    assert re.search(rf"/{BOUND}$", told, re.MULTILINE)  # the connection is there


# Process 1 has been told all that process 0 knows, and mixes it with its own.
PRETENDS = """
HELLO = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})

def look(what):
    if FIRST:
        json.dump(own(), open(SHARED + "/own", "w"))
        return []
    (place, key), (other, its_key) = own(), json.load(open(SHARED + "/own"))
    if what == "mixes":
        return [answered(connected(), place + "/chat/completions", its_key, HELLO),
                answered(connected(), other + "/chat/completions", key, HELLO)]
    kept = connected()
    charge = json.dumps({"order_id": "a", "amount": 1})
    paths = {place + "/models": None, other + "/chat/completions": HELLO,
             other[:-2] + "ledger/charges": charge, place + "/chat/completions": HELLO}
    keys = [its_key if path.startswith(other) else key for path in paths]
    return [answered(kept, path, key, body)
            for (path, body), key in zip(paths.items(), keys)]
"""


def pretends(warm: Warm, how: str) -> tuple[list[Any], list[int | None]]:
    """Return what process 1 got for its requests, and whose requests were noted."""
    calls = [process(number).calls("look", how) for number in (0, 1)]
    seen = run(warm, PRETENDS, *calls)
    noted = [each.process for kind in ("model", "charge") for each in seen.of(kind)]
    return values(seen)[1], noted


def test_a_url_and_a_key_belong_together(walled: Warm) -> None:
    """neither another's key at one's own URL nor the other way is answered"""
    assert pretends(walled, "mixes") == ([401, 401], [])


def test_a_connection_is_of_one(isolated: Warm) -> None:
    """over its own connection a process is itself, whatever URL and key it shows"""
    assert pretends(isolated, "one connection") == ([200, 404, 404, 200], [1])


# Each changes the folder of the sockets, or who is behind the name of another's.
CHANGES = """
import errno

def number(change):
    try:
        return repr(change())
    except OSError as problem:
        return errno.errorcode[problem.errno]

def look(what):
    os.chdir(what)
    mine = os.environ["HOME"] + "/mine"
    open(mine, "w").close()
    return {
        "create": number(lambda: open("new", "w")),
        "bind": number(lambda: socket.socket(socket.AF_UNIX).bind("new")),
        "folder": number(lambda: os.mkdir("new")),
        "link": number(lambda: os.symlink(mine, "new")),
        "unlink": number(lambda: os.unlink("decoy")),
        "rename": number(lambda: os.rename("decoy", "new")),
        "chmod": number(lambda: os.chmod("decoy", 0)),
    }
"""


def test_nobody_changes_the_sockets(walled: Warm) -> None:
    """in the folder of the fakes' sockets nothing is made, removed or replaced"""
    folder = walled.harness.place.sockets
    decoy = folder / "decoy"
    decoy.touch()
    folder.chmod(0o777)  # that it is somebody else's is not what protects it
    try:
        (seen,) = look(walled, CHANGES, str(folder))
        assert [path.name for path in folder.iterdir()] == ["decoy"]
        assert decoy.stat().st_mode & 0o400
    finally:
        folder.chmod(0o711)
        decoy.unlink(missing_ok=True)
    assert set(seen.values()) <= {"EROFS", "EACCES", "EPERM"}, seen
    assert {seen[name] for name in ("create", "unlink")} <= {"EROFS", "EACCES"}
