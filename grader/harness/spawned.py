"""A worker in a fresh interpreter, where the platform has no fork."""

from __future__ import annotations

import json
import os
import sys

from grader.harness.enclosure import confine
from grader.harness.worker import Worker, quiet


def main() -> None:
    """Run as `python -m grader.harness.spawned JOB`; the channel: stdin and stdout."""
    job = json.loads(sys.argv[1])
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    confine(job["log"], job["cwd"])
    worker = Worker(reader, writer, job["path"], job["functions"], job["limit_b"])
    quiet(lambda: worker.run(job["folder"], job["application"], job["address"]))


if __name__ == "__main__":
    main()
