"""`twinhull config`: what is in force, and who said so; and what the file may not say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tools.manifests import VARIANTS
from twinhull.cli import main
from twinhull.cli.config import config
from twinhull.cli.options import OperatorOptions
from twinhull.cli.run import run

DEPLOY = Path(__file__).parents[3] / "deploy"


def invoke(*options: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["config", *options])


def shown(*options: str, **environment: str) -> dict[str, tuple[str, str]]:
    """Each setting's value, and who said so."""
    result = invoke(*options, **environment)
    assert result.exit_code == 0, result.output
    header, *lines = result.output.splitlines()
    assert header.split() == ["SETTING", "VALUE", "FROM"]
    rows = [[cell for cell in line.split("  ") if cell] for line in lines]
    return {name.strip(): (value.strip(), source.strip()) for name, value, source in rows}


def file(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", [run, config])
def test_every_option_has_its_field(command: object) -> None:
    options = {option.name for option in getattr(command, "params")}  # noqa: B009
    assert options - {"config", "output"} == OperatorOptions.__dataclass_fields__.keys()


def test_without_anything_all_are_defaults() -> None:
    found = shown()
    assert {source for _, source in found.values()} == {"default"}
    assert found["workers"][0] == "16"
    assert found["guestImage"][0] == "-"


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, "{workers: 3, leaseName: mine, logFormat: json, namespaces: [a, b], verbose: true}")
    found = shown("--config", path, "--lease-name", "flag", TWINHULL_LEASE_NAME="env", TWINHULL_WORKERS="5")
    assert found["leaseName"] == ("flag", "--lease-name")
    assert found["workers"] == ("5", "TWINHULL_WORKERS")
    assert found["logFormat"] == ("json", "the file")
    assert found["namespaces"] == ("a, b", "the file")
    assert found["verbose"] == ("true", "the file")


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    assert shown(TWINHULL_CONFIG=file(tmp_path, "workers: 3"))["workers"] == ("3", "the file")


def test_a_value_that_is_left_empty_is_not_said(tmp_path: Path) -> None:
    assert shown("--config", file(tmp_path, "guestImage:\nworkers:"))["workers"] == ("16", "default")
    assert shown("--config", file(tmp_path, ""))["workers"] == ("16", "default")


def test_what_it_prints_as_yaml_is_a_file_that_says_the_same(tmp_path: Path) -> None:
    path = file(tmp_path, "{namespaces: [a], metricsAddress: ':8080', firstReport: 2.5, guestImage: g:1}")
    first = invoke("--config", path, "--output", "yaml").output
    assert yaml.safe_load(first)["metricsAddress"] == "0.0.0.0:8080"
    assert invoke("--config", file(tmp_path, first), "--output", "yaml").output == first


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wokers: 1", "wokers is not a setting: did you mean workers?"),
        ("output: yaml", "output is not a setting: the settings are defaultIsolation, firstReport"),
        ("config: again", "config is not a setting"),
        ("1: 2", "1 is not a setting"),
        ("workers: 0", "workers: 0 is not in the range 1<=x<=256"),
        ("workers: [1]", "workers must be a text or a number"),
        ("workers: true", "workers must be a text or a number"),
        ("namespaces: a", "namespaces must be a list"),
        ("namespaces: [a, {b: c}]", "namespaces[1] must be a text or a number"),
        ("namespaces: [true]", "namespaces[0] must be a text or a number"),
        ("verbose: 3", "verbose must be true or false"),
        ("guestImage: {a: b}", "guestImage must be a text or a number"),
        ("defaultIsolation: Pod", "defaultIsolation: 'Pod' is not one of 'Container'"),
        ("healthAddress: here", "healthAddress: 'here' is not HOST:PORT"),
        ("namespaces: ['']", "namespaces: '' is not a DNS label"),
        ("namespaces: [a, team/b]", "namespaces: 'team/b' is not a DNS label"),
        ("leaseNamespace: ''", "leaseNamespace: '' is not a DNS label"),
        ("leaseName: a..b", "leaseName: 'a..b' is not a DNS subdomain"),
        ("leaseSeconds: .nan", "leaseSeconds: nan is not a number of seconds"),
        ("firstReport: .nan", "firstReport: nan is not a number of seconds"),
        ("leaseSeconds: .inf", "leaseSeconds: inf is not in the range"),
        ("workers: 1\nworkers: 2", "isn't YAML: line 2, column 1: workers is given twice"),
        ("guestImage: {a: b, a: c}", "isn't YAML: line 1, column 20: a is given twice"),
        ("guestImage: 2026-13-01", "isn't YAML: month must be in 1..12"),
        ("- workers", "isn't a mapping"),
        ("{", "isn't YAML"),
        ("guestImagePullSecret: a", "--guest-image-pull-secret needs --guest-image"),
        ("{guestImage: g:1, guestImagePullSecret: A}", "guestImagePullSecret: 'A' is not a DNS subdomain"),
        ("leaderElect: true", "--leader-elect needs --lease-namespace"),
        ("guestKeyFile: /absent", "/absent: No such file or directory"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    result = invoke("--config", file(tmp_path, text))
    assert result.exit_code == 2
    assert expected in " ".join(result.output.split())


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff")
    result = invoke("--config", str(path))
    assert result.exit_code == 2
    assert "config.yaml: it isn't text in UTF-8: save it in UTF-8" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("option", "variable", "value", "expected"),
    [
        ("--namespace", "TWINHULL_NAMESPACES", "Team_A", "'Team_A' is not a DNS label"),
        ("--namespace", "TWINHULL_NAMESPACES", "a" * 64, f"'{'a' * 64}' is not a DNS label"),
        ("--lease-namespace", "TWINHULL_LEASE_NAMESPACE", "a.b", "'a.b' is not a DNS label"),
        ("--lease-name", "TWINHULL_LEASE_NAME", "a/b", "'a/b' is not a DNS subdomain"),
        ("--lease-seconds", "TWINHULL_LEASE_SECONDS", "nan", "nan is not a number of seconds"),
        ("--workers", "TWINHULL_WORKERS", "0", "0 is not in the range"),
    ],
)
def test_what_cannot_be_is_refused_with_who_said_it(
    option: str, variable: str, value: str, expected: str
) -> None:
    for result, by in (
        (invoke(option, value), f"'{option}'"),
        (invoke(**{variable: value}), f"'{option}' ({variable})"),
    ):
        assert result.exit_code == 2
        assert f"Invalid value for {by}: {expected}" in " ".join(result.output.split())


@pytest.mark.parametrize("option", ["--namespace", "--lease-namespace", "--lease-name"])
def test_an_empty_name_is_refused(option: str) -> None:
    result = invoke(option, "")
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': '' is not a DNS" in result.output


@pytest.mark.parametrize("value", ["", " "])
def test_a_variable_that_names_no_namespace_is_not_all_of_them(tmp_path: Path, value: str) -> None:
    result = invoke("--config", file(tmp_path, "namespaces: [a]"), TWINHULL_NAMESPACES=value)
    assert result.exit_code == 2
    assert "Invalid value for '--namespace': TWINHULL_NAMESPACES is empty" in result.output


def test_names_as_the_api_server_takes_them_are_taken() -> None:
    found = shown("--namespace", "1", "--namespace", "a-b", "--lease-name", "a.b-c.1")
    assert found["namespaces"][0] == "1, a-b"
    assert found["leaseName"][0] == "a.b-c.1"


def test_what_a_file_takes_over_from_its_own_anchors_may_be_said_again(tmp_path: Path) -> None:
    registries = tmp_path / "registries.yaml"
    registries.write_text("- &a {host: a}\n- {<<: *a, host: b}\n", encoding="utf-8")
    assert shown("--guest-registries", str(registries))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    result = invoke("--config", str(tmp_path / "absent.yaml"))
    assert result.exit_code == 2
    assert "absent.yaml: No such file or directory" in " ".join(result.output.split())


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_deployed_can_be_read(tmp_path: Path, variant: str) -> None:
    text = (DEPLOY / variant / "twinhull.yaml").read_text(encoding="utf-8")
    (found,) = [obj for obj in yaml.safe_load_all(text) if obj["kind"] == "Deployment"]
    options = yaml.safe_load(found["spec"]["template"]["metadata"]["annotations"]["twinhull.dev/config.yaml"])
    here = dict.fromkeys(("guestKeyFile", "guestRegistries"), None)
    path = file(tmp_path, yaml.safe_dump(options | here))
    settings = shown("--config", path, "--lease-namespace", "twinhull-system")
    assert settings["leaderElect"] == ("true", "the file")
    assert {name for name, (_, source) in settings.items() if source == "the file"} == {
        name for name in options if name not in here
    }
