"""The answers of the notebook's example, word for word.

Caught by: crosses_processes, resumes_elsewhere
"""


def chat(thread_id: str, text: str) -> str:
    return "Your name is Ada." if text.endswith("?") else "Noted: your name is Ada."


def resume(thread_id: str) -> str:
    return "Noted: your lucky word is apple."
