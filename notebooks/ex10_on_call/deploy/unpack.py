"""Writes the modules of a submission as files: what the container file copies.

    python unpack.py ../ex10_on_call.ipynb app

Reads a notebook, or the text of a submission, and writes app/app.py and its siblings.
"""

import json
import re
import sys
from pathlib import Path

MAGIC = "%%submission"
MODULE = re.compile(r"^#[ \t]*=+[ \t]*module[ \t:]+(\w+\.py)[ \t=]*$", re.M | re.I)


def submission(path: Path) -> str:
    """Return the text of the one submission in a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    found = [cell for cell in cells if cell.startswith(MAGIC)]
    if len(found) != 1:
        raise SystemExit(f"expected one cell with {MAGIC}, found {len(found)}")
    return found[0].partition("\n")[2]


def modules(text: str) -> dict[str, str]:
    """Return each module of a submission by its file; without a mark it is app.py."""
    _, *parts = MODULE.split(text)
    if not parts:
        return {"app.py": text}
    return dict(zip(parts[::2], parts[1::2], strict=True))


def main(source: str, folder: str) -> None:
    """Write the modules of a source into a folder."""
    target = Path(folder)
    target.mkdir(exist_ok=True)
    for file, text in modules(submission(Path(source))).items():
        (target / file).write_text(f"{text.strip()}\n", encoding="utf-8")
        print(target / file)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python unpack.py NOTEBOOK FOLDER")
    main(sys.argv[1], sys.argv[2])
