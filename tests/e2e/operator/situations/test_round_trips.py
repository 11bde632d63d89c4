"""A template on the ways by which it reaches a cluster: Helm, kustomize, and what kubectl printed before.

Where the Deployment beside it rolls nothing, what runs of the Workload isn't replaced.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import Helm
from tests.controlplane import Cluster, KubectlError, build
from tests.e2e.operator.situations.pair import BASE, NULLS, Pair
from tests.e2e.operator.subject import Manifest, Subject
from tests.e2e.test_kustomize import kustomization

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.HELM)]

CHART = Path(__file__).with_name("shop")
#: What runs, and who merges what is applied. A machine takes a while to start, so it is tried one way.
WAYS = pytest.mark.parametrize(
    ("isolation", "options"),
    [("Container", ()), ("Container", ("--server-side",)), ("VirtualMachine", ("--server-side",))],
    ids=["client-side", "server-side", "machine"],
)

#: What is told to the chart, each time another way to say nothing new.
SAID: dict[str, Manifest] = {
    "nothing": {},
    "empty lists and maps": {
        "podAnnotations": {},
        "podSecurityContext": {},
        "imagePullSecrets": [],
        "nodeSelector": {},
        "tolerations": [],
    },
    "defaults": {
        "pod": {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "hostNetwork": False},
        "container": {"imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File", "args": []},
    },
    "other units": {"resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}}},
}


#: A template that says much, and much that is null.
(_PLAIN,), (_NULL,) = BASE["spec"]["containers"], NULLS["spec"]["containers"]
_PORTS: list[Manifest] = [
    {"containerPort": 8080, "name": None}
]  # a null protocol, which is a key, rolls Deployments
BOTH: Manifest = {
    "metadata": NULLS["metadata"],
    "spec": {
        **NULLS["spec"],
        "containers": [_PLAIN, {**_NULL, "name": "null", "ports": _PORTS}],
        "volumes": [BASE["spec"]["volumes"][0], *NULLS["spec"]["volumes"]],
    },
}


class Release:
    """A release of the chart, by a Helm."""

    def __init__(self, helm: Helm, pair: Pair) -> None:
        self.helm, self.pair = helm, pair

    def __call__(self, verb: str, *options: str, **values: Any) -> str:
        """Says these values to it; the Deployment's ReplicaSets then, and what runs of the Workload."""
        given = {"isolationPolicy": self.pair.isolation, **values}
        self.helm(verb, "shop", str(CHART), *self._namespace, *options, values=given)
        return f"{self.pair.replica_sets()} {self.pair.runs()}"

    def differs_in_nothing(self) -> None:
        """Wait until `kubectl diff` has nothing to say of what Helm has applied.

        By the client it would say the nulls, which are stored as Helm sends them. kubectl leaves them out.
        """
        manifest = self.helm("get", "manifest", "shop", *self._namespace)
        self.pair.differs_in_nothing(*self._namespace, "--server-side", "--force-conflicts", stdin=manifest)

    @property
    def _namespace(self) -> tuple[str, str]:
        return ("--namespace", self.pair.web.namespace)


@pytest.mark.parametrize(
    ("program", "isolation"),
    [*((program, "Container") for program in build.HELM), ("helm", "VirtualMachine")],
)
def test_where_a_chart_says_nothing_new_nothing_is_replaced(
    cluster: Cluster, web: Subject, tmp_path: Path, program: str, isolation: str
) -> None:
    release = Release(Helm.built(program, tmp_path, cluster.kubeconfig), Pair(cluster, web, isolation))
    begun = release("install")
    release.differs_in_nothing()
    now = {what: release("upgrade", **values) for what, values in SAID.items()}
    assert {what: found for what, found in now.items() if found != begun} == {}

    generation = web.get()["metadata"]["generation"]
    release("upgrade", **SAID["other units"])
    assert web.get()["metadata"]["generation"] == generation, "the same was said again"


def test_where_a_chart_says_something_new_both_are_of_another_revision(
    cluster: Cluster, web: Subject, tmp_path: Path
) -> None:
    release = Release(Helm.built("helm", tmp_path, cluster.kubeconfig), Pair(cluster, web, "Container"))
    release("install")
    revision = web.get()["status"]["hull"]["revision"]
    release("upgrade", pod={"terminationGracePeriodSeconds": 7})
    assert len(release.pair.replica_sets()) == 2
    assert web.get()["status"]["hull"]["revision"] != revision


def test_helm_4_goes_on_with_what_helm_3_installed(cluster: Cluster, web: Subject, tmp_path: Path) -> None:
    pair = Pair(cluster, web, "Container")
    helm3, helm4 = (
        Release(Helm.built(program, tmp_path / program, cluster.kubeconfig), pair)
        for program in ("helm3", "helm")
    )
    begun = helm3("install")
    assert helm4("upgrade") == begun
    assert helm4("upgrade", "--server-side=true", "--force-conflicts", **SAID["defaults"]) == begun


@WAYS
def test_where_an_overlay_says_nothing_new_nothing_is_replaced(
    cluster: Cluster, web: Subject, tmp_path: Path, isolation: str, options: tuple[str, ...]
) -> None:
    pair = Pair(cluster, web, isolation, *options)
    objects = [pair.workload(BOTH), pair.deployment(BOTH)]
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    for folder in (base, overlay):
        folder.mkdir()
    kustomization(base, objects)
    spec = {
        "terminationGracePeriodSeconds": 30,
        "hostNetwork": False,
        "tolerations": [],
        # In the order of the base: kustomize puts those first that a patch names.
        "containers": [
            {"name": "web", "stdin": False},
            {"name": "null", "imagePullPolicy": "IfNotPresent", "resources": {}},
        ],
    }
    kustomization(
        overlay,
        objects,
        images=[{"name": "nginx", "newTag": "1.29"}],
        labels=[{"pairs": {"part-of": "shop"}}],
        patches=[{"patch": yaml.safe_dump({**obj, "spec": {"template": {"spec": spec}}})} for obj in objects],
    )

    def applied(folder: Path) -> str:
        cluster.kubectl("apply", "--kustomize", str(folder), *options)
        return f"{pair.replica_sets()} {pair.runs()}"

    begun = applied(base)
    assert applied(overlay) == begun
    printed = cluster.kubectl("kustomize", str(overlay))
    pair.differs_in_nothing(*options, stdin=printed)
    generation = web.get()["metadata"]["generation"]
    assert applied(overlay) == begun
    assert web.get()["metadata"]["generation"] == generation
    assert applied(base) == begun


@WAYS
def test_what_kubectl_prints_can_be_applied_again(
    cluster: Cluster, web: Subject, isolation: str, options: tuple[str, ...]
) -> None:
    pair = Pair(cluster, web, isolation, *options)
    _, begun = pair.apply(BOTH)
    generation = web.get()["metadata"]["generation"]
    for form, verb in (("yaml", "apply"), ("json", "apply"), ("yaml", "replace"), ("json", "replace")):
        web.eventually(
            partial(said_again, cluster, web, form, verb, options), f"{verb} of what is printed as {form}"
        )
        assert web.get()["metadata"]["generation"] == generation, f"{verb} of {form}"
    assert f"{pair.replica_sets()} {pair.runs()}" == begun


def said_again(cluster: Cluster, web: Subject, form: str, verb: str, options: tuple[str, ...]) -> bool:
    """Whether what is printed differs in nothing, and is taken. It is of one version: once a controller has
    written another one, it is refused.
    """
    printed = printed_by(cluster, web, form)
    assert cluster.kubectl.finds_no_difference(*options, stdin=printed)
    try:
        cluster.kubectl(verb, "--filename", "-", *(options if verb == "apply" else ()), stdin=printed)
    except KubectlError as error:
        if "the object has been modified" not in str(error):
            raise
        return False
    return True


def printed_by(cluster: Cluster, web: Subject, form: str) -> str:
    """Both of a pair, as kubectl prints them."""
    objects = ("workload.twinhull.dev/web", "deployment/beside")
    return cluster.kubectl("get", *objects, "--namespace", web.namespace, "--output", form)


def test_a_manifest_can_be_applied_by_the_server_after_the_client(cluster: Cluster, web: Subject) -> None:
    by_client = Pair(cluster, web, "Container")
    by_server = Pair(cluster, web, "Container", "--server-side")
    _, begun = by_client.apply(BASE)
    generation = web.get()["metadata"]["generation"]
    assert by_server.apply(BASE)[1] == begun
    assert by_client.apply(BASE)[1] == begun
    assert web.get()["metadata"]["generation"] == generation
