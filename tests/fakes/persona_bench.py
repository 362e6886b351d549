"""A script of the stand-in model, and requests to ask it."""

from __future__ import annotations

import random
from typing import Any

from grader.fakes.answers import Answer
from grader.fakes.persona import Script
from grader.vocabulary import Drawn
from grader.vocabulary.scenario import Fails, Says

DRAWN = Drawn({"name": "Ada", "word": "{prompt}"})


def script(*steps: Says | Fails, seed: int = 1) -> Script:
    made = Script(DRAWN, random.Random(seed))
    for step in steps:
        made.apply(step)
    return made


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def ask(made: Script, *messages: dict[str, Any], **more: Any) -> Answer:
    return made.answer({"model": "m", "messages": list(messages), **more})
