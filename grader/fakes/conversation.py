"""What a conversation says: facts, questions, and what the stand-in answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from grader.fakes.answers import text_of

Message = Mapping[str, Any]

# The expressions run over texts of the submission. White space is single before they
# do and what they repeat is limited, so that no text takes them long.
SENTENCE = re.compile(r"(?<=[.!?]) ")
CLAUSE = re.compile(r"(?:[,;]|,? and) (?=(?:my|what)\b)", re.IGNORECASE)
TOPIC = r"my (?P<topic>[^.,;:!?]{1,60}?)"
QUESTION = re.compile(rf"\bwhat(?: is|['\u2019]s) {TOPIC}(?=$|[.,;:!?])", re.IGNORECASE)
FACT = re.compile(rf"\b{TOPIC} is (?P<value>.+)", re.IGNORECASE)
REFERENCE = re.compile(r"(?=([0-9a-f]{8}))")  # wherever one may begin


def prompt_of(
    messages: Sequence[Message],
    marker: str,
    references: Set[str] = frozenset(),
    used: Set[str] = frozenset(),
) -> str:
    """Return what a request is about: the model's own earlier words, where it has any.

    They stand in the message with the marker, in the last one, right above the marker,
    or right above the last one where they are not answers to such a request before,
    and hold one of the `references` that were given before; `used` are those given in
    such answers.
    """
    if not messages:
        return ""
    marked = [n for n, m in enumerate(messages) if marker and marker in text_of(m)]
    at = marked[-1] if marked else len(messages) - 1
    for number in (at, len(messages) - 1, at - 1):
        text = text_of(messages[number]) if number >= 0 else ""
        if not references.isdisjoint(REFERENCE.findall(text)):
            return text
    above = text_of(messages[-2]) if len(messages) > 1 else ""
    found = {*REFERENCE.findall(above)}
    if found & references and not found & used:
        return above
    return text_of(messages[-1])


def answer_to(messages: Sequence[Message], markers: Sequence[str] = ()) -> str:
    """Return what the model makes of a conversation, when no rule says otherwise.

    It remembers what user messages say ("My X is Y.", the latest counts), answers
    the last one ("What is my X?"), and repeats what it does not understand.
    """
    if not messages:
        return "You said nothing."
    if messages[-1].get("role") == "tool":
        return f"The tool says: {text_of(messages[-1])}"
    said = [m for m in messages if m.get("role") == "user"] or messages[-1:]
    texts = [without(text_of(message), markers) for message in said]
    marked = any(marker and marker in text_of(said[-1]) for marker in markers)
    if len(texts) > 1 and marked and not [*_sayings(texts[-1])]:
        texts.pop()  # an instruction below what it is about
    facts = {
        _key(topic): value
        for text in texts
        for topic, value in _sayings(text)
        if value is not None
    }
    replies, noted = [], []
    for topic, value in _sayings(texts[-1]):
        if value is not None:
            noted.append(f"your {topic} is {value}")
        elif _key(topic) in facts:
            replies.append(f"Your {topic} is {facts[_key(topic)]}.")
        else:
            replies.append(f"I do not know your {topic}.")
    if noted:
        replies.insert(0, f"Noted: {', '.join(noted)}.")
    return " ".join(replies) or f"You said: {texts[-1]}"


def _sayings(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the topic of each question (value None) and of each fact in a text."""
    for line in text.splitlines():
        for sentence in SENTENCE.split(" ".join(line.split())):
            for clause in CLAUSE.split(sentence):
                question, fact = QUESTION.search(clause), FACT.search(clause)
                if question:
                    yield question["topic"], None
                elif fact and not clause.endswith("?"):
                    yield fact["topic"], fact["value"].rstrip(" .!")


def _key(topic: str) -> str:
    return topic.casefold()


def without(text: str, markers: Sequence[str]) -> str:
    """Return a text without these markers, and without white space at its ends."""
    for marker in filter(None, markers):
        text = text.replace(marker, "")
    return text.strip()
