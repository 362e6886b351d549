"""Two processes of one submission that attack together, and what came of it."""

from __future__ import annotations

from typing import Any

from grader.vocabulary import Run
from grader.vocabulary.scenario import Step
from tests.harness.small import ASKS, Warm, exercise
from tests.sandbox.trying import DATA, TRIES

# Process 0 is the one that others speak for; they can meet in the folder they share.
BOTH = '''
import http.client, stat
from urllib.parse import urlsplit

FIRST = os.getcwd().endswith("process-0")
SHARED = os.path.relpath(os.path.dirname(os.environ["CHECKPOINT_DB"]))
if FIRST:
    door = socket.socket(socket.AF_UNIX)
    door.bind(SHARED + "/door")
    door.listen()

def knock():
    other = socket.socket(socket.AF_UNIX)
    other.connect(SHARED + "/door")
    return other

def sockets():
    """Return those that it has not made."""
    made = [door.fileno()] if FIRST else []
    known = [n for n in range(64) if os.path.lexists(f"/proc/self/fd/{n}")]
    return [n for n in known if stat.S_ISSOCK(os.fstat(n).st_mode) and n not in made]

def replies(*ids, value="forged", channels=None):
    for channel in sockets() if channels is None else channels:
        for each in ids:
            line = json.dumps({"kind": "reply", "id": each, "value": value})
            os.write(channel, line.encode() + b"\\n")

def answered(connection, path, key, body=None):
    """Return the status of a request, or the trouble it had."""
    head = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    try:
        connection.request("POST" if body else "GET", path, body, head)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException) as problem:
        connection.close()
        return type(problem).__name__

def connected():
    place = urlsplit(os.environ["OPENAI_BASE_URL"])
    return http.client.HTTPConnection(place.hostname, place.port)

def own():
    return urlsplit(os.environ["OPENAI_BASE_URL"]).path, os.environ["OPENAI_API_KEY"]
'''


def run(warm: Warm, text: str, *steps: Step) -> Run:
    """Return what happened when these steps were taken."""
    made = exercise(*steps, contract=DATA)
    order = warm.order(TRIES + ASKS + BOTH + text, made)
    return warm.run(warm.harness.run(order)).runs["only"]


def values(seen: Run) -> list[Any]:
    """Return the value of each reply, or the trouble there was instead."""
    return [reply.value if reply.ok else reply.trouble for reply in seen.replies]
