"""A small valid instance of a JSON schema, so that structured output has an answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

LIMIT_VALUES = 200  # in one instance; a schema comes from the submission


def instance(schema: Any, text: str, rng: random.Random) -> Any:
    """Build an instance: `text` in every string, the rest drawn from `rng`.

    Raises:
        ValueError: no instance can be built, or only one of too many values.
    """
    try:
        return _Builder(schema, text, rng).build(schema)
    except (ValueError, RecursionError):
        raise
    except Exception as problem:  # the schema is the submission's: expect anything
        raise ValueError(f"expected a JSON schema, found {problem!r}") from None


class _Builder:
    def __init__(self, root: Any, text: str, rng: random.Random) -> None:
        self.root = root
        self.text = text
        self.rng = rng
        self.left = LIMIT_VALUES
        self.open: list[str] = []  # the references being followed: where it recurs

    def build(self, schema: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"expected a schema of at most {LIMIT_VALUES} values")
        if not isinstance(schema, Mapping):
            return self.text
        if "$ref" in schema:
            return self._follow(schema["$ref"])
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.rng.choice(list(schema["enum"]))
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                return self.build(self._chosen(schema[word]))
        return self._typed(schema)

    def _typed(self, schema: Mapping[str, Any]) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((name for name in kind if name != "null"), "null")
        if kind == "object":
            properties = schema.get("properties", {})
            wanted = dict.fromkeys(schema.get("required", properties))
            names = [name for name in properties if name in wanted]
            names += [name for name in wanted if name not in properties]
            return {name: self.build(properties.get(name)) for name in names}
        if kind == "array":
            return self._array(schema)
        if kind == "integer":
            return self._integer(schema)
        if kind == "number":
            return float(self._integer(schema))
        if kind == "boolean":
            return self.rng.random() < 0.5
        if kind == "null":
            return None
        return self.text[: schema.get("maxLength")]

    def _array(self, schema: Mapping[str, Any]) -> list[Any]:
        least = int(schema.get("minItems", 0))
        if "prefixItems" in schema:
            return [self.build(item) for item in schema["prefixItems"]]
        # An item that holds this array again would never end.
        count = least or (0 if self._recurs(schema.get("items")) else 1)
        if count > LIMIT_VALUES:
            raise ValueError(f"expected minItems up to {LIMIT_VALUES}, found {count}")
        return [self.build(schema.get("items")) for _ in range(count)]

    def _integer(self, schema: Mapping[str, Any]) -> int:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 101) - 1)
        return self.rng.randint(int(min(low, high)), int(high))

    def _chosen(self, options: list[Any]) -> Any:
        """Prefer an option that is not null and does not recur."""
        return min(
            options,
            key=lambda option: (self._recurs(option), option == {"type": "null"}),
        )

    def _recurs(self, schema: Any) -> bool:
        return isinstance(schema, Mapping) and schema.get("$ref") in self.open

    def _follow(self, reference: str) -> Any:
        target = self.root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                target = target[part.replace("~1", "/").replace("~0", "~")]
        self.open.append(reference)
        try:
            return self.build(target)
        finally:
            self.open.pop()
