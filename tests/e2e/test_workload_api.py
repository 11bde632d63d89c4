"""What a real API server makes of the CustomResourceDefinition: what it takes, refuses and says."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from tests.controlplane.api import ApiError

if TYPE_CHECKING:
    from tests.controlplane.cluster import Cluster

Manifest: TypeAlias = dict[str, Any]

TESTS = Path(__file__).parents[1]
CRD = (TESTS.parent / "crds/workloads.twinhull.dev.yaml").read_text(encoding="utf-8")
EVERYTHING: Manifest = yaml.safe_load((TESTS / "podtemplate/everything.yaml").read_text(encoding="utf-8"))

MINIMAL: Manifest = {
    "apiVersion": "twinhull.dev/v1alpha1",
    "kind": "Workload",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}}},
}


def merged(target: Any, change: Any) -> Any:
    """A JSON merge patch (RFC 7386): null removes, lists are replaced whole."""
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def name(value: str) -> Manifest:
    return {"metadata": {"name": value}}


def spec(**fields: Any) -> Manifest:
    return {"spec": fields}


def pod(**fields: Any) -> Manifest:
    return {"spec": {"template": {"spec": fields}}}


def container(**fields: Any) -> Manifest:
    return pod(containers=[{"name": "web", "image": "nginx:1.29", **fields}])


def template_metadata(**fields: Any) -> Manifest:
    return {"spec": {"template": {"metadata": fields}}}


def machine(**fields: Any) -> Manifest:
    return {"spec": {"virtualMachine": fields}}


#: Volumes of a template, of which the first two are claims.
VOLUMES = pod(
    volumes=[
        {"name": "data", "persistentVolumeClaim": {"claimName": "pg"}},
        {
            "name": "scratch",
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    }
                }
            },
        },
        {"name": "tmp", "emptyDir": {}},
    ]
)


def as_disks(*volumes: str) -> Manifest:
    return machine(claims=[{"volume": volume, "as": "Disk"} for volume in volumes])


AS_OPERATOR = ("--server-side", "--subresource=status", "--field-manager=twinhull")

#: A change of MINIMAL by what it shows.
ACCEPTED: dict[str, Manifest] = {
    "nothing but a container": {},
    "a name of 50 characters": name("w" * 50),
    "every isolation": spec(isolationPolicy="VirtualMachine"),
    "a sandbox's own RuntimeClass": spec(isolationPolicy="Sandbox", sandbox={"runtimeClassName": "gvisor"}),
    "a container's RuntimeClass": merged(pod(runtimeClassName="kata"), spec(isolationPolicy="Container")),
    "a sandbox's own RuntimeClass in its template": merged(
        pod(runtimeClassName="gvisor"),
        spec(isolationPolicy="Sandbox", sandbox={"runtimeClassName": "gvisor"}),
    ),
    "a RuntimeClass in the template of a sandbox that takes the operator's own": merged(
        pod(runtimeClassName="gvisor"), spec(isolationPolicy="Sandbox")
    ),
    "secure boot with UEFI": machine(firmware={"secureBoot": True, "bootloader": "UEFI"}),
    "anything in overrides": machine(overrides={"domain": {"devices": {"watchdog": {"name": "w"}}}}),
    "StartFirst": spec(replacement={"strategy": "StartFirst", "drainSeconds": 0}),
    "claims of the template as disks": merged(VOLUMES, as_disks("data", "scratch")),
    "a Job's deadline": pod(restartPolicy="OnFailure", activeDeadlineSeconds=60),
}

#: The same, and what the API server says, which names the field and what to do.
REFUSED: dict[str, tuple[Manifest, str]] = {
    "a name of 51 characters": (name("w" * 51), "metadata.name may have at most 50 characters"),
    "a name with a dot": (name("web.shop"), "metadata.name must begin with a letter and consist of"),
    "a name that starts with a digit": (name("1web"), "metadata.name must begin with a letter and"),
    "an unknown isolation": (
        spec(isolationPolicy="VM"),
        (
            'spec.isolationPolicy: Unsupported value: "VM": '
            'supported values: "Auto", "Container", "Sandbox", "VirtualMachine"'
        ),
    ),
    "an unknown field": (spec(isolation="Auto"), 'unknown field "spec.isolation"'),
    "an unknown field in the template": (
        container(imagePulPolicy="Always"),
        'unknown field "spec.template.spec.containers[0].imagePulPolicy"',
    ),
    "an unknown field in the template's metadata": (
        template_metadata(uid="1"),
        'unknown field "spec.template.metadata.uid"',
    ),
    "no template": (spec(template=None), "spec.template: Invalid value: say what to run: set template"),
    "StartFirst of what ends": (
        merged(pod(restartPolicy="Never"), spec(replacement={"strategy": "StartFirst"})),
        (
            "spec.replacement.strategy: Invalid value: StartFirst would run a Workload that runs to "
            "completion twice: set template.spec.restartPolicy to Always, or replacement.strategy to Recreate"
        ),
    ),
    "a disk from nowhere": (
        machine(bootDisk={"size": "40Gi"}),
        "spec.virtualMachine.bootDisk.source: Required value",
    ),
    **{
        what: (
            merged(volumes, as_disks(volume)),
            (
                "spec.virtualMachine.claims: Invalid value: an entry names no volume of the template that is "
                "a persistentVolumeClaim or ephemeral: correct its volume, or remove it"
            ),
        )
        for what, volumes, volume in (
            ("a claim as a disk that no volume is", VOLUMES, "other"),
            ("a volume as a disk that is no claim", VOLUMES, "tmp"),
            ("a claim as a disk of a template without volumes", {}, "data"),
        )
    },
    "one claim as a disk twice": (
        merged(VOLUMES, as_disks("data", "data")),
        'spec.virtualMachine.claims[1]: Duplicate value: {"volume":"data"}',
    ),
    "a claim as something else": (
        merged(VOLUMES, machine(claims=[{"volume": "data", "as": "Files"}])),
        'spec.virtualMachine.claims[0].as: Unsupported value: "Files": supported values: "Disk"',
    ),
    "secure boot without UEFI": (
        machine(firmware={"secureBoot": True}),
        (
            "spec.virtualMachine.firmware.secureBoot: Invalid value: "
            "secureBoot needs UEFI: set firmware.bootloader to UEFI, or secureBoot to false"
        ),
    ),
    "a sandbox with another RuntimeClass in its template": (
        merged(
            pod(runtimeClassName="kata"),
            spec(isolationPolicy="Sandbox", sandbox={"runtimeClassName": "gvisor"}),
        ),
        (
            "spec.template.spec.runtimeClassName: Invalid value: a Sandbox takes its RuntimeClass from "
            "spec.sandbox.runtimeClassName: set spec.template.spec.runtimeClassName to the same one, or "
            "remove it"
        ),
    ),
    "a label of the operator's own": (
        template_metadata(labels={"twinhull.dev/workload": "other"}),
        (
            "spec.template.metadata.labels: Invalid value: "
            "labels with the prefix twinhull.dev/ are the operator's own: choose another"
        ),
    ),
    "no container": (
        pod(containers=[]),
        "spec.template.spec.containers in body should have at least 1 items",
    ),
    "a container without an image": (
        pod(containers=[{"name": "web"}]),
        "spec.template.spec.containers[0].image: Required value",
    ),
    "two containers of one name": (
        pod(containers=[{"name": "web", "image": "a"}, {"name": "web", "image": "b"}]),
        'spec.template.spec.containers[1]: Duplicate value: {"name":"web"}',
    ),
    "one variable twice": (
        container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
        'spec.template.spec.containers[0].env[1]: Duplicate value: {"name":"A"}',
    ),
    # A Deployment drops the field without a word while its feature gate is off.
    "a signal's typo": (
        container(lifecycle={"stopSignal": "TERM"}),
        'spec.template.spec.containers[0].lifecycle.stopSignal: Unsupported value: "TERM"',
    ),
    "ephemeral containers": (
        pod(ephemeralContainers=[]),
        'unknown field "spec.template.spec.ephemeralContainers"',
    ),
}

#: What a Deployment takes in its template, a Workload takes too.
TAKEN_BY_BOTH: dict[str, Manifest] = {
    "a fraction as a number": container(resources={"limits": {"cpu": 0.5, "memory": 1e9}}),
    "what a chart renders for values that weren't set": merged(
        container(imagePullPolicy="", terminationMessagePolicy=""),
        pod(restartPolicy="", dnsPolicy="", tolerations=[{"key": "a", "operator": "", "effect": ""}]),
    ),
    "a header without a value": container(
        livenessProbe={"httpGet": {"port": 80, "httpHeaders": [{"name": "X"}]}}
    ),
    "a volume without a source": pod(volumes=[{"name": "scratch"}]),
    "huge pages": pod(volumes=[{"name": "huge", "emptyDir": {"medium": "HugePages-2Mi"}}]),
    "one port for two protocols": container(
        ports=[{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]
    ),
    "one port twice": container(ports=[{"containerPort": 80}, {"containerPort": 80, "name": "http"}]),
    "names that mean nothing": template_metadata(name="web", generateName="web-", namespace="shop"),
    "a sidecar": pod(initContainers=[{"name": "proxy", "image": "envoy", "restartPolicy": "Always"}]),
}

#: What a Deployment refuses in its template, a Workload refuses too, rather than its Pod later.
REFUSED_BY_BOTH: dict[str, Manifest] = {
    "a quantity that is none": container(resources={"limits": {"memory": "1GB"}}),
    "a quantity that is true": container(resources={"limits": {"cpu": True}}),
    "a number as a variable": container(env=[{"name": "PORT", "value": 80}]),
    "a restart policy's typo": pod(restartPolicy="always"),
    "a pull policy's typo": container(imagePullPolicy="IfNotPresnet"),
    "a protocol's typo": container(ports=[{"containerPort": 80, "protocol": "tcp"}]),
    "a scheme's typo": container(livenessProbe={"httpGet": {"port": 80, "scheme": "https"}}),
    "an operator's typo": pod(tolerations=[{"key": "a", "operator": "Equals", "value": "b"}]),
    "an access mode's typo": pod(
        volumes=[{"name": "a", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["RWO"]}}}}]
    ),
    "a port out of range": container(ports=[{"containerPort": 80_000}]),
    "a long port name": container(ports=[{"containerPort": 80, "name": "a-name-too-long-"}]),
    "a container's name with capitals": pod(containers=[{"name": "Web", "image": "nginx"}]),
    "a volume's name with an underscore": pod(volumes=[{"name": "my_data"}]),
    "an empty image": container(image=""),
    "a long label": template_metadata(labels={"version": "v" * 64}),
}


@pytest.fixture(autouse=True, scope="module")
def _crd(control_plane: Cluster) -> None:
    # Without --server-side: the whole definition has to fit into an annotation.
    control_plane.kubectl.apply(CRD)
    api = control_plane.api
    control_plane.eventually(
        lambda: "Workload" in str(api.request("GET", "/openapi/v3/apis/twinhull.dev/v1alpha1")),
        30,
        "the API server describes the kind",
    )
    control_plane.eventually(
        lambda: (api.list("Workload.twinhull.dev"),), 30, "the API server serves the kind"
    )


def tried(control_plane: Cluster, manifest: Manifest) -> Manifest:
    """What the API server would store, with unknown fields refused as kubectl has them refused."""
    path = control_plane.api.path(manifest["kind"], "default")
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    return control_plane.api.request("POST", path, manifest, query=query)


def workload_of(template: Manifest) -> Manifest:
    return MINIMAL | {"spec": {"template": template}}


def status_of(workload: Manifest) -> Manifest:
    """What the operator would apply to the status of a Workload."""
    isolation = {"requested": "Auto", "resolved": "Container", "reason": "Default", "message": "m"}
    status = {"observedGeneration": 1, "isolation": isolation}
    return {key: workload[key] for key in ("apiVersion", "kind", "metadata")} | {"status": status}


def deployment_of(template: Manifest) -> Manifest:
    selector = {"app": "selected"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": selector},
            "template": merged(deepcopy(template), {"metadata": {"labels": selector}}),
        },
    }


def named(control_plane: Cluster, namespace: str, name: str) -> Manifest:
    found = control_plane.api.get("Workload", name, namespace)
    assert found is not None
    return found


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_accepts(control_plane: Cluster, change: Manifest) -> None:
    tried(control_plane, merged(MINIMAL, change))


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(control_plane: Cluster, change: Manifest, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        tried(control_plane, merged(MINIMAL, change))
    assert message in refusal.value.message


@pytest.mark.parametrize("change", TAKEN_BY_BOTH.values(), ids=TAKEN_BY_BOTH)
def test_takes_what_a_deployment_takes(control_plane: Cluster, change: Manifest) -> None:
    template = merged(MINIMAL, change)["spec"]["template"]
    tried(control_plane, deployment_of(template))
    tried(control_plane, workload_of(template))


@pytest.mark.parametrize("change", REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH)
def test_refuses_what_a_deployment_refuses(control_plane: Cluster, change: Manifest) -> None:
    template = merged(MINIMAL, change)["spec"]["template"]
    with pytest.raises(ApiError):
        tried(control_plane, deployment_of(template))
    with pytest.raises(ApiError):
        tried(control_plane, workload_of(template))


def test_template_with_every_kind_of_volume_and_probe_fits(control_plane: Cluster) -> None:
    tried(control_plane, deployment_of(EVERYTHING))
    stored = tried(control_plane, workload_of(EVERYTHING))["spec"]["template"]
    expected = deepcopy(EVERYTHING)
    del expected["spec"]["volumes"]
    del stored["spec"]["volumes"]
    assert stored == expected


def test_template_that_kubectl_prints_for_a_deployment_fits(control_plane: Cluster) -> None:
    command = ("create", "deployment", "web", "--image=nginx:1.29", "--port=80", "--dry-run=client")
    template = yaml.safe_load(control_plane.kubectl(*command, "--output=yaml"))["spec"]["template"]
    # Older kubectls print it, and every template pasted from them has it.
    template["metadata"]["creationTimestamp"] = None

    stored = tried(control_plane, workload_of(template))["spec"]

    assert stored == {"isolationPolicy": "Auto", "state": "Running", "template": template}


def test_status_says_that_nothing_was_observed_before_the_operator_did(
    control_plane: Cluster, namespace: str
) -> None:
    path = control_plane.api.path("Workload", namespace)
    created = control_plane.api.request("POST", path, merged(MINIMAL, name("unseen")))
    assert created["status"] == {"observedGeneration": -1}
    assert named(control_plane, namespace, "unseen")["status"] == {"observedGeneration": -1}


def test_status_given_by_a_person_is_not_taken(control_plane: Cluster, namespace: str) -> None:
    claimed = merged(MINIMAL, {"metadata": {"name": "claimed"}, "status": {"observedGeneration": 1}})
    path = control_plane.api.path("Workload", namespace)
    assert control_plane.api.request("POST", path, claimed)["status"] == {"observedGeneration": -1}


def test_second_plain_apply_changes_nothing(control_plane: Cluster, namespace: str) -> None:
    manifest = merged(MINIMAL, {"metadata": {"name": "plain", "namespace": namespace}})
    assert "created" in control_plane.kubectl.apply(manifest)
    assert "unchanged" in control_plane.kubectl.apply(manifest)


def test_second_server_side_apply_changes_nothing(control_plane: Cluster, namespace: str) -> None:
    manifest = workload_of(EVERYTHING) | {"metadata": {"name": "applied", "namespace": namespace}}
    control_plane.kubectl.apply(manifest, "--server-side")
    # Until there is a status, an update stores the default one that it reads.
    control_plane.kubectl.apply(status_of(manifest), *AS_OPERATOR)
    first = named(control_plane, namespace, "applied")
    control_plane.kubectl.apply(manifest, "--server-side")
    assert named(control_plane, namespace, "applied") == first


def test_two_appliers_each_have_their_container_and_the_operator_the_status(
    control_plane: Cluster, namespace: str
) -> None:
    mine = merged(MINIMAL, {"metadata": {"name": "shared", "namespace": namespace}})
    theirs = merged(mine, pod(containers=[{"name": "mesh", "image": "envoy"}]))
    kubectl = control_plane.kubectl
    kubectl.apply(mine, "--server-side", "--field-manager=me")
    kubectl.apply(theirs, "--server-side", "--field-manager=they")
    kubectl.apply(status_of(mine), *AS_OPERATOR)
    kubectl.apply(mine, "--server-side", "--field-manager=me")

    found = named(control_plane, namespace, "shared")
    assert [made["name"] for made in found["spec"]["template"]["spec"]["containers"]] == ["web", "mesh"]
    assert found["status"]["observedGeneration"] == 1
    by_isolation = control_plane.api.list("Workload", namespace, fields="status.isolation.resolved=Container")
    assert [workload["metadata"]["name"] for workload in by_isolation] == ["shared"]


def test_kubectl_explains_fields_in_our_words(control_plane: Cluster) -> None:
    explanation = " ".join(control_plane.kubectl("explain", "twl.spec.isolationPolicy").split())
    assert "The isolation that the Workload asks for: Container is a plain Pod" in explanation


def test_kubectl_lists_by_short_names(control_plane: Cluster, namespace: str) -> None:
    kubectl = control_plane.kubectl
    kubectl.apply(merged(MINIMAL, {"metadata": {"name": "listed", "namespace": namespace}}))

    headers = kubectl("get", "twl", "--namespace", namespace).splitlines()[0].split()
    assert headers == ["NAME", "READY", "REASON", "ISOLATION", "RUNNING", "HULL", "NODE", "AGE"]
    wide = kubectl("get", "twl", "--namespace", namespace, "--output=wide").splitlines()[0].split()
    assert wide == [*headers, "REQUESTED", "POLICY", "ADDRESS", "REVISION", "MESSAGE"]
    assert kubectl("get", "twinhull", "listed", "--namespace", namespace, "--output=name") == (
        "workload.twinhull.dev/listed\n"
    )
