"""Makes LangGraph's tables, or brings them up to date: once, before any replica starts.

Replicas that call `setup()` as they start do it at the same time, and all but one of
them fail. Here it is one program, run to its end by one job; running it again changes
nothing.
"""

import os
import sys

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver


def main() -> int:
    """Run as `python migrate.py`; DATABASE_URL names the database."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        print("expected DATABASE_URL in the environment, found none", file=sys.stderr)
        return 2
    try:
        with PostgresSaver.from_conn_string(url) as saver:
            saver.setup()
            # `from_conn_string` is for a program that ends; a server needs a pool.
            newest = saver.conn.execute("SELECT max(v) AS v FROM checkpoint_migrations")
            print(f"the tables are at version {newest.fetchone()['v']}")
    except psycopg.Error as problem:
        # The message of a failed connection names host and user, never the password.
        print(f"the tables could not be made: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
