"""The stand-in model understands a little, obeys its script, and cannot be tricked."""

from __future__ import annotations

import random
import re

import pytest

from grader.fakes.answers import Answer
from grader.fakes.conversation import answer_to, prompt_of
from grader.fakes.persona import Script
from grader.vocabulary.scenario import Fails, Says
from tests.fakes.persona_bench import DRAWN, ask, script, system, user


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["My name is Ada."], "Noted: your name is Ada."),
        (["my favourite word is sun"], "Noted: your favourite word is sun."),
        (["My name is Ada.", "What is my name?"], "Your name is Ada."),
        (["My name is Ada.", "what's my NAME"], "Your NAME is Ada."),
        (["My name is A.", "My name is B.", "What is my name?"], "Your name is B."),
        (["What is my name?"], "I do not know your name."),
        (
            ["My name is Ada. What is my name?"],
            "Noted: your name is Ada. Your name is Ada.",
        ),
        (
            ["My name is Ada and my favourite word is sun."],
            "Noted: your name is Ada, your favourite word is sun.",
        ),
        (
            ["My name is Ada.", "What is my name, and what is my age?"],
            "Your name is Ada. I do not know your age.",
        ),
        (["My version is 3.5.", "What is my version?"], "Your version is 3.5."),
        (["Answer this: What is my name?"], "I do not know your name."),
        (
            ["My name is Ada.", "Is my name is Bob?", "What is my name?"],
            "Your name is Ada.",
        ),
        (["Hello\nthere"], "You said: Hello\nthere"),
        ([""], "You said: "),
    ],
)
def test_conversation(texts: list[str], expected: str) -> None:
    """it remembers facts, answers questions about them, and repeats the rest"""
    assert expected == answer_to([user(text) for text in texts])


def test_an_instruction_below_a_question() -> None:
    """a marker in a message of its own is no question; what is above it is"""
    said = [user("What is my name?"), user("[reply] Answer the user.")]
    assert answer_to(said, ["[reply]"]) == "I do not know your name."
    assert answer_to([user("My name is Ada."), user("Hi ")], ["[p]"]) == "You said: Hi"


def test_what_is_polished() -> None:
    """it is what the model has said before: by the marker, last, or above the marker"""
    given, written = {"0123cdef"}, "A draft of cafe0123cdef."
    draft = {"role": "assistant", "content": written}
    told, asked = system(f"[p] {written}"), user("[p] Do.")
    assert prompt_of([told, user("Hi")], "[p]", given) == f"[p] {written}"
    assert prompt_of([user("Hi"), draft, asked], "[p]", given) == written
    assert prompt_of([system("[p] Do."), draft], "[p]", given) == written
    assert prompt_of([user("Hi"), asked], "[p]", given) == "[p] Do."
    assert prompt_of([user("Hi 0123cdee"), asked], "[p]", given) == "[p] Do."
    last = [system("[p] Do."), user("Hi"), draft, user("Go on.")]
    assert prompt_of(last, "[p]", given) == written
    assert prompt_of(last, "[p]", given, used=given) == "Go on."


def test_only_users_state_facts() -> None:
    """what the assistant or a system message says about "my name" is no fact"""
    said = [
        {"role": "assistant", "content": "My name is Bot."},
        system("My name is S."),
    ]
    assert answer_to([*said, user("What is my name?")]) == "I do not know your name."


def test_parts() -> None:
    """a message in parts is understood as one in a string is"""
    parts = [{"type": "text", "text": "My name is Ada."}, {"type": "image_url"}, 3]
    assert answer_to([user(parts)]) == "Noted: your name is Ada."


@pytest.mark.parametrize(
    "text", ["my " * 300_000, " " * 900_000, "my a" + ", my" * 200_000]
)
def test_long_texts(text: str) -> None:
    """no text of a megabyte takes the model long"""
    given = {f"{number:08x}" for number in range(10_000)}
    assert answer_to([user(text)])
    assert prompt_of([user(text)], "[p]", given) == text


def test_default_reply() -> None:
    """without a rule the reply carries a reference, other each time"""
    made = script()
    replies = [ask(made, user("Hi")) for _ in range(3)]
    assert all(
        re.fullmatch(rf"You said: Hi \(ref {reply.reference}\)", reply.text)
        and re.fullmatch("[0-9a-f]{8}", reply.reference)
        for reply in replies
    )
    assert len({reply.reference for reply in replies}) == 3


def test_references_are_unique() -> None:
    """a reference that the generator repeats is not used twice"""

    class Stuck(random.Random):
        bits = iter([7, 7, 7, 8])

        def getrandbits(self, k: int, /) -> int:
            return next(self.bits)

    made = Script(DRAWN, Stuck())
    references = [ask(made, user("Hi")).reference for _ in range(2)]
    assert references == ["00000007", "00000008"]


def test_same_seed_same_answers() -> None:
    """the same seed gives the same answers, another one others"""
    one, two, other = (ask(script(seed=s), user("Hi")).text for s in (1, 1, 2))
    assert one == two != other


def test_events() -> None:
    """the marker that comes last decides, and system messages are looked at first"""
    made = script(Says("draft", "[draft]"), Says("polish", "[polish]"))
    assert made.event_of([user("Hi")]) == "model"
    assert made.event_of([user("[draft] a"), user("[polish] b")]) == "polish"
    assert made.event_of([user("[polish] b [draft] a")]) == "draft"
    assert made.event_of([system("[draft]"), user("[polish]")]) == "draft"
    assert made.event_of([system("Be kind."), user("[polish]")]) == "polish"
    assert made.event_of([user([{"type": "text", "text": "[draft]"}])]) == "draft"


def test_longer_marker() -> None:
    """of two markers that end together the longer one counts"""
    made = script(Says("long", "[re-draft]"), Says("short", "draft]"))
    assert made.event_of([user("[re-draft] a")]) == "long"


def test_later_rule() -> None:
    """a later rule for a marker replaces the former"""
    made = script(Says("a", "[a]", "one"), Says("b", "[a]", "two"))
    assert ask(made, user("[a]")) == Answer("b", text="two")


def test_rule_without_marker() -> None:
    """a rule with an empty marker is for requests that carry none"""
    made = script(Says("any", "", "hello"), Says("a", "[a]", "one"))
    assert [ask(made, user(t)).text for t in ("Hi", "[a]")] == ["hello", "one"]


def test_template_fields() -> None:
    """a template has the prompt without its marker, and the drawn values"""
    made = script(Says("a", "[a]", "{name}: {prompt} / {answer} {{}}"))
    answer = ask(made, user("[a] My name is Bob."))
    assert answer.text == "Ada: My name is Bob. / Noted: your name is Bob. {}"
    assert answer.reference == ""


def test_braces_do_not_inject() -> None:
    """braces in a user's text or in a drawn value are text"""
    made = script(Says("a", "[a]", "{prompt} {word}"))
    assert ask(made, user("[a] {ref} {name} {")).text == "{ref} {name} { {prompt}"


def test_unknown_field() -> None:
    """a template that cannot be filled is refused when the rule is made"""
    for reply in ("{nobody}", "{", {"a": ["{nobody}"]}):
        with pytest.raises(ValueError, match="expected a template with the fields"):
            script(Says("a", "[a]", reply))


def test_fails() -> None:
    """the next requests of the event fail, others and later ones do not"""
    made = script(Says("a", "[a]", "fine"), Fails("a", 429, times=2), Fails("a", 0))
    assert ask(made, user("Hi")).status == 200
    seen = [ask(made, user("[a]")) for _ in range(4)]
    assert [reply.status for reply in seen] == [429, 429, 0, 200]
    assert [reply.retry_after_s is None for reply in seen] == [False, False, True, True]
