"""Puts together what LangGraph's PostgreSQL saver stores in several tables, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.harness.contents import Row

# The saver's tables: checkpoints with small values, the other values once for each
# version of a channel, and what nodes wrote.
CHECKPOINTS, BLOBS, WRITES = "checkpoints", "checkpoint_blobs", "checkpoint_writes"
EMPTY = "empty"  # what the saver calls a channel without a value


@dataclass(slots=True)
class Saved:
    """The rows of the saver's tables, in one schema, and what they amount to."""

    tables: Mapping[str, Sequence[Mapping[str, bytes]]]
    rows: list[Row] = field(default_factory=list)
    latest: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def collect(self) -> None:
        """Put together what belongs to each checkpoint, the oldest first."""
        blobs = {
            (b["thread_id"], b["checkpoint_ns"], b["channel"], b["version"]): b
            for b in self.tables.get(BLOBS, ())
            if _text(b["type"]) != EMPTY
        }
        new = dict.fromkeys(blobs)  # a value belongs to the first that refers to it
        found = self.tables.get(CHECKPOINTS, ())
        for row in sorted(found, key=lambda row: row["checkpoint_id"]):
            head, known = (row["thread_id"], row["checkpoint_ns"]), _known(row)
            own = [Row(*known, "checkpoint", "", "json", row["checkpoint"])]
            meta = Row(*known, "metadata", "", "json", row["metadata"])
            self.rows += [own[0], meta]
            for channel, version in _versions(row["checkpoint"]):
                key = (*head, channel, version)
                if key not in blobs:
                    continue
                own.append(_channel(known, blobs[key]))
                if key in new:
                    del new[key]
                    self.rows.append(own[-1])
            place = (known[0], known[1])
            self.latest[place] = own
            self.counts[place] = self.counts.get(place, 0) + 1
        for key in new:
            nowhere = (_text(key[0]), _text(key[1]), "")
            self.rows.append(_channel(nowhere, blobs[key]))
        for row in self.tables.get(WRITES, ()):
            name, form = _text(row["channel"]), _text(row["type"])
            self.rows.append(Row(*_known(row), "write", name, form, row["blob"]))


def _versions(checkpoint: bytes) -> Iterator[tuple[bytes, bytes]]:
    try:
        state = json.loads(checkpoint)
    except (ValueError, RecursionError):
        return
    versions = state.get("channel_versions") if isinstance(state, dict) else None
    for channel, version in (versions if isinstance(versions, dict) else {}).items():
        yield str(channel).encode("utf-8", "replace"), str(version).encode()


def _known(row: Mapping[str, bytes]) -> tuple[str, str, str]:
    thread, space = _text(row["thread_id"]), _text(row["checkpoint_ns"])
    return thread, space, _text(row["checkpoint_id"])


def _channel(known: tuple[str, str, str], blob: Mapping[str, bytes]) -> Row:
    channel, form = _text(blob["channel"]), _text(blob["type"])
    return Row(*known, "channel", channel, form, blob["blob"])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
