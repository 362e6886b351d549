"""Reads a zip without ever writing to disk what is in it."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from grader.batch.entries import ARCHIVE, Entry, refused, wanted
from grader.submissions import FILE_LIMIT_B, BadInput, too_large

MIB = 1024 * 1024
ARCHIVE_LIMIT_B = 2048 * MIB
DIRECTORY_LIMIT_B = 64 * MIB  # what zipfile holds in memory to list the members
MEMBERS_LIMIT = 50_000
TOTAL_LIMIT_B = 1024 * MIB  # of all members that are read, unpacked
RATIO_LIMIT = 100  # text shrinks about tenfold
RATIO_FREE_B = 1 * MIB  # below this a ratio does no harm
END_RECORD_B = 22 + 65_535  # the end of a zip, with the longest comment
DRIVE = re.compile(r"^[A-Za-z]:")
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError, MemoryError, IndexError, KeyError),
)


def in_archive(path: Path, below: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Yield the members of a zip that may hold a submission; `below` is its folder.

    A zip that cannot be listed is one entry, which says why when it is read.
    """
    source = str(path)
    try:
        archive = _open(path)
    except BadInput as bad:
        yield Entry((*below, path.name), source, refused(str(bad), bad.help))
        return
    left = [TOTAL_LIMIT_B]
    for member in archive.infolist():
        parts, problem = _parts(member)
        if not problem and (member.is_dir() or not wanted(parts)):
            continue
        where = f"{source}: {member.filename}"
        read = refused(problem, "make the zip anew from the files themselves")
        if not problem:
            read = _reader(archive, member, left)
        yield Entry((*below, *parts), where, read)


def _open(path: Path) -> zipfile.ZipFile:
    """Return a zip, to be closed when its last entry is forgotten."""
    try:
        size = path.stat().st_size
        if path.is_symlink() or not path.is_file():
            raise BadInput("expected a zip, found a symbolic link or no file")
        if size > ARCHIVE_LIMIT_B:
            raise BadInput(
                f"expected a zip of at most {ARCHIVE_LIMIT_B // MIB} MiB, "
                f"found {size // MIB} MiB",
                "unpack it, and give the folder",
            )
        _refuse_long_list(path, size)
        archive = zipfile.ZipFile(path)
    except BROKEN as problem:
        raise BadInput(
            f"expected a zip, found {type(problem).__name__}: {str(problem)[:200]}",
            "download it again",
        ) from None
    count = len(archive.infolist())
    if count > MEMBERS_LIMIT:
        archive.close()
        raise BadInput(
            f"expected at most {MEMBERS_LIMIT} files in a zip, found {count}",
            "unpack it, and give the folder",
        )
    return archive


def _refuse_long_list(path: Path, size: int) -> None:
    """Look at what the end of the zip says of its list before the list is read."""
    with path.open("rb") as file:
        file.seek(max(0, size - END_RECORD_B))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    listed = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if listed != 0xFFFF_FFFF and listed > DIRECTORY_LIMIT_B:
        raise BadInput(
            f"expected a list of files of at most {DIRECTORY_LIMIT_B // MIB} MiB in a "
            f"zip, found {listed // MIB} MiB"
        )


def _parts(member: zipfile.ZipInfo) -> tuple[tuple[str, ...], str]:
    """Return a member's path below the zip, and what is wrong with its name."""
    name = member.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    safe = tuple(part for part in parts if part not in {"/", "//", ".."}) or (
        "unnamed",
    )
    if name.startswith("/") or DRIVE.match(name):
        return safe, "expected a path inside the zip, found an absolute one"
    if ".." in parts:
        return safe, "expected a path inside the zip, found one that leads out of it"
    if stat.S_ISLNK(member.external_attr >> 16):
        return safe, "expected a file in the zip, found a symbolic link"
    return safe, ""


def _reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: list[int]
) -> Callable[[], bytes]:
    if PurePosixPath(member.filename).suffix.lower() == ARCHIVE:
        return refused(
            "expected a notebook or a module, found a zip inside a zip",
            "unpack the outer one, and give the folder",
        )

    def read() -> bytes:
        if member.flag_bits & 1:
            raise BadInput(
                "expected a zip without a password, found an encrypted file",
                "unpack it, and give the folder",
            )
        if member.file_size > FILE_LIMIT_B:
            raise too_large(member.file_size)
        packed = max(member.compress_size, 1)
        if member.file_size > RATIO_FREE_B and member.file_size > RATIO_LIMIT * packed:
            raise BadInput(
                f"expected a file that shrinks to a {RATIO_LIMIT}th at most, found "
                f"{member.file_size} bytes in {packed}"
            )
        if left[0] < member.file_size:
            raise BadInput(
                f"expected at most {TOTAL_LIMIT_B // MIB} MiB in a zip, found more",
                "unpack it, and give the folder",
            )
        try:
            with archive.open(member) as file:
                data = file.read(FILE_LIMIT_B + 1)  # the size in the list may be a lie
        except BROKEN as problem:
            raise BadInput(
                f"expected a file in the zip, found {type(problem).__name__}: "
                f"{str(problem)[:200]}"
            ) from None
        if len(data) > FILE_LIMIT_B:
            raise too_large(len(data))
        left[0] -= len(data)
        return data

    return read
