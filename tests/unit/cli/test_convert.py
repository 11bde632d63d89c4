"""`twinhull convert`, from the command line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from twinhull.api.base import Raw
from twinhull.cli import main
from twinhull.cli.conversioninputs import Folder
from twinhull.convert.conversion import CannotConvert

POD: Raw = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"restartPolicy": "Never", "containers": [{"name": "web", "image": "nginx"}]},
}
JOB: Raw = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "job"},
    "spec": {"template": {"spec": POD["spec"]}},
}


def convert(*args: str, given: Any = "") -> Result:
    """Runs the command; `given` are objects, text or bytes for its standard input."""
    text = given if isinstance(given, str | bytes) else yaml.safe_dump_all(given)
    return CliRunner().invoke(main, ["convert", *args], input=text)


def test_a_workload_is_printed_and_can_be_applied() -> None:
    result = convert("-", given=[POD])
    assert (result.exit_code, result.stderr) == (0, "")
    assert yaml.load(result.stdout, yaml.CSafeLoader) == {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": POD["spec"]}},
    }


def test_json_is_one_object_or_a_list() -> None:
    one = convert("-", "-o", "json", given=[POD])
    assert json.loads(one.stdout)["kind"] == "Workload"
    two = json.loads(convert("-", "-o", "json", given=[POD, JOB]).stdout)
    assert (two["kind"], [item["metadata"]["name"] for item in two["items"]]) == ("List", ["web", "job"])


def test_json_is_read_as_kubectl_reads_it() -> None:
    limits = {"cpu": 1.0, "memory": 1e9}
    given = {**POD, "spec": {"containers": [{"name": "a", "image": "b", "resources": {"limits": limits}}]}}
    made = yaml.load(convert("-", given=json.dumps(given)).stdout, yaml.CSafeLoader)
    found = made["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert found == {"cpu": 1, "memory": 1000000000}
    assert all(isinstance(amount, int) for amount in found.values())


def test_options_reach_the_workload() -> None:
    options = ("--name", "shop", "-n", "prod", "--isolation", "Sandbox")
    made = yaml.load(convert("-", *options, given=[POD]).stdout, yaml.CSafeLoader)
    assert made["metadata"] == {"name": "shop", "namespace": "prod"}
    assert made["spec"]["isolationPolicy"] == "Sandbox"


def test_what_is_left_is_a_table_and_fails_only_if_that_is_asked_for() -> None:
    result = convert("-", given=[JOB])
    assert result.exit_code == 0
    head, row = result.stderr.splitlines()
    assert head.split("  ")[0] == "NOT CARRIED OVER"
    assert row.startswith("Job job: spec.backoffLimit  the Job tries 6 times again (the default)")
    strict = convert("-", "--strict", given=[JOB])
    assert (strict.exit_code, strict.stdout, strict.stderr) == (1, result.stdout, result.stderr)
    assert convert("-", "--strict", given=[POD]).exit_code == 0


def test_what_loses_nothing_has_a_table_of_its_own_and_does_not_fail_strict() -> None:
    run = ("docker-run", "--", "docker", "run", "-d", "--name", "web", "-e", "API_TOKEN=hunter2", "nginx")
    result = convert("--strict", *run)
    assert result.exit_code == 0
    secrets, meaningless = result.stderr.split("\n\n")
    assert secrets.startswith("READABLE FOR OTHERS")
    assert "Workload web: env API_TOKEN  whoever may read" in secrets
    assert meaningless.splitlines() == [
        "WITHOUT A MEANING HERE  WHY",
        "-d                      a Workload always runs in the background",
    ]
    assert "hunter2" not in result.stderr
    assert convert("--strict", *run[:-1], "--ulimit", "nofile=1", "nginx").exit_code == 1


def on_terminal(command: str, columns: int) -> list[str]:
    """What `twinhull convert` writes to a terminal of so many columns, while the result goes into a pipe."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    program = [sys.executable, "-m", "twinhull", "convert", *command.split()]
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    assert b"kind: Workload" in done.stdout
    seen = b""
    with suppress(OSError):  # Linux's end of a terminal
        while data := os.read(ours, 1 << 16):
            seen += data
    os.close(ours)
    return seen.decode().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_terminal(columns: int) -> None:
    lines = on_terminal("docker-run -- docker run -v aa:/a -p 8080:80 -e API_TOKEN=x -d nginx", columns)
    assert any(line.startswith("NOT CARRIED OVER") for line in lines)
    assert columns - 20 < max(map(len, lines)) <= columns


@pytest.mark.slow
def test_a_reason_of_several_parts_is_said_once_on_a_terminal() -> None:
    run = "docker-run -- docker run -v aa:/a -v bb:/b nginx"
    lines = on_terminal(run, 100)
    assert " ".join(lines).count("a new claim is empty") == 1
    at = next(number for number, line in enumerate(lines) if "a new claim is empty" in line)
    assert [line.split("  ")[0] for line in lines[at : at + 2]] == ["-v aa:/a", "-v bb:/b"]
    in_a_pipe = convert(*run.split()).stderr.splitlines()
    assert [line.split("  ")[0] for line in in_a_pipe if "a new claim is empty" in line] == [
        "-v aa:/a",
        "-v bb:/b",
    ]


@pytest.mark.slow
def test_a_long_path_has_a_line_of_its_own() -> None:
    name = "A_TOKEN_" * 8
    lines = on_terminal(f"docker-run -- docker run -e {name}=x nginx", 80)
    at = lines.index(f"Workload nginx: env {name}")
    assert lines[at + 1].startswith("   ")


def test_texts_of_several_lines_stay_readable_and_the_same() -> None:
    script = "set -e\nexec nginx\n"
    given = {**POD, "spec": {"containers": [{"name": "a", "image": "b", "command": ["sh", "-c", script]}]}}
    printed = convert("-", given=[given]).stdout
    assert "        - |\n          set -e\n          exec nginx\n" in printed
    made = yaml.load(printed, yaml.CSafeLoader)
    assert made["spec"]["template"]["spec"] == given["spec"]


def test_aliases_are_written_out() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: &labels {app: web}, annotations: *labels}
spec:
  containers:
  - &one {name: a, image: b, resources: &size {limits: {cpu: 1}}}
  - {<<: *one, name: c}
"""
    printed = convert("-", given=text).stdout
    assert "*" not in printed
    assert "&" not in printed
    containers = yaml.load(printed, yaml.CSafeLoader)["spec"]["template"]["spec"]["containers"]
    assert containers[1] == {**containers[0], "name": "c"}


def test_several_files_are_converted_together(tmp_path: Path) -> None:
    labels = {"app": "web"}
    ports = [{"containerPort": 80}]
    pod = {
        **POD,
        "metadata": {"name": "web", "labels": labels},
        "spec": {"containers": [{"name": "web", "image": "nginx", "ports": ports}]},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": labels, "ports": [{"port": 80}]},
    }
    files = []
    for name, obj in (("pod.yaml", pod), ("service.yaml", service)):
        (tmp_path / name).write_text(yaml.safe_dump(obj), encoding="utf-8")
        files.append(str(tmp_path / name))
    made = yaml.load(convert(*files).stdout, yaml.CSafeLoader)
    assert made["spec"]["service"] == {"ports": [{"port": 80, "protocol": "TCP"}]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_of_powershell_are_read(encoding: str) -> None:
    assert convert("-", given=json.dumps(POD).encode(encoding)).exit_code == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "standard input is empty: give what is to be converted"),
        ("a: b", "standard input: this is none of objects of Kubernetes"),
        ("{", "standard input: this is none of objects of Kubernetes"),
        (b"\xff\x00\xff", "standard input is no text in UTF-8"),
        ("kind: Pod\napiVersion: v1\n", "document 1 (Pod) has no apiVersion or no metadata"),
        ("!!python/object/apply:os.system [ls]", "standard input: this is none of"),
        ("a: &a [1]\n" * 2 + "b: [" * 2000, "standard input"),
        ('{"a":' * 200_000, "standard input"),
        ("[" * 5000, "standard input"),
    ],
)
def test_what_cannot_be_converted_is_refused(given: str | bytes, message: str) -> None:
    result = convert("-", given=given)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n\tname: tab\n",
            "line 4, column 1: while scanning for the next token, found character '\\t' that cannot",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: {{ .Values.n }}\n",
            "convert what helm template prints of this template",
        ),
        ('{"apiVersion": "v1",\n"kind": Pod]', "this is not valid YAML: line 2, column "),
        (
            "kind: Deployment\nmetadata: {name: a}\n",
            "document 1 (Deployment) has no apiVersion or no metadata",
        ),
        (
            "apiVersion: v1\nmetadata: {name: a}\n",
            "document 1 is no object of Kubernetes: give it apiVersion",
        ),
        ("---\n---\n# nothing\n", "standard input has comments and empty documents only"),
        ("services:\n  a: {image: b}\n\tc: d\n", "not valid YAML for Compose: line 3, column 1: "),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(given: str, message: str) -> None:
    result = convert("-", given=given)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "none of objects" not in result.stderr


def test_all_mistakes_of_a_template_are_told_each_in_a_line() -> None:
    containers = [{"name": f"c{number}", "imag": "b"} for number in range(12)]
    result = convert("-", given=[{**POD, "spec": {"containers": containers}}])
    first, *rows = result.stderr.splitlines()
    assert first == "Error: Pod web: a Workload can't have this template:"
    assert rows[1] == "  spec.containers[0].imag is not a field here: remove it, or did you mean image?"
    assert (len(rows), rows[-1]) == (21, "  and 4 more")


TWICE = """apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: c
    image: nginx
    image: apache
  hostNetwork: true
  hostNetwork: false
"""


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (
            TWICE,
            ["line 8: image", "line 10: hostNetwork"],
        ),
        (json.dumps(POD).replace('"name": "web"', '"name": "a", "name": "web"', 1), ["key name"]),
    ],
)
def test_a_key_that_is_there_twice_is_told_and_nothing_is_lost(given: str, places: list[str]) -> None:
    result = convert("-", "--strict", given=given)
    assert result.exit_code == 0
    head, *rows = result.stderr.splitlines()
    assert head.startswith("TO CHECK")
    assert [row.split("  ")[0] for row in rows] == [f"standard input, {one}" for one in places]
    assert "kind: Workload" in result.stdout


def test_what_an_input_says_has_no_line_of_its_own_in_an_error() -> None:
    evil = "a\n::error::x\x1b[31m"
    objects: list[Raw] = [
        {**POD, "metadata": {"name": evil}},
        {**POD, "spec": {"containers": [{"name": "a", evil: 1}]}},
        {**POD, "kind": evil},
        {**JOB, "spec": {**JOB["spec"], "suspend": True}, "metadata": {"name": evil}},
    ]
    compose = {"services": {"web": {"image": "a", evil: 1}}}
    for given in (*objects, compose):
        result = convert("-", given=[given])
        assert result.exit_code == 1
        assert "\\n::error::x\\x1b" in result.stderr
        assert not any(line.startswith("::") for line in result.stderr.splitlines())


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    result = convert("-", given=f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n{bomb}")
    assert result.exit_code == 1
    assert "it has more than 50,000 values" in result.stderr


def test_what_an_input_says_reaches_no_terminal_as_an_escape() -> None:
    given = {**JOB, "spec": {**JOB["spec"], "\x1b]0;x\x07\u202e\n": {"a": 1}}}
    result = convert("-", given=[given])
    assert result.exit_code == 0
    assert "Job job: spec.\\x1b]0;x\\x07\\u202e\\n  a Workload has no field for it" in result.stderr
    refused = convert("-", given=[{**POD, "metadata": {"name": "\x1b[2J"}}])
    assert "\x1b" not in refused.stderr + refused.stdout


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = convert(str(tmp_path / "missing.yaml"))
    assert (result.exit_code, "missing.yaml: No such file or directory: name a file" in result.stderr) == (
        1,
        True,
    )


def test_a_format_can_be_named_to_see_what_is_wrong() -> None:
    assert "this is not valid XML" in convert("-", "--from", "libvirt", given="a: b").stderr
    result = convert("-", "--from", "kubernetes", given="a: b")
    assert "document 1 is no object of Kubernetes: give it apiVersion, kind and metadata" in result.stderr


def test_a_folder_gives_its_own_files_only(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    (inside / "below" / "a.env").write_text("A=1", encoding="utf-8")
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (inside / "link").symlink_to(tmp_path / "secret")
    folder = Folder(inside)
    assert folder.read("below/a.env") == "A=1"
    assert folder.read("./below/../below/a.env") == "A=1"
    assert folder.read("missing") is None
    for name in ("../secret", "link", str(tmp_path / "secret"), "a\0b", "../missing"):
        with pytest.raises(CannotConvert, match="isn't in the folder of the input"):
            folder.read(name)
    with pytest.raises(CannotConvert, match="is no file: correct the name"):
        folder.read("below")


COMPOSE = """
services:
  web:
    image: nginx:${TAG}
    env_file: web.env
    profiles: [more]
"""
DOMAIN = """<domain type='kvm'>
  <name>legacy</name><memory unit='GiB'>1</memory><vcpu>2</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/srv/legacy.qcow2'/><target dev='sda' bus='sata'/>
    </disk>
  </devices>
</domain>"""


def test_a_compose_file_is_converted_with_the_files_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "web.env").write_text("A=1\n", encoding="utf-8")
    result = convert(
        *(str(tmp_path / "compose.yaml"), "--variable", "TAG=1.29", "--profile", "more"),
        *("--isolation", "Sandbox", "-n", "shop"),
    )
    assert result.exit_code == 0, result.stderr
    found = [obj for obj in yaml.load_all(result.stdout, yaml.CSafeLoader) if obj["kind"] == "Workload"]
    assert [(obj["metadata"]["name"], obj["metadata"]["namespace"]) for obj in found] == [("web", "shop")]
    assert found[0]["spec"]["isolationPolicy"] == "Sandbox"
    (container,) = found[0]["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith("nginx:1.29")
    assert {"name": "A", "value": "1"} in container["env"]


def test_commands_that_are_told_name_the_namespace(tmp_path: Path) -> None:
    text = """
    services:
      init: {image: a, restart: "no"}
      web:
        image: b
        ports: ["127.0.0.1:80:80"]
        secrets: [key]
        depends_on: {init: {condition: service_completed_successfully}}
    secrets: {key: {file: ./key.pem}}
    """
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    notes = convert(str(tmp_path / "compose.yaml"), "--namespace", "shop").stderr
    assert "run kubectl create secret generic key -n shop --from-file" in notes
    assert "run twinhull port-forward web -n shop 80:80" in notes
    assert "(twinhull wait init -n shop --for completed)" in notes


def test_docker_run_is_converted_with_dashes_before_it_or_not() -> None:
    words = ("docker", "run", "--name", "web", "-p", "80:80", "nginx:1.29")
    with_dashes, without = convert("docker-run", "--", *words), convert("docker-run", *words)
    assert with_dashes.exit_code == 0, with_dashes.stderr
    assert with_dashes.stdout == without.stdout
    assert "kind: Workload" in with_dashes.stdout
    refused = convert("docker-run", "--name", "web", "--", *words)
    assert (refused.exit_code, "give docker run's own --name" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "line",
    [
        ("docker", "run", "-d", "--name", "web", "-e", "A=b c", "nginx"),
        ("docker", "run", "nginx"),
        ("podman", "run", "nginx"),
        ("docker", "container", "run", "nginx"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--strict",)])
def test_a_command_line_without_its_word_is_told_what_to_write(
    line: tuple[str, ...], options: tuple[str, ...]
) -> None:
    result = convert(*options, *line)
    expected = f"Error: to convert a command line, write twinhull convert docker-run -- {shlex.join(line)}\n"
    assert (result.exit_code, result.stderr.endswith(expected)) == (2, True)


def test_a_domain_of_libvirt_is_converted_with_what_it_does_not_say() -> None:
    result = convert("-", "--disk-claim", "boot=legacy", "--bootloader", "BIOS", given=DOMAIN)
    assert result.exit_code == 0, result.stderr
    made = yaml.load(result.stdout, yaml.CSafeLoader)
    assert made["metadata"]["name"] == "legacy"
    assert made["spec"]["virtualMachine"]["bootDisk"]["source"] == {"claim": {"name": "legacy"}}
    refused = convert("-", "--disk-claim", "boot=legacy", "--isolation", "Container", given=DOMAIN)
    assert "boots a disk, and has no containers for isolation Container" in refused.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--disk-size", "boot"), "--disk-size boot: write it as DISK=VALUE"),
        (("--vddk-url", "https://vcenter.example"), "--vddk-thumbprint and --vddk-secret go together"),
        (("--namespace", "No_name"), "a namespace has up to 63 lower-case letters, digits and '-'"),
        (("--variable", "A"), "write NAME=VALUE, such as TAG=1.29"),
        (("--from", "compose", "--name", "a"), "leave out --name"),
        (("--disk-size", "boot=large"), "is no size: write one such as 40Gi"),
        (
            ("--profile", "more", "--profile", "nosuch"),
            "--profile nosuch: no service has this profile: use one of more",
        ),
        (("--os", "Linux"), "--os is for a machine of libvirt, VMware or Hyper-V, and there is none"),
        (("--disk-claim", "boot=a"), "--disk-claim is for a machine of libvirt"),
    ],
)
def test_options_that_cannot_be_are_refused(args: tuple[str, ...], message: str) -> None:
    result = convert("-", *args, given=COMPOSE)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--name", "x_y"), "--name is 'x_y', and a Workload's name has lower-case letters"),
        (("--variable", "A=1"), "--variable is for a Compose file or docker-run, and there is none"),
        (("--profile", "a"), "--profile is for a Compose file, and there is none in the input: leave it out"),
        (("--disk-size", "boot=1Gi"), "--disk-size is for a machine of libvirt, VMware or Hyper-V"),
    ],
)
def test_options_that_are_of_no_use_for_objects_are_refused(args: tuple[str, ...], message: str) -> None:
    result = convert("-", *args, given=[POD])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_variable_may_be_named_by_a_file_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace("${TAG}", "1"), encoding="utf-8")
    (tmp_path / "web.env").write_text("A=$BASE\n", encoding="utf-8")
    file = str(tmp_path / "compose.yaml")
    assert convert(file, "--profile", "*", "--variable", "BASE=2").exit_code == 0
    assert convert(file, "--profile", "*", "--variable", "COMPOSE_PROFILES=a").exit_code == 0
    for name in ("OTHER", "BAS", "BASED"):
        refused = convert(file, "--profile", "*", "--variable", f"{name}=2")
        assert refused.exit_code == 2
        assert f"--variable {name}: nothing in the input names this variable" in refused.stderr
    run = ("docker-run", "--", "docker", "run", "-e", "TOKEN", "nginx")
    assert convert("--variable", "TOKEN=1", *run).exit_code == 0
    refused = convert("--variable", "TOKN=1", "--os", "Linux", *run)
    assert (refused.exit_code, "--os is for a machine" in refused.stderr) == (2, True)


def test_the_examples_of_the_help_that_name_no_file_are_converted() -> None:
    """Those for machines of libvirt, and for a command line."""
    help_text = CliRunner().invoke(main, ["convert", "--help"]).stdout
    (machine,) = [line for line in help_text.splitlines() if "virsh dumpxml web |" in line]
    words = shlex.split(machine.partition("| twinhull convert ")[2])
    assert convert(*words, given=DOMAIN).exit_code == 0
    (run,) = [line for line in help_text.splitlines() if "convert docker-run" in line]
    assert convert(*shlex.split(run.partition("twinhull convert ")[2])).exit_code == 0


def test_an_ova_is_named_for_what_it_is() -> None:
    assert "unpack it (tar -xf), and convert the .ovf in it" in convert("web.ova").stderr


def test_help_names_the_kinds_and_the_exit_codes() -> None:
    output = CliRunner().invoke(main, ["convert", "--help"]).stdout
    for word in ("StatefulSet", "VirtualMachine", "Exit codes:", "Examples:", "--strict"):
        assert word in output
