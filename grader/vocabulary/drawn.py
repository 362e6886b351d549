"""The values that one seed gives to the names of a scenario."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.vocabulary.scenario import Scenario

CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The values one seed gives to the names of one scenario."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> str:
        try:
            return self.values[name]
        except KeyError:
            known = ", ".join(sorted(self.values)) or "none"
            raise AttributeError(f"nothing drawn is named {name!r}; {known}") from None

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def fill(self, template: Any) -> Any:
        """Return a value with the names in all its texts replaced, keys left alone."""
        if isinstance(template, str):
            return template.format_map(dict(self.values))
        if isinstance(template, Mapping):
            return {key: self.fill(value) for key, value in template.items()}
        if isinstance(template, list | tuple):
            return [self.fill(value) for value in template]
        return template


def draw(scenario: Scenario, seed: int) -> Drawn:
    """Draw a value for every name of a scenario; the same seed, the same values.

    The part before the first underscore says what is drawn (`name_2` is a name).
    No value is drawn twice in one scenario.
    """
    rng = random.Random(f"{seed}/{scenario.name}")
    values: dict[str, str] = {}
    for name in scenario.fields:
        value = _value(name.partition("_")[0], rng)
        while value in values.values():
            value = _value(name.partition("_")[0], rng)
        values[name] = value
    return Drawn(values)


def _value(kind: str, rng: random.Random) -> str:
    if kind == "name":
        return _word(rng, 3).capitalize()
    if kind == "word":
        return _word(rng, 3)
    if kind == "number":
        return str(rng.randrange(1_000, 10_000))
    if kind in {"user", "thread", "order"}:
        return f"{kind}-{rng.randrange(16**6):06x}"
    raise ValueError(
        f"cannot draw {kind!r}; expected name, word, number, user, thread or order"
    )


def _word(rng: random.Random, syllables: int) -> str:
    pairs = [rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(syllables)]
    return "".join(pairs) + rng.choice("lnrs")
