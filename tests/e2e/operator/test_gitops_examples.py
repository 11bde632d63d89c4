"""The GitOps examples: their objects are what the tools take, and deploying them does what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.controlplane import Api, Kubectl
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import EXIT, Manifest, Subject
from tests.gitops.lifecycle import STATES, completed, running_to_completion
from tests.gitops.verdicts import CHECKS, applications, fluxes_own, health, kstatus

pytestmark = [pytest.mark.simulated, pytest.mark.built("kstatus", "flux", "argocd")]

EXAMPLES = Path(__file__).parents[3] / "examples"
_HOOK, _WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"
_PHASES = ["PreSync", "Sync", "PostSync"]
_MARKED = re.compile(r'^(\s*(?:- )?image: )\S+(?= # \{"\$imagepolicy": "([\w-]+:[\w-]+)"\}$)', re.MULTILINE)


def documents(*folders: str) -> list[Manifest]:
    """All objects of the folders' files."""
    paths = [path for folder in folders for path in sorted((EXAMPLES / folder).glob("*.yaml"))]
    return [found for path in paths for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def in_state(name: str) -> Manifest:
    """A Workload as it was recorded in a state."""
    path = CHECKS / f"twinhull.dev/Workload/testdata/{name}.yaml"
    found: Manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def fluxes_checks() -> Manifest:
    """The example's own checks of Workloads."""
    ((expressions,),) = [
        obj["spec"]["healthCheckExprs"] for obj in documents("flux") if "healthCheckExprs" in obj["spec"]
    ]
    found: Manifest = expressions
    return found


def annotation(obj: Manifest, name: str, otherwise: str) -> str:
    found: str = obj["metadata"].get("annotations", {}).get(name, otherwise)
    return found


def simulated(obj: Manifest) -> Manifest:
    """A run to completion that ends well, as the simulated kubelet needs to be told."""
    pod = obj["spec"].get("template", {"spec": {}})
    if pod["spec"].get("restartPolicy") == "Never":
        pod["metadata"] = {"annotations": {EXIT: "0"}}
    return obj


def test_argo_cd_takes_the_applications_and_each_leads_to_a_folder_that_is_there() -> None:
    found = documents("argocd", "argocd/apps")
    assert applications(*found) == ["root", "policies", "shop"]
    for application in found:
        assert (EXAMPLES.parent / application["spec"]["source"]["path"]).is_dir()
    waves = {app["metadata"]["name"]: int(annotation(app, _WAVE, "0")) for app in found}
    assert waves["policies"] < waves["shop"]


def test_flux_takes_its_objects_and_each_kustomization_leads_to_a_folder_that_is_there() -> None:
    found = documents("flux")
    fluxes_own(*found)
    folders = [obj["spec"]["path"] for obj in found if obj["kind"] == "Kustomization"]
    assert folders == ["./examples/flux/policies", "./examples/flux/shop"]
    assert all((EXAMPLES.parent / folder).is_dir() for folder in folders)


def test_the_shop_is_synced_wave_by_wave(web: Subject, kubectl: Kubectl) -> None:
    """As Argo CD does it: what comes next waits until all of a wave is Healthy, and Degraded would end it."""
    shop = [simulated(obj) for obj in documents("argocd/shop")]
    steps = sorted(
        {(_PHASES.index(annotation(o, _HOOK, "Sync")), int(annotation(o, _WAVE, "0"))) for o in shop}
    )
    assert steps == [(0, 0), (1, -2), (1, -1), (1, 0), (2, 0)]
    for step in steps:
        wave = [
            obj
            for obj in shop
            if (_PHASES.index(annotation(obj, _HOOK, "Sync")), int(annotation(obj, _WAVE, "0"))) == step
        ]
        options = ("--server-side", "--field-manager=argocd-controller", "--namespace", web.namespace)
        kubectl.apply(yaml.safe_dump_all(wave), *options)
        names = [obj["metadata"]["name"] for obj in wave if obj["kind"] == "Workload"]

        def healthy(names: list[str] = names) -> bool:
            seen = health(*(web.named(name).get() for name in names)) if names else []
            assert "Degraded" not in [status for status, _ in seen], seen
            return all(status == "Healthy" for status, _ in seen)

        web.eventually(healthy, f"wave {step} is Healthy")
    reasons = {obj["metadata"]["name"]: web.named(obj["metadata"]["name"]) for obj in shop}
    assert reasons["migrate"].condition("Ready")[1] == "Completed"
    assert reasons["standby"].condition("Ready")[1] == "Stopped"


def test_the_policies_are_taken(kubectl: Kubectl) -> None:
    for folder in ("argocd/policies", "flux/policies"):
        kubectl("apply", "--dry-run=server", "--validate=strict", "--filename", str(EXAMPLES / folder))


def test_fluxs_own_checks_of_the_example_wait_for_a_run_to_its_end(web: Subject, api: Api) -> None:
    expressions = fluxes_checks()
    policies = Policies(api, web.namespace)
    running = next(running_to_completion(web.named("running"), policies))
    done = next(completed(web.named("done"), policies))
    assert kstatus(running, done) == ["Current", "Current"]
    assert kstatus(running, done, expressions=expressions) == ["InProgress", "Current"]
    for name, state in STATES.items():
        if state.kstatus != "Terminating" and name != "running-to-completion":
            assert kstatus(in_state(name), expressions=expressions) == [state.kstatus], name


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state.kstatus != "Terminating"])
def test_a_machine_that_boots_a_disk_needs_no_template_for_the_checks(name: str) -> None:
    """Whatever its conditions say, the checks say the same of it as of a Workload with a template."""
    obj, state = in_state(name), STATES[name]
    obj["spec"].pop("template", None)
    obj["spec"]["virtualMachine"] = {"bootDisk": {"source": {"blank": {}}}}
    expected = "Healthy" if name == "running-to-completion" else state.health
    assert [status for status, _ in health(obj)] == [expected]
    assert kstatus(obj, expressions=fluxes_checks()) == [state.kstatus]


def test_a_machine_that_boots_a_disk_never_completes_whatever_its_template_says() -> None:
    obj = in_state("running-to-completion")
    obj["spec"]["virtualMachine"] = {"bootDisk": {"source": {"blank": {}}}}
    assert [status for status, _ in health(obj)] == ["Progressing"], "its containers run"
    assert kstatus(obj, expressions=fluxes_checks()) == ["InProgress"]
    obj["status"]["isolation"]["resolved"] = "VirtualMachine"
    assert [status for status, _ in health(obj)] == ["Healthy"]
    assert kstatus(obj, expressions=fluxes_checks()) == ["Current"]


def test_flux_writes_images_where_the_markers_are_and_they_reach_the_cluster(
    web: Subject, kubectl: Kubectl, tmp_path: Path
) -> None:
    """The line with the marker is what Flux's setters rewrite (image-automation-controller, Setters)."""
    source = (EXAMPLES / "flux/shop/workload.yaml").read_text(encoding="utf-8")
    policies = {
        f"{obj['metadata']['namespace']}:{obj['metadata']['name']}"
        for obj in documents("flux")
        if obj["kind"] == "ImagePolicy"
    }
    assert {policy for _, policy in _MARKED.findall(source)} == policies
    updated = _MARKED.sub(r"\g<1>registry.example/shop/web:1.5.0", source)
    assert updated.count("registry.example/shop/web:1.5.0") == updated.count("image: ") == 2

    built = kubectl("kustomize", str(EXAMPLES / "flux/shop"))
    (tmp_path / "workload.yaml").write_text(updated, encoding="utf-8")
    kubectl.apply(built, "--namespace", web.namespace)
    web.becomes("Ready")
    replaced = built.replace("registry.example/shop/web:1.4.2", "registry.example/shop/web:1.5.0")
    kubectl.apply(replaced, "--namespace", web.namespace)
    web.becomes("Ready")
    web.eventually(
        lambda: web.hull()["spec"]["containers"][0]["image"] == "registry.example/shop/web:1.5.0",
        "the new image runs",
    )
