"""Reads a zip without ever writing to disk what is in it."""

from __future__ import annotations

import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from grader.batch.entries import ARCHIVE, Entry, readable, refused, wanted
from grader.submissions import FILE_LIMIT_B, BadInput, too_large

MIB = 1024 * 1024
ARCHIVE_LIMIT_B = 2048 * MIB
MEMBERS_LIMIT = 50_000
MEMBER_B = 512  # in the list: 46 bytes, and a name longer than most
DIRECTORY_LIMIT_B = MEMBERS_LIMIT * MEMBER_B
TOTAL_LIMIT_B = 1024 * MIB  # of all members that are read, unpacked
RATIO_LIMIT = 100  # text shrinks about tenfold
RATIO_FREE_B = 1 * MIB  # below this a ratio does no harm
LISTED = b"PK\x01\x02"  # begins each member in the list
DRIVE = re.compile(r"^[A-Za-z]:")
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError, MemoryError, IndexError, KeyError),
)


class _Resting:
    """A file that is open only within `with`, and holds no handle in between.

    A class is as many zips as learners, and a process may open only so many files.
    """

    def __init__(self, path: Path) -> None:
        self.is_listed = False
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
        self._file = None

    @property
    def _open(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("expected a zip that is being read, found one at rest")
        return self._file

    def seekable(self) -> bool:
        """Return that it is, as `zipfile` asks."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._open.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the position, and return it."""
        return self._open.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, unless they are a list that is too long.

        `zipfile` reads the list of members in one piece, wherever the zip says that it
        is and however many it says there are: so what is read is counted, not said.
        """
        if self.is_listed:
            return self._open.read(size)
        if size > DIRECTORY_LIMIT_B:
            raise BadInput(
                f"expected a list of files of at most {DIRECTORY_LIMIT_B // MIB} MiB "
                f"in a zip, found {size // MIB} MiB",
                "unpack it, and give the folder",
            )
        data = self._open.read(size)
        if (count := data.count(LISTED)) > MEMBERS_LIMIT:
            raise BadInput(
                f"expected at most {MEMBERS_LIMIT} files in a zip, found {count}",
                "unpack it, and give the folder",
            )
        return data


def in_archive(path: Path, below: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Yield the members of a zip that may hold a submission; `below` is its folder.

    A zip that cannot be listed is one entry, which says why when it is read.
    """
    source = str(path)
    try:
        file = _Resting(path)
        archive = _listed(path, file)
    except BadInput as bad:
        yield Entry(
            (*below, *readable((path.name,))), source, refused(str(bad), bad.help)
        )
        return
    left = [TOTAL_LIMIT_B]
    for member in archive.infolist():
        parts, problem = _parts(member)
        if not problem and (member.is_dir() or not wanted(parts)):
            continue
        where = f"{source}: {member.filename}"
        read = refused(problem, "make the zip anew from the files themselves")
        if not problem:
            read = _reader(archive, file, member, left)
        yield Entry((*below, *parts), where, read)


def _listed(path: Path, file: _Resting) -> zipfile.ZipFile:
    """Return a zip whose members are known; they are read while its file is open."""
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
        with file:
            archive = zipfile.ZipFile(file)
    except BROKEN as problem:
        raise BadInput(
            f"expected a zip, found {type(problem).__name__}: {str(problem)[:200]}",
            "download it again",
        ) from None
    file.is_listed = True
    return archive


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
    archive: zipfile.ZipFile, file: _Resting, member: zipfile.ZipInfo, left: list[int]
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
            with file, archive.open(member) as opened:
                # The size in the list may be a lie.
                data = opened.read(FILE_LIMIT_B + 1)
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
