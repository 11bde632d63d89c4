"""Who may write ConfigMaps writes another Pod into the manifest of somebody else's machine."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.controlplane import Api, ControlPlane
from tests.e2e.hostile.people import Person
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess

Manifest = dict[str, Any]
FILE = "manifest.json"


def forged(text: str) -> str:
    """A manifest that runs the attacker's image with all that the victim's Pod is given."""
    manifest = json.loads(text)
    for container in manifest["pod"]["spec"]["containers"]:
        container["image"] = "attacker.example/steals:1"
    return json.dumps(manifest)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _noted(original: Manifest) -> Manifest:
    """The digest beside it is changed with it."""
    text = forged(original["data"][FILE])
    return {"metadata": {"annotations": {"twinhull.dev/manifest": digest(text)}}, "data": {FILE: text}}


def _bare(original: Manifest) -> Manifest:
    """No digest is left beside it."""
    return {"metadata": {"annotations": None}, "data": {FILE: forged(original["data"][FILE])}}


def _binary(original: Manifest) -> Manifest:
    """It is under the other field that a ConfigMap has for content."""
    content = base64.b64encode(forged(original["data"][FILE]).encode()).decode()
    return {"metadata": {"annotations": None}, "data": None, "binaryData": {FILE: content}}


def _accompanied(original: Manifest) -> Manifest:
    """There is another file beside it."""
    return {"data": {"Manifest.json": forged(original["data"][FILE])}}


def _relabelled(original: Manifest) -> Manifest:
    """It says that it is of another revision."""
    return _noted(original) | {"metadata": {"labels": {"twinhull.dev/revision": "1other"}}}


def _immutable(original: Manifest) -> Manifest:
    """It can't be changed back."""
    return _noted(original) | {"immutable": True}


def _kept(original: Manifest) -> Manifest:
    """It is to be kept when it is deleted."""
    return _noted(original) | {"metadata": {"finalizers": ["attacker.example/kept"]}}


def content(config_map: Manifest) -> Manifest:
    return {key: config_map.get(key) for key in ("data", "binaryData")}


@pytest.fixture
def web(operator: OperatorProcess, simulation: ControlPlane, namespace: str) -> Subject:
    """The victim's Workload, in the namespace whose ConfigMaps the attacker may write."""
    return Subject(simulation, namespace, alive=operator.check)


@pytest.fixture
def machine(web: Subject) -> str:
    """The name of a machine that runs, and of its manifest."""
    web.apply("VirtualMachine")
    name: str = web.becomes("Ready")["status"]["hull"]["name"]
    return name


@pytest.mark.parametrize("forge", [_noted, _bare, _binary, _accompanied, _relabelled, _immutable])
def test_a_forged_manifest_is_put_back(
    web: Subject, configurer: Person, machine: str, forge: Callable[[Manifest], Manifest]
) -> None:
    original, runs = web.one("ConfigMap", machine), web.one("VirtualMachineInstance", machine)

    configurer.api.patch("ConfigMap", machine, web.namespace, forge(original))

    web.eventually(
        lambda: content(web.one("ConfigMap", machine)) == content(original), "the manifest is put back"
    )
    assert web.one("VirtualMachineInstance", machine)["metadata"]["uid"] == runs["metadata"]["uid"]
    web.becomes("Ready")
    web.gets_event("DriftCorrected")


def test_one_that_is_kept_from_going_is_put_right_all_the_same(
    web: Subject, configurer: Person, machine: str
) -> None:
    original = web.one("ConfigMap", machine)
    configurer.api.patch("ConfigMap", machine, web.namespace, _kept(original))
    configurer.api.delete("ConfigMap", machine, web.namespace)
    configurer.api.patch("ConfigMap", machine, web.namespace, _noted(original))

    web.eventually(
        lambda: content(web.one("ConfigMap", machine)) == content(original), "the manifest is put back"
    )

    configurer.api.patch("ConfigMap", machine, web.namespace, {"metadata": {"finalizers": None}})
    web.eventually(
        lambda: "deletionTimestamp" not in web.one("ConfigMap", machine)["metadata"], "it is made again"
    )


def _stopped(web: Subject, api: Api, machine: str) -> Manifest:
    """Stop it, and wait until its manifest is gone; as that was."""
    original = web.one("ConfigMap", machine)
    web.change(state="Stopped")
    web.becomes("Stopped")
    web.eventually(lambda: api.get("ConfigMap", machine, web.namespace) is None, "the manifest is gone")
    return original


def test_no_machine_is_made_for_a_manifest_that_waits_for_it(
    web: Subject, api: Api, configurer: Person, machine: str
) -> None:
    """A machine's name comes from its content, so it can be known beforehand; and so can its owner. It isn't
    seen as long as it lacks the label.
    """
    original = _stopped(web, api, machine)
    del original["metadata"]["labels"]
    _plant(configurer, original)
    seen: list[Manifest] = []

    web.change(state="Running")

    def made() -> bool:
        if api.get("VirtualMachine", machine, web.namespace) is None:
            return False
        seen.append(web.one("ConfigMap", machine))
        return True

    web.eventually(made, "the machine is made")
    assert content(seen[0]) == content(original)
    web.becomes("Ready")


def test_one_that_is_nobodys_is_told_by_name(
    web: Subject, api: Api, configurer: Person, machine: str
) -> None:
    original = _stopped(web, api, machine)
    del original["metadata"]["ownerReferences"]
    _plant(configurer, original)
    web.change(state="Running")

    web.becomes("NameConflict")
    assert f"ConfigMap {machine}" in web.condition("Ready")[2]
    assert api.get("VirtualMachine", machine, web.namespace) is None

    configurer.api.delete("ConfigMap", machine, web.namespace)
    web.becomes("Ready")


def test_the_machine_says_which_manifest_it_boots(web: Subject, configurer: Person, machine: str) -> None:
    """By its launcher Pod, on which who may write ConfigMaps has no say."""
    text = web.one("ConfigMap", machine)["data"][FILE]
    configurer.api.patch("ConfigMap", machine, web.namespace, _noted(web.one("ConfigMap", machine)))
    (launcher,) = web.cluster.api.list("Pod", web.namespace, labels="kubevirt.io=virt-launcher")
    assert launcher["metadata"]["annotations"]["twinhull.dev/manifest"] == digest(text)


def _plant(configurer: Person, like: Manifest) -> None:
    """Make one that passes for another: of its name, labels and owner, and not to be changed."""
    metadata = {
        key: like["metadata"][key]
        for key in ("name", "namespace", "labels", "ownerReferences")
        if key in like["metadata"]
    }
    text = forged(like["data"][FILE])
    metadata["annotations"] = {"twinhull.dev/manifest": digest(text)}
    configurer.api.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {FILE: text},
            "immutable": True,
        }
    )
