"""What the lock and environment.yml promise, and what no committed file may say."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][^=]*==[^\\\n]+?)\s*\\?$", re.MULTILINE)


def locked() -> list[Requirement]:
    return [Requirement(match["pin"]) for match in PIN.finditer(LOCK.read_text())]


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [
        Requirement(line)
        for line in [*project["dependencies"], *(line for e in extras for line in e)]
    ]


def pip_part() -> list[str]:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())[
        "dependencies"
    ]
    (part,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return part


def run(command: list, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=cwd,
    )


# --------------------------------------------------------------------- the lock


def test_the_lock_has_what_the_project_asks_for():
    """Every range in pyproject.toml holds the version that the lock pins, on
    each supported Python."""
    for python in ("3.11.0", "3.12.0", "3.13.0"):
        where = {"python_full_version": python, "python_version": python[:4]}
        pins = {
            canonicalize_name(pin.name): pin
            for pin in locked()
            if pin.marker is None or pin.marker.evaluate(where)
        }
        for wanted in declared():
            (pinned,) = pins[canonicalize_name(wanted.name)].specifier
            assert wanted.specifier.contains(pinned.version), (python, str(wanted))


def test_every_pin_has_a_hash():
    """pip can be asked to refuse whatever is not, to the byte, what was locked."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text())
    assert len(blocks) > 100
    for block in blocks[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_what_is_installed_is_what_is_locked():
    """The environment that the tests run in has the versions of the lock, no others."""
    wrong = {
        pin.name: importlib.metadata.version(pin.name)
        for pin in locked()
        if (pin.marker is None or pin.marker.evaluate())
        and not pin.specifier.contains(importlib.metadata.version(pin.name))
    }
    assert wrong == {}


def test_the_project_is_found_without_an_import_hook():
    """An editable install of this project costs a starting process one line to read,
    not a module to import: the harness starts a great many."""
    files = importlib.metadata.files("langgraph-in-four-processes") or []
    (pth,) = [file for file in files if file.name.endswith(".pth")]
    assert Path(pth.read_text().strip()) == ROOT


# -------------------------------------------------------------- environment.yml


def test_environment_yml_has_the_pins_of_the_lock():
    """conda and Binder users get the same versions as everybody else."""
    *pins, project = pip_part()
    assert project == "-e ."
    assert [Requirement(pin) for pin in pins] == locked()


IMPORT_EVERYTHING = """
import importlib, importlib.metadata as metadata, json, pkgutil, re
by_module = metadata.packages_distributions()
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
name = "langgraph-in-four-processes"
direct = {normal(re.match(r"[\\w.-]+", line)[0]) for line in metadata.requires(name)}
modules = sorted(
    module
    for module, owners in by_module.items()
    if module.isidentifier() and direct & {normal(owner) for owner in owners}
)
import grader
modules += [
    module.name
    for module in pkgutil.walk_packages(grader.__path__, "grader.")
    if not module.name.endswith("__main__")
]
failed = {}
for module in modules:
    try:
        importlib.import_module(module)
    except Exception as error:
        failed[module] = repr(error)
print(json.dumps({"imported": modules, "failed": failed}))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pip_part_of_environment_yml_gives_a_working_environment(tmp_path):
    """Into an empty virtual environment, the one call of pip that conda makes installs
    all that the project imports, and the project."""
    project = tmp_path / "a clone"
    project.mkdir()
    shutil.copy(ROOT / "pyproject.toml", project)
    shutil.copy(ROOT / "LICENSE", project)
    bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "grader", project / "grader", ignore=bytecode)
    (project / "condaenv.requirements.txt").write_text("\n".join(pip_part()))
    made = run([sys.executable, "-m", "venv", tmp_path / "env"])
    assert made.returncode == 0, made.stdout
    python = tmp_path / "env" / "bin" / "python"

    # conda's call; --no-compile only saves time, as most of it is never imported here.
    arguments = ["-U", "-r", "condaenv.requirements.txt", "--exists-action=b"]
    installed = run(
        [python, "-m", "pip", "install", "-qq", "--no-compile", *arguments],
        cwd=project,
    )
    assert installed.returncode == 0, installed.stdout

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    imported = run([python, "-W", "ignore", "-c", IMPORT_EVERYTHING], cwd=elsewhere)
    assert imported.returncode == 0, imported.stdout
    report = json.loads(imported.stdout.splitlines()[-1])
    assert report["failed"] == {}
    assert {"grader", "langgraph", "nbgrader", "psycopg"} <= {
        name.partition(".")[0] for name in report["imported"]
    }


# ------------------------------------------------------------- what is committed


def committed() -> list[Path]:
    names = run(["git", "ls-files", "-z"])
    assert names.returncode == 0, names.stdout
    files = [ROOT / name for name in names.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


# In two parts, so that this file names none of them.
HOSTS = [
    f"{name}.{domain}"
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("anaconda", "com"),
        ("deb.debian", "org"),
        ("crates", "io"),
        ("proxy.golang", "org"),
    ]
]
MACHINE_PATH = re.compile(rb"(?<![\w.~}-])/(?:work|root|home|Users)/[\w.]+")


def test_no_committed_file_names_a_package_host():
    """Where packages come from is the setting of the machine that installs them: the
    lock and all else work with a mirror as they are."""
    found = [
        (str(file.relative_to(ROOT)), host)
        for file in committed()
        for host in HOSTS
        if host.encode() in file.read_bytes().lower()
    ]
    assert found == []


def test_no_committed_file_names_a_folder_of_one_machine():
    """Nothing depends on where some machine keeps its files."""
    found = [
        (str(file.relative_to(ROOT)), match.group().decode())
        for file in committed()
        for match in MACHINE_PATH.finditer(file.read_bytes())
    ]
    assert found == []
