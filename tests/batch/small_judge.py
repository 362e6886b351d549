"""A judge that needs no harness: for tests of everything around judging.

It speaks as `grader.batch.task` does, and takes orders from the submission: "dies" ends
the judge, "hangs" waits once for its own end, "kills" ends whoever has started it. It
refuses what GRADER_TIER isolates too little for. It uses the standard library only,
because a test starts it often.
"""

import json
import os
import signal
import sys

ERROR = "the judge was told to"


def main() -> None:
    """Answer each task of standard input with the verdict in a file."""
    with open(sys.argv[1], encoding="utf-8") as file:
        verdict = json.load(file)
    folder = os.path.dirname(sys.argv[1])
    tier = int(os.environ.get("GRADER_TIER") or 1)
    for line in sys.stdin:
        task = json.loads(line)
        if tier > task["tier"]:
            print(json.dumps({"refused": f"found tier {tier}"}), flush=True)
            continue
        for exercise in task["exercises"]:
            with open(os.path.join(folder, "judged.log"), "a", encoding="utf-8") as log:
                log.write(exercise["sha256"] + "\n")
            if "dies" in exercise["text"]:
                os._exit(9)
            if "kills" in exercise["text"]:
                os.kill(os.getppid(), signal.SIGKILL)
                sys.stdin.read()
                return
            if "hangs" in exercise["text"] and first(folder):
                with open(os.path.join(folder, "signal"), "a") as told:
                    told.write(f"{os.getppid()}\n")
                sys.stdin.read()
                return
            made = {**verdict, "seed": exercise["seed"]}
            answer = {"stem": exercise["stem"], "sha256": exercise["sha256"]}
            answer |= {"verdict": made, "unknown": False, "timelines": {}}
            print(json.dumps(answer), flush=True)
        print('{"done": true}', flush=True)


def first(folder: str) -> bool:
    """Return whether nobody has asked before."""
    try:
        os.close(os.open(os.path.join(folder, "asked"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


if __name__ == "__main__":
    main()
