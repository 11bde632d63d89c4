"""`twinhull explain`, from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from twinhull.api.base import API_VERSION, Raw
from twinhull.cli import main
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Refused, Unreachable
from twinhull.shell.kinds import Kind


def workload(isolation: str = "Auto", *, image: str = "nginx", **metadata: Any) -> Raw:
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "metadata": {"name": "web", "namespace": "shop", **metadata},
        "spec": {
            "isolationPolicy": isolation,
            "template": {"spec": {"containers": [{"name": "web", "image": image}]}},
        },
    }


def policy(name: str, **spec: Any) -> Raw:
    return {"apiVersion": API_VERSION, "kind": "IsolationPolicy", "metadata": {"name": name}, "spec": spec}


def namespace(**labels: str) -> Raw:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}


UNTRUSTED = policy(
    "untrusted",
    priority=100,
    match={"namespaceSelector": {"matchLabels": {"tier": "untrusted"}}},
    minimum="Sandbox",
    sandbox={"runtimeClassName": "gvisor"},
)
EVERYBODY = policy("everybody", default="Container")
STRICT = policy("strict", minimum="VirtualMachine", onViolation="Reject", match={"images": ["ghcr.io/**"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "policies"
    (found / "deep").mkdir(parents=True)
    (found / "untrusted.yaml").write_text(yaml.safe_dump_all([UNTRUSTED, EVERYBODY]))
    (found / "deep" / "strict.json").write_text(json.dumps(STRICT))
    (found / "README.md").write_text("not a policy: {")
    return found


def explain(*args: str, given: list[Raw]) -> Result:
    text = yaml.safe_dump_all(given)
    return CliRunner().invoke(main, ["explain", "-f", "-", *args], input=text)


MACHINES = policy("machines", minimum="VirtualMachine", machines={"guestImages": []})


def built(of: str = "VirtualMachineInstancetype") -> Raw:
    """A Workload whose machine is built with an instancetype."""
    made = workload("VirtualMachine")
    spec = {**made["spec"], "virtualMachine": {"instancetype": {"name": "small", "kind": of}}}
    return {**made, "spec": spec}


def test_it_says_what_of_the_namespace_it_has_not_looked_at(tmp_path: Path) -> None:
    unseen = (
        "shop/web: VirtualMachineInstancetype small of its namespace isn't checked: it may set a field "
        "that a policy refuses"
    )
    for rules, of, told in (
        (MACHINES, "VirtualMachineInstancetype", True),
        (MACHINES, "VirtualMachineClusterInstancetype", False),
        (EVERYBODY, "VirtualMachineInstancetype", False),
    ):
        (tmp_path / "policies.yaml").write_text(yaml.safe_dump(rules))
        result = explain("--policies", str(tmp_path), given=[built(of), namespace()])
        assert (result.exit_code, unseen in result.stderr) == (0, told), result.stderr


def test_it_says_in_words_which_rule_decided(folder: Path) -> None:
    result = explain("--policies", str(folder), "--namespace-labels", "tier=untrusted", given=[workload()])
    assert result.exit_code == 0
    assert (
        result.stdout
        == """\
Workload shop/web: Sandbox (RaisedByPolicy)
  IsolationPolicy untrusted requires Sandbox or stronger, and spec.isolationPolicy is Auto, for which \
IsolationPolicy everybody has the default Container
Policies, the highest priority first:
  untrusted (priority 100) concerns it
  everybody (priority 0) concerns it
  strict (priority 0) doesn't concern it: images doesn't match
Rules, in their order; an arrow marks those that decided:
    requested: spec.isolationPolicy is Auto
  → policy default: spec.isolationPolicy is Auto, for which IsolationPolicy everybody has the default \
Container
    policy unreadable: every policy that concerns it can be read
    rejected by policy: no policy that rejects has a stronger minimum
  → raised by policy: IsolationPolicy untrusted requires Sandbox or stronger, and spec.isolationPolicy is \
Auto, for which IsolationPolicy everybody has the default Container
With sandbox.runtimeClassName gvisor, from IsolationPolicy untrusted
"""
    )


def test_it_says_the_same_as_json(folder: Path) -> None:
    result = explain("--policies", str(folder), "-o", "json", given=[namespace(), workload("Sandbox")])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["workload"] == "shop/web"
    assert document["isolation"] == {
        "requested": "Sandbox",
        "resolved": "Sandbox",
        "reason": "Requested",
        "message": "spec.isolationPolicy asks for Sandbox",
    }
    assert document["policies"][0] == {
        "name": "untrusted",
        "priority": 100,
        "concerns": False,
        "mismatch": "namespaceSelector",
    }
    assert [(rule["rule"], rule["decides"]) for rule in document["rules"]] == [
        ("requested", True),
        ("policy unreadable", False),
        ("rejected by policy", False),
        ("raised by policy", False),
        ("as asked", True),
    ]
    assert (document["rejectedBy"], document["parameters"], document["evasions"]) == ([], [], [])


def test_rejection_is_an_exit_code_for_pipelines(folder: Path) -> None:
    given = [namespace(), workload("Container", image="ghcr.io/team/app")]
    result = explain("--policies", str(folder), given=given)
    assert result.exit_code == 1
    assert result.stdout.startswith("Workload shop/web: rejected (RejectedByPolicy)\n")
    assert (
        "  → rejected by policy: IsolationPolicy strict requires VirtualMachine, and spec.iso"
        in result.stdout
    )


def test_evasion_is_one_too(folder: Path) -> None:
    given = workload("Sandbox")
    given["spec"]["template"]["spec"]["hostNetwork"] = True
    result = explain("--policies", str(folder), "--namespace-labels", "tier=untrusted", given=[given])
    assert result.exit_code == 1
    assert "Refused: spec.template.spec.hostNetwork (it is the node's network)\n" in result.stdout


def test_rejected_image_is_one_too(tmp_path: Path) -> None:
    listed = tmp_path / "listed.yaml"
    listed.write_text(yaml.safe_dump(policy("listed", machines={"guestImages": ["registry.example/**"]})))
    given = workload("VirtualMachine")
    given["spec"]["virtualMachine"] = {"guestImage": "elsewhere.example/guest"}
    result = explain("--policies", str(listed), given=[given])
    assert result.exit_code == 1
    assert "Workload shop/web: VirtualMachine (Requested), but its images are rejected\n" in result.stdout
    reason = "elsewhere.example/guest matches none of the guestImages of IsolationPolicy listed"
    assert f"Refused: spec.virtualMachine.guestImage ({reason})\n" in result.stdout
    document = json.loads(explain("--policies", str(listed), "-o", "json", given=[given]).stdout)
    assert document["rejectedImages"] == [{"path": "spec.virtualMachine.guestImage", "reason": reason}]
    given["spec"]["isolationPolicy"] = "Sandbox"
    assert explain("--policies", str(listed), given=[given]).exit_code == 0, "a Pod boots no guest image"


def test_labels_come_from_the_option_then_from_files_then_from_the_folder(folder: Path) -> None:
    (folder / "shop.yaml").write_text(yaml.safe_dump(namespace(tier="untrusted")))
    where = ("--policies", str(folder), "-o", "json")

    def concerned(*args: str, given: list[Raw]) -> bool:
        found: bool = json.loads(explain(*where, *args, given=given).stdout)["policies"][0]["concerns"]
        return found

    assert concerned(given=[workload()])
    assert not concerned(given=[namespace(tier="gold"), workload()])
    assert concerned("--namespace-labels", "tier=untrusted", given=[namespace(tier="gold"), workload()])


def test_unknown_namespace_is_said(folder: Path) -> None:
    result = explain("--policies", str(folder), given=[workload()])
    assert result.stderr == (
        "note: namespace shop is assumed to have no labels: add its manifest, or set --namespace-labels\n"
    )


def test_several_workloads_are_explained_one_by_one(folder: Path) -> None:
    given = [namespace(), workload(), workload("VirtualMachine", name="other")]
    result = explain("--policies", str(folder), "-o", "json", given=given)
    assert [found["workload"] for found in json.loads(result.stdout)] == ["shop/web", "shop/other"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "standard input has no Workload of apiVersion twinhull.dev/v1alpha1: add one"),
        ([workload("Somehow")], "spec.isolationPolicy  is 'Somehow': use one of Auto, Container"),
        ([workload(name="-x")], "metadata.name  is '-x': use lower-case letters"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, given: list[Raw], complaint: str) -> None:
    result = explain("--policies", str(folder), given=given)
    assert result.exit_code == 1
    assert complaint in result.stderr


def test_policy_that_is_wrong_is_said(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(policy("wrong", minimum="Enclave")))
    result = explain("--policies", str(file), given=[workload()])
    assert result.exit_code == 1
    assert "IsolationPolicy wrong: the API server would refuse it because of 1 field" in result.stderr


def test_a_field_of_a_policy_that_is_none_leads_to_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(policy("wrong", minimumIsolation="Sandbox")))
    result = explain("--policies", str(file), given=[workload()])
    assert result.exit_code == 1
    assert "spec.minimumIsolation  is not a field here: remove it, or did you mean minimum?" in result.stderr


def test_labels_are_pairs(folder: Path) -> None:
    result = explain("--policies", str(folder), "--namespace-labels", "tier", given=[workload()])
    assert result.exit_code == 2
    assert "'tier' is not KEY=VALUE,…, such as tier=untrusted,team=a" in result.stderr


def answers(
    monkeypatch: pytest.MonkeyPatch,
    listed: tuple[list[Raw], str] | ApiError | None,
    runtime_classes: tuple[str, ...] | None = ("gvisor",),
) -> None:
    """Lets a cluster answer: with a list of policies, that it has no such kind (None), or not at all. The
    user may not list its RuntimeClasses if those are None.
    """

    async def listing(_: Cluster, kind: Kind) -> tuple[list[Raw], str] | None:
        if kind.name == "RuntimeClass":
            if runtime_classes is None:
                raise Refused("runtimeclasses is forbidden")
            return [{"metadata": {"name": name}} for name in runtime_classes], "1"
        assert kind.name == "IsolationPolicy"
        if isinstance(listed, ApiError):
            raise listed
        return listed

    async def getting(_: Cluster, kind: Kind, namespace: str, name: str) -> Raw:
        assert (kind.name, namespace) == ("Namespace", "")
        return {"metadata": {"name": name, "labels": {"tier": "untrusted"}}}

    monkeypatch.setattr(Cluster, "list", listing)
    monkeypatch.setattr(Cluster, "get", getting)


def test_cluster_is_asked_where_no_policies_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ([UNTRUSTED], "1"))
    result = explain(given=[workload()])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Workload shop/web: Sandbox (RaisedByPolicy)\n")


@pytest.mark.parametrize(
    ("present", "hindrance"),
    [
        (("gvisor",), ""),
        (None, ""),
        ((), "the cluster has no RuntimeClass gvisor: install it, or name another"),
    ],
)
def test_a_runtime_class_that_the_cluster_lacks_is_noted(
    monkeypatch: pytest.MonkeyPatch, present: tuple[str, ...] | None, hindrance: str
) -> None:
    answers(monkeypatch, ([UNTRUSTED], "1"), present)
    result = explain(given=[workload()])
    expected = f"note: shop/web can't start as Sandbox: {hindrance}\n" if hindrance else ""
    assert (result.exit_code, result.stderr) == (0, expected)


def test_a_sandbox_for_which_no_runtime_class_is_named_is_noted(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(policy("boxed", minimum="Sandbox")))
    options = ("--policies", str(tmp_path), "--namespace-labels", "a=b")
    result = explain(*options, given=[workload()])
    remedy = "set spec.sandbox.runtimeClassName, or --sandbox-runtime-class"
    assert result.stderr == f"note: shop/web can't start as Sandbox: no RuntimeClass is named: {remedy}\n"
    assert not explain(*options, "--sandbox-runtime-class", "gvisor", given=[workload()]).stderr


def test_fields_that_a_machine_can_not_honour_are_noted(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(policy("machines", minimum="VirtualMachine")))
    raw = workload()
    raw["spec"]["template"]["spec"]["hostNetwork"] = True
    result = explain("--policies", str(tmp_path), "--namespace-labels", "a=b", given=[raw])
    assert result.exit_code == 0
    assert result.stdout.startswith("Workload shop/web: VirtualMachine (RaisedByPolicy)\n")
    (note,) = result.stderr.splitlines()
    assert note.startswith("note: shop/web can't start as VirtualMachine: spec.template.spec.hostNetwork: ")


def test_two_policies_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(EVERYBODY))
    result = explain("--policies", str(tmp_path), given=[workload()])
    assert result.exit_code == 1
    assert (
        f"{tmp_path}/one.yaml and {tmp_path}/two.yaml: IsolationPolicy everybody is there twice"
        in result.stderr
    )
    assert "rename or remove one of them" in result.stderr


def test_cluster_may_have_no_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, None)
    result = explain(given=[workload()])
    assert result.stdout.startswith("Workload shop/web: Container (OperatorDefault)\n")
    assert result.stderr == (
        "note: this cluster has no IsolationPolicies: their CustomResourceDefinition isn't installed\n"
    )


def test_cluster_that_can_not_be_asked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, Unreachable("GET /apis: no answer"))
    result = explain(given=[workload()])
    assert result.exit_code == 1
    assert "GET /apis: no answer (or give the policies as files: --policies)" in result.stderr


def test_a_rule_of_the_definition_is_as_good_as_its_schema(folder: Path) -> None:
    given = workload()
    given["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {}
    result = explain("--policies", str(folder), given=[given])
    assert result.exit_code == 1
    assert "livenessProbe  a probe has one of exec, grpc, httpGet and tcpSocket" in result.stderr


@pytest.mark.slow
def test_policies_of_files_need_nothing_of_a_cluster(folder: Path) -> None:
    code = (
        "import sys; from twinhull.cli import main\n"
        f"try: main(['explain', '-f', '-', '--policies', {str(folder)!r}])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "assert not {'aiohttp', 'kopf', 'kubernetes', 'cryptography'} & sys.modules.keys()"
    )
    text = yaml.safe_dump(workload()).encode()
    subprocess.run([sys.executable, "-c", code], input=text, check=True, capture_output=True)
