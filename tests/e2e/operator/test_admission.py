"""The API server, by the ValidatingAdmissionPolicies of deploy/admission, says what the operator would."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import Api, Cluster
from tests.controlplane.api import ApiError
from tests.e2e.operator.subject import Manifest, Subject
from tests.e2e.refusal import refusal
from twinhull.api.nulls import without_nulls
from twinhull.api.workload import NO_TEMPLATE, WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Subject as Concerned
from twinhull.core.isolation import concerning, resolve
from twinhull.core.isolation.machine_images import rejected_images
from twinhull.core.isolation.policy_reading import read

ADMISSION = Path(__file__).parents[3] / "deploy/admission"
ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
DIGEST = "sha256:" + "0" * 64

#: A disk from VMware.
VDDK: Manifest = {
    "url": "https://vcenter.example",
    "uuid": "u",
    "backingFile": "[a] web.vmdk",
    "thumbprint": "20:6C",
    "secretRef": "vcenter",
}

#: What makes two names of images the same or not, and what patterns tell apart.
IMAGES = (
    *("nginx", "nginx:1.29", f"nginx@{DIGEST}", f"nginx:1.29@{DIGEST}", "library/nginx", "team/nginx"),
    *("docker.io/nginx", "index.docker.io/library/nginx:latest", "registry-1.docker.io/library/nginx"),
    *("ghcr.io/community/app", "GHCR.io/community/app:1", "ghcr.io:443/community/deep/app"),
    *("ghcr.io:0443/community/app", "host:005000/app", "host:000/app"),
    *("localhost/app", "localhost:5000/app:2", "host:5000/app", "a.b/c", "axb/c", "Team/app"),
    *(DIGEST, "sha256:ab", f"team/{DIGEST}"),
)
#: What KubeVirt and webhooks read, and what only looks like it.
ANNOTATIONS: Manifest = {
    **dict.fromkeys(("hooks.kubevirt.io/hookSidecars", "kubevirt.io/ignitiondata", "kubevirt.io"), "x"),
    **dict.fromkeys(("notkubevirt.io/a", "example.com/kubevirt.io", "k8s.v1.cni.cncf.io/networks"), "x"),
    **dict.fromkeys(("sidecar.istio.io/proxyImage", "dapr.io/sidecar-image", "linkerd.io/inject"), "x"),
    "sidecar.istio.io/logLevel": "info\n    image: evil/x",
    "sidecar.istio.io/componentLogLevel": "upstream:debug,a:info\n",
    "vault.hashicorp.com/agent-telemetry-x": '{"a": "b"}',
}
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
    account: Manifest = chance.choice(
        [
            *(
                {},
                {"serviceAccountName": "builder"},
                {"serviceAccountName": ""},
                {"serviceAccountName": None},
            ),
            *({"serviceAccount": "builder"}, {"serviceAccountName": None, "serviceAccount": "builder"}),
        ]
    )
    nulls: Manifest = {
        key: None for key in ("initContainers", "volumes", "securityContext") if chance.random() < 0.2
    }
    images = chance.sample(IMAGES, 3)
    init = [{"name": "init", "image": images[2]}] if chance.random() < 0.5 else []
    mounted = chance.choice(IMAGES) if chance.random() < 0.3 else ""
    pod: Manifest = {
        **nulls,
        "containers": [{"name": f"c{index}", "image": image} for index, image in enumerate(images[:2])],
        **({"initContainers": init} if init else {}),
        **({"volumes": [{"name": "v", "image": {"reference": mounted}}]} if mounted else {}),
        **account,
    }
    labels = {"policy": str(number), **chance.choice(LABELS)}
    made = workload(namespace, pod, chance.choice((*ISOLATIONS[:2], *ISOLATIONS, "Auto")), **labels)
    if chance.random() < 0.2:
        made["spec"]["virtualMachine"] = {"overrides": any_overrides(chance)}
    return with_disks(chance, made) if chance.random() < 0.2 else made


def any_overrides(chance: random.Random) -> Manifest:
    """Overrides that may give the machine a ServiceAccount, and images."""
    kernel = {"firmware": {"kernelBoot": {"container": {"image": chance.choice(IMAGES)}}}}
    parts: list[Manifest] = [
        *({}, {"serviceAccountName": "builder"}, {"serviceAccountName": None}, {"domain": kernel}),
        {"volumes": [{"name": "t", "serviceAccount": {"serviceAccountName": "builder"}}, {"name": "x"}]},
        {"volumes": [{"name": "d", "containerDisk": {"image": chance.choice(IMAGES)}}]},
        {"volumes": [{"name": "d", "serviceAccount": None}, {"name": "e", "containerDisk": {}}]},
    ]
    return {key: value for part in chance.sample(parts, 2) for key, value in part.items()}


def with_disks(chance: random.Random, made: Manifest) -> Manifest:
    """The same with a machine that boots a disk of its own, and perhaps without a template."""
    spec: Manifest = {**made["spec"], "virtualMachine": any_disks(chance)}
    if chance.random() < 0.5:
        del spec["template"]
    return {**made, "spec": spec}


def any_disks(chance: random.Random) -> Manifest:
    """A spec.virtualMachine with a boot disk, and other disks, from anywhere."""
    sources: list[Manifest] = [
        *({"containerDisk": {"image": image}} for image in IMAGES),
        *({"registry": {"url": f"docker://{image}"}} for image in IMAGES),
        *({"blank": {}}, {"http": {"url": "https://disks.example/web.vmdk"}}, {"upload": {}}),
        *({"claim": {"name": "mine"}}, {"dataSource": {"name": "golden"}}),
        *({"vddk": {**VDDK, "initImageURL": image}} for image in chance.sample(IMAGES, 3)),
        {"vddk": VDDK},
    ]

    def disk(*may_be: Manifest) -> Manifest:
        source = chance.choice(may_be or tuple(sources))
        sized = {} if source.keys() & {"containerDisk", "claim", "dataSource"} else {"size": "1Gi"}
        return {"source": source, **sized}

    built: Manifest = {
        "memory": "1Gi",
        "firmware": {"bootloader": "BIOS"},
        # Nobody has anything against a blank disk, so that what is beside it decides.
        "bootDisk": disk(*chance.choice(([{"blank": {}}], sources[: 2 * len(IMAGES)], sources))),
    }
    if chance.random() < 0.5:
        ordered = {"bootOrder": 2} if chance.random() < 0.5 else {}
        built["disks"] = [{"name": "data", **disk(), **ordered}]
    if chance.random() < 0.2:
        built |= {"os": "Windows", "virtioDrivers": {"image": chance.choice(IMAGES)}}
    if chance.random() < 0.2:
        built["guestImage"] = chance.choice(IMAGES)
    if chance.random() < 0.3:
        volumes: list[Manifest] = [
            {"name": "boot", "persistentVolumeClaim": {"claimName": "mine"}},
            {"name": "boot", "hostDisk": None, "containerDisk": {"image": chance.choice(IMAGES)}},
            {"name": "more", "dataVolume": {"name": "mine"}},
            {"name": "notes", "configMap": {"name": "mine"}},
            {"name": "empty"},
        ]
        built["overrides"] = {"volumes": chance.sample(volumes, chance.randint(0, 2))}
    if chance.random() < 0.4:
        interface: Manifest = {"name": "default", "masquerade": {}}
        devices: list[Manifest] = [
            {"disks": []},
            {"disks": [{"name": "data", "bootOrder": 1}]},
            {"interfaces": [interface]},
            {"interfaces": [interface | {"bootOrder": 1}]},
            {"interfaces": [{"dhcpOptions": {"bootFileName": "evil"}}]},
            {"interfaces": [interface | {"bootOrder": None}], "rng": {}},
            {},
        ]
        built.setdefault("overrides", {})["domain"] = {"devices": chance.choice(devices)}
    return built


def any_machine(chance: random.Random) -> Manifest:
    """A spec.virtualMachine with whatever images, and whatever else has a say in what a machine boots."""
    firmware: Manifest = chance.choice(
        [
            {},
            {"kernelBoot": {}},
            {"kernelBoot": {"container": {"image": chance.choice(IMAGES)}}},
            {"kernelBoot": {"container": {"image": chance.choice(IMAGES), "kernelPath": "/vmlinuz"}}},
            {"kernelBoot": {"kernelArgs": "init=/bin/sh"}},
            {"bootloader": {"bios": {}}},
        ]
    )
    volumes: list[Manifest] = [
        {"name": "guest", "containerDisk": {"image": chance.choice(IMAGES)}},
        {"name": "guest", "persistentVolumeClaim": {"claimName": "mine"}},
        {"name": "manifest", "configMap": {"name": "mine"}},
        {"name": "trust", "configMap": {"name": "mine"}},
        {"name": "data", "containerDisk": {"image": chance.choice(IMAGES)}},
        {"name": "data", "containerDisk": {}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}},
    ]
    disks = [
        {"name": "guest", "serial": "guest"},
        {"name": "data", "serial": "guest "},
        {"name": "data", "serial": "data"},
        {"name": "data", "disk": {"bus": "virtio"}},
        {"name": "data", "serial": "trust"},
        {"name": "trust", "serial": "trust", "disk": {"bus": "virtio"}},
        {"name": "trust", "serial": "trust", "disk": {"bus": "sata"}},
        {"name": "manifest", "serial": "manifest", "disk": {"bus": "virtio"}},
    ]
    parts: list[Manifest] = [
        {"guestImage": chance.choice(IMAGES)},
        {"overrides": {}},
        {"overrides": {"domain": {"firmware": firmware}}},
        {"overrides": {"volumes": chance.sample(volumes, 2)}},
        {"overrides": {"domain": {"devices": {"disks": chance.sample(disks, 2)}}}},
        {"overrides": {"domain": {"devices": {"disks": disks[-3 :: chance.choice((1, 2))]}}}},
        {"overrides": {"domain": {"firmware": firmware, "cpu": {"model": "host-model"}}}},
    ]
    return {key: value for part in chance.sample(parts, 2) for key, value in part.items()}


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


def expectation(manifest: Manifest, namespace_labels: dict[str, str], policies: list[Manifest]) -> str:
    """What the operator would say, if it is a rejection. Of Auto the API server says nothing."""
    metadata, spec = manifest["metadata"], manifest["spec"]
    if spec["isolationPolicy"] == "Auto":
        return ""
    template = without_nulls(spec.get("template") or NO_TEMPLATE)
    stored = {"metadata": metadata, "spec": {**spec, "template": template}}
    concerned = Concerned.of(stored, metadata["namespace"], namespace_labels, pods=())
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
            machines={"guestImages": []},
            match={"workloadSelector": {"matchLabels": {"last": namespace}}},
        )
        for obj in (*policies, last):
            made.append(obj["metadata"]["name"])
            api.create(obj)
        pod = {"containers": [{"name": "c", "image": "a"}]}
        for isolation in ("Container", "VirtualMachine"):  # of which an admission policy each has its say
            probe = workload(namespace, pod, isolation, last=namespace)
            probe["spec"]["virtualMachine"] = {"guestImage": "a"}
            answer = partial(refusal, api, probe)
            admission.eventually(
                lambda answer=answer: f"IsolationPolicy last-{namespace}" in answer(),  # type: ignore[misc]
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
                    message = refusal(api, manifest)
                    assert (message != "", expected in message) == (expected != "", True), (manifest, message)
                    return True

                # The API server may see the namespace's labels a little later than it takes them.
                cluster.eventually(agrees, 30, f"both say the same of {policies[number]}")
                refused += expected != ""
    assert POLICIES < refused < 4 * POLICIES, "both verdicts are given often"


def test_the_api_server_says_what_the_operator_would_of_images(
    in_force: Any, api: Api, namespace: str
) -> None:
    chance = random.Random(7)  # noqa: S311  the same cases each time
    policies = [
        policy(
            f"images-{number}",
            match={"workloadSelector": {"matchLabels": {"policy": str(number)}}},
            machines={
                **({"guestImages": chance.sample(PATTERNS, chance.randint(0, 3))} if number % 3 else {}),
                "imagesMustBePinned": number % 3 == 0 or chance.random() < 0.2,
            },
        )
        for number in range(30)
    ]
    in_force(*policies)
    verdicts: dict[bool, list[bool]] = {True: [], False: []}
    for turn in range(9):
        boots_disk = turn % 3 == 2
        for number, obj in enumerate(policies):
            manifest = any_workload(chance, number, namespace)
            manifest["spec"] |= {"isolationPolicy": "VirtualMachine", "virtualMachine": any_machine(chance)}
            manifest["spec"].setdefault("template", {"spec": {"containers": [{"name": "c", "image": "a"}]}})
            if boots_disk:
                manifest = with_disks(chance, manifest)
            annotate(chance, manifest["spec"].get("template"))
            spec = WorkloadSpec.model_validate(manifest["spec"])
            expected = [rejected.why for rejected in rejected_images(spec, [read(obj)])]
            text = refusal(api, manifest)
            assert bool(text) == bool(expected), (manifest, expected, text)
            assert not text or f"IsolationPolicy images-{number}" in text
            assert not any("guestImages" in why for why in expected) or any(why in text for why in expected)
            assert "error" not in text, text
            verdicts[boots_disk].append(bool(text))
    for answers in verdicts.values():
        assert 10 < sum(answers) < len(answers) - 10, "both verdicts are given often"


def annotate(chance: random.Random, template: Manifest | None) -> None:
    """Gives a template annotations, or none in two ways, and some of its containers images with a digest."""
    if template is None:
        return
    if chance.random() < 0.3:
        key, value = chance.choice([*ANNOTATIONS.items()])
        template["metadata"] = {"annotations": {key: value, "note": "x"}}
    elif chance.random() < 0.3:
        template["metadata"] = chance.choice((None, {"annotations": None}))
    for container in template["spec"]["containers"]:
        container["image"] = chance.choice((container["image"], f"nginx@{DIGEST}", f"nginx@{DIGEST}"))


def test_the_largest_list_of_images_is_within_what_an_expression_may_cost(
    in_force: Any, api: Api, namespace: str
) -> None:
    long = "registry.example.com/" + "/".join(["team", "product", "component"] * 5)
    place = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    patterns = [f"{long}/no{number}*/**/x?y*:1.*" for number in range(31)]
    in_force(
        policy(
            f"images-{namespace}",
            match=place,
            machines={"guestImages": [*patterns, f"{long}/image*:*"], "imagesMustBePinned": True},
        )
    )
    images = [f"{long}/image{number}:v1.2.3@{DIGEST}" for number in range(32)]
    pod = {"containers": [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]}
    manifest = workload(namespace, pod, "VirtualMachine")
    disks: list[Manifest] = [
        {"name": f"d{index}", "containerDisk": {"image": image}} for index, image in enumerate(images[:8])
    ]
    manifest["spec"]["virtualMachine"] = {"guestImage": images[0], "overrides": {"volumes": disks}}
    assert refusal(api, manifest) == ""
    disks[-1]["containerDisk"]["image"] = f"{long}/other:1@{DIGEST}"
    assert "none of the guestImages" in refusal(api, manifest)
    sources = [{"registry": {"url": f"docker://{image}"}} for image in images]
    manifest["spec"]["virtualMachine"] = {
        "memory": "1Gi",
        "firmware": {"bootloader": "BIOS"},
        "bootDisk": {"source": {"containerDisk": {"image": images[0]}}},
        "disks": [
            {"name": f"d{index}", "source": source, "size": "1Gi"} for index, source in enumerate(sources)
        ],
    }
    assert refusal(api, manifest) == ""
    sources[-1]["registry"]["url"] = f"docker://{long}/other:1@{DIGEST}"
    assert "none of the guestImages" in refusal(api, manifest)


def test_overrides_that_take_the_boot_image_away_are_refused(
    in_force: Any, admission: Cluster, namespace: str
) -> None:
    """Only server-side apply keeps a null."""
    in_force(
        policy(
            f"images-{namespace}",
            match={"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
            machines={"guestImages": []},
        )
    )
    pod = {"containers": [{"name": "c", "image": "a"}]}
    whole: Manifest = {"domain": {"firmware": {"kernelBoot": {"container": {"image": None}}}}}
    for path in ("domain", "domain.firmware", "domain.firmware.kernelBoot"):
        *above, last = path.split(".")
        overrides = deepcopy(whole)
        place = overrides
        for key in above:
            place = place[key]
        place[last] = None
        manifest = workload(namespace, pod, "VirtualMachine")
        manifest["spec"]["virtualMachine"] = {"overrides": overrides}
        with pytest.raises(ApiError, match=rf"virtualMachine\.overrides\.{path} has the machine boot"):
            admission.api.apply(manifest)
    for path in ("domain.devices", "domain.devices.disks"):
        manifest = workload(namespace, pod, "VirtualMachine")
        manifest["spec"]["virtualMachine"] = {
            "memory": "1Gi",
            "firmware": {"bootloader": "BIOS"},
            "bootDisk": {"source": {"blank": {}}, "size": "1Gi"},
            "overrides": {"domain": {"devices": None if path.endswith("devices") else {"disks": None}}},
        }
        with pytest.raises(ApiError, match=rf"virtualMachine\.overrides\.{path} has the machine boot"):
            admission.api.apply(manifest)


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
