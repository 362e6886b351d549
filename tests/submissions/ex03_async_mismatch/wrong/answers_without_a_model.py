"""The answer is made up in the endpoint, and quickly.

Caught by: six_in_a_row, twenty_at_once, crosses_processes, both_inside
"""

from fastapi import FastAPI
from pydantic import BaseModel


class Question(BaseModel):
    thread_id: str
    question: str


api = FastAPI()


@api.post("/ask")
async def ask(body: Question) -> dict:
    return {"answer": body.question.replace("My", "Noted: your")}
