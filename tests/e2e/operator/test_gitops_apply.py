"""No endless OutOfSync: what is applied stays so, and the tools' own comparisons see no difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import Helm
from tests.controlplane import Kubectl
from tests.e2e.operator.history import History
from tests.e2e.operator.subject import NEVER_READY, Manifest, Subject, container, template
from tests.gitops.verdicts import out_of_sync

pytestmark = [pytest.mark.simulated, pytest.mark.built("argocd", "helm")]

SERVER_SIDE = ("--server-side", "--field-manager=argocd-controller")
#: What Argo CD and Flux put on what they manage.
TRACKING: Manifest = {
    "labels": {
        "app.kubernetes.io/instance": "shop",
        "kustomize.toolkit.fluxcd.io/name": "shop",
        "applyset.kubernetes.io/part-of": "applyset-x-v1",
    },
    "annotations": {
        "argocd.argoproj.io/tracking-id": "shop:twinhull.dev/Workload:shop/web",
        "argocd.argoproj.io/sync-wave": "1",
        "argocd.argoproj.io/hook": "PreSync",
    },
}
SPECS: dict[str, Manifest] = {
    "as little as can be": {"template": template()},
    "with a Service": {"template": template(containers=[container(ports=[{"containerPort": 80}])])},
    "a machine": {"isolationPolicy": "VirtualMachine", "template": template()},
    "stopped": {"state": "Stopped", "template": template()},
    "with quantities and times of many forms": {
        "template": template(
            containers=[
                container(
                    resources={"limits": {"cpu": "0.5", "memory": "0.5Gi"}, "requests": {"cpu": "500m"}},
                    env=[{"name": "EMPTY", "value": ""}, {"name": "SET", "value": "x"}],
                    readinessProbe={"tcpSocket": {"port": 80}},
                )
            ]
        ),
        "replacement": {"strategy": "StartFirst"},
    },
    "that never gets ready": {
        "template": template({NEVER_READY: "true"}),
        "replacement": {"progressDeadlineSeconds": 1},
    },
}
REASONS = {"stopped": "Stopped", "that never gets ready": "ProgressDeadlineExceeded"}


def manifest(web: Subject, what: str) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web", "namespace": web.namespace, **TRACKING},
        "spec": SPECS[what],
    }


def added(applied: Any, live: Any, path: str = "") -> list[str]:
    """The paths that are there and weren't applied; fails where something is another."""
    if isinstance(applied, dict):
        missing = [f"{path}.{key}" for key in live if key not in applied]
        return missing + [more for key in applied for more in added(applied[key], live[key], f"{path}.{key}")]
    if isinstance(applied, list):
        assert len(applied) == len(live), path
        pairs = enumerate(zip(applied, live, strict=True))
        return [more for number, (a, b) in pairs for more in added(a, b, f"{path}[{number}]")]
    assert applied == live, path
    return []


@pytest.mark.parametrize("what", SPECS)
@pytest.mark.parametrize("options", [(), SERVER_SIDE], ids=["client-side", "server-side"])
def test_what_is_applied_stays_so(
    web: Subject, kubectl: Kubectl, what: str, options: tuple[str, ...]
) -> None:
    wanted = manifest(web, what)
    kubectl.apply(wanted, *options)
    first = web.get()
    web.becomes(REASONS.get(what, "Ready"))
    live = web.get()

    assert live["spec"] == first["spec"], "nobody writes to spec"
    assert live["metadata"]["generation"] == 1
    web.eventually(
        lambda: kubectl.finds_no_difference(*options, stdin=json.dumps(wanted)), "kubectl sees no difference"
    )
    # Applied by the client, a list whose entries have a default is sent again each time, and stays the same.
    kubectl.apply(wanted, *options)
    assert web.get()["metadata"]["generation"] == 1

    def in_sync() -> bool:
        """The operator may write the status between what is read and what is predicted."""
        current, predicted = web.get(), None
        if options:
            text = kubectl.apply(
                wanted, *options, "--dry-run=server", "--output=yaml", "--show-managed-fields"
            )
            predicted = yaml.safe_load(text)
        return not out_of_sync(wanted, current, predicted)

    web.eventually(in_sync, "Argo CD sees no difference")
    other = {**wanted, "spec": {**wanted["spec"], "isolationPolicy": "Sandbox"}}
    if not options:
        assert out_of_sync(other, live), "a real difference is one"


@pytest.mark.parametrize("options", [(), SERVER_SIDE], ids=["client-side", "server-side"])
def test_the_chart_itself_is_in_sync_once_it_is_applied(
    namespace: str, kubectl: Kubectl, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """By Argo CD's own comparison, of what is applied with what the API server would store of it."""
    rendered = Helm.built("helm", tmp_path).template({}, "--namespace", namespace)
    assert {"CustomResourceDefinition", "ValidatingAdmissionPolicy", "Deployment"} <= {
        obj["kind"] for obj in rendered
    }
    apart = [
        f"{obj['kind']} {obj['metadata']['name']}"
        for obj in rendered
        if out_of_sync(obj, _as_stored(kubectl, obj, options))
    ]
    assert apart == []


def _as_stored(kubectl: Kubectl, obj: Manifest, options: tuple[str, ...]) -> Manifest:
    """What the API server would store of an object; definitions are there already."""
    forced = ("--force-conflicts",) if options else ()
    found: Manifest = json.loads(
        kubectl.apply(obj, *options, *forced, "--dry-run=server", "--output=json", "--show-managed-fields")
    )
    return found


def test_nothing_but_the_schemas_defaults_is_added_to_spec(web: Subject, kubectl: Kubectl) -> None:
    wanted = manifest(web, "with a Service")
    kubectl.apply(wanted)
    web.becomes("Ready")
    assert sorted(added(wanted["spec"], web.get()["spec"])) == [
        ".isolationPolicy",
        ".state",
    ]


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_tracking_never_reaches_what_belongs_to_a_workload(
    web: Subject, kubectl: Kubectl, isolation: str
) -> None:
    history = History.begin(web.cluster, web.namespace)
    wanted = manifest(web, "with a Service")
    kubectl.apply({**wanted, "spec": {**wanted["spec"], "isolationPolicy": isolation}})
    web.becomes("Ready")
    kinds = ("Pod", "Service", "ConfigMap", "VirtualMachine", "VirtualMachineInstance")
    seen = [change.obj["metadata"] for kind in kinds for change in history.of(kind)]
    ours = [metadata for metadata in seen if "twinhull.dev/workload" in metadata.get("labels", {})]
    assert ours
    for metadata in ours:
        assert not TRACKING["labels"].keys() & metadata.get("labels", {}).keys()
        assert not TRACKING["annotations"].keys() & metadata.get("annotations", {}).keys()


def test_two_managers_share_a_workload_without_a_conflict_over_status(web: Subject, kubectl: Kubectl) -> None:
    wanted = manifest(web, "as little as can be")
    kubectl.apply(wanted, *SERVER_SIDE)
    live = web.becomes("Ready")
    managers = {
        entry["manager"]: entry.get("subresource", "")
        for entry in web.cluster.api.request("GET", web.cluster.api.path("Workload", web.namespace, "web"))[
            "metadata"
        ]["managedFields"]
    }
    assert managers.pop("argocd-controller") == ""
    assert set(managers.values()) == {"status"}, live["metadata"]


def test_prune_takes_what_is_gone_from_the_folder_and_nothing_of_the_rest(
    web: Subject, kubectl: Kubectl
) -> None:
    def folder(*names: str) -> str:
        documents = [
            {
                "apiVersion": "twinhull.dev/v1alpha1",
                "kind": "Workload",
                "metadata": {"name": name, "namespace": web.namespace, "labels": {"part-of": "shop"}},
                "spec": SPECS["with a Service"],
            }
            for name in names
        ]
        return yaml.safe_dump_all(documents)

    allowed = [
        *("--prune", "--selector", "part-of=shop", "--namespace", web.namespace),
        *("--prune-allowlist", "twinhull.dev/v1alpha1/Workload"),
        *("--prune-allowlist", "core/v1/Service", "--prune-allowlist", "core/v1/Pod"),
    ]
    other = web.named("other")
    kubectl.apply(folder("web", "other"), *allowed)
    web.becomes("Ready")
    other.becomes("Ready")
    hull = web.hull()["metadata"]["uid"]

    kubectl.apply(folder("web"), *allowed)

    other.is_gone()
    assert web.hull()["metadata"]["uid"] == hull
    assert web.belongings()["Service"] == ["web"]


def test_prune_by_applyset(web: Subject, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_APPLYSET", "true")
    options = ("--server-side", "--prune", "--applyset=shop", "--namespace", web.namespace)
    second = {**manifest(web, "with a Service"), "metadata": {"name": "other", "namespace": web.namespace}}
    first = {**second, "metadata": {"name": "web", "namespace": web.namespace}}
    kubectl.apply(yaml.safe_dump_all([first, second]), *options)
    web.becomes("Ready")
    other = web.named("other")
    other.becomes("Ready")
    hull = web.hull()["metadata"]

    kubectl.apply(first, *options)

    other.is_gone()
    assert web.hull()["metadata"]["uid"] == hull["uid"]
    assert "applyset.kubernetes.io/part-of" not in web.hull()["metadata"]["labels"]


def test_a_claim_that_is_applied_with_its_workload_never_makes_it_stall(
    web: Subject, kubectl: Kubectl
) -> None:
    """What is Degraded ends a sync of Argo CD's, and a wait of Flux's, however short it was so."""
    history = History.begin(web.cluster, web.namespace)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": web.namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    claim["spec"]["storageClassName"] = "simulated"  # type: ignore[index]
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    wanted = manifest(web, "as little as can be")
    wanted = {**wanted, "spec": {"template": template(volumes=[volume])}}
    kubectl.apply(yaml.safe_dump_all([claim, wanted]))
    web.becomes("Ready")
    stalled = [
        condition["reason"]
        for change in history.of("Workload")
        for condition in change.obj["status"].get("conditions", [])
        if (condition["type"], condition["status"]) == ("Stalled", "True")
    ]
    assert stalled == []
