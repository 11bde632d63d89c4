"""Compose files as Workloads: compose/*.input.yaml in, *.output.yaml out."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.convert.compose_samples import ENVIRONMENT, FOLDER, INPUTS, converted, name_of
from tests.unit.convert.left_parts import left_parts
from tests.unit.convert.rendering import render
from twinhull.api.base import Raw
from twinhull.api.objectnames import is_label
from twinhull.convert import compose
from twinhull.convert.compose import yamltext
from twinhull.convert.compose.envfile import variables
from twinhull.convert.compose.keys import KEYS
from twinhull.convert.conversion import CannotConvert, Conversion, LeftKind
from twinhull.convert.docker.options import OPTIONS, Fate, kind_of


class _Dumper(yaml.SafeDumper):
    """No anchors, and long text as blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def convert(text: str, **more: Any) -> Conversion:
    return compose.convert(text, environment=ENVIRONMENT, **more)


def named(found: Conversion) -> dict[str, str]:
    return {one.path: one.why for one in found.left}


@pytest.mark.parametrize("path", INPUTS, ids=name_of)
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    found = converted(path)
    given = {
        "left": left_parts(found),
        "objects": list(found.objects),
    }
    text: str = yaml.dump(given, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    expected = path.with_name(path.name.replace(".input.", ".output."))
    if request.config.getoption("--update"):
        expected.write_text(text, "utf-8")
    assert expected.exists(), f"run pytest tests/unit/convert --update, and read {expected.name}"
    assert text == expected.read_text("utf-8")


def test_there_are_many_files_and_no_output_without_input() -> None:
    assert len(INPUTS) >= 40
    outputs = {path.name.replace(".output.", ".input.") for path in FOLDER.glob("*.output.yaml")}
    assert outputs == {path.name for path in INPUTS}


@pytest.mark.parametrize("path", INPUTS, ids=name_of)
def test_render_takes_what_is_made(path: Path) -> None:
    assert render(converted(path).objects, "--sandbox-runtime-class", "gvisor") == ""


@pytest.mark.parametrize("path", INPUTS, ids=name_of)
def test_objects_have_names_of_their_own(path: Path) -> None:
    names = [(obj["kind"], obj["metadata"]["name"]) for obj in converted(path).objects]
    assert len(names) == len(set(names))


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all keys and elements of a document."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in keys:
        yield (*at, key)
        yield from places(below, (*at, key))


def without(document: Raw, at: tuple[str | int, ...]) -> Raw:
    """A document without one of its keys or elements."""
    found = deepcopy(document)
    whole: Any = found
    for key in at[:-1]:
        whole = whole[key]
    del whole[at[-1]]
    return found


#: Keys whose values are what holds without them, too.
_AS_WITHOUT = {
    ("condition", "any"),
    ("condition", "service_started"),
    ("container_name", "homeassistant"),
    ("driver", "nvidia"),
    # Others ask for the port, so that the Service has it anyway.
    ("expose", "['5672']"),
    (0, "5672"),
    ("external", "False"),
    ("interval", "30s"),
    ("memswap_limit", "1g"),
    ("mode", "replicated"),
    ("protocol", "tcp"),
    ("required", "False"),
    ("retries", "3"),
    ("timeout", "30s"),
    ("userns_mode", "host"),
}
#: What is said of something that is left out as a whole, with all that is in it.
_LEFT_WHOLE = (
    *("it is left out: ", "aren't asked for", "no service that is converted"),
    *("a container has one ", "it is a path of this host", "Kubernetes doesn't see the image's own check"),
    *("the check is disabled", "all services share a network"),
)


def test_a_key_that_is_an_option_has_its_fate() -> None:
    """What is said in the same words of an option and of a key is the same."""
    fates = {option.sentence: option.fate for option in OPTIONS.values() if not option.podman}
    differ = [key.path for key in KEYS.values() if fates.get(key.sentence, key.fate) != key.fate]
    assert differ == []


@pytest.mark.parametrize("path", INPUTS, ids=name_of)
def test_what_is_named_has_the_kind_of_its_fate(path: Path) -> None:
    for one in converted(path).left:
        key = KEYS.get(re.sub(r"\[\d+\]", "[]", re.sub(r"^(services|volumes)\.[^.]+", r"\1.*", one.path)))
        if key is not None and key.fate is Fate.MEANINGLESS:
            assert one.kind is LeftKind.MEANINGLESS, one


@pytest.mark.parametrize("path", INPUTS, ids=name_of)
def test_no_key_vanishes_unnamed(path: Path) -> None:
    """A file without one of its keys gives other objects, or names something else, or is an error."""
    document = yamltext.load(path.read_text("utf-8"))
    before = converted(path, document)
    whole = {place for place, why in named(before).items() if any(phrase in why for phrase in _LEFT_WHOLE)}
    vanished = []
    for at in places(document):
        if is_left_whole(at, whole) or (at[-1], value_of(document, at)) in _AS_WITHOUT:
            continue
        try:
            after = converted(path, without(document, at))
        except CannotConvert:
            continue
        if after == before:
            vanished.append(shown(at))
    assert vanished == []


def shown(at: tuple[str | int, ...], *, pattern: bool = False) -> str:
    """A place as messages call it, or as the table of keys does."""
    text = "".join(f".{key}" if isinstance(key, str) else "[]" if pattern else f"[{key}]" for key in at)
    return text.removeprefix(".")


def value_of(document: Any, at: tuple[str | int, ...]) -> str:
    for key in at:
        document = document[key]
    return str(document)


def is_left_whole(at: tuple[str | int, ...], named_whole: set[str]) -> bool:
    """Whether something above a key is named, with all that is in it."""
    above = [at[:end] for end in range(1, len(at))]
    patterns = {shown(place, pattern=True): place for place in above}
    for key in KEYS.values():
        if key.whole and key.fate is not Fate.HONOURED:
            parts = key.path.replace("[]", ".[]").split(".")
            for place in patterns.values():
                words = [part if isinstance(part, str) else "[]" for part in place]
                if len(words) == len(parts) and all(
                    one in {"*", word} for one, word in zip(parts, words, strict=True)
                ):
                    return True
    if shown(at) in named_whole:
        return True
    return any(shown(place) in named_whole or str(place[-1]).startswith("x-") for place in above)


#: A value for each key of a service that stands for itself.
_SAMPLES: Raw = {
    "annotations": {"a": "1"},
    "attach": False,
    "blkio_config": {"weight": 10},
    "build": ".",
    "cap_add": ["NET_ADMIN"],
    "cap_drop": ["CHOWN"],
    "cgroup": "host",
    "cgroup_parent": "x",
    "command": "a b",
    "configs": ["c"],
    "container_name": "another",
    "cpu_count": 1,
    "cpu_percent": 50,
    "cpu_period": 50000,
    "cpu_quota": 25000,
    "cpu_rt_period": "1ms",
    "cpu_rt_runtime": "1ms",
    "cpu_shares": 512,
    "cpuset": "0",
    "credential_spec": {"file": "x"},
    "depends_on": ["other"],
    "deploy": {"labels": {"a": "1"}},
    "develop": {"watch": []},
    "device_cgroup_rules": ["c 1:3 mr"],
    "devices": ["/dev/x"],
    "dns": "10.0.0.1",
    "dns_opt": ["ndots:2"],
    "dns_search": "example.com",
    "domainname": "example.com",
    "entrypoint": ["sh"],
    "env_file": "missing.env",
    "environment": {"A": "1"},
    "expose": ["81"],
    "extends": "other",
    "external_links": ["x"],
    "extra_hosts": ["a=10.0.0.1"],
    "gpus": [{"count": 1}],
    "group_add": [1],
    "healthcheck": {"test": "true"},
    "hostname": "h",
    "init": True,
    "ipc": "host",
    "isolation": "hyperv",
    "label_file": "missing",
    "labels": {"a": "1"},
    "links": ["other:alias"],
    "logging": {"driver": "x"},
    "mac_address": "02:42:ac:11:65:43",
    "mem_limit": "1g",
    "mem_reservation": "1m",
    "mem_swappiness": 1,
    "memswap_limit": "2g",
    "models": ["m"],
    "network_mode": "host",
    "networks": {"default": {"aliases": ["x"]}},
    "oom_kill_disable": True,
    "oom_score_adj": 1,
    "pid": "host",
    "pids_limit": 1,
    "platform": "linux/arm64",
    "ports": ["80:80"],
    "post_start": [{"command": ["x"]}],
    "pre_start": [{"command": ["x"]}],
    "pre_stop": [{"command": ["x"]}],
    "privileged": True,
    "profiles": ["p"],
    "provider": {"type": "x"},
    "pull_policy": "always",
    "pull_refresh_after": "1h",
    "read_only": True,
    "restart": "always",
    "runtime": "kata",
    "scale": 2,
    "secrets": ["s"],
    "security_opt": ["no-new-privileges:true"],
    "shm_size": "64m",
    "stdin_open": True,
    "stop_grace_period": "5s",
    "stop_signal": "SIGINT",
    "storage_opt": {"size": "1G"},
    "sysctls": {"kernel.shm_rmid_forced": 1},
    "tmpfs": "/t",
    "tty": True,
    "ulimits": {"nproc": 1},
    "use_api_socket": True,
    "user": "1",
    "userns_mode": "auto",
    "uts": "host",
    "volumes": ["vol:/v1"],
    "volumes_from": ["other"],
    "working_dir": "/w",
    "cpus": 2,
}
_BESIDE: Raw = {
    "volumes": {"vol": None},
    "configs": {"c": {"content": "x"}},
    "secrets": {"s": {"external": True}},
}


def _file(keys: Raw) -> Raw:
    other = {"image": "example/other", "volumes": ["vol:/v"], "configs": ["c"], "secrets": ["s"], "tty": True}
    return {"services": {"app": {"image": "example/app", **keys}, "other": other}, **deepcopy(_BESIDE)}


def test_each_key_of_a_service_has_a_sample() -> None:
    keys = {path.split(".")[2] for path in KEYS if path.startswith("services.*.") and path.count(".") == 2}
    assert {key for key in keys if "[" not in key} - {"image"} == _SAMPLES.keys()


@pytest.mark.parametrize("key", sorted(_SAMPLES))
def test_a_key_changes_something_or_is_named(key: str) -> None:
    beside = {"cpu_period": {"cpu_quota": 50000}}.get(key, {})
    before = compose.convert(_file(beside))
    after = compose.convert(_file({**beside, key: _SAMPLES[key]}))
    paths = {path for path in named(after) if path.startswith((f"services.app.{key}", "services.app"))}
    entry = KEYS[f"services.*.{key}"]
    changed = before.objects != after.objects
    if entry.fate in {Fate.LEFT, Fate.MEANINGLESS}:
        assert (changed and key != "depends_on", bool(paths)) == (False, True)
        kinds = {one.kind for one in after.left if one.path.startswith(f"services.app.{key}")}
        assert kinds == {kind_of(entry.fate)}
    else:
        assert changed or any(path not in named(before) for path in paths)


#: Keys that end the conversion of a service, or repeat what another service says.
_ALONE = {"extends", "isolation", "profiles", "provider"}


@pytest.mark.slow
@settings(max_examples=200, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.sets(st.sampled_from(sorted(_SAMPLES.keys() - _ALONE)), max_size=12))
def test_no_key_vanishes_beside_others(keys: set[str]) -> None:
    given = {key: _SAMPLES[key] for key in sorted(keys)}
    try:
        before = compose.convert(_file(given))
    except CannotConvert:
        return  # Docker takes no two of these, either: a build without image, a network_mode and networks
    for key in given:
        try:
            after = compose.convert(_file({name: value for name, value in given.items() if name != key}))
        except CannotConvert:
            continue
        assert after != before, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is no Compose file: write a mapping with services"),
        ("[]", "it is no Compose file"),
        ("services: {}", "services: there are none"),
        ("services: [a]", "services must be a mapping, and is a list"),
        ("services: {a: }", "services.a: there is no such service, or it is no mapping"),
        ("services: {a: {}}", "services.a has neither image nor build: add image"),
        ("services: {a: {build: .}}", "services.a.build: a Workload runs an image of a registry"),
        ("service: {a: {image: x}}", "services: there are none"),
        (
            "services: {a: {image: x}}\nvolume: {}",
            "volume is no key of the Compose Specification: remove it, or did you mean volumes?",
        ),
        (
            "services: {a: {image: x, prots: []}}",
            "services.a.prots is no key of the Compose Specification: remove it, or did you mean ports?",
        ),
        (
            "services: {a: {image: x, deploy: {resources: {limit: {}}}}}",
            "services.a.deploy.resources.limit is no key",
        ),
        (
            "services: {a: {image: x, ports: [{target: 1, publish: 2}]}}",
            "services.a.ports[0].publish is no key",
        ),
        (
            "include: [b.yaml]\nservices: {a: {image: x}}",
            "include: other files aren't merged: run docker compose config",
        ),
        (
            "services: {a: {image: '${X:?say which}'}}",
            "services.a.image: the variable X has to be set (say which): give it by --variable X=VALUE",
        ),
        ("services: {a: {image: '${X'}}", "services.a.image: a variable's '}' is missing"),
        ("services: {a: {image: '${X/a/b}'}}", "services.a.image: ${X/a/b} is no variable"),
        ("services: {a: {image: '${1}'}}", "services.a.image: ${1} is no variable"),
        ("services: {a: {image: x, depends_on: [b]}}", "services.a.depends_on[0]: there is no service 'b'"),
        (
            "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
            "services: a, b depend on each other",
        ),
        (
            "services: {a: {image: x, depends_on: {a: {condition: x}}}}",
            "services.a.depends_on.a.condition: 'x' is none",
        ),
        ("services: {a: {image: x, networks: [n]}}", "services.a.networks[0]: 'n' isn't among networks"),
        (
            "services: {a: {image: x, network_mode: host, networks: [default]}}",
            "services.a.networks: there is a network_mode",
        ),
        (
            "services: {a: {image: x, volumes: ['vol:/v']}}",
            "services.a.volumes[0]: 'vol' isn't among volumes",
        ),
        ("services: {a: {image: x, secrets: [s]}}", "services.a.secrets[0]: 's' isn't among secrets"),
        ("services: {a: {image: x, configs: [{target: s}]}}", "services.a.configs[0] has no source"),
        ("services: {a: {extends: a}}", "services.a.extends: it extends itself in the end"),
        (
            "services: {a: {extends: {file: ../b.yaml, service: x}}}",
            "../b.yaml is outside of the Compose file's folder",
        ),
        (
            "services: {a: {extends: {file: b.yaml, service: x}}}",
            "services.a.extends.file: b.yaml can't be read",
        ),
        ("services: {a: {extends: {service: b}}}", "services.b: there is no such service"),
        (
            "services: {a: {image: x, privileged: maybe}}",
            "services.a.privileged must be true or false, and is 'maybe'",
        ),
        (
            "services: {a: {image: x, command: 'a \"b'}}",
            "services.a.command: it can't be taken apart into words",
        ),
        ("services: {a: {image: x, mem_limit: many}}", "services.a.mem_limit: 'many' is no amount of bytes"),
        (
            "services: {a: {image: x, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}}}",
            "services.a.mem_limit differs from services.a.deploy.resources.limits.memory",
        ),
        (
            "services: {a: {image: x, profiles: [p]}}",
            "services: none of them is asked for: name their profiles",
        ),
        (
            "services: {a: {image: x, healthcheck: {test: [curl, x]}}}",
            "services.a.healthcheck.test: a list begins with NONE",
        ),
        ("services: {a: {image: x, image: y}}", "image is there twice"),
        ("services: {a: {image: x, ports: !reset []}}", "the tag '!reset' is for several files, or unknown"),
        ("services: !!python/object/apply:os.system [x]", "this is not valid YAML for Compose"),
        ("a: [", "this is not valid YAML for Compose"),
    ],
)
def test_what_compose_would_not_take_is_an_error(text: str, message: str) -> None:
    with pytest.raises(CannotConvert) as error:
        convert(text)
    assert message in str(error.value)


def _levels(ten: str) -> str:
    lines = ["l0: &l0 {k0: x}", *(f"l{n}: &l{n} {ten.format(below=f'*l{n - 1}', n=n)}" for n in range(1, 9))]
    return "\n".join(f"x-{line}" for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_levels("[" + ", ".join(["{below}"] * 10) + "]"), "it has more than 50,000 values"),
        (_levels("{{<<: [" + ", ".join(["{below}"] * 10) + "], k{n}: x}}"), "it merges too many keys"),
        ("x-l: &last [*last]", "it nests more than 100 levels deep"),
        ("x-l: &last {<<: *last}", "it nests too deep to be read"),
        ("x-l: " + "[" * 150 + "]" * 150, "it nests more than 100 levels deep"),
        ("x-l: " + "[" * 5000, "it nests too deep to be read"),
        ("x-l: " + "x" * 2_000_000, "it has more than 2,000,000 characters"),
        ("services: {a: {image: '" + "${A:-" * 30 + "x" + "}" * 30 + "'}}", "is no variable"),
        (
            "services:\n"
            + "".join(f" s{n}: {{extends: s{n + 1}}}\n" for n in range(40))
            + " s40: {image: x}",
            "it extends itself in the end",
        ),
        ("services:\n" + "".join(f" s{n}: {{image: x}}\n" for n in range(501)), "there are more than 500"),
        (
            "x-a: &a " + "x" * 100_000 + "\nx-b: [" + "*a, " * 60 + "]",
            "stands for more than 5,000,000 characters",
        ),
        (
            "services:\n b: {image: x, environment: {"
            + ", ".join(f"A{n}: 1" for n in range(1000))
            + "}}\n"
            + "".join(f" s{n}: {{extends: b}}\n" for n in range(100)),
            "with what they extend, services have more than 50,000 values",
        ),
        (
            "services: {a: {image: x, environment: {" + ", ".join(f"A{n}: 1" for n in range(1025)) + "}}}",
            (
                "services.a: spec.template.spec.containers[0].env would have more than 1,024 elements: have "
                "fewer"
            ),
        ),
        (
            "services: {a: {image: x, tmpfs: [" + ", ".join(f"/{n}" for n in range(257)) + "]}}",
            "services.a.tmpfs[256]: a Workload has at most 256 volumes: mount fewer",
        ),
        (
            "services: {a: {image: x, command: [" + "x" * 131_073 + "]}}",
            "would have more than 131,072 characters",
        ),
        (
            "services: {a: {image: x, configs: [c]}}\nconfigs: {c: {content: " + "x" * 1_000_001 + "}}",
            "larger than a ConfigMap",
        ),
    ],
)
def test_hostile_files_are_an_error(text: str, message: str) -> None:
    with pytest.raises(CannotConvert) as error:
        convert(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({".env": "A=" + "x" * 1_000_001}, ".env: it has more than 1,000,000 characters"),
        (
            {
                ".env": "A0=xxxxxxxxxx\n"
                + "".join(f"A{n}=$A{n - 1}$A{n - 1}$A{n - 1}\n" for n in range(1, 40))
            },
            "with its variables the file is longer than 5,000,000 characters",
        ),
        ({"big": "A=" + "x" * 900_000}, "all files together have more than 5,000,000 characters"),
        ({".env": "".join(f"A{n}=1\n" for n in range(10_001))}, "line 10001 is no variable"),
        ({".env": 'A="x'}, ".env: line 1 has a quote that doesn't close"),
    ],
)
def test_hostile_files_beside_it_are_an_error(files: dict[str, str], message: str) -> None:
    text = "services: {a: {image: x, env_file: [" + ", ".join(["big"] * 20) + "]}}"
    with pytest.raises(CannotConvert) as error:
        convert(text, read=files.get)
    assert message in str(error.value)


def test_no_file_outside_of_the_folder_is_asked_for() -> None:
    paths: list[str] = []

    def read(path: str) -> str:
        paths.append(path)
        return ""

    text = """
    services:
      a:
        image: x
        env_file: [/etc/passwd, ../up.env, a/../../up.env, ~/.env, ./in/../ok.env]
        label_file: [/etc/hosts, "C:/x"]
    """
    found = convert(text, read=read)
    assert paths == [".env", "ok.env", "C:/x"]
    assert [path for path, why in named(found).items() if "outside" in why] == [
        *(f"services.a.env_file[{number}]" for number in range(4)),
        "services.a.label_file[0]",
    ]


def test_a_secret_is_never_printed() -> None:
    text = """
    services: {a: {image: x, secrets: [s, f]}}
    secrets: {s: {environment: DB_PASSWORD}, f: {file: ./password}}
    """
    conversion = convert(text, read=lambda _: "DB_PASSWORD=hush")
    assert "hush" not in str(conversion)
    assert {obj["kind"] for obj in conversion.objects} == {"Workload"}
    assert named(conversion)["secrets.s"].endswith(
        'kubectl create secret generic s --from-literal=s="${DB_PASSWORD:?}"'
    )
    assert named(conversion)["secrets.f"].endswith("kubectl create secret generic f --from-file=f=./password")


def test_a_command_that_is_advised_is_safe_to_paste() -> None:
    text = """
    services: {a: {image: x, secrets: [s, t]}}
    secrets: {s: {file: "x; rm -rf ~"}, t: {environment: "A$(rm -rf ~)"}}
    """
    found = named(convert(text))
    assert found["secrets.s"].endswith("--from-file=s='x; rm -rf ~'")
    assert found["secrets.t"].endswith('--from-literal=t="${VARIABLE:?}"')


_OF_VARIABLES = """
services: {a: {image: x, secrets: [s, many], configs: [c]}}
secrets: {s: {environment: ZPW}, many: {environment: LINES}}
configs: {c: {environment: NOT_SET}}
"""


def test_a_secret_of_a_variable_of_dotenv_is_made_of_its_value_there() -> None:
    """The shell has no variables of .env, and `"$ZPW"` would make an empty Secret."""
    files = {".env": 'ZPW=a b\'$c\nLINES="1\n2"\n'}
    found = named(compose.convert(_OF_VARIABLES, read=files.get))
    assert found["secrets.s"] == (
        "the Secret isn't made: ZPW is in .env, which your shell doesn't read; in the Compose file's folder, "
        "run ZPW=\"$(docker compose config --environment | sed -n 's/^ZPW=//p')\", and then "
        'kubectl create secret generic s --from-literal=s="${ZPW:?}"'
    )
    assert found["secrets.many"] == (
        "the Secret isn't made: LINES has several lines in .env, so write its value to a file, and run "
        "kubectl create secret generic many --from-file=many=FILE"
    )


def test_no_command_makes_an_empty_object_of_a_variable_that_is_not_set(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', "utf-8")
    kubectl.chmod(0o755)
    found = named(compose.convert(_OF_VARIABLES))
    for path, variable in (("secrets.s", "ZPW"), ("configs.c", "NOT_SET")):
        _, _, command = found[path].partition("run ")
        for value, code in ((None, 1), ("", 1), ("a 'b' $c", 0)):
            environment = {"PATH": f"{tmp_path}:/bin:/usr/bin"} | ({} if value is None else {variable: value})
            done = subprocess.run(
                ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False
            )
            assert bool(done.returncode) == bool(code), command
            assert done.stdout.endswith(f"={value}\n") is not bool(code)


def test_what_a_check_loses_and_what_it_does_not() -> None:
    text = """
    services:
      starts: {image: x, healthcheck: {test: "true", start_period: 1m}}
      checked: {image: x, healthcheck: {test: "true", disable: false}}
      kept: {image: x, healthcheck: {disable: false}}
      off: {image: x, healthcheck: {test: [NONE], interval: 1m}}
    """
    kinds = {one.path: one.kind for one in convert(text).left}
    assert kinds == {
        "services.starts.healthcheck.start_period": LeftKind.MEANINGLESS,
        "services.checked.healthcheck.disable": LeftKind.MEANINGLESS,
        "services.kept.healthcheck.disable": LeftKind.LOST,
        "services.off.healthcheck.test": LeftKind.MEANINGLESS,
        "services.off.healthcheck.interval": LeftKind.MEANINGLESS,
    }


def test_a_dependency_on_the_check_of_an_image_is_not_promised() -> None:
    text = """
    services:
      es_one: {image: x}
      checked: {image: x, healthcheck: {test: "true"}}
      app:
        image: x
        depends_on: {es_one: {condition: service_healthy}, checked: {condition: service_healthy}}
    """
    found = named(convert(text))
    assert found["services.app.depends_on.es_one"].startswith(
        "Kubernetes doesn't wait, and doesn't see the check that the image of es_one has: write it to "
        "services.es_one.healthcheck.test, and convert again; app has to bear that es-one doesn't answer yet;"
    )
    assert "image of" not in found["services.app.depends_on.checked"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (
            "node.hostname!=x",
            "require in affinity.nodeAffinity that kubernetes.io/hostname is NotIn [x]",
        ),
        ("node.labels.disk != hdd", "require in affinity.nodeAffinity that disk is NotIn [hdd]"),
        ("node.role != manager", "nodes have no such label: label them, and set nodeSelector or affinity"),
    ],
)
def test_a_constraint_is_named_by_what_it_lacks(constraint: str, expected: str) -> None:
    placement = {"placement": {"constraints": [constraint]}}
    found = named(compose.convert({"services": {"a": {"image": "x", "deploy": placement}}}))
    assert found["services.a.deploy.placement.constraints[0]"].endswith(expected)


_ASKED_IN_A_CONFIG = """
services:
  app: {image: x, container_name: app-server}
  proxy: {image: x, configs: [PROXY]}
  other: {image: x, configs: [OTHER]}
configs:
  nginx: {content: "proxy_pass http://app-server:8000;"}
  plain: {content: "nothing"}
"""


@pytest.mark.parametrize(
    ("proxy", "other", "is_named"), [("nginx", "plain", False), ("plain", "plain", True)]
)
def test_a_container_name_that_a_config_asks_for_is_a_service(
    proxy: str,
    other: str,
    is_named: bool,  # noqa: FBT001
) -> None:
    conversion = convert(_ASKED_IN_A_CONFIG.replace("PROXY", proxy).replace("OTHER", other))
    services = {obj["metadata"]["name"] for obj in conversion.objects if obj["kind"] == "Service"}
    assert ("app-server" in services, "services.app.container_name" in named(conversion)) == (
        not is_named,
        is_named,
    )


def test_a_config_that_all_services_have_is_searched_at_once() -> None:
    service = {"image": "x", "configs": ["hosts"]}
    services = {f"app{n}": {**service, "container_name": f"box-{n}"} for n in range(200)}
    content = f"{'= ' * 10_000} box-1"
    before = time.process_time()
    found = compose.convert({"services": services, "configs": {"hosts": {"content": content}}})
    assert time.process_time() - before < 8
    assert [obj["metadata"]["name"] for obj in found.objects if obj["kind"] == "Service"].count("box-1") == 1


def test_a_container_name_that_a_step_before_asks_for_is_a_service() -> None:
    text = """
    services:
      app: {image: x, container_name: app-server}
      job: {image: x, pre_start: [{command: [wait-for, "app-server:8000"]}]}
    """
    services = {obj["metadata"]["name"] for obj in convert(text).objects if obj["kind"] == "Service"}
    assert "app-server" in services


@pytest.mark.parametrize(
    "published", ["0:80", {"target": 80, "published": "0"}, {"target": 80, "published": 0}]
)
def test_a_port_of_0_is_one_that_docker_chooses(published: Any) -> None:
    def ports(port: Any) -> Conversion:
        return compose.convert({"services": {"a": {"image": "x", "ports": [port]}}})

    assert ports(published) == ports("80")


def test_no_command_of_docker_is_expanded_by_the_kubelet() -> None:
    """The kubelet expands $(NAME) in a container's command and in its probes, and makes $$ a $. It doesn't so
    in lifecycle.
    """
    written = "echo $$(HOSTNAME) $$$$"
    text = f"""
    services:
      a:
        image: x
        environment: {{HOSTNAME: box}}
        command: [sh, -c, "{written}"]
        healthcheck: {{test: "{written}"}}
        post_start: [{{command: [sh, -c, "{written}"]}}]
        pre_start: [{{command: [sh, -c, "{written}"]}}]
    """
    (workload,) = convert(text).objects
    pod = workload["spec"]["template"]["spec"]
    (container,), (before,) = pod["containers"], pod["initContainers"]
    doubled = "echo $$(HOSTNAME) $$$$"
    assert container["args"][-1] == before["args"][-1] == doubled
    assert container["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", doubled]
    assert container["lifecycle"]["postStart"]["exec"]["command"][-1] == "echo $(HOSTNAME) $$"


def test_profiles_are_asked_for_by_argument_or_variable() -> None:
    text = "services: {a: {image: x}, b: {image: x, profiles: [p]}, c: {image: x, profiles: [q]}}"

    def workloads(**more: Any) -> list[str]:
        found = compose.convert(text, **more)
        return [obj["metadata"]["name"] for obj in found.objects if obj["kind"] == "Workload"]

    assert workloads() == ["a"]
    assert workloads(profiles=["p"]) == ["a", "b"]
    assert workloads(environment={"COMPOSE_PROFILES": "q,p"}) == ["a", "b", "c"]
    assert workloads(profiles=["*"]) == ["a", "b", "c"]


def test_a_mapping_that_was_read_already_is_taken_as_well() -> None:
    text = INPUTS[0].read_text("utf-8")
    assert compose.convert(yaml.safe_load(text)) == compose.convert(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("0440", 288),
        ("0o440", 288),
        ("0x10", 16),
        ("1_000", 1000),
        ("089", "089"),
        ("22:22", "22:22"),
        ("1.50", 1.5),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("''", ""),
        ("'1'", "1"),
        ("-1", -1),
        ("=", "="),
    ],
)
def test_scalars_are_read_as_compose_reads_them(text: str, value: object) -> None:
    found = yamltext.load(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=VAL", "VAL"),
        ('A="VAL"', "VAL"),
        ("A='VAL'", "VAL"),
        ("A=VAL # comment", "VAL"),
        ("A=VAL# not a comment", "VAL# not a comment"),
        ('A="VAL # not a comment"', "VAL # not a comment"),
        ('A="VAL" # comment', "VAL"),
        ("A='$OTHER'", "$OTHER"),
        ("A='${OTHER}'", "${OTHER}"),
        ("A=${OTHER}-$OTHER", "o-o"),
        ("A='Let\\'s go!'", "Let's go!"),
        ('A="{\\"hello\\": \\"json\\"}"', '{"hello": "json"}'),
        ('A="some\\tvalue"', "some\tvalue"),
        ("A='some\\tvalue'", "some\\tvalue"),
        ("A=some\\tvalue", "some\\tvalue"),
        ("A=", ""),
        ("A", None),
        ("export A=1", "1"),
        ("A: yaml", "yaml"),
    ],
)
def test_variables_of_files_are_read_as_the_specification_says(line: str, value: str | None) -> None:
    assert variables(f"# first\n\n{line}\nB=2\n", "x", {"OTHER": "o"}).values == {
        "A": value,
        "B": "2",
    }


def test_a_variable_that_is_not_set_in_a_file_is_named_with_its_line() -> None:
    files = {
        ".env": "# ours\nDBPW=pa$$w0rd$x1\nLATER=$DBPW\nKEPT='a$b'\n",
        "app.env": "TZ=UTC\nPASSWORD=abc$def9x\nQUOTED='abc$def9x'\nWITH=${NONE:-$TZ}\n",
        "raw.env": "RAW=abc$def9x\n",
    }
    text = """
    services:
      a: {image: x, env_file: [app.env, {path: raw.env, format: raw}], environment: {DBPW: "${DBPW}"}}
      off: {image: x, env_file: app.env, profiles: [off]}
    """
    conversion = compose.convert(text, read=files.get)
    unset = {path: why for path, why in named(conversion).items() if "isn't set" in why}
    assert list(unset) == [".env, line 2", "services.a.env_file[0] (app.env), line 2"]
    assert unset["services.a.env_file[0] (app.env), line 2"] == (
        "the variable def9x isn't set, and is taken for empty: give it by --variable def9x=VALUE, and "
        "convert again; if the $ is a part of the value, put the value into single quotes, in which it stays "
        "as it is"
    )
    assert conversion.loses
    (workload,) = (obj for obj in conversion.objects if obj["kind"] == "Workload")
    env = {one["name"]: one["value"] for one in workload["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (env["PASSWORD"], env["QUOTED"], env["RAW"]) == ("abc", "abc$def9x", "abc$def9x")


_ODD: list[Any] = [
    *(
        None,
        "",
        "x",
        "\0",
        "a:b:c:d",
        "$",
        "/",
        "-1",
        0,
        -1,
        1.5,
        1e300,
        True,
        [],
        [None],
        [[]],
        [{}],
        [0],
        ["", "="],
    ),
    *({}, {"a": None}, {"a": {}}, {"a": [1]}, {"": 1}, [{"a": None}], "é" * 300, "999999999999999999999999"),
    *({"target": 1}, [{"target": None}], [{"type": "volume", "target": "/x", "source": None}], {"x-a": 1}),
]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(KEYS))
def test_any_value_of_a_key_is_an_answer(path: str) -> None:
    """Whatever stands at a key: it is converted, or it is an error that names something."""
    for odd in _ODD:
        document: Raw = _file({})
        _put(document, path.replace("[]", ".[]").split("."), odd)
        try:
            found = compose.convert(document)
        except CannotConvert:
            continue
        for obj in found.objects:
            assert is_label(obj["metadata"]["name"]) or obj["kind"] in {"ConfigMap", "PersistentVolumeClaim"}


def _put(value: Any, path: list[str], odd: Any) -> None:
    """Put a value at a path, with what is needed above it."""
    key, *rest = path
    if key == "[]":
        value.append(
            deepcopy(odd)
            if not rest
            else {"target": "/x", "type": "volume", "source": "vol", "command": ["x"]}
        )
        if rest:
            _put(value[-1], rest, odd)
        return
    name = {"services": "app", "networks": "default"}.get(path[0], "vol") if key == "*" else key
    if not rest:
        value[name] = deepcopy(odd)
        return
    if not isinstance(value.get(name), list if rest[0] == "[]" else dict):
        value[name] = [] if rest[0] == "[]" else {}
    _put(value[name], rest, odd)
