"""What Pod Security and LimitRanges see of a machine: its launcher Pod, and nothing of the template."""

from __future__ import annotations

import pytest

from tests.controlplane import Cluster
from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

PRIVILEGED = template(containers=[container(securityContext={"privileged": True})], hostname="any")


def _refusal(cluster: Cluster, launcher: Manifest) -> str:
    """What the API server says against a Pod like the launcher, empty if nothing."""
    namespace = launcher["metadata"]["namespace"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "launcher", "namespace": namespace},
        "spec": {key: value for key, value in launcher["spec"].items() if key != "nodeName"},
    }
    try:
        cluster.api.request("POST", cluster.api.path("Pod", namespace), pod, query={"dryRun": "All"})
    except ApiError as error:
        return error.message
    return ""


def _enforce(cluster: Cluster, namespace: str, level: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    cluster.api.patch("Namespace", namespace, None, {"metadata": {"labels": labels}})


def test_pod_security_sees_the_launcher_and_nothing_of_the_template(
    web: Subject, cluster: Cluster, namespace: str
) -> None:
    _enforce(cluster, namespace, "baseline")
    web.apply("VirtualMachine", PRIVILEGED)
    name = web.eventually(lambda: web.belongings()["Pod"][0], "baseline lets the launcher be made")
    launcher = web.one("Pod", name)
    assert not any(one.get("securityContext", {}).get("privileged") for one in launcher["spec"]["containers"])

    def seen() -> str:
        message = _refusal(cluster, launcher)
        assert 'violates PodSecurity "restricted' in message
        return message

    _enforce(cluster, namespace, "restricted")
    message = web.eventually(seen, "restricted is in force")
    assert message.partition("seccompProfile")[0].endswith('violates PodSecurity "restricted:latest": ')
    assert message.count("must set") == 1, "nothing but the seccomp profile is lacking"

    spec = launcher["spec"]
    confined = {**spec["securityContext"], "seccompProfile": {"type": "RuntimeDefault"}}
    assert _refusal(cluster, {**launcher, "spec": {**spec, "securityContext": confined}}) == ""


def test_a_limit_ranges_default_keeps_the_pod_unless_kubevirt_gives_the_launcher_limits(
    web: Subject, cluster: Cluster
) -> None:
    limits = {"limits": [{"type": "Container", "default": {"memory": "256Mi"}}]}
    metadata = {"name": "limits", "namespace": web.namespace}
    cluster.api.create({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": limits})
    web.apply("Container")
    web.becomes("Ready")
    pod = web.hull()
    web.change(isolationPolicy="VirtualMachine")
    status, _, message = condition(web.becomes("PodRefused"), "Stalled")
    assert status == "True"
    assert "launcher Pod" in message
    assert "must be less than or equal to memory limit" in message
    assert web.hull()["metadata"]["uid"] == pod["metadata"]["uid"]
    assert web.belongings().keys() == {"Pod"}

    # By a quota for limits KubeVirt gives the launcher its own, and no default is put in their place.
    quota = {"metadata": metadata, "spec": {"hard": {"limits.memory": "9Gi"}}}
    cluster.api.create({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    web.becomes("Ready")
    web.eventually(lambda: web.hull()["kind"] == "VirtualMachine", "it runs as a machine")
