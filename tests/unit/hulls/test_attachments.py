"""The objects that a template refers to, and how they are attached to the machine."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.registry import Registry
from twinhull.hulls.attachments import Attachment, as_in, attachments


def pod(spec: Raw) -> Raw:
    return {"metadata": {"name": "web-1a2b3c4d5e"}, "spec": spec}


def attached_by(**spec: Any) -> list[tuple[str, str, bool, bool]]:
    """(kind, name, optional, live) of each attachment."""
    containers = spec.pop("containers", [{"name": "web"}])
    made = attachments(pod({"automountServiceAccountToken": False, "containers": containers, **spec}))
    return [(a.kind, a.name, a.optional, a.live) for a in made]


def volume(**source: Any) -> list[Any]:
    return [{"name": "v", **source}]


def mounting(*mounts: Raw) -> list[Any]:
    """A container with these mounts of the volume v."""
    return [{"name": "web", "volumeMounts": [{"name": "v", "mountPath": "/v", **mount} for mount in mounts]}]


WHOLE, FILE = mounting({}), mounting({"subPath": "a"}, {"subPathExpr": "$(A)"})


def env(**source: Any) -> list[Any]:
    return [{"name": "web", "env": [{"name": "E", "valueFrom": source}]}]


@pytest.mark.parametrize(
    ("spec", "attached"),
    [
        ({}, []),
        ({"automountServiceAccountToken": True}, [("ServiceAccount", "default", False, True)]),
        (
            {"automountServiceAccountToken": True, "serviceAccountName": "web", "serviceAccount": "old"},
            [("ServiceAccount", "web", False, True)],
        ),
        (
            {"volumes": volume(projected={"sources": [{"serviceAccountToken": {"path": "t"}}]})},
            [("ServiceAccount", "default", False, True)],
        ),
        ({"imagePullSecrets": [{"name": "registry"}]}, [("Secret", "registry", True, False)]),
        ({"containers": env(configMapKeyRef={"name": "c", "key": "k"})}, [("ConfigMap", "c", False, False)]),
        (
            {"containers": env(secretKeyRef={"name": "s", "key": "k", "optional": True})},
            [("Secret", "s", True, False)],
        ),
        ({"containers": env(fieldRef={"fieldPath": "metadata.name"})}, []),
        (
            {"containers": env(fieldRef={"fieldPath": "spec.nodeName"})},
            [("Launcher", "web-1a2b3c4d5e", False, True)],
        ),
        (
            {
                "volumes": volume(
                    projected={
                        "sources": [
                            {
                                "downwardAPI": {
                                    "items": [{"path": "u", "fieldRef": {"fieldPath": "metadata.uid"}}]
                                }
                            }
                        ]
                    }
                )
            },
            [("Launcher", "web-1a2b3c4d5e", False, True)],
        ),
        (
            {
                "containers": [
                    {
                        "name": "web",
                        "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}],
                    }
                ]
            },
            [("ConfigMap", "c", False, False), ("Secret", "s", False, False)],
        ),
        (
            {"initContainers": [{"name": "a", "envFrom": [{"secretRef": {"name": "s"}}]}]},
            [("Secret", "s", False, False)],
        ),
        (
            {"containers": WHOLE, "volumes": volume(configMap={"name": "c"})},
            [("ConfigMap", "c", False, True)],
        ),
        (
            {"initContainers": WHOLE, "volumes": volume(secret={"secretName": "s", "optional": True})},
            [("Secret", "s", True, True)],
        ),
        (
            {"containers": FILE, "volumes": volume(configMap={"name": "c"})},
            [("ConfigMap", "c", False, False)],
        ),
        (
            {"containers": FILE, "volumes": volume(secret={"secretName": "s"})},
            [("Secret", "s", False, False)],
        ),
        (
            {"containers": FILE, "initContainers": WHOLE, "volumes": volume(configMap={"name": "c"})},
            [("ConfigMap", "c", False, True)],
        ),
        (
            {
                "containers": mounting({"subPath": "a"}, {"subPath": ""}),
                "volumes": volume(configMap={"name": "c"}),
            },
            [("ConfigMap", "c", False, True)],
        ),
        (
            {"volumes": volume(configMap={"name": "nobody-mounts-it"})},
            [("ConfigMap", "nobody-mounts-it", False, False)],
        ),
        (
            {
                "containers": FILE,
                "volumes": volume(
                    projected={"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}]}
                ),
            },
            [("Secret", "s", False, False), ("ConfigMap", "c", False, False)],
        ),
        (
            {
                "containers": [*FILE, {"name": "b", "volumeMounts": [{"name": "w", "mountPath": "/w"}]}],
                "volumes": [*volume(configMap={"name": "c"}), {"name": "w", "configMap": {"name": "c"}}],
            },
            [("ConfigMap", "c", False, True)],
        ),
        (
            {
                "containers": [{"name": "web", "volumeDevices": [{"name": "v", "devicePath": "/dev/d"}]}],
                "volumes": volume(persistentVolumeClaim={"claimName": "d"}),
            },
            [("PersistentVolumeClaim", "d", False, False)],
        ),
        (
            {
                "containers": [{"name": "web", "volumeMounts": [{"name": "v", "mountPath": "/d"}]}],
                "volumes": volume(persistentVolumeClaim={"claimName": "d"}),
            },
            [("PersistentVolumeClaim", "d", False, True)],
        ),
        ({"volumes": volume(persistentVolumeClaim={"claimName": "nobody-uses-it"})}, []),
        (
            {
                "containers": WHOLE,
                "volumes": volume(
                    projected={"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}]}
                ),
            },
            [("Secret", "s", False, True), ("ConfigMap", "c", False, True)],
        ),
        ({"volumes": volume(emptyDir={})}, []),
        (
            {
                "containers": [
                    *env(secretKeyRef={"name": "s", "key": "k", "optional": True}),
                    *WHOLE,
                ],
                "volumes": volume(secret={"secretName": "s"}),
            },
            [("Secret", "s", False, True)],
        ),
    ],
)
def test_reference(spec: dict[str, Any], attached: list[tuple[str, str, bool, bool]]) -> None:
    assert attached_by(**spec) == attached


def test_each_has_a_device_of_its_own() -> None:
    names = ("a", "b", "c")
    made = attachments(
        pod({"containers": [{"name": "web", "envFrom": [{"secretRef": {"name": n}} for n in names]}]})
    )
    assert [a.device for a in made] == ["token-0", "secret-1", "secret-2", "secret-3"]


def test_guest_finds_it_by_tag_or_by_serial() -> None:
    live = Attachment("ConfigMap", "c", optional=False, live=True, device="configmap-0")
    disk = Attachment("Secret", "s", optional=True, live=False, device="secret-1")
    assert live.entry() == {"kind": "ConfigMap", "name": "c", "tag": "configmap-0"}
    assert disk.entry() == {"kind": "Secret", "name": "s", "optional": True, "serial": "secret-1"}


@pytest.mark.parametrize(
    ("attachment", "source"),
    [
        (
            Attachment("ConfigMap", "c", optional=True, live=True, device="x"),
            {"configMap": {"name": "c", "optional": True}},
        ),
        (Attachment("Secret", "s", optional=False, live=True, device="x"), {"secret": {"secretName": "s"}}),
        (
            Attachment("ServiceAccount", "a", optional=False, live=True, device="x"),
            {"serviceAccount": {"serviceAccountName": "a"}},
        ),
        (
            Attachment("PersistentVolumeClaim", "p", optional=False, live=False, device="x"),
            {"persistentVolumeClaim": {"claimName": "p"}},
        ),
    ],
)
def test_volume(attachment: Attachment, source: dict[str, Any]) -> None:
    assert attachment.volume() == {"name": "x", **source}


def test_authorities_of_registries_are_disks() -> None:
    registry = Registry.model_validate(
        {"host": "r.example", "ca": {"configMap": "authorities", "key": "ca.crt"}}
    )
    (made,) = attachments(
        pod({"automountServiceAccountToken": False, "containers": [{"name": "web"}]}), [registry]
    )
    assert made.entry() == {"kind": "ConfigMap", "name": "authorities", "serial": "configmap-0"}


def test_launcher_tells_what_only_it_knows() -> None:
    made = Attachment("Launcher", "web-1a2b3c4d5e", optional=False, live=True, device="launcher-0")
    fields = [
        {"path": "uid", "fieldRef": {"fieldPath": "metadata.uid"}},
        {"path": "node", "fieldRef": {"fieldPath": "metadata.labels['kubevirt.io/nodeName']"}},
    ]
    assert made.volume() == {"name": "launcher-0", "downwardAPI": {"fields": fields}}


def test_a_machine_keeps_its_attachments_as_its_operator_made_them() -> None:
    """Earlier operators attached by virtiofs what is a disk now, and the guest refuses another manifest."""
    spec = {"containers": FILE, "volumes": volume(configMap={"name": "c"})}
    devices = {"filesystems": [{"name": "token-0"}, {"name": "configmap-1"}], "disks": [{"name": "guest"}]}
    machine: Raw = {"spec": {"template": {"spec": {"domain": {"devices": devices}}}}}
    made = attachments(pod(spec))
    assert [(a.device, a.live) for a in made] == [("token-0", True), ("configmap-1", False)]
    assert [(a.device, a.live) for a in as_in(machine, made)] == [("token-0", True), ("configmap-1", True)]
    assert as_in({"spec": {}}, made) == made
