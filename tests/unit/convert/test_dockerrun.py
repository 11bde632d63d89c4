"""`docker run` as Workloads: command lines in dockerrun/*.txt, what each gives in *.output.yaml beside
them.
"""

from __future__ import annotations

import shlex
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.convert.dockerrun_samples import SUBJECTS, converted, lines
from tests.unit.convert.left_parts import left_parts
from tests.unit.convert.rendering import refused, render
from twinhull.api.base import Raw
from twinhull.convert import dockerrun
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Refused
from twinhull.convert.docker.options import OPTIONS, Fate, Takes, kind_of


class _Dumper(yaml.SafeDumper):
    """No anchors: each answer stands for itself."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _without(given: Raw, plain: Raw) -> Raw:
    """The parts of a mapping in which it differs from another."""
    more: Raw = {}
    for key, value in given.items():
        other = plain.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            value = _without(value, other)  # noqa: PLW2901
            if not value:
                continue
        elif value == other:
            continue
        more[key] = value
    gone = sorted(plain.keys() - given.keys())
    return {**more, **({"without": gone} if gone else {})}


def _shown(workload: Raw) -> Raw:
    """A Workload as the parts in which it differs from that of the image alone."""
    spec = workload["spec"]
    template = spec["template"]
    (container,) = template["spec"]["containers"]
    (plain,) = dockerrun.convert([container["image"]]).objects
    bare = plain["spec"]["template"]["spec"]
    pod = {key: value for key, value in template["spec"].items() if key != "containers"}
    return {
        "name": workload["metadata"]["name"],
        "image": container["image"],
        **_without(
            {key: value for key, value in container.items() if key not in {"name", "image"}},
            {key: value for key, value in bare["containers"][0].items() if key not in {"name", "image"}},
        ),
        **(
            {"pod": found}
            if (found := _without(pod, {k: v for k, v in bare.items() if k != "containers"}))
            else {}
        ),
        **({"metadata": template["metadata"]} if "metadata" in template else {}),
        **{key: value for key, value in spec.items() if key != "template"},
    }


def outcome(line: str, subject: Path) -> Raw:
    """What a command line gives, as the golden file has it."""
    try:
        conversion = converted(line, subject)
    except Refused as error:
        return {"line": line, "refused": str(error)}
    except CannotConvert as error:
        return {"line": line, "error": str(error)}
    *beside, workload = conversion.objects
    return {
        "line": line,
        "workload": _shown(workload),
        **({"beside": beside} if beside else {}),
        **({"left": left_parts(conversion)} if conversion.left else {}),
    }


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda path: path.stem)
def test_what_each_command_line_gives(subject: Path, request: pytest.FixtureRequest) -> None:
    given = [outcome(line, subject) for line in lines(subject)]
    text: str = yaml.dump_all(given, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    expected = subject.with_suffix(".output.yaml")
    if request.config.getoption("--update"):
        expected.write_text(text, "utf-8")
    assert expected.exists(), f"run pytest tests/unit/convert --update, and read {expected.name}"
    assert text == expected.read_text("utf-8")


def test_there_are_many_command_lines() -> None:
    assert sum(len(list(lines(subject))) for subject in SUBJECTS) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda path: path.stem)
def test_render_takes_what_is_made(subject: Path) -> None:
    made: list[Raw] = []
    for line in lines(subject):
        try:
            made += converted(line, subject).objects
        except CannotConvert:
            continue
    assert render(made) == ""


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("docker run -p 8080:80 -v data:/data -m 64m --init --health-cmd true --hostname a nginx", []),
        ("docker run --user 1 --cap-drop ALL --read-only --tmpfs /tmp --dns 1.1.1.1 -it nginx", []),
        ("docker run --network host nginx", ["spec.template.spec.hostNetwork"]),
        ("docker run -v /proc:/host/proc:ro nginx", ["spec.template.spec.volumes[host-proc].hostPath"]),
    ],
)
def test_a_machine_takes_what_has_a_meaning_there(line: str, fields: list[str]) -> None:
    found = dockerrun.convert(shlex.split(line)).objects
    assert refused(found, "VirtualMachine") == fields


#: Values for which the option does something, for those whose fate isn't always the same.
_VALUES = {
    "add-host": "a:10.0.0.1",
    "annotation": "a=1",
    "cap-add": "SYS_TIME",
    "cap-drop": "CHOWN",
    "cgroupns": "host",
    "cpu-period": "50000",
    "cpu-quota": "50000",
    "cpu-shares": "512",
    "cpus": "2",
    "dns": "10.0.0.1",
    "dns-option": "ndots:2",
    "dns-search": "example.com",
    "entrypoint": "sh",
    "env": "A=1",
    "env-file": "app.env",
    "expose": "80",
    "gpus": "1",
    "group-add": "1",
    "health-cmd": "true",
    "health-interval": "7s",
    "health-retries": "7",
    "health-start-interval": "7s",
    "health-start-period": "7s",
    "health-timeout": "7s",
    "hostname": "h",
    "ipc": "host",
    "label": "a=1",
    "label-file": "app.env",
    "memory": "64m",
    "memory-reservation": "32m",
    "memory-swap": "1g",
    "mount": "type=tmpfs,target=/m",
    "name": "another",
    "network": "host",
    "network-alias": "other-name",
    "pid": "host",
    "platform": "linux/arm64",
    "publish": "80:80",
    "pull": "always",
    "restart": "always",
    "runtime": "runsc",
    "security-opt": "seccomp=unconfined",
    "shm-size": "64m",
    "stop-timeout": "5",
    "sysctl": "kernel.shm_rmid_forced=1",
    "tmpfs": "/t",
    "user": "1",
    "userns": "auto",
    "uts": "host",
    "volume": "vol:/v",
    "workdir": "/w",
}
#: Options that only say something beside others.
_BESIDE = {
    **{
        f"health-{name}": ["--health-cmd", "true"]
        for name in ("interval", "retries", "timeout", "start-period", "start-interval")
    },
    "cpu-period": ["--cpu-quota", "50000"],
}


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_no_option_vanishes_unnamed(name: str) -> None:
    """Each option changes what is made, or is named, or ends the conversion."""
    option = OPTIONS[name]
    if name == "isolation":
        with pytest.raises(Refused, match="--isolation"):
            dockerrun.convert(["--isolation", "hyperv", "nginx"])
        return
    value = [] if option.takes is Takes.NOTHING else [_VALUES.get(name, "1")]
    beside = _BESIDE.get(name, [])

    def read(_: str) -> str:
        return "FROM_FILE=1\n"

    before = dockerrun.convert([*beside, "nginx"], read=read)
    after = dockerrun.convert([*beside, f"--{name}", *value, "nginx"], read=read)
    named = {one.path.split()[0] for one in after.left}
    changed = before.objects != after.objects
    if option.fate in {Fate.LEFT, Fate.MEANINGLESS}:
        assert (changed, f"--{name}" in named) == (False, True)
        assert {one.kind for one in after.left if one.path.split()[0] == f"--{name}"} == {
            kind_of(option.fate)
        }
    else:
        # What they say is what a Pod has anyway, or is named.
        assert changed or (name in {"cgroupns", "memory-swap"} and f"--{name}" in named)


@pytest.mark.parametrize("option", ["-D", "--tls=false", "-c x", "--context x", "-H x", "--host=x"])
def test_no_option_of_docker_itself_vanishes_unnamed(option: str) -> None:
    name = option.partition("=")[0].partition(" ")[0]
    found = dockerrun.convert(["docker", *option.split(), "run", "nginx"])
    assert [one.path for one in found.left] == [f"docker {name}"]


#: What says something beside others: a port that is published is exposed as well.
_BESIDE_OTHERS = {"expose": "7"}
#: Options that say nothing beside others, or end the conversion.
_ALONE = {"isolation", *_BESIDE, "network", "env-file", "label-file"}


@pytest.mark.slow
@settings(max_examples=200, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.sets(st.sampled_from(sorted(OPTIONS.keys() - _ALONE)), max_size=12))
def test_no_option_vanishes_beside_others(names: set[str]) -> None:
    values = {**_VALUES, **_BESIDE_OTHERS}
    given = {name: [f"--{name}={values.get(name, '1')}"] for name in sorted(names)}
    try:
        before = dockerrun.convert([*chain(*given.values()), "nginx"])
    except CannotConvert:
        return  # Docker takes no two of these, either
    for name in given:
        rest = chain(*(words for other, words in given.items() if other != name))
        try:
            after = dockerrun.convert([*rest, "nginx"])
        except CannotConvert:
            continue
        assert after != before, name


def test_letters_are_those_of_docker() -> None:
    letters = {option.letter: name for name, option in OPTIONS.items() if option.letter}
    assert "".join(sorted(letters, key=str.lower)) == "acdehilmpPqtuvw"
    assert (letters["p"], letters["P"], letters["c"]) == ("publish", "publish-all", "cpu-shares")


def test_a_secret_in_a_variable_is_never_in_what_is_named() -> None:
    found = dockerrun.convert(["-e", "Ä=hush", "--env", "PASSWORD", "-l", "a/b=hush", "nginx"])
    assert [one.path for one in found.left] == ["-e Ä", "--env PASSWORD", "-l a/b"]
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    "words",
    [
        ["x"] * 6_000,
        ["-e", "A=" + "x" * 1_100_000, "nginx"],
        ["nginx\0"],
        ["-v", "a:/b" + "/.." * 9 + "/etc", "nginx"],
        ["--mount", "type=volume,source=a,target=/a,volume-subpath=../../etc", "nginx"],
        ["-m", "9" * 21, "nginx"],
        ["--cpus", "NaN", "nginx"],
        ["--cpus", "1e400", "nginx"],
        ["-m", "99999999p", "nginx"],
        ["--health-cmd", "x", "--health-interval", "9" * 18 + "h", "nginx"],
        ["--health-cmd", "x", "--health-retries", "9" * 18, "nginx"],
        ["-p", "99999:1", "nginx"],
        ["a" * 2_000],
        [word for number in range(257) for word in ("--tmpfs", f"/{number}")] + ["nginx"],
        [word for number in range(1_025) for word in ("-e", f"A{number}=1")] + ["nginx"],
        [word for number in range(129) for word in ("-l", f"a{number}=1")] + ["nginx"],
        ["--sysctl", "a" * 900_000 + "!=1", "nginx"],
        ["nginx", "x" * 131_073],
        ["-/", "nginx"],
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_hostile_words_are_an_error(words: list[str]) -> None:
    with pytest.raises(CannotConvert):
        dockerrun.convert(words)


def test_a_file_is_read_by_the_caller_alone() -> None:
    paths: list[str] = []

    def read(path: str) -> str:
        paths.append(path)
        return "A=1"

    dockerrun.convert(["--env-file", "a.env", "-v", "./b:/b", "--label-file", "c", "nginx"], read=read)
    assert paths == ["a.env", "c"]


def test_two_volumes_never_become_one_claim() -> None:
    found = dockerrun.convert(["-v", "my_data:/a", "-v", "my-data:/b", "-v", "MY.DATA:/c", "nginx"])
    names = [obj["metadata"]["name"] for obj in found.objects if obj["kind"] == "PersistentVolumeClaim"]
    assert names == ["my-data", "my-data-2", "my-data-3"]
    mounts: Any = found.objects[-1]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert [mount["name"] for mount in mounts] == names


_ODD = [
    "",
    " ",
    "x",
    "=",
    ":",
    "::",
    "a=b",
    "/",
    "-",
    "a:b",
    "1",
    "-1",
    "0",
    "1.5",
    "é",
    ",",
    "a,b=",
    "/x:",
    ":/x",
    "9" * 30,
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(name for name, option in OPTIONS.items() if option.takes is not Takes.NOTHING)
)
def test_any_value_of_an_option_is_an_answer(name: str) -> None:
    """Whatever an option has: it is converted, and render takes it, or it is an error that names
    something.
    """
    made: dict[str, Raw] = {}
    for odd in _ODD:
        for beside in (["--health-cmd", "x", "-m", "1g"],):
            try:
                found = dockerrun.convert([*beside, f"--{name}={odd}", "nginx"], read={odd: odd}.get).objects
            except CannotConvert:
                continue
            made |= {str(obj): obj for obj in found}
    assert not made or render([*made.values()], "--sandbox-runtime-class", "gvisor") == ""


def _left(*words: str) -> list[str]:
    return [one.why for one in dockerrun.convert([*words, "nginx"]).left]


def test_a_group_that_is_a_number_is_not_asked_for_its_number() -> None:
    (of_user, of_group) = _left("-u", "www-data:33")
    assert "set runAsUser to the one that 'www-data' has in the image" in of_user
    assert of_group == "runAsGroup is taken together with runAsUser only: set it to 33 with runAsUser"
    (of_name,) = _left("-u", "33:www-data")
    assert of_name.endswith("set runAsGroup to the number that 'www-data' has in the image")


@pytest.mark.parametrize("option", ["-u=4294967295", "-u=1:4294967295", "--group-add=4294967295"])
def test_a_number_that_is_too_high_is_not_taken_for_a_name(option: str) -> None:
    (why,) = _left(option)
    assert why.startswith("4294967295 is higher than 2147483647, the highest number that Kubernetes takes")


@pytest.mark.parametrize(
    ("published", "forwarded"),
    [
        ("127.0.0.1:8080:80", "run twinhull port-forward nginx 8080:80"),
        ("127.0.0.1::80", "run twinhull port-forward nginx 80:80"),
        ("127.0.0.1:5000-5002:6000-6002", "run twinhull port-forward nginx 5000:6000 5001:6001 5002:6002"),
        ("127.0.0.1:5000-5040:5000-5040", "5019:5019, and so on to 5040:5040"),
    ],
)
def test_each_port_that_only_the_host_reaches_is_forwarded(published: str, forwarded: str) -> None:
    (why,) = _left("-p", published)
    assert why.endswith(forwarded)


@pytest.mark.parametrize("program", ["podman", "nerdctl"])
def test_an_option_of_another_program_is_not_said_to_be_none_of_docker(program: str) -> None:
    for flag in ("--rdt-class=a", "-Z"):
        with pytest.raises(
            CannotConvert, match=rf"isn't among the options of {program} run that are known here"
        ):
            dockerrun.convert([program, "run", flag, "nginx"])


def test_a_port_of_0_is_one_that_docker_chooses() -> None:
    for published in ("0:80", "127.0.0.1:0:80"):
        free = published.replace(":0:", "::").removeprefix("0:")
        one, other = dockerrun.convert(["-p", published, "nginx"]), dockerrun.convert(["-p", free, "nginx"])
        assert (one.objects, [left.why for left in one.left]) == (
            other.objects,
            [left.why for left in other.left],
        )
    with pytest.raises(CannotConvert, match="'0' is no port"):
        dockerrun.convert(["-p", "80:0", "nginx"])
