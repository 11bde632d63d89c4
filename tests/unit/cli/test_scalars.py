"""YAML as kubectl reads it.

What is expected was asked of sigs.k8s.io/yaml 1.6.0 (YAMLToJSON), which is kubectl's.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from twinhull.cli import kubectlyaml, main, scalars

#: Scalars as people write them, and the JSON that they are to kubectl.
READ = {
    "22:22": '"22:22"',
    "1:30:00": '"1:30:00"',
    "=": '"="',
    "0o440": "288",
    "0O17": "15",
    "0440": "288",
    "-0440": "-288",
    "0x1F": "31",
    "+0x1f": "31",
    "0b101": "5",
    "-0b11": "-3",
    "08": "8",
    "0o8": '"0o8"',
    "0x": '"0x"',
    "0xfg": '"0xfg"',
    "1_000": "1000",
    "1_0.5": "10.5",
    "_1": '"_1"',
    "1e3": "1000",
    "1E3": "1000",
    "1e-3": "0.001",
    "1.": "1",
    "1.50": "1.5",
    ".5": "0.5",
    "+.5": "0.5",
    "1e999": '"1e999"',
    ".5e999": '".5e999"',
    "9223372036854775807": "9223372036854775807",
    "1.2.3": '"1.2.3"',
    "+": '"+"',
    "+1": "1",
    "-0": "0",
    "100m": '"100m"',
    "1Gi": '"1Gi"',
    "12e": '"12e"',
    "y": "true",
    "N": "false",
    "yes": "true",
    "YES": "true",
    "yEs": '"yEs"',
    "on": "true",
    "Off": "false",
    "True": "true",
    "~": "null",
    "": "null",
    "Null": "null",
    "nULL": '"nULL"',
    ".Inf.": '".Inf."',
    "2026-11-28": '"2026-11-28"',
    "2026-11-28T10:00:00Z": '"2026-11-28T10:00:00Z"',
    "2026-11-28 10:00:00": '"2026-11-28 10:00:00"',
    "<<": '"<<"',
    "'5'": '"5"',
    '"yes"': '"yes"',
    "!!str 5": '"5"',
    "!!int '5'": "5",
    "!!float 5": "5",
    "!!bool yes": "true",
}


def read(text: str) -> object:
    return yaml.load(text, kubectlyaml.Loader)  # noqa: S506  a SafeLoader


@pytest.mark.parametrize(("text", "meant"), READ.items())
def test_scalars_are_what_they_are_to_kubectl(text: str, meant: str) -> None:
    assert json.dumps(read(f"- {text}")) == f"[{meant}]"


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan"])
def test_what_json_has_no_number_for_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="is no number"):
        read(f"- {text}")


@pytest.mark.parametrize(
    ("text", "meant"),
    {"on: 1": "true", "1: 1": "1", "1.10: 1": "1.1", "0o17: 1": "15", "22:22: 1": "22:22"}.items(),
)
def test_keys_are_strings(text: str, meant: str) -> None:
    assert read(text) == {meant: 1}


def test_a_key_that_is_null_is_refused() -> None:
    with pytest.raises(yaml.YAMLError, match="use a string"):
        read("~: 1")


@pytest.mark.slow
@given(st.one_of(st.sampled_from(list(READ)), st.text(alphabet="yYnNoOfF01.89exXb_+-:=~<", max_size=6)))
def test_what_is_written_is_read_as_it_was_meant(text: str) -> None:
    assert read(yaml.dump([text], Dumper=scalars.Dumper)) == [text]


def test_render_takes_an_image_of_which_a_port_looks_like_a_time(tmp_path: Path) -> None:
    """`=` had a traceback, `22:22` was 1342, and `0o440` was no number."""
    file = tmp_path / "workload.yaml"
    file.write_text(
        """
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec:
  isolationPolicy: Container
  template:
    spec:
      containers:
      - name: web
        image: nginx
        args: [-p, 22:22, =]
        env: [{name: SAY, value: "y"}]
      volumes:
      - name: data
        secret: {secretName: data, defaultMode: 0o440}
"""
    )
    ended = CliRunner().invoke(main, ["render", "-f", str(file)])
    assert ended.exit_code == 0, ended.output
    spec = read(ended.stdout)["spec"]  # type: ignore[index]
    assert spec["containers"][0]["args"] == ["-p", "22:22", "="]
    assert spec["containers"][0]["env"] == [{"name": "SAY", "value": "y"}]
    assert spec["volumes"][0]["secret"]["defaultMode"] == 288
