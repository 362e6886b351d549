"""What a zip should not hold, or is not, is refused by name."""

from __future__ import annotations

import os
import resource
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from grader.batch import archive
from grader.submissions import FILE_LIMIT_B
from tests.batch.arrivals import BOOK, MIB, found, unpacked, zipped
from tests.batch.classroom import STEM


def linked(name: str) -> zipfile.ZipInfo:
    """Return a member that would be a symbolic link."""
    made = zipfile.ZipInfo(name)
    made.external_attr = 0o120777 << 16
    return made


def test_bad_zips(tmp_path: Path) -> None:
    """what a zip should not hold is refused by name, and nothing is written anywhere"""
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../up/a.ipynb", BOOK)
        made.writestr("/etc/a.ipynb", BOOK)
        made.writestr("C:\\a.ipynb", BOOK)
        made.writestr("inner/a.zip", b"PK")
        made.writestr("bomb/a.ipynb", b" " * (15 * MIB))
        made.writestr("huge/a.ipynb", b"\0" * (FILE_LIMIT_B + 1))
        made.writestr(linked("link/a.ipynb"), "/etc/passwd")
        made.writestr(f"bob/{STEM}.ipynb", BOOK)
    before = sorted(tmp_path.rglob("*"))
    told = [(one.source.partition(": ")[2], one.problem) for one in found(path)]
    problems = {name.replace("\\", "/"): problem for name, problem in told}
    assert "leads out of it" in problems["../up/a.ipynb"]
    assert "found an absolute one" in problems["/etc/a.ipynb"]
    assert "found an absolute one" in problems["C:/a.ipynb"]
    assert "a zip inside a zip" in problems["inner/a.zip"]
    assert "shrinks to a 100th" in problems["bomb/a.ipynb"]
    assert "expected a file of at most" in problems["huge/a.ipynb"]
    assert "found a symbolic link" in problems["link/a.ipynb"]
    assert problems[f"bob/{STEM}.ipynb"] == ""
    assert before == sorted(tmp_path.rglob("*"))


def test_a_lying_zip(tmp_path: Path) -> None:
    """a zip that says a file is small is not believed"""
    path = zipped(tmp_path / "c.zip", {"ada/a.ipynb": b"ab" * (9 * MIB)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    (one,) = found(path)
    assert one.problem


def test_an_encrypted_zip(tmp_path: Path) -> None:
    """a zip with a password is refused with a way out"""
    path = zipped(tmp_path / "c.zip", {"ada/a.ipynb": BOOK})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    path.write_bytes(data)
    (one,) = found(path)
    assert "found an encrypted file" in one.problem
    assert "unpack it" in one.help


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"\0" * 4096])
def test_no_zip(tmp_path: Path, content: bytes) -> None:
    """what is called a zip and is none is one row with the reason"""
    path = unpacked(tmp_path, {"class.zip": content}) / "class.zip"
    (one,) = found(path)
    assert "expected a zip, found" in one.problem


def test_all_of_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a zip of many files is read as far as the limit of all of them together"""
    monkeypatch.setattr(archive, "TOTAL_LIMIT_B", 3 * len(BOOK))
    names = [f"author{n}/{STEM}.ipynb" for n in range(5)]
    taken = found(zipped(tmp_path / "c.zip", dict.fromkeys(names, BOOK)))
    assert [bool(one.problem) for one in taken] == [False, False, False, True, True]
    monkeypatch.setattr(archive, "MEMBERS_LIMIT", 4)
    (one,) = found(tmp_path / "c.zip")
    assert "expected at most 4 files in a zip, found 5" in one.problem


def listing(count: int, large: bool) -> bytes:
    """Return a zip that is a list of so many members; a large one is a zip64."""
    member = b"PK\x01\x02" + struct.pack("<24xH16x", 4) + b"a.py"
    size = count * len(member)
    end = struct.pack("<HHHHIIH", 0, 0, 0, 0, size, 0, 0)
    more = b""
    if large:
        end = struct.pack("<HHHHIIH", 0, 0, *[0xFFFF] * 2, *[0xFFFF_FFFF] * 2, 0)
        more = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, 0)
        more = b"PK\x06\x06" + more + b"PK\x06\x07" + struct.pack("<IQI", 0, size, 1)
    return count * member + more + b"PK\x05\x06" + end


@pytest.mark.parametrize("large", [False, True])
def test_a_long_list(
    tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a zip of too many files is refused before they are listed, in a zip64 too"""
    path = unpacked(tmp_path, {"c.zip": listing(60_000, large)}) / "c.zip"
    assert len(zipfile.ZipFile(path).infolist()) == 60_000
    tracemalloc.start()
    (one,) = found(path)
    _, peak_b = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "expected at most 50000 files in a zip, found 60000" in one.problem
    assert peak_b < 10 * MIB
    monkeypatch.setattr(archive, "DIRECTORY_LIMIT_B", MIB)
    (one,) = found(path)
    assert "expected a list of files of at most 1 MiB in a zip, found 2" in one.problem


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member(tmp_path: Path, method: int) -> None:
    """a damaged member is one row with the reason, however it was packed"""
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("ada/a.ipynb", BOOK)
        made.writestr(f"bob/{STEM}.ipynb", BOOK)
    data = bytearray(path.read_bytes())
    data[70:90] = b"\xff" * 20
    path.write_bytes(data)
    assert ["expected a file" in one.problem for one in found(path)] == [True, False]


def test_more_zips_than_files_that_may_be_open(tmp_path: Path) -> None:
    """a class is read though it is more zips than a process may have open files"""
    for number in range(64):
        zipped(tmp_path / f"author{number}.zip", {f"{STEM}.ipynb": BOOK})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(next_one := os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_one + 16, hard))
    try:
        taken = found(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [one.problem for one in taken] == [""] * 64
