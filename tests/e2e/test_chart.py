"""What the chart renders, by the real Helm 4 and Helm 3, and what kustomize makes of deploy/."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import twinhull
from tests import metrics
from tests.chart import rights
from tests.chart.helm import CHART, NAMESPACE, Helm, HelmError, Manifest, find
from tests.controlplane import Kubectl, build
from tools import manifests
from twinhull.api import crd
from twinhull.api.admission import admission
from twinhull.api.registry import ClusterRegistry
from twinhull.hulls.types import machine_isolations

DEPLOY = CHART.parents[1] / "deploy"
BOUNDS = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
EARLIER = Path(__file__).parents[1] / "chart" / "earlier" / "e59fcaf.tar.xz"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


pytestmark = pytest.mark.built(*build.HELM)


@pytest.fixture(scope="module", params=build.HELM)
def helm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    name: str = request.param
    return Helm.built(name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def helm4(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm.built("helm", tmp_path_factory.mktemp("helm4"))


def pod(objects: list[Manifest]) -> Manifest:
    spec: Manifest = find(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def operator(objects: list[Manifest]) -> Manifest:
    (container,) = pod(objects)["containers"]
    return dict(container)


def files(objects: list[Manifest]) -> dict[str, Any]:
    """What the operator reads, by the paths at which its Pod has it; all of that is the Pod's own."""
    (mount,) = [one for one in operator(objects)["volumeMounts"] if one["name"] == "config"]
    (volume,) = [one for one in pod(objects)["volumes"] if one["name"] == "config"]
    metadata = find(objects, "Deployment")["spec"]["template"]["metadata"]
    own = {f"metadata.annotations['{key}']": text for key, text in metadata["annotations"].items()}
    return {
        f"{mount['mountPath']}/{item['path']}": yaml.safe_load(own[item["fieldRef"]["fieldPath"]])
        for item in volume["downwardAPI"]["items"]
    }


def config(objects: list[Manifest]) -> Manifest:
    """The file that the operator reads."""
    run, option = operator(objects)["args"][:2]
    assert run == "run"
    settings: Manifest = files(objects)[option.removeprefix("--config=")]
    return settings


def kinds(objects: list[Manifest]) -> set[str]:
    return {obj["kind"] for obj in objects}


def readers(objects: list[Manifest]) -> list[Manifest]:
    """Who may read metrics; an empty or missing list would be everybody."""
    rules = find(objects, "NetworkPolicy")["spec"]["ingress"]
    (rule,) = [one for one in rules if one["ports"][0]["port"] == "metrics"]
    peers: list[Manifest] = rule["from"]
    return peers


def named(*namespaces: str) -> Manifest:
    """A selector of namespaces by their names."""
    requirement = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(namespaces)}
    return {"matchExpressions": [requirement]}


def bounds(objects: list[Manifest]) -> Manifest:
    """What holds the operator to its own objects."""
    binding = find(objects, "ValidatingAdmissionPolicyBinding")
    found = find(objects, "ValidatingAdmissionPolicy", binding["spec"]["policyName"])
    assert binding["spec"]["validationActions"] == ["Deny"]
    assert found["spec"]["failurePolicy"] == "Fail"
    return found


def test_it_is_as_helm_wants_it(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm("lint", str(CHART), "--strict")


def test_both_helms_render_the_same(helm4: Helm, tmp_path: Path) -> None:
    values = {"guest": {"existingSecret": "mine"}, "admission": {"enabled": True}}
    assert Helm.built("helm3", tmp_path).template(values) == helm4.template(values)


def test_its_version_is_the_operators() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert about["version"] == about["appVersion"] == twinhull.__version__


def test_its_pod_is_restricted_and_spread(helm: Helm) -> None:
    objects = helm.template()
    assert pod(objects)["securityContext"]["runAsNonRoot"] is True
    assert pod(objects)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert operator(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(objects)["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    assert find(objects, "Deployment")["spec"]["replicas"] == 2
    assert find(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert config(objects)["leaderElect"] is True


def test_a_name_that_looks_like_something_else_is_a_name(helm: Helm) -> None:
    values = {"sandbox": {"runtimeClassName": "1e3"}, "guest": {"image": "true"}, "fullnameOverride": "0x1"}
    keys = config(helm.template(values))
    assert (keys["sandboxRuntimeClass"], keys["guestImage"], keys["leaseName"]) == ("1e3", "true", "0x1")


#: Words, and names that YAML takes for numbers and other things if they stand unquoted.
LOOKALIKES = {
    "worda": "2024",
    "wordb": "123",
    "wordc": "456",
    "wordd": "0x1f",
    "worde": "1e3",
    "wordf": "true",
    "wordg": "null",
    "wordh": "0o17",
    "wordi": "5e1",
    "wordj": "7e2",
    "wordk": "9",
}


def with_lookalikes(value: Any) -> Any:
    """A value with such names in place of the words."""
    if isinstance(value, dict):
        return {with_lookalikes(key): with_lookalikes(below) for key, below in value.items()}
    if isinstance(value, list):
        return [with_lookalikes(below) for below in value]
    if not isinstance(value, str):
        return value
    for word, name in LOOKALIKES.items():
        value = value.replace(word, name)
    return value


@pytest.mark.parametrize("fullname", ["wordb", ""], ids=["named", "by the release"])
def test_every_name_that_looks_like_a_number_is_a_name(helm4: Helm, fullname: str) -> None:
    on = {"enabled": True}
    values: Manifest = {
        "fullnameOverride": fullname,
        "nameOverride": "wordc",
        "watchNamespaces": ["wordd", "wordk"],
        "rbac": {"ownObjectsOnly": "Always", "closedNamespaces": ["worde"]},
        "admission": on,
        "monitoring": {**dict.fromkeys(("podMonitor", "prometheusRule", "dashboard"), on)},
        "serviceAccount": {"name": "wordf"},
        "guest": {"existingSecret": "wordg", "image": "wordh", "imagePullSecret": "wordi"},
        "sandbox": {"runtimeClassName": "worde"},
        "priorityClassName": "wordj",
        "imagePullSecrets": [{"name": "wordc"}],
        "image": {"repository": "wordk", "tag": "wordj"},
        "nodeSelector": {"a": "wordb"},
        "commonLabels": {"b": "wordi"},
        "commonAnnotations": {"c": "wordf"},
        "networkPolicy": {"metricsNamespaces": ["wordg"]},
    }

    def rendered(release: str, namespace: str, values: Manifest) -> list[Manifest]:
        text = helm4("template", release, str(CHART), "--namespace", namespace, values=values)
        return sorted(manifests.parsed(text), key=str)

    as_words = with_lookalikes(rendered("worda", "wordk", values))
    assert rendered("2024", "9", with_lookalikes(values)) == sorted(as_words, key=str)


def test_a_change_of_the_configuration_is_one_of_the_pods_template_alone(helm: Helm) -> None:
    """So it makes new Pods, and those that there are can't get to see it, however often they start again."""

    def rendered(values: Manifest) -> tuple[list[Manifest], Manifest]:
        objects = helm.template({"guest": {"existingSecret": "mine", **values.pop("guest", {})}, **values})
        return objects, find(objects, "Deployment")["spec"].pop("template")

    same, template = rendered({"workers": 8})
    assert "ConfigMap" not in kinds(same)
    for values in ({"workers": 9}, {"workers": 8, "guest": {"registries": [{"host": "docker.io"}]}}):
        others, other = rendered(values)
        assert (others, other) == (same, {**template, "metadata": other["metadata"]})
        assert other != template
    assert rendered({"workers": 8, "replicas": 3})[1] == template


def test_its_kinds_are_the_operators(helm: Helm) -> None:
    objects = helm.template({"admission": {"enabled": True}})
    for made in (crd.workloads(), crd.isolation_policies(), *admission(machine_isolations())):
        found = find(objects, made["kind"], made["metadata"]["name"])
        assert {**found, "metadata": made["metadata"]} == made


#: Values, and what has to be so of the objects then.
CASES: list[tuple[str, Manifest, Callable[[list[Manifest]], Any]]] = [
    ("replicas", {"replicas": 1}, lambda o: "PodDisruptionBudget" not in kinds(o)),
    (
        "image",
        {"image": {"repository": "ghcr.io/mine/operator", "tag": "2.0"}},
        lambda o: operator(o)["image"] == "ghcr.io/mine/operator:2.0",
    ),
    (
        "digest",
        {"image": {"digest": DIGEST}},
        lambda o: operator(o)["image"] == f"ghcr.io/twinhull/operator@{DIGEST}",
    ),
    ("pullPolicy", {"image": {"pullPolicy": "Always"}}, lambda o: operator(o)["imagePullPolicy"] == "Always"),
    (
        "pullSecrets",
        {"imagePullSecrets": [{"name": "mine"}]},
        lambda o: pod(o)["imagePullSecrets"] == [{"name": "mine"}],
    ),
    ("fullname", {"fullnameOverride": "hull"}, lambda o: find(o, "Deployment", "hull")),
    ("name", {"nameOverride": "keel"}, lambda o: find(o, "Deployment", "twinhull-keel")),
    (
        "labels",
        {"commonLabels": {"team": "a"}, "podLabels": {"pod": "b"}},
        lambda o: (
            all(obj["metadata"]["labels"]["team"] == "a" for obj in o)
            and find(o, "Deployment")["spec"]["template"]["metadata"]["labels"]["pod"] == "b"
        ),
    ),
    (
        "annotations",
        {"commonAnnotations": {"a": "b"}, "deploymentAnnotations": {"c": "d"}, "podAnnotations": {"e": "f"}},
        lambda o: (
            all(obj["metadata"]["annotations"]["a"] == "b" for obj in o)
            and find(o, "Deployment")["metadata"]["annotations"]["c"] == "d"
            and find(o, "Deployment")["spec"]["template"]["metadata"]["annotations"]["e"] == "f"
        ),
    ),
    ("crds", {"crds": {"enabled": False}}, lambda o: "CustomResourceDefinition" not in kinds(o)),
    (
        "keep",
        {},
        lambda o: (
            find(o, "CustomResourceDefinition", "workloads.twinhull.dev")["metadata"]["annotations"][
                "helm.sh/resource-policy"
            ]
            == "keep"
        ),
    ),
    (
        "keep not",
        {"crds": {"keep": False}},
        lambda o: (
            "annotations" not in find(o, "CustomResourceDefinition", "workloads.twinhull.dev")["metadata"]
        ),
    ),
    (
        "admission",
        {"admission": {"enabled": True}},
        lambda o: all(
            find(o, "ValidatingAdmissionPolicy", f"{name}.twinhull.dev")
            for name in ("isolation", "machine-images")
        ),
    ),
    (
        "own objects only",
        {"serviceAccount": {"name": "mine"}, "rbac": {"closedNamespaces": ["kube-system", "0x1"]}},
        lambda o: (
            "'system:serviceaccount:twinhull-system:mine'"
            in bounds(o)["spec"]["matchConditions"][0]["expression"]
            and "['kube-system','0x1']" in bounds(o)["spec"]["validations"][0]["expression"]
        ),
    ),
    (
        "own objects only, whatever the namespaces",
        {"watchNamespaces": ["a"], "rbac": {"ownObjectsOnly": "Always", "closedNamespaces": []}},
        lambda o: bounds(o)["metadata"]["name"] == rights.BOUNDS,
    ),
    ("own objects, for a team", {"watchNamespaces": ["a"]}, lambda o: not kinds(o) & BOUNDS),
    ("any objects", {"rbac": {"ownObjectsOnly": "Never"}}, lambda o: not kinds(o) & BOUNDS),
    (
        "no roles for people",
        {"rbac": {"aggregate": False}},
        lambda o: not {"twinhull-edit", "twinhull-view"} & {obj["metadata"]["name"] for obj in o},
    ),
    (
        "defaults",
        {"defaultIsolation": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}, "workers": 8},
        lambda o: (
            {"defaultIsolation": "Sandbox", "sandboxRuntimeClass": "gvisor", "workers": 8}.items()
            <= config(o).items()
        ),
    ),
    (
        "without KubeVirt",
        {"kubevirt": {"enabled": False}},
        lambda o: (
            config(o)["withoutKubevirt"]
            and not config(o).keys() & {"guestKeyFile", "guestRegistries"}
            and "Secret" not in kinds(o)
            and not any("kubevirt" in right.group for right in rights.granted(o))
        ),
    ),
    (
        "guest",
        {
            "guest": {
                "image": "ghcr.io/mine/guest:1",
                "imagePullSecret": "ghcr.credentials",
                "existingSecret": "mine",
            }
        },
        lambda o: (
            config(o)["guestImage"] == "ghcr.io/mine/guest:1"
            and config(o)["guestImagePullSecret"] == "ghcr.credentials"
            and "Secret" not in kinds(o)
            and {"name": "guest-key", "secret": {"secretName": "mine", "defaultMode": 0o440}}
            in pod(o)["volumes"]
        ),
    ),
    (
        "registries",
        {"guest": {"registries": [{"host": "docker.io", "mirrors": ["https://mirror.example"]}]}},
        lambda o: (
            files(o)[config(o)["guestRegistries"]]
            == [{"host": "docker.io", "mirrors": ["https://mirror.example"]}]
        ),
    ),
    (
        "process",
        {
            "lease": {"seconds": 30},
            "log": {"format": "text", "verbose": True},
            "firstReportSeconds": 2.5,
            "extraArgs": ["--workers=4"],
        },
        lambda o: (
            {"leaseSeconds": 30, "logFormat": "text", "verbose": True, "firstReport": 2.5}.items()
            <= config(o).items()
            and "--workers=4" in operator(o)["args"]
        ),
    ),
    (
        "extra",
        {
            "extraEnv": [{"name": "A", "value": "b"}],
            "extraVolumes": [{"name": "more", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
        },
        lambda o: (
            {"name": "A", "value": "b"} in operator(o)["env"]
            and {"name": "more", "emptyDir": {}} in pod(o)["volumes"]
            and {"name": "more", "mountPath": "/more"} in operator(o)["volumeMounts"]
        ),
    ),
    (
        "monitoring",
        {"monitoring": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}, "port": 9090}},
        lambda o: (
            kinds(o) >= {"PodMonitor", "ServiceMonitor", "Service"}
            and {"name": "metrics", "containerPort": 9090} in operator(o)["ports"]
        ),
    ),
    (
        "no monitoring",
        {},
        lambda o: not kinds(o) & {"PodMonitor", "ServiceMonitor", "Service", "PrometheusRule"},
    ),
    (
        "service account",
        {"serviceAccount": {"create": False, "name": "mine"}},
        lambda o: "ServiceAccount" not in kinds(o) and pod(o)["serviceAccountName"] == "mine",
    ),
    (
        "rbac",
        {"rbac": {"create": False}},
        lambda o: not kinds(o) & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"},
    ),
    (
        "resources",
        {"resources": {"requests": {"cpu": "1"}}},
        lambda o: operator(o)["resources"]["requests"]["cpu"] == "1",
    ),
    (
        "budget",
        {"podDisruptionBudget": {"enabled": False}},
        lambda o: "PodDisruptionBudget" not in kinds(o),
    ),
    (
        "network",
        {"networkPolicy": {"egress": [{"ports": [{"port": 443}]}]}},
        lambda o: find(o, "NetworkPolicy")["spec"]["policyTypes"] == ["Ingress", "Egress"],
    ),
    ("metrics for nobody else", {}, lambda o: readers(o) == [{"podSelector": {}}]),
    (
        "metrics for others",
        {"networkPolicy": {"metricsNamespaces": ["0x1", "obs"], "metricsFrom": [{"namespaceSelector": {}}]}},
        lambda o: (
            readers(o)
            == [{"podSelector": {}}, {"namespaceSelector": named("0x1", "obs")}, {"namespaceSelector": {}}]
        ),
    ),
    ("no network", {"networkPolicy": {"enabled": False}}, lambda o: "NetworkPolicy" not in kinds(o)),
    (
        "scheduling",
        {
            "priorityClassName": "system-cluster-critical",
            "nodeSelector": {"a": "b"},
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "topologySpreadConstraints": [
                {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
            ],
        },
        lambda o: (
            pod(o).keys() >= {"priorityClassName", "nodeSelector", "tolerations", "affinity"}
            and pod(o)["topologySpreadConstraints"][0]["topologyKey"] == "zone"
        ),
    ),
    (
        "security",
        {"podSecurityContext": {"runAsUser": None}, "securityContext": {"privileged": False}},
        lambda o: (
            "runAsUser" not in pod(o)["securityContext"]
            and operator(o)["securityContext"]["privileged"] is False
        ),
    ),
]


@pytest.mark.parametrize(("values", "holds"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_value_has_its_effect(helm: Helm, values: Manifest, holds: Callable[[list[Manifest]], Any]) -> None:
    assert holds(helm.template(values))


@pytest.mark.parametrize("namespaces", [[], ["a"]], ids=["the cluster", "a namespace"])
def test_the_values_of_an_earlier_chart_suffice(helm: Helm, tmp_path: Path, namespaces: list[str]) -> None:
    """What `helm upgrade --reuse-values` has: the defaults of the earlier chart, and none of this one's."""
    values = {"watchNamespaces": namespaces, "guest": {"existingSecret": "mine"}}
    chart = shutil.copytree(CHART, tmp_path / "chart")
    with tarfile.open(EARLIER) as archive:
        before = archive.extractfile("charts/twinhull/values.yaml")
        assert before is not None
        defaults = before.read()
    (chart / "values.yaml").write_bytes(defaults)
    given = yaml.safe_load(defaults) | values | {"guest": yaml.safe_load(defaults)["guest"] | values["guest"]}
    text = helm("template", "twinhull", str(chart), "--namespace", NAMESPACE, "--skip-tests", values=values)
    assert manifests.parsed(text) == helm.template(given)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"replicas": "two"}, "/replicas"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"defaultIsolation": "Jail"}, "/defaultIsolation"),
        ({"watchNamespaces": ["Team_A"]}, "/watchNamespaces/0"),
        ({"guest": {"registries": [{"mirrors": []}]}}, "/guest/registries/0"),
        ({"guest": {"image": "guest:1", "imagePullSecret": "a..b"}}, "/guest/imagePullSecret"),
        ({"guest": {"imagePullSecret": "for-no-image"}}, "/guest/image"),
        ({"monitoring": {"podMonitor": {"interval": "often"}}}, "/monitoring/podMonitor/interval"),
        ({"crds": {"keeep": True}}, "/crds"),
        ({"rbac": {"ownObjectsOnly": "Sometimes"}}, "/rbac/ownObjectsOnly"),
        ({"networkPolicy": {"metricsNamespaces": ["My Team"]}}, "/networkPolicy/metricsNamespaces/0"),
        ({"workers": 0}, "/workers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_is_refused_with_its_path(helm: Helm, values: Manifest, path: str) -> None:
    with pytest.raises(HelmError, match=f"at '{path}'"):
        helm.template(values)


#: Registries that both the chart and the operator take, and such that neither does.
GOOD: list[Manifest] = [
    {"host": "docker.io"},
    {"host": "registry.example:5000", "mirrors": [], "caBundle": "PEM"},
    {"host": "1:20", "mirrors": ["http://mirror.example", "https://m/a?b=c#d"]},  # 80, in YAML 1.1
    {"host": "0x1f", "caBundle": ""},
    {"host": "on"},
    {"host": "a" * 253, "mirrors": [f"https://{'a' * 1016}"] * 16},
]
BAD: list[Manifest] = [
    {},
    {"host": ""},
    {"host": 5000},
    {"host": "docker.io/library"},
    {"host": "https://docker.io"},
    {"host": "docker.io:"},
    {"host": "docker.io\n"},
    {"host": "a" * 254},
    {"host": "a", "mirror": []},
    {"host": "a", "mirrors": "https://m"},
    {"host": "a", "mirrors": ["m"]},
    {"host": "a", "mirrors": ["ftp://m"]},
    {"host": "a", "mirrors": ["https://"]},
    {"host": "a", "mirrors": ["https://m n"]},
    {"host": "a", "mirrors": ["https://m\n"]},
    {"host": "a", "mirrors": [{"url": "https://m"}]},
    {"host": "a", "mirrors": [f"https://{'a' * 1017}"]},
    {"host": "a", "mirrors": ["https://m"] * 17},
    {"host": "a", "caBundle": ["PEM"]},
]


def test_the_port_of_the_probes_is_not_that_of_the_metrics(helm: Helm) -> None:
    assert {"name": "health", "containerPort": 8081} in operator(helm.template())["ports"]
    with pytest.raises(HelmError, match=r"monitoring\.port: 8081 is the port of the operator's probes"):
        helm.template({"monitoring": {"port": 8081}})


@pytest.mark.parametrize("enabled", [True, False])
def test_it_can_be_a_part_of_another_chart(helm: Helm, tmp_path: Path, *, enabled: bool) -> None:
    """With the values that Helm gives such a chart: those of all charts, and the condition's."""
    about = {"apiVersion": "v2", "name": "platform", "version": "0.1.0"}
    part = {"name": "twinhull", "version": "0.1.0", "condition": "twinhull.enabled"}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump({**about, "dependencies": [part]}), encoding="utf-8")
    shutil.copytree(CHART, tmp_path / "charts" / "twinhull")
    values = {"global": {"domain": "example"}, "twinhull": {"enabled": enabled, "replicas": 3}}
    made = manifests.parsed(helm("template", "platform", str(tmp_path), values=values))
    assert [obj["spec"]["replicas"] for obj in made if obj["kind"] == "Deployment"] == [3] * enabled


#: What names of objects have to be like: of most, and of Services (kubernetes.io, Object Names and IDs).
SUBDOMAIN = r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
LABEL = r"(?=.{1,63}$)[a-z]([-a-z0-9]*[a-z0-9])?"
LABEL_VALUE = r"(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"


@pytest.mark.parametrize(
    ("release", "values"),
    [
        ("r" * 53, {}),
        ("2024", {}),
        ("r" * 53, {"nameOverride": "n" * 253}),
        ("r", {"nameOverride": f"{'n' * 61}--.{'n' * 9}"}),
        ("r", {"fullnameOverride": f"{'f' * 61}.-{'f' * 99}"}),
        ("r", {"fullnameOverride": f"1.{'f' * 44}------{'f' * 11}"}),
    ],
)
def test_every_name_is_one_that_its_kind_may_have(helm4: Helm, release: str, values: Manifest) -> None:
    on = {"enabled": True}
    monitoring = dict.fromkeys(("podMonitor", "serviceMonitor", "prometheusRule", "dashboard"), on)
    values = {**values, "monitoring": monitoring, "admission": on}
    text = helm4("template", release, str(CHART), "--namespace", NAMESPACE, values=values)
    for obj in manifests.parsed(text):
        form = LABEL if obj["kind"] == "Service" else SUBDOMAIN
        assert re.fullmatch(form, obj["metadata"]["name"]), (obj["kind"], obj["metadata"]["name"])
        for label in obj["metadata"]["labels"].values():
            assert re.fullmatch(LABEL_VALUE, label), label


#: An affinity that nodes have to meet.
NODES = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
    }
}


def test_its_test_runs_where_the_operator_runs(helm: Helm) -> None:
    values = {
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"a": "b"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": NODES, "podAntiAffinity": {"x": []}},
        "podLabels": {"sidecar.istio.io/inject": "true"},
        "tests": {"podLabels": {"team": "a"}},
    }
    objects = manifests.parsed(helm("template", "twinhull", str(CHART), values=values))
    test, own = find(objects, "Pod"), pod(objects)
    for field in ("priorityClassName", "nodeSelector", "tolerations"):
        assert test["spec"][field] == own[field]
    # Beside the operator's Pods it would wait for ever, and an injected sidecar would keep it from ending.
    assert test["spec"]["affinity"] == {"nodeAffinity": NODES}
    assert test["metadata"]["labels"]["team"] == "a"
    assert "sidecar.istio.io/inject" not in test["metadata"]["labels"]
    # A policy for the whole cluster may refuse what asks for less than it requires.
    assert '"isolationPolicy": "Auto"' in test["spec"]["containers"][0]["args"][0]


def test_registries_that_the_chart_takes_the_operator_takes(helm: Helm) -> None:
    objects = helm.template({"guest": {"registries": GOOD}})
    registries = files(objects)[config(objects)["guestRegistries"]]
    assert [ClusterRegistry.model_validate(one).host for one in registries] == [one["host"] for one in GOOD]


@pytest.mark.parametrize("registry", BAD, ids=lambda one: str(one)[:60])
def test_registries_that_the_operator_refuses_the_chart_refuses(helm: Helm, registry: Manifest) -> None:
    with pytest.raises(ValidationError):
        ClusterRegistry.model_validate(registry)
    with pytest.raises(HelmError, match="at '/guest/registries/0"):
        helm.template({"guest": {"registries": [registry]}})


@pytest.mark.parametrize("variant", manifests.VARIANTS)
def test_the_operator_may_do_nothing_with_secrets_and_nothing_by_wildcard(variant: str) -> None:
    for right in rights.granted(rights.manifests(variant)):
        assert not right.resource.startswith("secrets")
        assert "*" not in {right.group, right.resource, right.verb}


def test_a_namespaced_operator_has_roles_in_its_namespaces_only(helm: Helm) -> None:
    objects = helm.template({"watchNamespaces": ["a", "b"]})
    assert not kinds(objects) & {"ClusterRole", "ClusterRoleBinding"}
    assert config(objects)["namespaces"] == ["a", "b"]
    granted = rights.granted(objects)
    assert {right.namespace for right in granted} == {"a", "b", "twinhull-system"}
    assert {right.resource for right in granted if right.namespace == "twinhull-system"} == {"leases"}


@pytest.mark.parametrize(
    ("values", "series", "is_down"),
    [
        ({}, "leader_election_master_status{name='twinhull'}", False),
        ({}, "leader_election_master_status{name='another'}", True),
        ({"extraArgs": ["--lease-name=mine"]}, f"twinhull_build_info{{namespace='{NAMESPACE}'}}", False),
        ({"extraArgs": ["--lease-name", "mine"]}, "twinhull_build_info{}", False),
        ({"extraEnv": [{"name": "TWINHULL_LEASE_NAME", "value": "mine"}]}, "twinhull_build_info{}", False),
        ({"extraArgs": ["--lease-name=mine"]}, "twinhull_build_info{namespace='another'}", True),
    ],
)
@pytest.mark.built("promtool")
def test_an_operator_that_is_scraped_is_not_told_to_be_down(
    helm4: Helm, tmp_path: Path, values: Manifest, series: str, *, is_down: bool
) -> None:
    """Without the label `namespace`, or with a Lease that extraArgs name."""
    values = {**values, "monitoring": {"prometheusRule": {"enabled": True}}}
    spec = find(helm4.template(values), "PrometheusRule")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    firing = 'count(ALERTS{alertname="TwinhullDown", alertstate="firing"})'
    samples = [{"labels": "{}", "value": 1}] if is_down else []
    test = {
        "interval": "1m",
        "input_series": [{"series": series.replace("'", '"'), "values": "1x30"}],
        "promql_expr_test": [{"expr": firing, "eval_time": "20m", "exp_samples": samples}],
    }
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    tested = metrics.promtool("test", "rules", tmp_path / "tests.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.built("promtool")
def test_each_release_tells_when_its_own_operators_are_down(helm4: Helm, tmp_path: Path) -> None:
    """Of three releases, two in one namespace, one is scraped all the time."""
    releases = [("ops-a", "twinhull"), ("ops-a", "twinhull-c"), ("ops-b", "twinhull")]
    series = []
    for number, (namespace, release) in enumerate(releases):
        monitoring = {"prometheusRule": {"enabled": True}}
        where = ("--namespace", namespace, "--show-only", "templates/monitoring.yaml")
        text = helm4("template", release, str(CHART), *where, values={"monitoring": monitoring})
        spec = find(manifests.parsed(text), "PrometheusRule")["spec"]
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
        labels, seen = f'namespace="{namespace}", instance="{number}"', "1x60" if number == 0 else "1x30"
        leads = f'leader_election_master_status{{{labels}, name="{release}"}}'
        series += [{"series": f"twinhull_build_info{{{labels}}}", "values": seen}]
        series += [{"series": leads, "values": seen}]
    down = [
        'ALERTS{alertname="TwinhullDown", alertstate="firing", severity="critical", '
        f'namespace="{namespace}", name="{release}"}}'
        for namespace, release in releases[1:]
    ]
    asked = [
        {"expr": "ALERTS", "eval_time": "29m", "exp_samples": []},
        {
            "expr": 'ALERTS{alertstate="firing"}',
            "eval_time": "55m",
            "exp_samples": [{"labels": labels, "value": 1} for labels in down],
        },
    ]
    tests = {
        "rule_files": [f"{number}.yaml" for number in range(len(releases))],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    tested = metrics.promtool("test", "rules", tmp_path / "tests.yaml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_who_administers_a_namespace_can_install_what_is_not_the_clusters(helm: Helm) -> None:
    """Only kinds that Kubernetes' role admin lets one make, in the operator's namespace."""
    few = {"watchNamespaces": ["a"], "crds": {"enabled": False}, "rbac": {"create": False}}
    objects = helm.template(few)
    assert {obj["metadata"].get("namespace") for obj in objects} == {NAMESPACE}
    workload, network = {"Deployment", "PodDisruptionBudget"}, {"NetworkPolicy"}
    assert kinds(objects) == workload | network | {"Secret", "ServiceAccount"}


def test_people_get_the_same_rights_with_an_operator_of_some_namespaces(
    helm4: Helm, kubectl_alone: Kubectl
) -> None:
    apart = manifests.parsed(kubectl_alone("kustomize", str(DEPLOY / "user-roles")))
    assert len(apart) == 2
    for role in apart:
        own = find(helm4.template(), "ClusterRole", f"twinhull-{role['metadata']['name'].rpartition('-')[2]}")
        assert role["rules"] == own["rules"]
        assert role["metadata"]["labels"].items() <= own["metadata"]["labels"].items()
        assert "rbac.authorization.k8s.io/aggregate-to" in str(role["metadata"]["labels"])


@pytest.mark.parametrize("variant", manifests.VARIANTS)
def test_kustomize_gives_what_the_chart_gives(helm4: Helm, kubectl_alone: Kubectl, variant: str) -> None:
    built = list(yaml.safe_load_all(kubectl_alone("kustomize", str(DEPLOY / variant))))
    made = [manifests.without_helm(obj) for obj in helm4.template(manifests.VARIANTS[variant])]
    built.remove(manifests.namespace())
    assert sorted(built, key=_place) == sorted(made, key=_place)


def test_the_manifests_that_need_no_values_are_the_charts_own(helm4: Helm) -> None:
    """But for the guest's key, which the chart makes and a manifest can't have."""
    made = helm4.template()
    made.remove(find(made, "Secret"))
    assert made == helm4.template(manifests.VARIANTS["default"])


def test_openshifts_own_users_are_not_stood_in_the_way_of() -> None:
    objects = rights.manifests("openshift")
    assert pod(objects)["securityContext"].keys() == {"runAsNonRoot", "seccompProfile"}
    assert rights.Right("twinhull.dev", "workloads/finalizers", "update") in rights.granted(objects)


@pytest.fixture(scope="module")
def kubectl_alone(tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """One that needs no cluster."""
    folder = tmp_path_factory.mktemp("kubectl")
    return Kubectl(build.programs(["kubectl"])["kubectl"], folder / "none", folder)


def _place(obj: Manifest) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
