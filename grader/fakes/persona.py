"""The stand-in model: what it makes of a conversation, pure and deterministic."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from grader.fakes.answers import Answer, text_of
from grader.fakes.conversation import Message, answer_to, prompt_of, without
from grader.fakes.schema import instance
from grader.vocabulary.drawn import Drawn
from grader.vocabulary.scenario import Fails, Reply, Says

RETRY_AFTER_S = 0.01  # with a scripted 429: honoured by a client, and soon over
DEFAULT = Says("model", "")  # the rule of a request that carries no marker

SYSTEM = ("system", "developer")  # the roles of whoever wrote the program


class Script:
    """What the model says and fails in one run of a scenario."""

    def __init__(self, drawn: Drawn, rng: random.Random) -> None:
        self._drawn = drawn
        self._rng = rng
        self._rules: dict[str, Says] = {}  # by marker
        self._about: list[tuple[str, Says]] = []  # rules for one text, newest first
        self._said: dict[str, int] = {}  # how often each rule was followed
        self._failures: dict[str, list[int]] = {}  # the statuses to come, by event
        self._references: dict[str, str] = {}  # those given, with their markers

    def apply(self, step: Says | Fails) -> None:
        """Follow a step from now on; a later rule for a marker replaces its former.

        Raises:
            ValueError: the template has a field that is neither drawn nor known.
        """
        if isinstance(step, Fails):
            coming = self._failures.setdefault(step.event, [])
            coming.extend([step.status] * step.times)
            return
        words = {**self._drawn.values, "answer": "", "prompt": "", "ref": ""}
        try:
            for reply in step.replies:
                _fill(reply, words)
        except (KeyError, IndexError, ValueError) as problem:
            raise ValueError(
                f"expected a template with the fields {', '.join(sorted(words))}; "
                f"found {step.reply!r} ({problem!r})"
            ) from None
        if step.about:
            self._about.insert(0, (self._drawn.fill(step.about), step))
            self._rules.setdefault(step.marker, Says(step.event, step.marker))
        else:
            self._rules[step.marker] = step
        self._said[step.marker + step.about] = 0

    def event_of(self, messages: Sequence[Message]) -> str:
        """Return the event of the rule whose marker comes last, or "model"."""
        return self._rule(messages).event

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """Answer the body of a chat completions request."""
        rule = self._rule(request["messages"])
        if self._failures.get(rule.event):
            status = self._failures[rule.event].pop(0)
            wait_s = RETRY_AFTER_S if status == 429 else None
            return Answer(rule.event, status=status, retry_after_s=wait_s)
        try:
            return self._reply(rule, request)
        except (ValueError, RecursionError) as problem:  # of the request's schema
            return Answer(rule.event, status=400, text=str(problem))

    def _rule(self, messages: Sequence[Message]) -> Says:
        ours = [m for m in messages if m.get("role") in SYSTEM]
        others = [m for m in messages if m.get("role") not in SYSTEM]
        for message in [*reversed(ours), *reversed(others)]:
            text = text_of(message)
            found = [marker for marker in self._rules if marker and marker in text]
            if found:
                marker = max(found, key=lambda marker: _end(text, marker))
                return self._specific(marker, messages)
        return self._rules.get("", DEFAULT)

    def _specific(self, marker: str, messages: Sequence[Message]) -> Says:
        """Return the marker's rule for what the messages are about, or for all."""
        for about, rule in self._about:
            if rule.marker == marker and any(about in text_of(m) for m in messages):
                return rule
        return self._rules[marker]

    def _reply(self, rule: Says, request: Mapping[str, Any]) -> Answer:
        messages = request["messages"]
        used = {ref for ref, of in self._references.items() if of == rule.marker}
        about = prompt_of(messages, rule.marker, self._references.keys(), used)
        reference = self._reference(rule.marker)
        words = {
            **self._drawn.values,
            "answer": answer_to(messages, [*self._rules]),
            "prompt": without(about, [rule.marker]),
            "ref": reference,
        }
        reply = self._next(rule)
        scripted = _fill(reply, words) if isinstance(reply, Mapping) else None
        template = reply if isinstance(reply, str) else DEFAULT.reply
        text = str(_fill(template, words))
        offered, schema = _offered(request), _wanted(request)
        tool = _tool(rule, request, offered)
        if tool:
            if scripted is None or rule.tool not in ("", tool):
                scripted = instance(offered[tool], text, self._rng)
            given = _carried(reference, scripted)
            return Answer(rule.event, tool=tool, arguments=scripted, reference=given)
        if scripted is not None and (schema is not None or not rule.tool):
            text = json.dumps(scripted, ensure_ascii=False)
        elif schema is not None:
            built = instance(schema, text, self._rng)
            text = json.dumps(built, ensure_ascii=False)
        return Answer(rule.event, text=text, reference=_carried(reference, text))

    def _next(self, rule: Says) -> Reply:
        """Return the rule's next reply; the last one is repeated for ever."""
        said = self._said.get(rule.marker + rule.about, 0)
        self._said[rule.marker + rule.about] = said + 1
        return rule.replies[min(said, len(rule.replies) - 1)]

    def _reference(self, marker: str) -> str:
        while True:
            reference = f"{self._rng.getrandbits(32):08x}"
            if reference not in self._references:
                self._references[reference] = marker
                return reference


def _end(text: str, marker: str) -> tuple[int, int]:
    """Where a marker ends; of two that end together the longer one counts."""
    return text.rfind(marker) + len(marker), len(marker)


def _fill(template: Any, words: Mapping[str, str]) -> Any:
    """Fill the texts of a template once, so that braces in `words` stay as they are."""
    if isinstance(template, str):
        return template.format_map(words)
    if isinstance(template, Mapping):
        return {name: _fill(value, words) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [_fill(value, words) for value in template]
    return template


def _carried(reference: str, reply: Any) -> str:
    return reference if reference in json.dumps(reply) else ""


def _offered(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of the arguments of all tools that a request offers."""
    tools = request.get("tools")
    functions = [
        tool["function"]
        for tool in (tools if isinstance(tools, list) else [])
        if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping)
    ]
    empty = {"type": "object"}
    return {str(f.get("name")): f.get("parameters", empty) for f in functions}


def _tool(rule: Says, request: Mapping[str, Any], offered: Mapping[str, Any]) -> str:
    """Return the tool to call: the one the request insists on, or the rule's."""
    choice = request.get("tool_choice")
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        name = str(choice["function"].get("name"))
        return name if name in offered else ""
    if choice == "required" and offered:
        return rule.tool if rule.tool in offered else next(iter(offered))
    done = request["messages"][-1:] and request["messages"][-1].get("role") == "tool"
    return rule.tool if rule.tool in offered and choice != "none" and not done else ""


def _wanted(request: Mapping[str, Any]) -> Any:
    """Return the schema of the text that a request asks for, or None."""
    wanted = request.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") in (None, "text"):
        return None
    if isinstance(wanted.get("json_schema"), Mapping):
        return wanted["json_schema"].get("schema", {"type": "object"})
    return {"type": "object", "properties": {"answer": {"type": "string"}}}
