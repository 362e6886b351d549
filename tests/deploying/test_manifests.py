"""The manifests are Kubernetes' own words, and say what the lessons ask for."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.deploying.files import (
    DEPLOY,
    MANIFESTS,
    Manifest,
    container,
    instructions,
    manifests,
    one,
    variables,
)

SCHEMA = json.loads(Path(__file__).with_name("kubernetes.schema.json").read_text())
NAMES = [f"{each['kind']} {each['metadata']['name']}" for each in manifests()]


def problems(manifest: Manifest) -> list[str]:
    """Return where an object is not of Kubernetes' schema; strict, as `kubectl` is."""
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    schema = {**SCHEMA["kinds"][kind], "$defs": SCHEMA["$defs"]}
    found = Draft202012Validator(schema).iter_errors(manifest)
    return [f"{error.json_path}: {error.message}" for error in found]


def with_pods() -> list[Manifest]:
    """Return the objects that make pods."""
    return [each for each in manifests() if "template" in each.get("spec", {})]


@pytest.mark.parametrize("manifest", manifests(), ids=NAMES)
def test_of_the_schema(manifest: Manifest) -> None:
    """each object is of the schema of its kind, with no field that is not known"""
    assert problems(manifest) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("spec", "replica"), 3, "'replica' was unexpected"),
        (("spec", "replicas"), "three", "'three' is not of type"),
        (("spec", "selector"), "chat", "'chat' is not of type"),
        (("spec", "template", "spec", "containers", 0, "readyProbe"), {}, "unexpected"),
    ],
)
def test_the_schema_finds(path: tuple[Any, ...], value: Any, expected: str) -> None:
    """a misspelt or mistyped field is found, so that finding none means something"""
    broken = copy.deepcopy(one("Deployment"))
    inner: Any = broken
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert any(expected in problem for problem in problems(broken))


def test_files_are_applied_in_order() -> None:
    """the files are numbered in the order in which they are applied"""
    assert [path.name[:2] for path in MANIFESTS] == ["1-", "2-", "3-", "4-", "5-"]
    order = [each["kind"] for each in manifests()]
    assert order.index("Secret") < order.index("Job") < order.index("Deployment")
    guide = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert all(f"kubernetes/{path.name}" in guide for path in MANIFESTS)


def test_replicas() -> None:
    """three replicas; while nodes are drained or a version changes, two go on"""
    spec = one("Deployment")["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = one("PodDisruptionBudget")["spec"]
    assert 0 < budget["minAvailable"] < spec["replicas"]
    assert budget["selector"] == spec["selector"]
    assert "sessionAffinity" not in one("Service", "chat")["spec"]


def test_names_agree() -> None:
    """selectors find the pods, ports and volumes are those that are there"""
    for each in with_pods():
        labels = each["spec"]["template"]["metadata"]["labels"]
        if "selector" in each["spec"]:
            assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for kind, name in (("Deployment", "chat"), ("StatefulSet", "chat-postgres")):
        pods = one(kind, name)["spec"]["template"]
        service = one("Service", name)
        assert service["spec"]["selector"].items() <= pods["metadata"]["labels"].items()
        ports = {port["name"] for port in container(one(kind, name))["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_probes() -> None:
    """there is a probe for the start, for ready and for alive, at the port that is open

    Ready gives up sooner than alive: a replica that is busy is spared, not killed.
    """
    made = container(one("Deployment"))
    patience = {}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = made[name]
        assert probe["httpGet"] == {"path": "/health", "port": "http"}
        patience[name] = probe["periodSeconds"] * probe["failureThreshold"]
    assert patience["readinessProbe"] < patience["livenessProbe"]
    (exposed,) = (each.text for each in instructions() if each.name == "EXPOSE")
    assert made["ports"] == [{"name": "http", "containerPort": int(exposed)}]


def test_time_to_end() -> None:
    """a replica has the time that its traffic and its requests need to end"""
    pods = one("Deployment")["spec"]["template"]["spec"]
    before = container(one("Deployment"))["lifecycle"]["preStop"]["sleep"]["seconds"]
    command = next(each.values for each in instructions() if each.name == "CMD")
    finishing = int(command[command.index("--timeout-graceful-shutdown") + 1])
    assert pods["terminationGracePeriodSeconds"] > before + finishing


def test_the_migration_comes_first_and_alone() -> None:
    """one pod at a time makes the tables, of the image that will use them"""
    job = one("Job")
    spec = job["spec"]
    assert (spec["parallelism"], spec["completions"]) == (1, 1)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    image = container(one("Deployment"))["image"]
    assert container(job)["image"] == image
    assert job["metadata"]["name"].endswith(image.partition(":")[2].replace(".", "-"))
    guide = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert f"job/{job['metadata']['name']}" in guide
    wait = guide.index("kubectl wait --for=condition=complete")
    assert wait < guide.index("-f kubernetes/5-chat.yaml")


@pytest.mark.parametrize(
    "manifest", with_pods(), ids=lambda each: each["metadata"]["name"]
)
def test_no_more_rights_than_needed(manifest: Manifest) -> None:
    """no root, no new rights, no capability, no token, and a limit on memory"""
    pods = manifest["spec"]["template"]["spec"]
    made = container(manifest)
    assert pods["automountServiceAccountToken"] is False
    assert pods["securityContext"]["runAsNonRoot"] is True
    assert pods["securityContext"]["runAsUser"] >= 999
    assert made["securityContext"]["allowPrivilegeEscalation"] is False
    assert made["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in made["resources"]["limits"]
    ours = made["image"].startswith("chat:")
    assert made["securityContext"].get("readOnlyRootFilesystem", False) is ours
    assert not made["image"].endswith(":latest")
    assert ":" in made["image"]


def test_no_secret_is_here() -> None:
    """the example of a secret has only words to replace, and no other file has one"""
    words = one("Secret")["stringData"]
    for name, value in words.items():
        assert "REPLACE-ME" in value or "USER:PASSWORD@HOST" in value, name
    for each in with_pods():
        sources = variables(each)
        for name in set(words) & set(sources):
            assert sources[name] == "secret"
    settings = one("ConfigMap")["data"]
    assert not set(settings) & set(words)
    assert not any("@" in value for value in settings.values())


def test_the_password_of_the_database_is_not_the_applications() -> None:
    """each pod is given the secrets that it uses, and no other"""
    assert "POSTGRES_PASSWORD" not in variables(one("Deployment"))
    assert set(variables(one("Job"))) == {"DATABASE_URL"}
