"""Finds secrets in bytes, in every common encoding: only the trusted side does."""

from __future__ import annotations

import base64
import codecs
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

INFLATED_LIMIT_B = 1024 * 1024
# The first bytes of what zlib and gzip write.
COMPRESSED = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")
SHOWN = 4  # last characters of a secret that a report may show
PIECE_B = 4 * 1024  # how much is searched at once, and not again while it is the same
WORD_B = 8  # of which one may tell that a piece holds no key

# What spells so many bytes at once, whatever stands before and after them.
GROUPED = (
    ("base32", base64.b32encode, 5),
    ("base85", base64.b85encode, 4),
    ("ascii85", base64.a85encode, 4),
)


class Secrets:
    """Keys by the number of the process that owns each, and how each may be spelled."""

    def __init__(self, keys: Mapping[int, str]) -> None:
        self.keys = dict(keys)
        self._spelled = {
            owner: tuple(_spellings(key.removeprefix("sk-")))
            for owner, key in keys.items()
        }
        self._needles = [needle for s in self._spelled.values() for _, needle in s]
        self._overlap = max(map(len, self._needles), default=1) - 1
        self._shortest = min(map(len, self._needles), default=1)
        self._clean: set[bytes] = set()

    def found_in(self, data: bytes) -> list[tuple[int, str]]:
        """Return the owner of each key in the data, and the encoding of it.

        A database is looked at after every call, and most of it is as it was: what
        was searched in vain is known by its digest.
        """
        found: dict[tuple[int, str], None] = {}
        if len(data) < self._shortest:
            return []
        for start in range(0, len(data), PIECE_B):
            piece = data[start : start + PIECE_B + self._overlap]
            digest = hashlib.blake2b(piece, digest_size=16).digest()
            if digest not in self._clean:
                here = dict.fromkeys(self._search(piece))
                found |= here
                if not here:
                    self._clean.add(digest)
        return list(found)

    def _may_hold(self, data: bytes) -> bool:
        """Whether one of the data's words is part of a needle: of most, none is.

        Wherever a needle stands, if it is long enough it covers one of these words
        whole. So a piece is read once, and not once for every needle.
        """
        return not self._words.isdisjoint(_cut(data)) or self._is_short

    @cached_property
    def _words(self) -> frozenset[int]:
        starts = range(WORD_B)
        return frozenset(
            w for n in self._needles for at in starts for w in _cut(n[at:])
        )

    @cached_property
    def _is_short(self) -> bool:
        return any(len(needle) < 2 * WORD_B - 1 for needle in self._needles)

    def _search(self, data: bytes) -> Iterator[tuple[int, str]]:
        if not self._may_hold(data):
            return
        for owner, spelled in self._spelled.items():
            for how, needle in spelled:
                if needle in data:
                    yield owner, how

    def packed_in(self, value: bytes) -> Iterator[tuple[int, str]]:
        """Yield as `found_in` does, of a value that zlib or gzip may have written."""
        if not value.startswith(COMPRESSED):
            return
        try:
            inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            text = inflate.decompress(value, INFLATED_LIMIT_B)
        except zlib.error:
            return
        for owner, how in self.found_in(text):
            yield owner, f"{how}, compressed"

    def stand_in(self, text: str) -> bool:
        """Whether any key stands in the text as it is."""
        return any(key.removeprefix("sk-") in text for key in self.keys.values())

    def masked(self, text: str) -> str:
        """Return the text with every key hidden but for its last characters."""
        for key in self.keys.values():
            text = text.replace(key, f"sk-…{key[-SHOWN:]}")
            text = text.replace(key.removeprefix("sk-"), f"…{key[-SHOWN:]}")
        return text


def report(found: Iterable[tuple[str, int, str]]) -> list[dict[str, object]]:
    """Return where, whose and how as plain data, each combination once, in order."""
    unique = dict.fromkeys(found)
    return [
        {"where": where, "process": owner, "encoding": how}
        for where, owner, how in unique
    ]


def _cut(data: bytes) -> memoryview:
    """Return the bytes as words, which are numbers, without what is left over."""
    return memoryview(data)[: len(data) // WORD_B * WORD_B].cast("Q")


def _spellings(secret: str) -> Iterator[tuple[str, bytes]]:
    raw = secret.encode()
    yield "clear text", raw
    # Without the last zeros these stand in both byte orders.
    yield "utf-16", secret.encode("utf-16-le")[:-1]
    yield "utf-32", secret.encode("utf-32-le")[:-3]
    for text in (raw, secret.encode("utf-16-le")):
        for standard in _base64(text):
            yield "base64", standard
            yield "base64", standard.translate(bytes.maketrans(b"+/", b"-_"))
    for name, encode, size in GROUPED:
        for whole in _groups(raw, size):
            yield name, encode(whole)
    for digits in (raw.hex(), raw.hex().upper()):
        yield "hex", digits.encode()
        pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
        yield "percent-encoding", "".join(f"%{pair}" for pair in pairs).encode()
        yield "\\u escapes", "".join(f"\\u00{pair}" for pair in pairs).encode()
    yield "reversed", raw[::-1]
    yield "rot13", codecs.encode(secret, "rot13").encode()
    try:
        yield "packed bytes", bytes.fromhex(secret)
    except ValueError:  # a key of another provider
        return


def _groups(text: bytes, size: int) -> Iterator[bytes]:
    """Yield the whole groups of the text, at each alignment: each is spelled alone."""
    for start in range(size):
        count = (len(text) - start) // size
        yield text[start : start + count * size]


def _base64(text: bytes) -> Iterator[bytes]:
    """Yield what the text looks like inside base64, at each of three alignments."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text)
        start = (0, 2, 3)[before]
        whole = (before + len(text)) * 8 // 6
        yield encoded[start:whole]
