"""The conversation is replayed by hand from a text file, without a checkpoint.

Caught by: crosses_processes
"""

import json
import os
from pathlib import Path

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-4o-mini")
folder = Path(os.environ["CHECKPOINT_DB"]).parent


def load(thread_id: str) -> list[list[str]]:
    path = folder / f"{thread_id}.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def save(thread_id: str, kind: str, text: str) -> str:
    with (folder / f"{thread_id}.txt").open("a") as file:
        file.write(json.dumps([kind, text]) + "\n")
    return text


def chat(thread_id: str, text: str) -> str:
    save(thread_id, "user", text)
    said = [HumanMessage(text) for kind, text in load(thread_id) if kind == "user"]
    prompt = SystemMessage("[draft] Answer the user.")
    save(thread_id, "draft", llm.invoke([prompt, *said]).content)
    return resume(thread_id)


def resume(thread_id: str) -> str:
    *_, (_, drafted) = load(thread_id)
    prompt = SystemMessage("[polish] Improve this answer.")
    return save(thread_id, "ai", llm.invoke([prompt, HumanMessage(drafted)]).content)
