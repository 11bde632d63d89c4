"""Which objects of an input are converted, which stay, and which are passed over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.convert.kubernetes.examples import converted, left, made_of, read
from tests.unit.convert.kubernetes.test_controllers import WEB, controller
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.convert.conversion import CannotConvert


def obj(kind: str, name: str, api: str = "v1", **more: Any) -> Raw:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def owned(kind: str, owner: str, by: str, api: str = "apps/v1", **spec: Any) -> Raw:
    reference = {"apiVersion": "apps/v1", "kind": by, "name": owner, "controller": True, "uid": "1"}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": f"{owner}-1", "uid": "2", "ownerReferences": [reference]},
        "spec": spec,
    }


def test_what_a_converted_object_has_made_is_passed_over() -> None:
    """As `kubectl get all -o yaml` prints them."""
    conversion = converted(
        owned("Pod", "web-1", "ReplicaSet", "v1", **WEB["spec"]),
        owned("ReplicaSet", "web", "Deployment", template=WEB),
        controller("Deployment"),
    )
    assert [made["metadata"]["name"] for made in conversion.objects] == ["web"]
    assert left(conversion) == {
        "Pod web-1-1": "ReplicaSet web-1 has made it, and is in the input itself",
        "ReplicaSet web-1": "Deployment web has made it, and is in the input itself",
    }


def test_what_something_else_has_made_is_converted_and_says_so() -> None:
    conversion = converted(owned("ReplicaSet", "web", "Deployment", template=WEB))
    assert made_of(conversion)["metadata"] == {"name": "web-1"}
    assert "convert the owner" in left(conversion)["ReplicaSet web-1: metadata.ownerReferences"]


@pytest.mark.parametrize(
    ("api", "kind", "why"),
    [
        ("twinhull.dev/v1alpha1", "Workload", "Workload web has made it, which already belongs to Twinhull"),
        ("kubevirt.io/v1", "VirtualMachineInstance", "a machine runs in it: convert VirtualMachine web"),
    ],
)
def test_hulls_and_launcher_pods_are_passed_over(api: str, kind: str, why: str) -> None:
    pod = owned("Pod", "web", kind, "v1", **WEB["spec"])
    pod["metadata"]["ownerReferences"][0]["apiVersion"] = api
    assert left(converted(pod, controller("Deployment"))) == {"Pod web-1": why}


def test_lists_are_taken_apart() -> None:
    items = [controller("Deployment"), obj("ConfigMap", "unused")]
    conversion = converted({"apiVersion": "v1", "kind": "List", "items": items})
    assert made_of(conversion)["metadata"] == {"name": "web"}
    assert left(conversion) == {"ConfigMap unused": "no Workload is made of it: apply it as it is"}


@pytest.mark.parametrize("more", [{"items": None}, {"items": []}, {}])
def test_a_list_without_items_has_no_object(more: Raw) -> None:
    nothing: Raw = {"apiVersion": "v1", "kind": "List", **more}
    conversion = converted(nothing, controller("Deployment"))
    assert ([made["kind"] for made in conversion.objects], left(conversion)) == (["Workload"], {})
    with pytest.raises(CannotConvert, match=r"^input\.yaml: nothing here can be a Workload \(no object\)"):
        converted(nothing)


def test_the_objects_of_a_typed_list_have_its_kind() -> None:
    plain = {
        key: value for key, value in controller("Deployment").items() if key not in {"apiVersion", "kind"}
    }
    conversion = converted({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [plain]})
    assert made_of(conversion)["metadata"] == {"name": "web"}


def test_what_a_workload_refers_to_stays() -> None:
    pod = {
        **WEB["spec"],
        "serviceAccountName": "sa",
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "name": "web",
                "image": "nginx",
                "envFrom": [{"configMapRef": {"name": "env"}}],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}}],
            }
        ],
        "volumes": [
            {"name": "a", "secret": {"secretName": "files"}},
            {"name": "b", "projected": {"sources": [{"secret": {"name": "projected"}}]}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
        ],
    }
    referred = [
        obj("ServiceAccount", "sa"),
        obj("Secret", "pull"),
        obj("ConfigMap", "env", data={"a": "b"}),
        obj("Secret", "key"),
        obj("Secret", "files"),
        obj("Secret", "projected"),
        obj("PersistentVolumeClaim", "claim", spec={"accessModes": ["ReadWriteMany"]}),
    ]
    others = [obj("Secret", "other"), obj("ConfigMap", "key"), obj("Namespace", "shop")]
    conversion = converted(controller("Deployment", {"spec": pod}), *referred, *others)
    assert list(conversion.objects[:-1]) == referred
    assert list(left(conversion)) == ["Secret other", "ConfigMap key", "Namespace shop"]


def test_what_a_machine_refers_to_stays() -> None:
    machine, *_ = read("machine-windows")
    sized, *_ = read("machine-of-an-instancetype")
    referred = [
        obj("PersistentVolumeClaim", "win-c"),
        obj("PersistentVolumeClaim", "shared-files"),
        obj("Secret", "answers"),
        obj("VirtualMachineClusterInstancetype", "u1.medium", "instancetype.kubevirt.io/v1beta1"),
        obj("VirtualMachineClusterPreference", "centos.stream9", "instancetype.kubevirt.io/v1beta1"),
    ]
    conversion = converted(machine, sized, *referred, obj("Secret", "other"))
    assert list(conversion.objects[:-2]) == referred
    assert "Secret other" in left(conversion)
    moved = converted(machine, sized, *referred, namespace="vms").objects
    assert ["namespace" in made["metadata"] for made in moved] == [True, True, True, False, False, True, True]


def test_what_a_cluster_has_set_is_taken_out() -> None:
    set_by_server = {
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "managedFields": [{}],
        "selfLink": "x",
    }
    given = controller("Deployment")
    given["metadata"] |= set_by_server | {
        "annotations": {"deployment.kubernetes.io/revision": "4", "example.com/a": "b"}
    }
    given["status"] = {"replicas": 1}
    conversion = converted(given)
    assert made_of(conversion)["metadata"] == {"name": "web", "annotations": {"example.com/a": "b"}}
    assert conversion.left == ()


def test_options_name_the_workload_its_namespace_and_its_isolation() -> None:
    conversion = converted(
        controller("Deployment"), name="shop", namespace="prod", isolation=Isolation.VIRTUAL_MACHINE
    )
    made = made_of(conversion)
    assert made["metadata"] == {"name": "shop", "namespace": "prod"}
    assert made["spec"]["isolationPolicy"] == "VirtualMachine"


@pytest.mark.parametrize(
    ("objects", "options", "message"),
    [
        (
            [obj("ConfigMap", "a"), obj("Deployment", "b", "extensions/v1beta1")],
            {},
            "nothing here can be a Workload (ConfigMap of v1, Deployment of extensions/v1beta1): give one of",
        ),
        ([], {}, "nothing here can be a Workload (no object)"),
        ([controller("Deployment"), controller("StatefulSet")], {}, "would both be Workload web"),
        ([controller("Deployment"), controller("StatefulSet")], {"name": "a"}, "--name is for one Workload"),
        ([controller("Deployment")], {"name": "A"}, "--name is 'A', and a Workload's name has lower-case"),
        ([controller("Deployment") | {"metadata": {"name": "a.b"}}], {}, "metadata.name is 'a.b'"),
        (
            [controller("Deployment") | {"metadata": {"generateName": "a-"}}],
            {},
            "give the Workload a name by --name",
        ),
        ([{"kind": "Deployment"}], {}, "document 1 (Deployment) has no apiVersion or no metadata"),
        (["text"], {}, "document 1 is no object of Kubernetes"),
        (
            [controller("Deployment") | {"metadata": {"name": "a", "labels": []}}],
            {},
            "metadata.labels must be",
        ),
    ],
)
def test_what_is_refused(objects: list[Any], options: Raw, message: str) -> None:
    with pytest.raises(CannotConvert) as refused:
        converted(*objects, **options)
    assert message in str(refused.value)


def test_what_an_old_api_served_is_named_with_the_present_one() -> None:
    conversion = converted(controller("Deployment"), obj("DaemonSet", "old", "extensions/v1beta1"))
    assert left(conversion)["DaemonSet old"].endswith("write apiVersion apps/v1, and convert again")


def test_what_a_cluster_makes_for_a_service_is_to_be_left_out() -> None:
    conversion = converted(controller("Deployment"), obj("EndpointSlice", "a", "discovery.k8s.io/v1"))
    assert left(conversion)["EndpointSlice a"] == "a cluster makes it for a Service: leave it out"


def test_what_helm_runs_at_its_own_time_is_named() -> None:
    given = obj("Pod", "test", spec=WEB["spec"])
    given["metadata"]["annotations"] = {"helm.sh/hook": "test"}
    assert left(converted(given)).keys() == {"Pod test: metadata.annotations.helm.sh/hook"}


def test_too_many_objects_are_refused() -> None:
    with pytest.raises(CannotConvert, match="more than 20,000 objects: convert them in parts"):
        converted({"apiVersion": "v1", "kind": "List", "items": [obj("ConfigMap", "a")] * 20_001})


def test_a_name_can_be_given_to_what_has_none() -> None:
    given = controller("Deployment") | {"metadata": {"generateName": "web-"}}
    assert made_of(converted(given, name="web"))["metadata"] == {"name": "web"}
