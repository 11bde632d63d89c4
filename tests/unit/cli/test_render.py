"""`twinhull render`, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from twinhull.api.base import Raw
from twinhull.api.workload import NO_SUCH_VOLUME
from twinhull.cli import main

EXAMPLES = Path(__file__).parents[3] / "examples"
ZEROS = "00000000-0000-0000-0000-000000000000"


def workload(**spec: Any) -> Raw:
    pod = {"containers": [{"name": "web", "image": "nginx"}], **spec.pop("pod", {})}
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": pod}, **spec},
    }


def render(*args: str, given: Any = None) -> Result:
    """Runs the command; `given` are objects, or text, for its standard input."""
    text = given if isinstance(given, str) else yaml.safe_dump_all(given or [])
    arguments = [*args] if "-f" in args else ["-f", "-", *args]
    return CliRunner().invoke(main, ["render", *arguments], input=text)


def kinds(result: Result) -> list[str]:
    return [obj["kind"] for obj in yaml.load_all(result.stdout, yaml.CSafeLoader)]


@pytest.mark.parametrize(
    ("isolation", "made"),
    [
        ("Container", ["Service", "Pod"]),
        ("Sandbox", ["Service", "Pod"]),
        ("VirtualMachine", ["Service", "ConfigMap", "VirtualMachine"]),
    ],
)
def test_examples_can_have_every_isolation(isolation: str, made: list[str]) -> None:
    for example in ("container.yaml", "sandbox.yaml", "virtual-machine.yaml"):
        result = render(
            *("-f", str(EXAMPLES / example), "--isolation", isolation, "--sandbox-runtime-class", "gvisor")
        )
        assert (result.exit_code, kinds(result)) == (0, made), result.stderr


@pytest.mark.parametrize("example", sorted((EXAMPLES / "disks").glob("*.yaml")), ids=lambda path: path.name)
def test_examples_of_disks(example: Path) -> None:
    result = render("-f", str(example))
    assert result.exit_code == 0, result.stderr
    made = list(yaml.load_all(result.stdout, yaml.CSafeLoader))
    volumes = {obj["metadata"]["name"] for obj in made if obj["kind"] == "DataVolume"}
    (vm,) = [obj for obj in made if obj["kind"] == "VirtualMachine"]
    named = [volume.get("dataVolume") for volume in vm["spec"]["template"]["spec"]["volumes"]]
    assert {volume["name"] for volume in named if volume} == volumes != set()


def test_what_cdi_takes_for_something_else_is_told_before_it_is_made() -> None:
    built = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}}
    for file, hint in (
        ("web.vmdk", "-flat.vmdk"),
        ("web.vhd", "VHD of a fixed size"),
        ("web-000001.vmdk", "merge the snapshots"),
        ("web-s001.vmdk", "export the disk as one file"),
        ("web.qcow2", ""),
    ):
        boot = {"size": "1Gi", "source": {"http": {"url": f"https://disks.example/{file}"}}}
        spec = {"isolationPolicy": "VirtualMachine", "virtualMachine": built | {"bootDisk": boot}}
        result = render(given=[workload(**spec)])
        assert (result.exit_code, hint in result.stderr) == (0, True)
        assert ("the disk boot: " in result.stderr) == bool(hint)
    boot = {"source": {"claim": {"name": "plan-1"}}}
    spec = {"isolationPolicy": "VirtualMachine", "virtualMachine": built | {"bootDisk": boot}}
    result = render(given=[workload(**spec)])
    assert "PersistentVolumeClaim plan-1, which has to exist" in result.stderr
    assert kinds(result) == ["VirtualMachine"]


def test_a_disk_runs_in_no_container() -> None:
    given = yaml.load((EXAMPLES / "disks/vmware-linux.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    result = render("--isolation", "Container", given=[given])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "spec.template is missing" in result.stderr


def test_placeholder_is_explained() -> None:
    result = render(given=[workload()])
    (pod,) = yaml.load_all(result.stdout, yaml.CSafeLoader)
    assert pod["metadata"]["ownerReferences"][0]["uid"] == ZEROS
    assert pod["metadata"]["namespace"] == "default"
    note = f"note: uid {ZEROS} stands for the Workload's own uid"
    assert result.stderr == f"{note}\n"
    machine = render("--isolation", "VirtualMachine", given=[workload()])
    assert f"{note}, from which the token of its machine's probe is made\n" in machine.stderr


def test_what_a_cluster_says_is_taken_over() -> None:
    stored = workload() | {"status": {"observedGeneration": 1}}
    stored["metadata"] |= {
        "uid": "6f1f8f0e",
        "namespace": "shop",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    result = render(given=[stored])
    (pod,) = yaml.load_all(result.stdout, yaml.CSafeLoader)
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "6f1f8f0e"
    assert pod["metadata"]["namespace"] == "shop"
    assert result.stderr == ""


def test_unsupported_fields_are_a_table_and_exit_1() -> None:
    result = render(
        "--isolation", "VirtualMachine", given=[workload(pod={"hostNetwork": True, "hostPID": True})]
    )
    assert result.exit_code == 1
    assert result.stdout == ""
    what_to_do = "remove it, or use isolation Container"
    assert result.stderr.splitlines() == [
        "standard input: Workload web: it can't have isolation VirtualMachine because of 2 fields:",
        "  FIELD                           REASON",
        f"  spec.template.spec.hostNetwork  a machine doesn't share its node's network; {what_to_do}",
        f"  spec.template.spec.hostPID      a machine doesn't share its node's processes; {what_to_do}",
    ]
    assert render(given=[workload(pod={"hostNetwork": True})]).exit_code == 0


@pytest.mark.parametrize(
    "volume",
    [
        {"name": "pgdata", "persistentVolumeClaim": {"claimName": "pg"}},
        {"name": "data", "emptyDir": {}},
        None,
    ],
)
def test_a_claim_that_names_no_volume_is_said_alone(volume: Raw | None) -> None:
    """And not what a machine can't honour of a claim that it has by virtiofs."""
    pod: Raw = {"securityContext": {"fsGroup": 999, "runAsUser": 999}}
    if volume:
        mount = {"name": volume["name"], "mountPath": "/data"}
        pod["containers"] = [{"name": "pg", "image": "postgres", "volumeMounts": [mount]}]
        pod["volumes"] = [volume]
    machine = {"claims": [{"volume": "data", "as": "Disk"}]}
    result = render(given=[workload(pod=pod, isolationPolicy="VirtualMachine", virtualMachine=machine)])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "standard input: Workload web: the API server would refuse it because of 1 field:",
        "  FIELD                       REASON",
        f"  spec.virtualMachine.claims  {NO_SUCH_VOLUME}",
    ]


@pytest.mark.parametrize(
    "volume",
    [{"persistentVolumeClaim": {"claimName": "pg"}}, {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}],
)
def test_a_claim_that_names_a_volume_is_a_disk(volume: Raw) -> None:
    mount = {"name": "data", "mountPath": "/data"}
    pod = {
        "containers": [{"name": "pg", "image": "postgres", "volumeMounts": [mount]}],
        "volumes": [{"name": "data", **volume}],
    }
    machine = {"claims": [{"volume": "data", "as": "Disk"}]}
    result = render(given=[workload(pod=pod, isolationPolicy="VirtualMachine", virtualMachine=machine)])
    assert result.exit_code == 0, result.stderr


def test_field_that_the_crd_refuses_is_refused_in_a_container_too() -> None:
    wrong = workload()
    wrong["spec"]["template"]["metadata"] = {"uid": "1"}
    result = render(given=[wrong])
    assert result.exit_code == 1
    assert "spec.template.metadata.uid" in result.stderr


def test_names_in_a_template_are_taken_and_told_of() -> None:
    named = workload()
    named["spec"]["template"]["metadata"] = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
    result = render(given=[named])
    assert result.exit_code == 0
    note = "note: Workload web: spec.template.metadata.name and spec.template.metadata.namespace mean nothing"
    assert note in result.stderr


def test_annotations_of_the_operators_own_in_a_template_are_told_of() -> None:
    named = workload()
    annotations = {"twinhull.dev/manifest": "x", "twinhull.dev/restart": "1", "a.twinhull.dev/b": "c"}
    named["spec"]["template"]["metadata"] = {"annotations": annotations}
    result = render(given=[named])
    assert result.exit_code == 0
    assert (
        "note: Workload web: spec.template.metadata.annotations[twinhull.dev/manifest] means nothing: "
        "the operator sets what begins with twinhull.dev/"
    ) in result.stderr


def test_what_stands_twice_is_named_with_what_to_remove() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    result = render(given=[workload(pod={"containers": [{"name": "web", "image": "nginx", "env": twice}]})])
    at = "spec.template.spec.containers[0].env"
    assert result.exit_code == 1
    assert f"{at}[1]  has the name A of {at}[0]: Kubernetes uses the last, so remove {at}[0]" in result.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            workload(isolationPolcy="Container"),
            "  spec.isolationPolcy  is not a field here: remove it, or did you mean isolationPolicy?",
        ),
        (
            workload(pod={"containers": [{"name": "web"}]}),
            "  spec.template.spec.containers[0].image  is required: add it",
        ),
        (
            workload() | {"apiVersion": "twinhull.dev/v1"},
            "  apiVersion  is 'twinhull.dev/v1': use twinhull.dev/v1alpha1",
        ),
        (
            workload() | {"metadata": {"name": "w" * 51}},
            (
                "  metadata.name  metadata.name may have at most 50 characters, since names of other objects "
                "are made from it: choose a shorter one"
            ),
        ),
    ],
)
def test_wrong_field_is_named_with_its_file(tmp_path: Path, given: Raw, message: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(given), "utf-8")
    result = render("-f", str(file))
    name = given["metadata"]["name"]
    assert (result.exit_code, result.stdout) == (1, "")
    first, _, *fields = result.stderr.splitlines()
    assert first == f"{file}: Workload {name}: the API server would refuse it because of 1 field:"
    assert fields == [message]


@pytest.mark.parametrize(
    "document", [{"kind": "Workload"}, workload() | {"metadata": None}, workload() | {"spec": []}]
)
def test_hardly_a_workload_is_an_answer_too(document: Raw) -> None:
    result = render(given=[document])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the API server would refuse it" in result.stderr


def test_one_that_is_wrong_does_not_keep_others_from_being_rendered() -> None:
    result = render(given=[workload(state="Gone"), workload()])
    assert (result.exit_code, kinds(result)) == (1, ["Pod"])


def test_other_objects_are_passed_by_with_a_note() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeting"}}
    result = render(given=[config, workload()])
    assert (result.exit_code, kinds(result)) == (0, ["Pod"])
    note = "standard input: ConfigMap greeting (v1) is skipped: only Workloads of twinhull.dev are rendered"
    assert f"note: {note}" in result.stderr


def test_a_workload_of_another_group_is_told_from_ours_and_convert_is_named() -> None:
    foreign = {"apiVersion": "scheduling.k8s.io/v1alpha2", "kind": "Workload", "metadata": {"name": "a"}}
    result = render(given=[foreign])
    assert result.exit_code == 1
    assert "Workload a (scheduling.k8s.io/v1alpha2) is skipped" in result.stderr
    assert "or have `twinhull convert` make one of a Deployment" in result.stderr


def test_list_is_taken_apart() -> None:
    assert kinds(render(given=[{"kind": "List", "items": [workload(), workload()]}])) == ["Pod", "Pod"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "Error: standard input has no Workload of apiVersion twinhull.dev/v1alpha1: add one"),
        ("a: [", "Error: standard input: this is not valid YAML:"),
    ],
)
def test_no_workload_is_an_error(given: str, message: str) -> None:
    result = render(given=given)
    assert result.exit_code == 1
    assert message in result.stderr


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    result = render("-f", str(tmp_path / "web.yaml"))
    assert result.exit_code == 1
    assert "web.yaml: No such file or directory: name a file that can be read" in result.stderr


def test_json_is_one_object_or_a_list() -> None:
    assert json.loads(render("-o", "json", given=[workload()]).stdout)["kind"] == "Pod"
    several = json.loads(render("-o", "json", given=[workload(), workload()]).stdout)
    assert [obj["kind"] for obj in several["items"]] == ["Pod", "Pod"]


def test_null_is_as_good_as_absent_and_a_time_is_a_string() -> None:
    text = yaml.safe_dump(workload(pod={"securityContext": None, "automountServiceAccountToken": None}))
    text = text.replace("name: web\nspec", "name: web\n  creationTimestamp: 2026-01-01T00:00:00Z\nspec")
    (pod,) = yaml.load_all(render(given=text).stdout, yaml.CSafeLoader)
    assert pod["spec"].keys() == {"hostname", "containers"}


def test_stopped_workload_has_its_service_only() -> None:
    containers = [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}]
    result = render(given=[workload(state="Stopped", pod={"containers": containers})])
    assert (result.exit_code, kinds(result)) == (0, ["Service"])


def test_sandbox_without_a_runtime_class_says_what_to_do() -> None:
    result = render("--isolation", "Sandbox", given=[workload()])
    assert result.exit_code == 1
    assert "set spec.sandbox.runtimeClassName, or the operator's --sandbox-runtime-class" in result.stderr


def test_operators_options_decide_what_the_workload_leaves_open() -> None:
    result = render("--default-isolation", "VirtualMachine", "--guest-image", "guest:7", given=[workload()])
    _, machine = yaml.load_all(result.stdout, yaml.CSafeLoader)
    assert {"name": "guest", "containerDisk": {"image": "guest:7"}} in (
        machine["spec"]["template"]["spec"]["volumes"]
    )


def test_claim_that_is_mounted_names_the_gate_that_a_machine_needs_for_it() -> None:
    mounts = [{"name": "data", "mountPath": "/data"}]
    containers = [{"name": "web", "image": "nginx", "volumeMounts": mounts}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    given = [workload(pod={"containers": containers, "volumes": volumes})]
    result = render("--isolation", "VirtualMachine", given=given)
    assert (result.exit_code, kinds(result)) == (0, ["ConfigMap", "VirtualMachine"])
    assert (
        "its claims that are mounted need KubeVirt's feature gate EnableVirtioFsStorageVolumes"
        in result.stderr
    )
    assert "EnableVirtioFsStorageVolumes" not in render("--isolation", "Container", given=given).stderr


def test_the_nodes_address_names_what_a_machine_needs_for_it() -> None:
    env = [{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    given = [workload(pod={"containers": [{"name": "web", "image": "nginx", "env": env}]})]
    result = render("--isolation", "VirtualMachine", given=given)
    assert (result.exit_code, kinds(result)) == (0, ["ConfigMap", "VirtualMachine"])
    assert "its machine knows its node's address only from an operator with --guest-key-file" in result.stderr
    assert "--guest-key-file" not in render("--isolation", "Container", given=given).stderr


def test_help_has_examples() -> None:
    assert "twinhull render workload.yaml" in CliRunner().invoke(main, ["render", "--help"]).output


def test_what_shows_changes_in_a_machine_is_told_with_its_cost() -> None:
    volumes = [{"name": f"v{number}", "configMap": {"name": f"c{number}"}} for number in range(2)]
    mounts = [{"name": "v0", "mountPath": "/a"}, {"name": "v1", "mountPath": "/b", "subPath": "b"}]
    containers = [{"name": "web", "image": "nginx", "volumeMounts": mounts}]
    given = [workload(pod={"containers": containers, "volumes": volumes})]
    stderr = render("--isolation", "VirtualMachine", given=given).stderr
    assert "its machine has 2 virtiofs file systems (token-0, configmap-1): each of them adds" in stderr
    assert "10m CPU and 1M memory and limits of 100m and 80M" in stderr
    assert "virtiofs" not in render("--isolation", "Container", given=given).stderr
    assert "virtiofs" not in render("--isolation", "VirtualMachine", given=[workload()]).stderr


def test_an_ephemeral_claim_of_a_machine_is_told() -> None:
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {"volumeMode": "Block"}}}}
    devices = [{"name": "scratch", "devicePath": "/dev/raw"}]
    containers = [{"name": "web", "image": "nginx", "volumeDevices": devices}]
    given = [workload(pod={"containers": containers, "volumes": [volume]})]
    result = render("--isolation", "VirtualMachine", given=given)
    (made,) = (
        obj for obj in yaml.load_all(result.stdout, yaml.CSafeLoader) if obj["kind"] == "VirtualMachine"
    )
    claim = f"{made['metadata']['name']}-scratch"
    assert f"PersistentVolumeClaim {claim} is made after its machine" in result.stderr
    assert "is made once" not in render("--isolation", "Container", given=given).stderr


def test_the_service_is_shown_with_all_that_is_asked_of_it() -> None:
    ports = {
        "containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]
    }
    service = {"type": "NodePort", "annotations": {"a": "1"}, "nodePorts": {"http": 30080}}
    result = render(given=[workload(pod=ports, service={**service, "sessionAffinity": "ClientIP"})])
    made = next(obj for obj in yaml.load_all(result.stdout, yaml.CSafeLoader) if obj["kind"] == "Service")
    assert made["metadata"]["annotations"]["a"] == "1"
    assert (made["spec"]["sessionAffinity"], made["spec"]["ports"][0]["nodePort"]) == ("ClientIP", 30080)


def test_a_field_of_the_service_that_cannot_be_is_named() -> None:
    result = render(given=[workload(service={"sessionAffinity": "Cookie"})])
    assert result.exit_code != 0
    assert "spec.service.sessionAffinity" in result.stderr


def test_a_node_port_of_no_port_is_named() -> None:
    ports = {
        "containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]
    }
    service = {"type": "NodePort", "nodePorts": {"https": 30080}}
    result = render(given=[workload(pod=ports, service=service)])
    assert result.exit_code == 1
    assert (
        "spec.service.nodePorts: the Service has no port https, but http: name one of these" in result.stderr
    )


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"resources": {"limits": {"memory": "64MB"}}}, "is '64MB', which is not an amount: write a number"),
        ({"ports": [{"name": "22:22", "containerPort": 22}]}, "is '22:22', which is not a name of a port"),
        ({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "../a"}]}, "leads out of its volume"),
    ],
)
def test_what_a_field_may_be_is_said_in_words(container: Raw, expected: str) -> None:
    result = render(given=[workload(pod={"containers": [{"name": "web", "image": "nginx", **container}]})])
    assert result.exit_code == 1
    assert expected in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (
            {"bootDisk": {"size": "1Gi", "source": {"http": {"url": "https://disks.example/web.ova"}}}},
            "for the disk itself: unpack it (an OVA by tar -xf)",
        ),
        (
            {"bootDisk": {"source": {"http": {"url": "https://disks.example/web.vmdk"}}}},
            "spec.virtualMachine.bootDisk.size             size is required with this source",
        ),
        ({"firmware": None}, "set firmware.bootloader to BIOS or UEFI, as the disk was installed"),
    ],
)
def test_a_rule_of_the_definition_is_as_good_as_its_schema(machine: Raw, expected: str) -> None:
    """`render` made a machine of each of them, which no API server takes."""
    whole = {
        "memory": "2Gi",
        "firmware": {"bootloader": "UEFI"},
        "bootDisk": {"size": "1Gi", "source": {"http": {"url": "https://disks.example/web.vmdk"}}},
        **machine,
    }
    given = workload() | {"spec": {"isolationPolicy": "VirtualMachine", "virtualMachine": whole}}
    result = render(given=[given])
    assert (result.exit_code, result.stdout) == (1, "")
    assert " ".join(expected.split()) in " ".join(result.stderr.split())


def test_a_mistyped_workload_beside_another_is_refused() -> None:
    result = render(given=[workload(), workload() | {"kind": "Worklaod"}])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "kind is 'Worklaod', which twinhull.dev doesn't have: did you mean Workload?" in result.stderr


def test_the_columns_of_a_table_are_below_their_titles() -> None:
    result = render(given=[{key: value for key, value in workload().items() if key != "spec"}])
    assert "\n  FIELD  REASON\n  spec   is required: add it\n" in result.stderr


def test_a_stopped_workload_has_no_hull_and_that_is_said() -> None:
    stopped = workload(state="Stopped")
    result = render(given=[stopped])
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "note: Workload web: spec.state is Stopped, so it has no hull: set it to Running to see one\n"
    )
    as_json = json.loads(render("-o", "json", given=[stopped]).stdout)
    assert as_json == {"apiVersion": "v1", "kind": "List", "items": []}


def test_a_note_names_its_workload() -> None:
    env = [{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    given = workload(pod={"containers": [{"name": "web", "image": "nginx", "env": env}]})
    given["metadata"]["name"] = "two"
    result = render("--isolation", "VirtualMachine", given=[workload(), given])
    assert "note: Workload two: its machine knows its node's address only" in result.stderr


FORGED = "a\x1b[31mred\n::error::x\u202e"


@pytest.mark.parametrize("verb", ["render", "explain", "validate"])
@pytest.mark.parametrize(
    "document",
    [
        {**workload(), "metadata": {"name": FORGED}},
        {**workload(), FORGED: 1},
        {**workload(), "::error::x": 1},
        {**workload(), "kind": FORGED},
        {"apiVersion": "v1", "kind": FORGED, "metadata": {"name": "a"}},
        {"apiVersion": FORGED, "kind": "Deployment", "metadata": {"name": FORGED}},
        workload(isolationPolicy=FORGED),
        workload(pod={"containers": [{"name": FORGED, "image": "a"}]}),
        workload(pod={"containers": [{"name": "web", "image": "a", FORGED: 1}]}),
    ],
)
def test_nothing_in_a_file_writes_a_line_of_its_own(tmp_path: Path, verb: str, document: Raw) -> None:
    """GitHub takes a line that begins with :: for a command of the workflow, also behind spaces."""
    (tmp_path / "none").mkdir()
    policies = [] if verb == "render" else ["--policies", str(tmp_path / "none")]
    result = CliRunner().invoke(main, [verb, "-", *policies], input=yaml.safe_dump(document))
    assert result.exit_code in {1, 2}
    lines = result.output.splitlines()
    assert [line for line in lines if line.lstrip().startswith("::") or not line.isprintable()] == []


def test_no_name_of_a_file_and_no_error_of_yaml_does(tmp_path: Path) -> None:
    file = tmp_path / "a\n::error::x.yaml"
    file.write_text('a: "\\\x1b"')
    for name in (str(file), str(tmp_path / "b\n::error::x.yaml")):
        result = CliRunner().invoke(main, ["validate", name])
        assert [line for line in result.output.splitlines() if line.startswith("::")] == []
        assert "\x1b" not in result.output


@pytest.mark.parametrize("verb", ["render", "explain"])
def test_a_key_that_is_there_twice_is_noted_with_its_place(tmp_path: Path, verb: str) -> None:
    text = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
        image: apache
"""
    policies = [] if verb == "render" else ["--policies", str(tmp_path)]
    result = CliRunner().invoke(main, [verb, "-", *policies], input=text)
    assert result.exit_code == 0
    assert (
        "note: standard input:10:9: Workload web: the key image stands there twice, and the last value counts"
    ) in result.stderr


@pytest.mark.parametrize("key", ["spec", "template"])
def test_overrides_that_begin_above_the_machine_s_spec_are_noted(key: str) -> None:
    given = [workload(virtualMachine={"overrides": {key: {"spec": {"domain": {"cpu": {"cores": 4}}}}}})]
    result = render("--isolation", "VirtualMachine", given=given)
    assert (
        f"note: Workload web: spec.virtualMachine.overrides.{key} means nothing: overrides is a patch of"
        in result.stderr
    )
    assert "overrides" not in render("--isolation", "Container", given=given).stderr
