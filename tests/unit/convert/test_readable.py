"""Secrets that a conversion prints are named, and never printed once more."""

from __future__ import annotations

import pytest

from twinhull.convert import compose, dockerrun
from twinhull.convert.conversion import Conversion, LeftKind
from twinhull.convert.docker.readable import is_secret


def readable(found: Conversion) -> dict[str, str]:
    """What is told of secrets, by its place."""
    assert not any("hunter2" in one.why + one.path for one in found.left)
    return {one.path: one.why for one in found.left if one.kind is LeftKind.READABLE}


def test_a_secret_of_docker_run_is_named_with_what_to_do() -> None:
    words = ["-e", "GF_SECURITY_ADMIN_PASSWORD=hunter2", "-e", "LEVEL=debug", "grafana/grafana"]
    found = dockerrun.convert(words)
    assert "hunter2" in str(found.objects)
    named = readable(found)
    assert list(named) == ["Workload grafana: env GF_SECURITY_ADMIN_PASSWORD"]
    (why,) = named.values()
    for word in ("kubectl create secret generic grafana", "valueFrom.secretKeyRef", "envFrom"):
        assert word in why


def test_secrets_of_files_and_of_options_are_named() -> None:
    found = dockerrun.convert(
        ["--env-file", "app.env", "-e", "TOKEN", "-e", "ZONE", "app"],
        environment={"TOKEN": "hunter2", "ZONE": "UTC", "UNUSED": "x"},
        read={"app.env": "DB_PASS=hunter2\n"}.get,
    )
    assert list(readable(found)) == ["Workload app: env DB_PASS", "Workload app: env TOKEN", "ZONE"]


COMPOSE = """
services:
  wiki:
    image: wiki
    command: [serve, --database, "postgres://wiki:${DB_PASSWORD}@db/wiki"]
    environment:
      DATABASE_URL: postgres://wiki:${DB_PASSWORD}@db/wiki
      GREETING: hello ${DB_PASSWORD}
      TZ: ${TZ}
      PASSWORD_FILE: /run/secrets/password
    configs: [site]
configs:
  site: {content: "password = ${DB_PASSWORD}"}
"""


def test_secrets_that_env_fills_in_are_named_wherever_they_are() -> None:
    files = {".env": "DB_PASSWORD=hunter2\nTZ=UTC\n"}
    named = readable(compose.convert(COMPOSE, read=files.get))
    assert list(named) == [
        "ConfigMap site: data.site",
        "Workload wiki: spec.template.spec.containers[0].args[2]",
        "Workload wiki: env DATABASE_URL",
        "Workload wiki: env GREETING",
        "TZ",
    ]
    assert "$(DB_PASSWORD)" in named["Workload wiki: spec.template.spec.containers[0].args[2]"]


def test_variables_of_a_file_that_is_extended_count_too() -> None:
    files = {
        "base.yaml": "services: {base: {image: a, environment: {ZONE: '${TZ}', NONE: '${NOT_SET}'}}}",
        ".env": "TZ=UTC",
    }
    text = "services: {web: {extends: {file: base.yaml, service: base}}}"
    found = compose.convert(text, read=files.get)
    assert list(readable(found)) == ["TZ"]
    assert "base.yaml.services.base.environment.NONE" in {one.path for one in found.left}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("POSTGRES_PASSWORD", "hunter2", True),
        ("spring.datasource.password", "hunter2", True),
        ("AWS_SECRET_ACCESS_KEY", "hunter2", True),
        ("API_KEYS", "hunter2", True),
        ("OPENAI_APIKEY", "hunter2", True),
        ("MYSQL_PASSWD", "hunter2", True),
        ("GITHUB_TOKEN", "hunter2", True),
        ("DB_PASS", "hunter2", True),
        ("DATABASE_URL", "redis://:hunter2@cache:6379", True),
        ("DATABASE_URL", "postgres://db:5432/wiki", False),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/password", False),
        ("MYSQL_RANDOM_ROOT_PASSWORD", "yes", False),
        ("KEYCLOAK_URL", "https://keycloak.example", False),
        ("KEYBOARD", "de", False),
        ("COMPASS", "north", False),
        ("GITHUB_TOKEN", "", False),
    ],
)
def test_what_looks_like_a_secret(name: str, value: str, expected: bool) -> None:  # noqa: FBT001
    assert is_secret(name, value) is expected
