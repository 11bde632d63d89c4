"""`twinhull validate`, from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.unit.cli.test_explain import namespace, policy, workload
from twinhull.api.base import Raw
from twinhull.cli import main
from twinhull.cli.manifests import MAX_DOCUMENT

ROOT = Path(__file__).parents[3]


def validate(*args: str, given: list[Raw] | str = "") -> Result:
    text = given if isinstance(given, str) else yaml.safe_dump_all(given, sort_keys=False)
    return CliRunner().invoke(main, ["validate", *args], input=text)


def broken(**container: Any) -> Raw:
    found = workload("Container")
    found["spec"]["template"]["spec"]["containers"][0] |= container
    return found


def test_a_finding_has_its_place_and_what_to_do() -> None:
    text = """\
# Made by kustomize.
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
---
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
        livenessProbe: {periodSeconds: 5}
"""
    result = validate("-", given=text)
    assert (result.exit_code, result.stderr) == (1, "")
    assert (
        result.stdout
        == """\
standard input:15:9: error: Workload web: spec.template.spec.containers[0].livenessProbe: a probe has one of \
exec, grpc, httpGet and tcpSocket: keep or add one [cel]
1 Workload checked, 1 other object passed over: 1 error
"""
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (workload("Somehow"), "spec.isolationPolicy: is 'Somehow': use one of Auto, Container"),
        (workload(name="w" * 51), "metadata.name: metadata.name may have at most 50 characters"),
        (workload() | {"apiVersion": "twinhull.dev/v1"}, "apiVersion: is 'twinhull.dev/v1': use"),
        (workload(labels={"a b": "c"}), "metadata.labels.a b: can't be a label's key"),
        (workload(labels={"a": "b/c"}), "metadata.labels.a: is 'b/c': use at most 63"),
        (
            workload(label={"a": "b"}),
            "metadata.label: is not a field here: remove it, or did you mean labels?",
        ),
        (workload(name="Web"), "metadata.name: is 'Web': use lower-case letters, digits and '-'"),
        (workload(name=None), "metadata.name: is required: add it"),
        (workload(namespace="a.b"), "metadata.namespace: is 'a.b': use lower-case letters, digits and '-'"),
        (workload(annotations={"note": 1}), "metadata.annotations.note: must be a string, and is a whole"),
        (workload(annotations={"note": "a" * 300_000}), "metadata.annotations: has more than 262,144 bytes"),
        ({"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload"}, "metadata.name: is required: add it"),
        (policy("none"), "spec: this policy decides nothing"),
        (
            broken(livenessProbe={"httpGet": {"port": 80}, "periodSeconds": 1 << 31}),
            "livenessProbe.periodSeconds: is 2147483648, which 32 bits don't hold",
        ),
        (policy("twice", minimum="Sandbox", match={"images": ["a", "a"]}), "spec.match.images[1]: is"),
    ],
)
def test_what_an_api_server_would_refuse_is_an_error(given: Raw, expected: str) -> None:
    result = validate("-", given=[given])
    assert result.exit_code == 1
    assert expected in result.stdout


def test_rules_are_not_asked_about_what_the_schema_refuses_and_that_is_said() -> None:
    result = validate("-", given=[broken(image=5, livenessProbe={})])
    assert "containers[0].image: must be a string, and is a whole number" in result.stdout
    assert (
        "note: Workload web: the CEL rules aren't checked until the errors are gone [unchecked]"
        in result.stdout
    )
    assert "probe" not in result.stdout


def test_a_rule_that_cannot_be_checked_is_named_and_is_no_error() -> None:
    many = workload()
    many["spec"]["service"] = {"ports": [{"port": at, "name": f"p{at}"} for at in range(1, 121)]}
    result = validate("-", given=[many])
    assert result.exit_code == 0
    assert (
        "note: Workload web: spec.service.ports: not checked, the engine can't evaluate it: " in result.stdout
    )
    assert ": two ports have one number and protocol: remove one [unchecked]" in result.stdout
    assert "2 notes" in result.stdout


def on_the_network(isolation: str) -> Raw:
    found = workload(isolation)
    found["spec"]["template"]["spec"]["hostNetwork"] = True
    return found


@pytest.mark.parametrize(
    ("args", "isolation", "code", "fragments"),
    [
        ((), "Container", 0, ["nothing is wrong"]),
        ((), "Auto", 0, ["nothing is wrong"]),
        (
            (),
            "VirtualMachine",
            1,
            ["hostNetwork: not with isolation VirtualMachine: a machine doesn't share"],
        ),
        (("--isolation", "VirtualMachine"), "Container", 1, ["not with isolation VirtualMachine"]),
        (("--isolation", "Container"), "VirtualMachine", 0, ["nothing is wrong"]),
        (
            ("--all-isolations", "--sandbox-runtime-class", "kata"),
            "Container",
            1,
            [
                "warning: Workload web: spec.template.spec.hostNetwork: reaches past a Sandbox",
                "1 error, 1 warning",
            ],
        ),
        (("--isolation", "Sandbox"), "Container", 0, ["no RuntimeClass is named", "2 warnings"]),
        (("--default-isolation", "VirtualMachine"), "Auto", 1, ["not with isolation VirtualMachine"]),
    ],
)
def test_fields_are_checked_for_the_isolation(
    args: tuple[str, ...], isolation: str, code: int, fragments: list[str]
) -> None:
    result = validate("-", *args, given=[on_the_network(isolation)])
    assert result.exit_code == code
    for fragment in fragments:
        assert fragment in result.stdout


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    floor = policy(
        "floor",
        minimum="Sandbox",
        sandbox={"runtimeClassName": "kata"},
        match={"namespaceSelector": {"matchLabels": {"tier": "untrusted"}}},
    )
    strict = policy(
        "strict", minimum="VirtualMachine", onViolation="Reject", match={"images": ["ghcr.io/**"]}
    )
    (folder / "all.yaml").write_text(yaml.safe_dump_all([floor, strict]))
    return folder


@pytest.mark.parametrize(
    ("args", "given", "code", "fragment"),
    [
        ((), on_the_network("Container"), 0, "nothing is wrong"),
        (
            ("--namespace-labels", "tier=untrusted"),
            on_the_network("Container"),
            1,
            "error: Workload web: spec.template.spec.hostNetwork: reaches past a Sandbox",
        ),
        (
            (),
            workload("Container", image="ghcr.io/a/b"),
            1,
            "error: Workload web: spec.isolationPolicy: IsolationPolicy strict requires VirtualMachine",
        ),
    ],
)
def test_policies_of_a_folder_are_applied(
    policies: Path, args: tuple[str, ...], given: Raw, code: int, fragment: str
) -> None:
    result = validate("-", "--policies", str(policies), *args, given=[given])
    assert (result.exit_code, result.stderr) == (code, "")
    assert fragment in result.stdout


def test_labels_of_a_namespace_beside_the_workload_count(policies: Path) -> None:
    given = [namespace(tier="untrusted"), on_the_network("Container")]
    result = validate("-", "--policies", str(policies), given=given)
    assert result.exit_code == 1
    assert "reaches past a Sandbox" in result.stdout


def test_of_a_folder_the_manifests_within_are_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(yaml.safe_dump(workload("Nowhere")))
    folder = tmp_path / "deploy"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "deep/a.yml").write_text(yaml.safe_dump(workload("Somehow")))
    (folder / "b.json").write_text(json.dumps(workload("Anyhow")))
    (folder / "README.md").write_text("not YAML: {")
    (folder / ".git/c.yaml").write_text(yaml.safe_dump(workload("Hidden")))
    (folder / "link.yaml").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    result = validate(str(folder))
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines() if "error:" in line] == [
        str(folder / "b.json"),
        str(folder / "deep/a.yml"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "standard input: this is not valid YAML"),
        ("", "standard input has no object: name a file that has one"),
        ("# nothing\n---\n", "standard input has no object"),
        ("a: b\n" * (MAX_DOCUMENT // 5 + 1), "it has more than 8,388,608 characters: split it"),
        ('kind: Workload\nmetadata: {name: "\\ud800"}\n', "a string in it isn't valid Unicode"),
        (
            "kind: Workload\nmetadata: {name: !!set {a}}\n",
            "a YAML tag in it makes a value that JSON doesn't have",
        ),
        ("kind: Workload\nmetadata: {name: !!python/name:os.system x}\n", "this is not valid YAML"),
    ],
)
def test_what_cannot_be_read_ends_with_2(text: str, why: str) -> None:
    result = validate("-", given=text)
    assert result.exit_code == 2
    assert why in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_checked(tmp_path: Path) -> None:
    result = validate(str(tmp_path / "none.yaml"), "-", given=[workload("Somehow")])
    assert result.exit_code == 2
    assert "none.yaml: No such file or directory: name a file that can be read" in result.stderr
    assert "use one of Auto, Container" in result.stdout
    assert "1 Workload checked, 1 file not read: 1 error" in result.stdout


def test_of_files_that_cannot_be_read_it_is_not_said_that_nothing_is_wrong(tmp_path: Path) -> None:
    broken, good = tmp_path / "broken.yaml", tmp_path / "good.yaml"
    broken.write_text("a: [\n", encoding="utf-8")
    good.write_text(json.dumps(workload("Container")), encoding="utf-8")
    result = validate(str(broken), str(tmp_path / "missing.yaml"))
    assert (result.exit_code, result.stdout) == (2, "no object of twinhull.dev checked, 2 files not read\n")
    result = validate(str(broken), str(good))
    assert (result.exit_code, result.stdout) == (2, "1 Workload checked, 1 file not read\n")


@pytest.mark.parametrize("name", ["Web_1", "web_1", "-web", "WEB.1"])
def test_a_name_is_refused_with_what_a_workload_may_be_called(name: str) -> None:
    given = {**workload("Container"), "metadata": {"name": name}}
    result = validate("-", given=[given])
    assert (
        f"metadata.name: is '{name}': use lower-case letters, digits and '-', with a letter at the beginning "
        "and no '-' at the end, and at most 50 characters [schema]"
    ) in result.stdout
    policy = {"apiVersion": given["apiVersion"], "kind": "IsolationPolicy", "metadata": {"name": name}}
    assert (
        "at most 253 characters" in validate("-", given=[{**policy, "spec": {"minimum": "Sandbox"}}]).stdout
    )


def test_the_line_of_a_syntax_error_counts_from_the_file_s_start() -> None:
    result = validate("-", given="apiVersion: apps/v1\nkind: Deployment\n---\nkind: Workload\na: [\n")
    assert "line 6, column 1" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        '"apiVersion": twinhull.dev/v1alpha1\n',
        "apiVersion: apps/v1\n'apiVersion': twinhull.dev/v1alpha1\n",
        'apiVersion: apps/v1\n"\\x61piVersion": twinhull.dev/v1alpha1\n',
        "apiVersion: apps/v1\n? apiVersion\n: twinhull.dev/v1alpha1\n",
        'apiVersion: "twinhull\\x2edev/v1alpha1"\n',
        "apiVersion: !!str twinhull.dev/v1alpha1\n",
        "apiVersion: apps/v1\napiVersion: twinhull.dev/v1alpha1\n",
        "apiVersion: apps/v1\n<<: {apiVersion: twinhull.dev/v1alpha1}\n",
    ],
)
def test_a_workload_hides_behind_no_spelling(text: str) -> None:
    """What is passed over without being read is of another API for certain."""
    rest = "kind: Workload\nmetadata: {name: web}\nspec: {template: {spec: {containers: []}}}\n"
    documents = list(yaml.safe_load_all(text + rest))
    result = validate("-", given=text + rest)
    hidden = documents[0]["apiVersion"] == "apps/v1"
    assert result.exit_code == (2 if hidden else 1), "of what is hidden nothing is checked"
    assert ("containers: has 0 elements" in result.stdout) is not hidden


@pytest.mark.slow
def test_a_large_document_of_another_api_costs_no_time_and_a_line_in_a_text_begins_no_document() -> None:
    large = "apiVersion: apps/v1\nkind: Large\ndata: |\n" + "  --- x: [{\n" * (MAX_DOCUMENT // 10)
    result = validate("-", given=large + "---\n" + yaml.safe_dump(workload("Container")))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 Workload checked, 1 other object passed over: nothing is wrong\n"


@pytest.mark.parametrize(
    "metadata", [None, 5, [], {"name": {}}, {"name": "a", "labels": 5}, {"name": "a", "labels": {"a": {}}}]
)
@pytest.mark.parametrize("kind", ["Namespace", "Workload", "IsolationPolicy"])
def test_metadata_may_be_anything(kind: str, metadata: object) -> None:
    api = "v1" if kind == "Namespace" else "twinhull.dev/v1alpha1"
    result = validate(
        "-", given=[{"apiVersion": api, "kind": kind, "metadata": metadata}, workload("Container")]
    )
    assert result.exit_code == (0 if kind == "Namespace" else 1)
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("prefix", ["%YAML 1.1\n---\n", "# a\n---\n# b\n---\n", "\n\n---  \n", "--- # c\n"])
def test_what_stands_before_a_document_counts_among_its_lines(prefix: str) -> None:
    result = validate("-", given=prefix + yaml.safe_dump(workload("Somehow")))
    line = prefix.count("\n") + 7
    assert f"standard input:{line}:3: error: Workload web: spec.isolationPolicy" in result.stdout


@pytest.mark.slow
def test_no_text_makes_it_search_for_ever() -> None:
    """Its patterns take as many steps as there are characters."""
    for text in (
        "\n" * 1_000_000,
        " \n" * 500_000,
        "#\n" * 500_000,
        "---\n" * 250_000,
        "apiVersion: a" * 70_000,
    ):
        result = validate("-", given=text + "\nkind: Other\n")
        assert result.exit_code in {1, 2}


def test_a_list_s_elements_have_their_places() -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [workload("Container"), workload("Somehow")]}
    result = validate("-", given=json.dumps(listed, indent=1))
    text = json.dumps(listed, indent=1).splitlines()
    line = next(at for at, line in enumerate(text, 1) if "Somehow" in line)
    assert f"standard input:{line}:" in result.stdout


def test_the_exclusive_options_exclude_each_other() -> None:
    result = validate("-", "--isolation", "Sandbox", "--all-isolations")
    assert result.exit_code == 2
    assert "exclude each other: choose one" in result.stderr


def test_no_name_writes_lines_or_workflow_commands_of_its_own() -> None:
    wrong = workload()
    wrong["metadata"] = {"name": "web\n::error::\x1b[31mforged", "a\r\n::set-output name=x::y": 1}
    for output in ("text", "github"):
        result = validate("-", "-o", output, given=[wrong])
        assert result.exit_code == 1
        lines = result.stdout.splitlines()
        start = "standard input:" if output == "text" else "::error file=standard input,line="
        assert all(line.startswith((start, start.replace("error", "notice"))) for line in lines[:-1])
        assert len(lines) == 3, "an error, a note and the summary"


def test_json_has_every_finding() -> None:
    result = validate("-", "-o", "json", given=[workload("Somehow"), namespace()])
    report = json.loads(result.stdout)
    assert report["checked"] == {"Workload": 1}
    assert (report["passedOver"], report["unreadable"]) == (1, [])
    assert report["findings"][0] | {"message": ""} == {
        "file": "standard input",
        "line": 7,
        "column": 3,
        "object": "Workload web",
        "level": "error",
        "source": "schema",
        "path": "spec.isolationPolicy",
        "message": "",
    }


def test_sarif_has_every_finding_and_each_of_its_rules(tmp_path: Path) -> None:
    file = tmp_path / "a b.yaml"
    file.write_text(yaml.safe_dump(broken(livenessProbe={})))
    result = validate(str(file), str(tmp_path / "none.yaml"), "-o", "sarif")
    assert result.exit_code == 2
    (run,) = json.loads(result.stdout)["runs"]
    (found,) = run["results"]
    rules = run["tool"]["driver"]["rules"]
    assert (found["ruleId"], rules[found["ruleIndex"]]["id"], found["level"]) == ("cel", "cel", "error")
    (place,) = found["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("/a%20b.yaml")
    assert place["physicalLocation"]["region"]["startLine"] > 1
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "none.yaml" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_every_example_is_valid() -> None:
    result = validate(str(ROOT / "examples"), "--sandbox-runtime-class", "kata")
    assert (result.exit_code, result.stderr) == (0, "")
    assert " error" not in result.stdout


@pytest.mark.slow
def test_an_invalid_file_is_refused_without_the_models() -> None:
    """They take most of the time of a valid one."""
    code = (
        "import sys; from twinhull.cli import main\n"
        "try: main(['validate', '-'])\n"
        "except SystemExit as ended: assert ended.code == 1\n"
        "assert not {'pydantic', 'aiohttp', 'kopf', 'kubernetes'} & sys.modules.keys()"
    )
    text = yaml.safe_dump(broken(livenessProbe={}))
    subprocess.run([sys.executable, "-c", code], input=text.encode(), check=True, capture_output=True)


@pytest.mark.slow
def test_a_valid_file_needs_nothing_of_a_cluster() -> None:
    code = (
        "import sys; from twinhull.cli import main\n"
        "try: main(['validate', '-'])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "assert not {'aiohttp', 'kopf', 'kubernetes', 'cryptography'} & sys.modules.keys()"
    )
    text = yaml.safe_dump(workload("VirtualMachine"))
    subprocess.run([sys.executable, "-c", code], input=text.encode(), check=True, capture_output=True)


def test_gitlab_s_report_tells_a_finding_by_what_it_says_not_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    text = yaml.safe_dump(broken(livenessProbe={}))
    issues = []
    for prefix in ("", "# moved\n"):
        file.write_text(prefix + text)
        result = validate(str(file), "-o", "gitlab")
        assert result.exit_code == 1
        (issue,) = json.loads(result.stdout)
        assert (issue["check_name"], issue["severity"]) == ("twinhull-cel", "major")
        assert issue["location"]["path"] == str(file)
        issues.append(issue)
    first, second = issues
    assert first["fingerprint"] == second["fingerprint"]
    assert first["location"]["lines"]["begin"] + 1 == second["location"]["lines"]["begin"]


def test_a_key_that_is_there_twice_is_a_warning_unless_a_merge_brings_it() -> None:
    text = """\
kind: List
items:
- apiVersion: twinhull.dev/v1alpha1
  kind: Workload
  metadata: {name: one}
  spec: {template: {spec: {containers: [{name: web, image: a, image: nginx}]}}}
- apiVersion: twinhull.dev/v1alpha1
  kind: Workload
  metadata: {name: two, annotations: &a {x: "1"}, labels: {<<: *a, x: "2"}}
  spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
"""
    result = validate("-", given=text)
    assert result.exit_code == 0
    assert result.stdout == (
        "standard input:6:63: warning: Workload one: the key image stands there twice: remove one of the two "
        "[schema]\n2 Workloads checked: 1 warning\n"
    )


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("a: [", 2, "this is not valid YAML"),
        (
            yaml.safe_dump(policy("wrong", minimum="Enclave")),
            1,
            "IsolationPolicy wrong: the API server would",
        ),
    ],
)
def test_policies_that_are_wrong_are_told_whatever_else_there_is(
    tmp_path: Path, text: str, code: int, expected: str
) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    result = validate("-", "--policies", str(tmp_path), given=[namespace()])
    assert result.exit_code == code
    assert expected in result.stderr


def test_labels_are_pairs() -> None:
    result = validate("-", "--namespace-labels", "tier", given=[namespace()])
    assert result.exit_code == 2
    assert "'tier' is not KEY=VALUE,…" in result.stderr


OURS = "apiVersion: twinhull.dev/v1alpha1\nmetadata: {name: web}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"{OURS}kind: workload\n",
            "3:1: error: workload web: kind: is 'workload', which twinhull.dev doesn't",
        ),
        (f"{OURS}kind: Worklaod\n", "doesn't have: did you mean Workload?"),
        (f"{OURS}kind: IsolationPolcy\n", "doesn't have: did you mean IsolationPolicy?"),
        (f"{OURS}kind: Zebra\n", "doesn't have: use one of AccessRequest, IsolationPolicy, Workload"),
        (f"{OURS}Kind: Workload\n", "kind: is required: add it instead of Kind"),
        (f"{OURS}kind: [Workload]\n", "kind: must be a string: write kind: Workload"),
        (OURS, "kind: is required: add it, such as kind: Workload"),
        ("apiVersion: 1\nkind: Deployment\n", "apiVersion: must be a string: write apiVersion: twinhull.dev"),
        ("kind: Deployment\n", "apiVersion: is required: add it, such as"),
        ("hello world\n", "document 1: has neither apiVersion nor kind, so it is no object of Kubernetes"),
        ("- a\n", "document 1: has neither apiVersion nor kind"),
    ],
)
def test_a_mistyped_kind_and_what_is_no_object_are_errors_beside_others(text: str, expected: str) -> None:
    result = validate("-", given=text)
    assert (result.exit_code, result.stderr) == (1, "")
    assert expected in result.stdout
    beside = validate("-", given=f"{yaml.safe_dump(workload('Container'))}---\n{text}")
    assert beside.exit_code == 1
    assert "1 Workload checked: 1 error" in beside.stdout


def test_of_a_folder_documents_that_are_no_objects_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("image: nginx\n")
    (tmp_path / "patch.json").write_text('[{"op": "remove"}]')
    (tmp_path / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(workload("Container")))
    result = validate(str(tmp_path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 Workload checked, 3 other objects passed over: nothing is wrong" in result.stdout
    (tmp_path / "web.yaml").write_text(f"{OURS}kind: Worklaod\n")
    assert validate(str(tmp_path)).exit_code == 1


@pytest.mark.parametrize("text", ["", "apiVersion: apps/v1\nkind: Deployment\n", "image: nginx\n"])
def test_a_folder_in_which_nothing_is_checked_is_an_error_unless_that_is_allowed(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    result = validate(str(tmp_path))
    assert result.exit_code == 2
    assert f"Error: {tmp_path} has no object of twinhull.dev to check: name a file or folder" in result.stderr
    assert "nothing is wrong" not in result.stdout
    for path in (tmp_path, file):
        result = validate("--allow-none", str(path))
        assert (result.exit_code, result.stderr) == (0, "")
    log = json.loads(validate(str(tmp_path), "-o", "sarif").stdout)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_two_objects_of_one_name_are_a_warning() -> None:
    result = validate("-", given=[workload("Container"), workload("Sandbox"), workload(namespace="b")])
    assert result.exit_code == 0
    assert (
        "warning: Workload web: metadata.name: is also the name of the object at line 4, column 3"
        in result.stdout
    )
    assert "3 Workloads checked" in result.stdout


def test_a_mistyped_policy_is_not_left_out(tmp_path: Path) -> None:
    mistyped = policy("floor", minimum="VirtualMachine") | {"kind": "IsolationPolcy"}
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(mistyped))
    for verb in ("validate", "explain"):
        result = CliRunner().invoke(
            main, [verb, "-", "--policies", str(file)], input=yaml.safe_dump(workload("Container"))
        )
        assert result.exit_code == 1
        assert (
            "IsolationPolcy floor: kind is 'IsolationPolcy', which twinhull.dev doesn't have" in result.stderr
        )


def _taking_a_node_port() -> Raw:
    found = broken(ports=[{"containerPort": 80, "hostPort": 80}])
    found["spec"]["replacement"] = {"strategy": "StartFirst"}
    return found


def _naming_no_port() -> Raw:
    found = broken(ports=[{"name": "http", "containerPort": 80}])
    found["spec"]["service"] = {"type": "NodePort", "nodePorts": {"nosuch": 30080}}
    return found


def _too_large() -> Raw:
    found = workload("Container")
    mounts = [{"name": f"v{at}", "mountPath": f"/{at}"} for at in range(256)]
    found["spec"]["template"]["spec"] |= {
        "volumes": [{"name": f"v{at}", "emptyDir": {}} for at in range(256)],
        "containers": [{"name": f"c{at}", "image": "a", "volumeMounts": mounts} for at in range(20)],
    }
    return found


REFUSED = {
    "a port of the node": (
        _taking_a_node_port(),
        "spec.template.spec.containers[web].ports[0]: port 80 of the node is one hull's at a time",
    ),
    "a port that the Service hasn't": (
        _naming_no_port(),
        "spec.service.nodePorts: the Service has no port nosuch, but http: name one of these",
    ),
    "too many values": (_too_large(), "spec.template: has more than 10000 values in it: make it smaller"),
}


@pytest.mark.parametrize("state", ["Running", "Stopped"])
@pytest.mark.parametrize(("given", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_the_operator_refuses_in_any_cluster_is_an_error(given: Raw, expected: str, state: str) -> None:
    """`validate` said that nothing is wrong of Workloads that `render` refuses, or the operator."""
    given = {**given, "spec": {**given["spec"], "state": state}}
    result = validate("-", "--all-isolations", "--sandbox-runtime-class", "kata", given=[given])
    assert result.exit_code == 1
    assert result.stdout.count(f"error: Workload web: {expected}") == 1
    assert "[operator]" in result.stdout


@pytest.mark.parametrize(("given", "expected"), REFUSED.values(), ids=REFUSED)
def test_render_and_explain_say_the_same(given: Raw, expected: str, tmp_path: Path) -> None:
    text = yaml.safe_dump(given)
    rendered = CliRunner().invoke(main, ["render", "-"], input=text)
    assert (rendered.exit_code, rendered.stdout) == (1, "")
    assert expected in rendered.stderr
    explained = CliRunner().invoke(main, ["explain", "-", "--policies", str(tmp_path)], input=text)
    assert f"web can't start as Container: {expected}" in explained.stderr


def test_what_only_an_operator_knows_is_no_error_of_its_rules() -> None:
    result = validate("-", given=[workload("Sandbox"), workload("VirtualMachine", name="machine")])
    assert (result.exit_code, "operator" in result.stdout) == (0, False)


def test_each_mount_without_a_volume_is_named() -> None:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("data", "datta", "other")]
    given = broken(volumeMounts=mounts)
    given["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    result = validate("-", given=[given])
    at = "spec.template.spec.containers[0].volumeMounts"
    for index, name in ((1, "datta"), (2, "other")):
        assert (
            f"{at}[{index}].name: {name} is no volume of the template: add it to volumes, or correct its "
            "name [cel]"
        ) in result.stdout
    assert "1 Workload checked: 2 errors" in result.stdout


def test_a_field_of_the_downward_api_that_there_is_not_is_told_with_those_that_there_are() -> None:
    given = broken(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nme"}}}])
    assert "fieldPath: is 'metadata.nme', which no variable can have: use metadata.name, " in (
        validate("-", given=[given]).stdout
    )


@pytest.mark.parametrize("verb", ["validate", "explain"])
@pytest.mark.parametrize("labels", ["A B=c", "a=b=c", "=b", "a=b c", "tier=" + "a" * 64])
def test_labels_that_no_namespace_can_have_are_refused(tmp_path: Path, verb: str, labels: str) -> None:
    arguments = [verb, "-", "--policies", str(tmp_path), "--namespace-labels", labels]
    result = CliRunner().invoke(main, arguments, input=yaml.safe_dump(workload()))
    assert result.exit_code == 2
    assert "is no label: write at most 63 letters" in " ".join(result.stderr.split())
    for good in ("tier=untrusted, team=a", "example.com/tier=", ""):
        taken = CliRunner().invoke(main, [*arguments[:-1], good], input=yaml.safe_dump(workload()))
        assert taken.exit_code == 0


@pytest.mark.parametrize("verb", ["validate", "explain", "render"])
def test_names_that_nothing_can_have_are_refused(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "-", "--sandbox-runtime-class", "Bad_Name"])
    assert result.exit_code == 2
    assert "'Bad_Name' is not a DNS subdomain" in " ".join(result.stderr.split())
    result = CliRunner().invoke(main, ["render", "-", "--guest-image", "a b"])
    assert result.exit_code == 2
    assert "'a b' is not an image (letters, digits and any of" in " ".join(result.stderr.split())
    image = "[fd00::1]:5000/guest:1"
    result = CliRunner().invoke(
        main, ["render", "-", "--guest-image", image], input=yaml.safe_dump(workload())
    )
    assert result.exit_code == 0


@pytest.mark.parametrize("verb", ["validate", "explain", "render"])
def test_no_runtime_class_is_the_same_as_an_empty_one(verb: str) -> None:
    """A script gives an empty one whose variable isn't set."""
    text = yaml.safe_dump(workload("Sandbox"))
    without, empty = (
        CliRunner().invoke(main, [verb, "-", *options], input=text)
        for options in ([], ["--sandbox-runtime-class", ""])
    )
    assert (empty.exit_code, empty.output) == (without.exit_code, without.output)


def test_a_typed_list_is_taken_apart() -> None:
    """As kubectl get --raw prints it."""
    of_ours = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "WorkloadList",
        "items": [workload("Container"), workload("Somehow")],
    }
    result = validate("-", given=json.dumps(of_ours, indent=1))
    assert "2 Workloads checked: 1 error" in result.stdout
    of_others = {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}]}
    result = validate("-", given=json.dumps(of_others))
    assert (result.exit_code, result.stdout.strip()) == (
        2,
        "no object of twinhull.dev checked, 1 other object passed over",
    )
    for items in ("abc", 7, {"a": 1}):
        wrong = validate("-", given=yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}))
        assert wrong.exit_code == 2
        assert not isinstance(wrong.exception, ValueError)


def test_the_help_s_line_for_commits_checks_what_a_commit_has(tmp_path: Path) -> None:
    """Whatever else it has: it deletes a file, has files that are no manifests, or nothing to check."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    lines = validate("--help").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "git diff" in line)
    text = "\n".join(lines[at : at + 2]).replace(
        "twinhull validate", f"{sys.executable} -m twinhull validate"
    )

    def run(*command: str) -> int:
        return subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode

    for name in ("deleted.yaml", "a file.yaml", "README.md"):
        (tmp_path / name).write_text(yaml.safe_dump(workload()), encoding="utf-8")
    assert run(*git, "init") == run(*git, "add", ".") == run(*git, "commit", "-m", "a") == 0
    assert run("sh", "-c", text) == 0
    (tmp_path / "deleted.yaml").unlink()
    (tmp_path / "README.md").write_text("a: b: c", encoding="utf-8")
    assert run(*git, "add", ".") == 0
    assert run("sh", "-c", text) == 0
    (tmp_path / "a file.yaml").write_text(yaml.safe_dump(workload("Somehow")), encoding="utf-8")
    assert run(*git, "add", ".") == 0
    assert run("sh", "-c", text) != 0
