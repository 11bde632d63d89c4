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


IMMICH = """
services:
  postgres:
    image: ghcr.io/immich-app/postgres:14
    command: [postgres, -c, shared_preload_libraries=vchord]
    env_file: .env
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD}
      POSTGRES_USER: ${DB_USERNAME}
      URL: jdbc:postgresql://database/postgres
    volumes: ["${DB_DATA_LOCATION}:/var/lib/postgresql", "postgres:/more"]
    healthcheck: {test: pg_isready -U postgres}
volumes: {postgres: {}}
"""


def test_a_word_that_is_a_password_is_not_looked_for_in_names_images_and_paths() -> None:
    """Immich's own .env, as it comes."""
    dotenv = "DB_DATA_LOCATION=./postgres\nDB_PASSWORD=postgres\nDB_USERNAME=postgres\n"
    named = readable(compose.convert(IMMICH, read={".env": dotenv}.get))
    assert list(named) == [
        "Workload postgres: env DB_PASSWORD",
        "Workload postgres: env POSTGRES_PASSWORD",
        "DB_DATA_LOCATION, DB_USERNAME",
    ]
    alone = readable(compose.convert(IMMICH, read={".env": dotenv.replace("DB_USERNAME=postgres", "")}.get))
    assert list(alone) == [
        "Workload postgres: env DB_PASSWORD",
        "Workload postgres: env POSTGRES_PASSWORD",
        "DB_DATA_LOCATION",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("changeme", True),
        ("redis://:changeme@cache", True),
        ("mysql --password=changeme", True),
        ("mysql --password changeme ping", True),
        ('{"password": "changeme"}', True),
        ("/data/changeme", False),
        ("changeme-please", False),
        ("https://example.com/changeme", False),
        ("--password=changeme2", False),
    ],
)
def test_a_word_is_found_where_it_is_a_password(text: str, expected: bool) -> None:  # noqa: FBT001
    document = {"services": {"a": {"image": "changeme", "command": ["run", text]}}}
    named = readable(compose.convert(document, read={".env": "PW=changeme"}.get))
    assert list(named) == (["Workload a: spec.template.spec.containers[0].args[1]"] if expected else [])


def test_a_word_that_another_variable_has_too_is_found_behind_a_word_for_passwords_alone() -> None:
    words = [
        *("run", "postgres", "x postgres y", "--password", "postgres", "--pw=postgres", "--user", "postgres"),
        "postgres://postgres:postgres@db",
    ]
    health = {"test": "psql --password=postgres"}
    document = {
        "services": {
            "a": {
                "image": "x",
                "command": words,
                "healthcheck": health,
                "environment": {"DSN": "user=postgres password=postgres", "NAME": "postgres"},
            }
        }
    }
    named = readable(compose.convert(document, read={".env": "DB_USER=postgres\nDB_PASSWORD=postgres"}.get))
    container = "Workload a: spec.template.spec.containers[0]"
    assert list(named) == [
        *(f"{container}.args[{index}]" for index in (4, 5, 8)),
        "Workload a: env DSN",
        f"{container}.readinessProbe.exec.command[2]",
    ]


def test_what_to_do_about_a_secret_in_a_probe_is_what_the_kubelet_can_do() -> None:
    """It fills no variable of a Secret into a probe's command, and none at all into lifecycle."""
    text = """
    services:
      a:
        image: x
        command: [serve, "${PW}"]
        healthcheck: {test: [CMD, ping, "-p${PW}"]}
        post_start: [{command: [tell, "${PW}"]}]
        labels: {key: "${PW}"}
    """
    named = readable(compose.convert(text, read={".env": "PW=hunter2"}.get))
    container = "Workload a: spec.template.spec.containers[0]"
    assert named[f"{container}.args[1]"].endswith("and write $(PW) here")
    for path in ("readinessProbe", "lifecycle.postStart"):
        assert "$(PW)" not in named[f"{container}.{path}.exec.command[1]"]
        assert '"$PW"' in named[f"{container}.{path}.exec.command[1]"]
    assert named["Workload a: spec.template.metadata.labels.key"].endswith("read it from there instead")


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
