"""Keys of labels, annotations and node selectors that a machine can't honour."""

from __future__ import annotations

import pytest

from tests.unit.hulls.objections import unsupported
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation

APPARMOR = "container.apparmor.security.beta.kubernetes.io/web"


def template(path: str, key: str, value: str) -> Raw:
    above, _, name = path.partition(".")
    whole: Raw = {"spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}
    return {**whole, above: {**whole.get(above, {}), name: {key: value}}}


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("metadata.annotations", APPARMOR, "runtime/default"),
        ("metadata.annotations", APPARMOR, "unconfined"),
        ("metadata.annotations", "kubernetes.io/config.source", "file"),
        ("metadata.annotations", "kubernetes.io/config.mirror", "x"),
        ("metadata.annotations", "experimental.windows.kubernetes.io/isolation-type", "hyperv"),
        ("metadata.annotations", "k8s.v1.cni.cncf.io/networks", "storage"),
        ("metadata.labels", "kubevirt.io", "mine"),
        ("metadata.labels", "kubevirt.io/nodeName", "node-7"),
        ("metadata.labels", "vm.kubevirt.io/name", "mine"),
        ("metadata.labels", "logVerbosity", "debug"),
        ("spec.nodeSelector", "kubernetes.io/os", "windows"),
        ("spec.nodeSelector", "beta.kubernetes.io/os", "windows"),
        ("spec.nodeSelector", "node.kubernetes.io/windows-build", "10.0.20348"),
    ],
)
def test_key_that_a_machine_cannot_honour_is_named_and_a_pod_takes_it(
    path: str, key: str, value: str
) -> None:
    asking = template(path, key, value)
    (field,) = unsupported(asking)
    assert field.path == f"{path}[{key}]"
    assert any(word in field.reason for word in ("remove it", "use "))
    assert unsupported(asking, Isolation.CONTAINER) == unsupported(asking, Isolation.SANDBOX) == ()


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"containers": [{"name": "web", "image": " nginx:1"}]}, "spec.containers[web].image"),
        ({"containers": [{"name": "web", "image": "nginx:1\n"}]}, "spec.containers[web].image"),
        (
            {"initContainers": [{"name": "one", "image": "nginx:1 "}], "containers": []},
            "spec.initContainers[one].image",
        ),
        ({"containers": [], "terminationGracePeriodSeconds": -1}, "spec.terminationGracePeriodSeconds"),
    ],
)
def test_what_is_invalid_in_pods_alone_is_named_for_a_machine(spec: Raw, path: str) -> None:
    assert [field.path for field in unsupported({"spec": spec})] == [path]
    assert unsupported({"spec": spec}, Isolation.CONTAINER) == ()


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("metadata.annotations", "kubernetes.io/ingress-bandwidth", "10M"),
        ("metadata.annotations", "cluster-autoscaler.kubernetes.io/safe-to-evict", "true"),
        ("metadata.annotations", "kubectl.kubernetes.io/default-container", "web"),
        ("metadata.labels", "app.kubernetes.io/name", "web"),
        ("metadata.labels", "logVerbosity", "4"),
        ("spec.nodeSelector", "kubernetes.io/os", "linux"),
        ("spec.nodeSelector", "disk", "ssd"),
    ],
)
def test_other_keys_are_honoured(path: str, key: str, value: str) -> None:
    assert unsupported(template(path, key, value)) == ()
