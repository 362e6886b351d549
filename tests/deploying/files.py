"""The deployment files as data: what each manifest and the container file say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "solutions" / "ex10_on_call" / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
# What the container runs: the text of a submission.
APP = ROOT / "tests" / "submissions" / "ex10_on_call" / "right" / "solution.py"
INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a container file; `values` where it is written as a list."""

    name: str
    text: str

    @property
    def values(self) -> list[str]:
        """The words of the form with brackets."""
        return list(json.loads(self.text[self.text.index("[") :]))


def instructions() -> list[Instruction]:
    """Return what the container file says, without comments, lines joined."""
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    found = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip():
            match = INSTRUCTION.match(line)
            assert match, line
            found.append(Instruction(match[1], match[2].strip()))
    return found


def manifests() -> list[Manifest]:
    """Return every object of the manifests, in the order of files and lines."""
    return [
        each
        for path in MANIFESTS
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def one(kind: str, name: str = "") -> Manifest:
    """Return the object of this kind; where there are several, by its name."""
    found = [each for each in manifests() if each["kind"] == kind]
    named = [each for each in found if each["metadata"]["name"] == name]
    (only,) = named if name else found
    return only


def container(manifest: Manifest) -> dict[str, Any]:
    """Return the one container of the pods that an object makes."""
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    return dict(found)


def variables(manifest: Manifest) -> dict[str, str]:
    """Return the environment of a container: where each variable comes from."""
    made = container(manifest)
    found = {}
    for source in made.get("envFrom", ()):
        settings = one("ConfigMap", source["configMapRef"]["name"])
        found |= dict.fromkeys(settings["data"], "settings")
    for each in made.get("env", ()):
        if "value" in each:
            found[each["name"]] = "value"
            continue
        wanted = each["valueFrom"]["secretKeyRef"]
        assert wanted["key"] in one("Secret", wanted["name"])["stringData"]
        found[each["name"]] = "secret"
    return found
