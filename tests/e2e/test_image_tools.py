"""deploy/image-verification on a real API server: the tools' own CEL, in ValidatingAdmissionPolicies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Api, Cluster
from tests.controlplane.api import ApiError
from tests.e2e.refusal import refusal

FOLDER = Path(__file__).parents[2] / "deploy/image-verification"
DIGEST = "sha256:" + "0" * 64
NAMESPACE = "kubernetes.io/metadata.name"

Manifest = dict[str, Any]
Enforce = Callable[[Manifest], None]


def tool(name: str) -> list[Manifest]:
    return list(yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def workload(namespace: str, *, isolation: str = "VirtualMachine", **spec: Any) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "isolationPolicy": isolation,
            "template": {"spec": {"containers": [{"name": "c", "image": "registry.example/c"}]}},
            **spec,
        },
    }


def everywhere(namespace: str, prefix: str, suffix: str = "") -> tuple[Manifest, list[str]]:
    """A Workload that names another image wherever it can, and those images."""
    at = ("init", "sidecar", "app", "model", "guest", "disk", "kernel")
    image = {place: f"{prefix}{place}{suffix}" for place in at}
    pod = {
        "initContainers": [
            {"name": "init", "image": image["init"]},
            {"name": "sidecar", "image": image["sidecar"], "restartPolicy": "Always"},
        ],
        "containers": [{"name": "app", "image": image["app"]}],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "model", "image": {"reference": image["model"]}},
        ],
    }
    overrides = {
        "volumes": [
            {"name": "guest", "containerDisk": {"image": image["disk"]}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
        "domain": {"firmware": {"kernelBoot": {"container": {"image": image["kernel"]}}}},
    }
    machine = {"guestImage": image["guest"], "overrides": overrides}
    return workload(namespace, template={"spec": pod}, virtualMachine=machine), list(image.values())


@pytest.fixture
def enforce(cluster: Cluster, namespace: str) -> Iterator[Enforce]:
    """Has the API server go by variables and validations, in the test's namespace, until the test is over."""
    name = f"tool-{namespace}"

    def enforced(spec: Manifest) -> None:
        resources = tool("kyverno")[0]["spec"]["matchConstraints"]
        about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
        place = {"namespaceSelector": {"matchLabels": {NAMESPACE: namespace}}}
        binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": place}
        kind = "ValidatingAdmissionPolicy"
        cluster.api.apply({**about, "kind": kind, "spec": {"matchConstraints": resources, **spec}})
        cluster.api.apply({**about, "kind": f"{kind}Binding", "spec": binding})
        probe = workload(namespace, isolation="Container")
        probe["metadata"]["name"] = "probe"
        cluster.eventually(
            lambda: f"'{name}'" in refusal(cluster.api, probe), 30, "the tool's policy is in force"
        )

    yield enforced
    cluster.api.delete("ValidatingAdmissionPolicyBinding", name)
    cluster.api.delete("ValidatingAdmissionPolicy", name)


def test_kyverno_is_told_of_every_image(enforce: Enforce, api: Api, namespace: str) -> None:
    """As Kyverno does, the extractor is given the object; it is to make a list of strings of it."""
    (extractor,) = tool("kyverno")[0]["spec"]["images"]
    joined = f"'images: ' + {extractor['expression']}.join(' ') + ' end'"
    enforce({"validations": [{"expression": "false", "messageExpression": joined}]})

    manifest, images = everywhere(namespace, "registry.example/")
    assert f"images: {' '.join(images)} end" in refusal(api, manifest)
    assert "images: registry.example/c end" in refusal(api, workload(namespace))
    booted = {"source": {"containerDisk": {"image": "registry.example/boot"}}}
    machine = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": booted}
    without_template = workload(namespace, virtualMachine=machine)
    del without_template["spec"]["template"]
    assert "images: registry.example/boot end" in refusal(api, without_template)
    bare = workload(
        namespace, virtualMachine={"overrides": {"domain": {"firmware": {"bootloader": {"efi": {}}}}}}
    )
    assert "images: registry.example/c end" in refusal(api, bare)
    vddk = {
        "url": "https://vcenter.example",
        "uuid": "u",
        "backingFile": "[a] web.vmdk",
        "thumbprint": "20:6C",
        "secretRef": "vcenter",
    }

    def imported(name: str) -> Manifest:
        return {"source": {"vddk": vddk | {"initImageURL": f"registry.example/{name}"}}, "size": "1Gi"}

    machine = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": imported("boot")}
    disks = [{"name": "data", **imported("data")}, {"name": "own", "source": {"vddk": vddk}, "size": "1Gi"}]
    importing = workload(namespace, virtualMachine={**machine, "disks": disks})
    expected = "images: registry.example/c registry.example/boot registry.example/data end"
    assert expected in refusal(api, importing)


def gatekeeper_rules(prefix: str) -> Manifest:
    """Gatekeeper's variables and validations, with those that it gives itself."""
    (code,) = tool("gatekeeper")[0]["spec"]["targets"][0]["code"]
    given = [
        {"name": "anyObject", "expression": "object"},
        {"name": "params", "expression": f"{{'prefixes': ['{prefix}']}}"},
    ]
    return {**code["source"], "variables": [*given, *code["source"]["variables"]]}


def kyverno_rules() -> Manifest:
    """Kyverno's conditions, with a validation that no image passes."""
    conditions = tool("kyverno")[0]["spec"]["matchConditions"]
    return {"matchConditions": conditions, "validations": [{"expression": "false"}]}


def policy_controller_rules() -> Manifest:
    """The policy beside policy-controller, in force for machines."""
    spec = tool("policy-controller")[0]["spec"]
    refusing = [{"expression": f"{spec['validations'][0]['expression']} && false"}]
    return {"matchConditions": spec["matchConditions"], "validations": refusing}


@pytest.mark.parametrize(
    "spec",
    [kyverno_rules(), gatekeeper_rules("registry.example/ours/"), policy_controller_rules()],
    ids=["kyverno", "gatekeeper", "policy-controller"],
)
def test_what_was_there_before_can_be_labelled_stopped_and_deleted(
    enforce: Enforce, cluster: Cluster, namespace: str, spec: Manifest
) -> None:
    api, kept = cluster.api, "example.com/kept"
    manifest = workload(namespace)
    manifest["metadata"]["finalizers"] = [kept]
    api.create(manifest)
    enforce(spec)

    api.patch("Workload", "web", namespace, {"metadata": {"labels": {"touched": "yes"}}})
    with pytest.raises(ApiError, match=f"tool-{namespace}"):
        api.patch("Workload", "web", namespace, {"spec": {"replacement": {"drainSeconds": 9}}})
    api.patch("Workload", "web", namespace, {"spec": {"state": "Stopped"}})
    with pytest.raises(ApiError, match=f"tool-{namespace}"):
        api.patch("Workload", "web", namespace, {"spec": {"state": "Running"}})
    api.delete("Workload", "web", namespace)
    api.patch("Workload", "web", namespace, {"metadata": {"finalizers": None}})
    cluster.eventually(lambda: api.get("Workload", "web", namespace) is None, 30, "the Workload is gone")


def test_gatekeeper_refuses_an_image_wherever_it_is(enforce: Enforce, api: Api, namespace: str) -> None:
    """As Gatekeeper does, the template is given the object and the constraint's parameters as variables."""
    (prefix,) = tool("gatekeeper")[1]["spec"]["parameters"]["prefixes"]
    enforce(gatekeeper_rules(prefix))

    manifest, _ = everywhere(namespace, prefix, f"@{DIGEST}")
    assert refusal(api, manifest) == ""
    for others in (("registry.example/others/", f"@{DIGEST}"), (prefix, ":1")):
        manifest, images = everywhere(namespace, *others)
        assert f"not allowed, or without a digest: {', '.join(images)}" in refusal(api, manifest)


def test_no_machine_is_where_policy_controller_looks(
    cluster: Cluster, api: Api, namespace: str, request: pytest.FixtureRequest
) -> None:
    for obj in tool("policy-controller"):
        cluster.api.apply(obj)
        request.addfinalizer(partial(cluster.api.delete, obj["kind"], obj["metadata"]["name"]))
    manifest = workload(namespace)
    assert refusal(api, manifest) == ""
    api.patch("Namespace", namespace, None, {"metadata": {"labels": {"policy.sigstore.dev/include": "true"}}})
    message = "policy-controller verifies images here"
    cluster.eventually(lambda: message in refusal(api, manifest), 30, "the policy is in force")
    assert message in refusal(api, workload(namespace, isolation="Auto"))
    assert refusal(api, workload(namespace, isolation="Sandbox")) == ""
    assert refusal(api, workload(namespace, isolation="Container")) == ""
