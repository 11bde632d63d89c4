"""Nothing that runs goes before all that takes its place has been looked at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Cluster
from tests.controlplane.api import ApiError
from tests.e2e.operator.situations.admission import denied, of_kind, probe_of, until_refused
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

_HTTP, _TCP = {"path": "/", "port": 80}, {"port": 80}
#: What no Pod may have, and the field that the API server names. Most of it a Workload may not have either.
INVALID: dict[str, tuple[Manifest, str]] = {
    "two handlers of one probe": (
        template(containers=[container(livenessProbe={"httpGet": _HTTP, "tcpSocket": _TCP})]),
        "livenessProbe.tcpSocket",
    ),
    "a probe without a handler": (
        template(containers=[container(readinessProbe={"periodSeconds": 3})]),
        "readinessProbe",
    ),
    "a mount without its volume": (
        template(containers=[container(volumeMounts=[{"name": "nowhere", "mountPath": "/data"}])]),
        "volumeMounts[0].name",
    ),
    "two ports of one name": (
        template(
            containers=[
                container(
                    ports=[{"name": "http", "containerPort": 80}, {"name": "http", "containerPort": 81}]
                )
            ]
        ),
        "ports[1].name",
    ),
    "a path out of its volume": (
        template(
            containers=[container(volumeMounts=[{"name": "tmp", "mountPath": "/data", "subPath": "../x"}])],
            volumes=[{"name": "tmp", "emptyDir": {}}],
        ),
        "volumeMounts.subPath",
    ),
    "a variable without a name": (
        template(containers=[container(env=[{"name": "1=A", "value": "x"}])]),
        "env[0].name",
    ),
    "a label that is none": (
        {**template(), "metadata": {"labels": {"a b": "c"}}},
        "metadata.labels",
    ),
    "a request above its limit": (
        template(
            containers=[container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})],
        ),
        "resources.requests",
    ),
    "a volume of two kinds": (
        template(volumes=[{"name": "tmp", "emptyDir": {}, "configMap": {"name": "x"}}]),
        "volumes[0].configMap",
    ),
    "a sysctl that is none": (
        template(securityContext={"sysctls": [{"name": "no such!", "value": "1"}]}),
        "sysctls[0].name",
    ),
}


def runs_as(web: Subject, kind: str) -> Manifest:
    """Wait until it runs in a hull of that kind; the hull."""

    def ready() -> Manifest:
        found = web.hull()
        assert found["kind"] == kind
        return found

    web.becomes("Ready")
    return web.eventually(ready, f"it runs as a {kind}")


def refuses(web: Subject, reason: str, *words: str) -> None:
    """Wait until the present spec is refused, Stalled at once, for what is said in these words."""
    status, actual, message = condition(web.becomes(reason), "Stalled")
    assert (status, actual) == ("True", reason), message

    def says_why() -> bool:
        """A quota that is new is refused by before it is known how much of it is used."""
        message = web.condition("Stalled")[2]
        assert [word for word in words if word not in message] == [], message
        return True

    web.eventually(says_why, "it says why")


def untouched(web: Subject, hull: Manifest) -> None:
    """The hull is the very one that it was, and nothing was made beside it."""
    now = web.one(hull["kind"], hull["metadata"]["name"])
    assert now["metadata"]["uid"] == hull["metadata"]["uid"]
    assert "deletionTimestamp" not in now["metadata"]
    assert web.get()["status"]["hull"]["ready"]
    kinds = {"Pod", "Service"} if hull["kind"] == "Pod" else {"Pod", "Service", "VirtualMachine"}
    assert web.belongings().keys() <= kinds | {"ConfigMap", "VirtualMachineInstance"}
    if hull["kind"] == "Pod":
        assert web.belongings()["Pod"] == [hull["metadata"]["name"]]


def test_a_pod_is_not_given_up_for_a_machine_whose_pod_is_invalid(web: Subject) -> None:
    web.apply("Container")
    pod = runs_as(web, "Pod")
    tried = []
    for what, (invalid, path) in INVALID.items():
        try:
            web.apply("VirtualMachine", invalid)
        except ApiError:  # the Workload itself is refused: so much the better
            continue
        tried.append(what)
        refuses(web, "PodRefused", "can't run its Pod: ", path)
        untouched(web, pod)
    assert "a request above its limit" in tried

    web.apply("VirtualMachine")
    runs_as(web, "VirtualMachine")


def test_a_machine_is_not_given_up_for_one_whose_pod_is_invalid(web: Subject) -> None:
    web.apply("VirtualMachine")
    machine = runs_as(web, "VirtualMachine")
    for what in ("a sysctl that is none", "a request above its limit"):
        invalid, path = INVALID[what]
        web.apply("VirtualMachine", invalid)
        refuses(web, "PodRefused", path)
        untouched(web, machine)


def test_no_machine_is_made_whose_pod_is_invalid(web: Subject) -> None:
    invalid, path = INVALID["a request above its limit"]
    web.apply("VirtualMachine", invalid)
    refuses(web, "PodRefused", path)
    assert web.belongings() == {}

    web.apply("VirtualMachine")
    runs_as(web, "VirtualMachine")


@pytest.mark.parametrize(
    ("resource", "kind", "reason"),
    [
        ("configmaps", "ConfigMap", "ConfigMapRefused"),
        ("virtualmachines.kubevirt.io", "VirtualMachine", "VirtualMachineRefused"),
    ],
)
def test_a_rule_for_labels_keeps_a_pod_and_the_templates_labels_fulfil_it(
    web: Subject, cluster: Cluster, resource: str, kind: str, reason: str
) -> None:
    web.apply("Container")
    pod = runs_as(web, "Pod")
    probe = of_kind(kind, web.namespace)
    with denied(cluster, web.namespace, resource, '"owner" in object.metadata.?labels.orValue({})', probe):
        web.change(isolationPolicy="VirtualMachine")
        refuses(web, reason, "house rule")
        untouched(web, pod)

        web.apply("VirtualMachine", {**template(), "metadata": {"labels": {"owner": "team-a"}}})
        runs_as(web, "VirtualMachine")


def test_a_rule_for_the_service_keeps_what_it_leads_to(web: Subject, cluster: Cluster) -> None:
    web.apply("Container", template(containers=[container(ports=[{"containerPort": 80}])]))
    pod = runs_as(web, "Pod")
    probe: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "probe", "namespace": web.namespace},
        "spec": {"ports": [{"port": 8081}]},
    }
    with denied(cluster, web.namespace, "services", "object.spec.ports.all(p, p.port != 8081)", probe):
        web.apply("Container", template(containers=[container(ports=[{"containerPort": 8081}])]))
        refuses(web, "ServiceRefused", "house rule")
        untouched(web, pod)

        web.apply("Container", template(containers=[container(ports=[{"containerPort": 8080}])]))
        runs_as(web, "Pod")
        assert web.one("Service", "web")["spec"]["ports"][0]["port"] == 8080


def test_a_launcher_that_pod_security_refuses_keeps_the_pod(web: Subject, cluster: Cluster) -> None:
    def enforce(level: str) -> None:
        labels = {"pod-security.kubernetes.io/enforce": level}
        cluster.api.patch("Namespace", web.namespace, None, {"metadata": {"labels": labels}})

    enforce("restricted")
    until_refused(cluster, probe_of(web.namespace), 'violates PodSecurity "restricted')
    web.apply("Container", _restricted())
    pod = runs_as(web, "Pod")
    web.change(isolationPolicy="VirtualMachine")
    refuses(web, "PodRefused", "launcher Pod", 'violates PodSecurity "restricted', "seccompProfile")
    untouched(web, pod)

    enforce("baseline")
    runs_as(web, "VirtualMachine")


def _limits(namespace: str, kind: str, **amounts: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits", "namespace": namespace},
        "spec": {"limits": [{"type": kind, **amounts}]},
    }


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [
        ("Container", {"max": {"memory": "512Mi"}, "default": {"memory": "256Mi"}}),
        ("Pod", {"max": {"memory": "700Mi"}}),
    ],
)
def test_a_launcher_that_a_limit_range_refuses_keeps_the_pod(
    web: Subject, cluster: Cluster, kind: str, amounts: Manifest
) -> None:
    sized = container(resources={"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}})
    web.apply("Container", template(containers=[sized]))
    pod = runs_as(web, "Pod")
    cluster.api.create(_limits(web.namespace, kind, **amounts))
    large = probe_of(web.namespace, resources={"limits": {"memory": "1Gi"}})
    until_refused(cluster, large, "maximum memory usage per")
    web.apply("VirtualMachine")
    refuses(web, "PodRefused", "launcher Pod", "maximum memory usage per")
    untouched(web, pod)

    cluster.api.delete("LimitRange", "limits", web.namespace)
    runs_as(web, "VirtualMachine")


@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("priorityClassName", "no-such-class", "no PriorityClass with name no-such-class was found"),
        ("serviceAccountName", "nobody", "error looking up service account"),
    ],
)
def test_a_launcher_that_names_what_is_not_there_keeps_the_pod(
    web: Subject, field: str, name: str, words: str
) -> None:
    web.apply("Container")
    pod = runs_as(web, "Pod")
    named: Manifest = {field: name}
    web.apply("VirtualMachine", template(**named))
    refuses(web, "PodRefused", "launcher Pod", words)
    untouched(web, pod)


def test_what_only_a_rule_for_pods_refuses_keeps_nothing_from_becoming_a_machine(
    web: Subject, cluster: Cluster
) -> None:
    """The launcher is made by KubeVirt, of images of its own: such a rule may well let it pass."""
    web.apply("Container")
    runs_as(web, "Pod")
    rule = '!object.spec.containers.exists(c, c.image == "virt-launcher")'
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": web.namespace},
        "spec": {"containers": [{"name": "x", "image": "virt-launcher"}]},
    }
    with denied(cluster, web.namespace, "pods", rule, probe):
        web.change(isolationPolicy="VirtualMachine")
        runs_as(web, "VirtualMachine")


def _restricted() -> Manifest:
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    user = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    return template(containers=[container(securityContext=confined)], securityContext=user)
