"""The API server, by the ValidatingAdmissionPolicy of deploy/admission, says what the operator would."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import Api, Cluster
from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest, Subject
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Subject as Concerned
from twinhull.core.isolation import concerning, resolve
from twinhull.shell.policies import read

ADMISSION = Path(__file__).parents[3] / "deploy/admission"
ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
DIGEST = "sha256:" + "0" * 64

#: What makes two names of images the same or not, and what patterns tell apart.
IMAGES = (
    *("nginx", "nginx:1.29", f"nginx@{DIGEST}", f"nginx:1.29@{DIGEST}", "library/nginx", "team/nginx"),
    *("docker.io/nginx", "index.docker.io/library/nginx:latest", "registry-1.docker.io/library/nginx"),
    *("ghcr.io/community/app", "GHCR.io/community/app:1", "ghcr.io:443/community/deep/app"),
    *("ghcr.io:0443/community/app", "host:005000/app", "host:000/app"),
    *("localhost/app", "localhost:5000/app:2", "host:5000/app", "a.b/c", "axb/c", "Team/app"),
)
PATTERNS = (
    *("nginx", "nginx:1.*", "nginx:latest", "nginx@sha256:*", "nginx:*@sha256:0*", "library/*", "*/nginx"),
    *("docker.io/**", "**", "**/nginx", "**:latest", "**@sha256:*", "index.docker.io/library/ngin?"),
    *("ghcr.io/community/*", "ghcr.io/community/**", "GHCR.IO:443/**/app", "*.io/community/*", "?hcr.io/**"),
    *("ghcr.io:0443/community/app", "host:05000/app", "host:0/*"),
    *("localhost/*", "localhost:5000/*", "host:*/app", "a.b/c", "*/*/*", "Team/*"),
)
_REQUIREMENTS = (
    {"key": "tier", "operator": "In", "values": ["gold", "silver"]},
    {"key": "tier", "operator": "NotIn", "values": ["gold", ""]},
    {"key": "tier", "operator": "Exists"},
    {"key": "example.com/tier", "operator": "DoesNotExist"},
)
SELECTORS: tuple[Manifest, ...] = (
    {},
    {"matchLabels": {"tier": "gold"}},
    {"matchLabels": {"tier": "gold", "example.com/tier": ""}},
    *({"matchExpressions": [requirement]} for requirement in _REQUIREMENTS),
    {"matchLabels": {"tier": "silver"}, "matchExpressions": [_REQUIREMENTS[3]]},
)
LABELS: tuple[dict[str, str], ...] = (
    {},
    {"tier": "gold"},
    {"tier": "silver"},
    {"tier": ""},
    {"tier": "gold", "example.com/tier": ""},
)
POLICIES = 60
ACCOUNTS = ("default", "builder", "{namespace}/builder", "elsewhere/builder", "{namespace}/default")


def any_policy(chance: random.Random, number: int, namespace: str) -> Manifest:
    """A policy with whatever parts of a match; it concerns only Workloads that bear its number."""
    match: Manifest = {}
    if chance.random() < 0.7:
        match["images"] = chance.sample(PATTERNS, chance.randint(1, 3))
    if chance.random() < 0.3:
        match["namespaceSelector"] = chance.choice(SELECTORS)
    if chance.random() < 0.2:
        match["serviceAccounts"] = [
            account.format(namespace=namespace) for account in chance.sample(ACCOUNTS, chance.randint(0, 2))
        ]
    selector = deepcopy(chance.choice(SELECTORS)) if chance.random() < 0.3 else {}
    selector.setdefault("matchLabels", {})["policy"] = str(number)
    spec = {
        "match": {**match, "workloadSelector": selector},
        "minimum": chance.choice((*ISOLATIONS, "VirtualMachine", "VirtualMachine")),
        "onViolation": "Reject" if chance.random() < 0.9 else "Raise",
    }
    return policy(f"random-{number}", **spec)


def any_workload(chance: random.Random, number: int, namespace: str) -> Manifest:
    account = chance.choice(
        [{}, {"serviceAccountName": "builder"}, {"serviceAccount": "builder"}, {"serviceAccountName": ""}]
    )
    images = chance.sample(IMAGES, 3)
    init = [{"name": "init", "image": images[2]}] if chance.random() < 0.5 else []
    mounted = chance.choice(IMAGES) if chance.random() < 0.3 else ""
    pod = {
        "containers": [{"name": f"c{index}", "image": image} for index, image in enumerate(images[:2])],
        **({"initContainers": init} if init else {}),
        **({"volumes": [{"name": "v", "image": {"reference": mounted}}]} if mounted else {}),
        **account,
    }
    labels = {"policy": str(number), **chance.choice(LABELS)}
    return workload(namespace, pod, chance.choice((*ISOLATIONS[:2], *ISOLATIONS, "Auto")), **labels)


def policy(name: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "IsolationPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def workload(namespace: str, pod: Manifest, isolation: str, **labels: str) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web", "namespace": namespace, "labels": labels},
        "spec": {"isolationPolicy": isolation, "template": {"spec": pod}},
    }


def refusal(api: Api, manifest: Manifest) -> str:
    """What the API server says against creating a Workload, empty if nothing."""
    path = api.path("Workload", manifest["metadata"]["namespace"])
    try:
        api.request("POST", path, manifest, query={"dryRun": "All"})
    except ApiError as error:
        return error.message
    return ""


def expectation(manifest: Manifest, namespace_labels: dict[str, str], policies: list[Manifest]) -> str:
    """What the operator would say, if it is a rejection. Of Auto the API server says nothing."""
    metadata, spec = manifest["metadata"], manifest["spec"]
    if spec["isolationPolicy"] == "Auto":
        return ""
    concerned = Concerned(
        metadata["namespace"], namespace_labels, metadata["labels"], spec["template"]["spec"]
    )
    found = concerning(concerned, [read(obj) for obj in policies])
    resolution = resolve(WorkloadSpec.model_validate(spec), OperatorDefaults(), found)
    return resolution.message if resolution.rejected else ""


@pytest.fixture(scope="module")
def admission(cluster: Cluster) -> Iterator[Cluster]:
    cluster.kubectl("apply", "--kustomize", str(ADMISSION))
    yield cluster
    cluster.kubectl("delete", "--kustomize", str(ADMISSION))


@pytest.fixture
def in_force(admission: Cluster, api: Api, namespace: str) -> Iterator[Any]:
    """Makes policies be in force, until the test is over."""
    made: list[str] = []

    def enforce(*policies: Manifest) -> None:
        last = policy(
            f"last-{namespace}",
            minimum="VirtualMachine",
            onViolation="Reject",
            match={"workloadSelector": {"matchLabels": {"last": namespace}}},
        )
        for obj in (*policies, last):
            made.append(obj["metadata"]["name"])
            api.create(obj)
        probe = workload(
            namespace, {"containers": [{"name": "c", "image": "a"}]}, "Container", last=namespace
        )
        admission.eventually(
            lambda: f"IsolationPolicy last-{namespace} requires" in refusal(api, probe),
            30,
            "the policies are in force",
        )

    yield enforce
    for name in made:
        api.delete("IsolationPolicy", name)


def test_the_api_server_says_what_the_operator_would(
    in_force: Any, cluster: Cluster, api: Api, namespace: str
) -> None:
    chance = random.Random(5)  # noqa: S311  the same cases each time
    policies = [any_policy(chance, number, namespace) for number in range(POLICIES)]
    in_force(*policies)
    refused = 0
    for labels in LABELS[:3]:
        api.patch("Namespace", namespace, None, {"metadata": {"labels": {"tier": None, **labels}}})
        seen = api.get("Namespace", namespace)
        assert seen is not None
        for number in range(POLICIES):
            for _ in range(2):
                manifest = any_workload(chance, number, namespace)
                expected = expectation(manifest, seen["metadata"]["labels"], policies)

                def agrees(manifest: Manifest = manifest, expected: str = expected) -> bool:
                    said = refusal(api, manifest)
                    assert (said != "", expected in said) == (expected != "", True), (manifest, said)
                    return True

                # The API server may see the namespace's labels a little later than it takes them.
                cluster.eventually(agrees, 10, f"both say the same of {policies[number]}")
                refused += expected != ""
    assert POLICIES < refused < 4 * POLICIES, "both verdicts are given often"


def test_what_is_there_already_may_be_stopped_but_not_changed(
    in_force: Any, api: Api, namespace: str, cluster: Cluster
) -> None:
    web = Subject(cluster, namespace)
    web.apply("Container")
    in_force(
        policy(
            f"strict-{namespace}",
            minimum="Sandbox",
            onViolation="Reject",
            match={"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        )
    )
    for change in (
        {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
        {"spec": {"isolationPolicy": "Container", "service": {"enabled": False}}},
        {"metadata": {"labels": {"a": "b"}}},
    ):
        with pytest.raises(ApiError, match=r"requires Sandbox or stronger, and spec.isolationPolicy asks"):
            api.patch("Workload", "web", namespace, change)
    for allowed in (
        {"metadata": {"annotations": {"a": "b"}}},
        {"spec": {"state": "Stopped"}},
        {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
        {"spec": {"state": "Running", "isolationPolicy": "VirtualMachine"}},
        {"spec": {"isolationPolicy": "Auto"}},
    ):
        api.patch("Workload", "web", namespace, allowed)
    api.delete("Workload", "web", namespace)


def test_the_largest_policy_is_within_what_an_expression_may_cost(
    in_force: Any, api: Api, namespace: str
) -> None:
    long = "registry.example.com/" + "/".join(["team", "product", "component"] * 5)
    patterns = [f"{long}/no{number}*/**/x?y*:1.*" for number in range(31)]
    in_force(
        policy(
            f"large-{namespace}",
            minimum="Sandbox",
            onViolation="Reject",
            match={"images": [*patterns, f"{long}/image31:*"]},
        )
    )
    pod = {
        "containers": [
            {"name": f"c{number}", "image": f"{long}/image{number}:v1.2.3"} for number in range(32)
        ]
    }
    assert "requires Sandbox or stronger" in refusal(api, workload(namespace, pod, "Container"))
    assert refusal(api, workload(namespace, {"containers": pod["containers"][:31]}, "Container")) == ""
