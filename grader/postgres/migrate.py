"""Makes LangGraph's tables in an empty database: the one step before any replica.

It is a program of its own, because what it imports costs a second and 60 MB that the
supervisor would carry for ever. It reads a connection string from standard input.
"""

from __future__ import annotations

import sys

from langgraph.checkpoint.postgres import PostgresSaver


def main() -> None:
    """Run as `python -m grader.postgres.migrate`."""
    with PostgresSaver.from_conn_string(sys.stdin.read()) as saver:
        saver.setup()


if __name__ == "__main__":
    main()
