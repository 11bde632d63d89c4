"""Secrets that can be read in what is printed: Docker's variables become values in the Workload."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from twinhull.api import commands
from twinhull.api.group import Raw
from twinhull.convert.conversion import Left, LeftKind

#: Names of variables that have secrets as a rule. KEY is a word of its own, so that KEYCLOAK_URL has none.
_SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|APIKEY|(?:^|[^A-Z])(?:PASS|PWD|PW|KEYS?)(?:[^A-Z]|$)",
    re.IGNORECASE,
)
#: Such variables have the path of a file with the secret.
_OF_FILE = re.compile(r"_(?:FILE|PATH|DIR)$", re.IGNORECASE)
#: A URL with a password in it.
_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
#: Values that are no secrets, whatever the variable's name: MYSQL_RANDOM_ROOT_PASSWORD=yes.
_PLAIN = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "none", "null"})
#: The fewest characters of a value that is looked for in other values. Shorter ones are in many by chance.
_SHORTEST = 4


def readable(
    objects: Iterable[Raw], variables: Mapping[str, str], filled: Collection[str] = (), *, namespace: str
) -> Iterator[Left]:
    """Name what looks like a secret in the objects: by the names of variables, by passwords in URLs, and by
    the values of variables that the input refers to.

    `variables` are those that a person gives (`--variable`, `.env`), and `filled` the names of those that are
    in the input's own variables. No value is in what this gives. `namespace` is the one that the commands are
    for, empty if it isn't known.
    """
    secrets = {
        name: value for name, value in variables.items() if is_secret(name, value) and len(value) >= _SHORTEST
    }
    used = set(filled)
    for obj in objects:
        title = f"{obj['kind']} {obj['metadata']['name']}"
        for path, variable, text in _texts(obj, "", ""):
            within = [name for name, value in secrets.items() if value in text.replace("$$", "$")]
            if variable and (within or is_secret(variable, text)):
                yield Left(
                    f"{title}: env {variable}",
                    _variable(obj["metadata"]["name"], namespace),
                    LeftKind.READABLE,
                )
            elif within:
                yield Left(f"{title}: {path}", _elsewhere(obj["kind"], within[0]), LeftKind.READABLE)
            elif variable and variables.get(variable) == text:
                used.add(variable)
    if others := sorted(name for name in used if variables.get(name) and not is_secret(name, "secret")):
        yield Left(
            ", ".join(others),
            "the value is from .env or --variable: if it is secret, put it into a Secret, too",
            LeftKind.READABLE,
        )


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks as if it had a secret."""
    if _URL.search(value):
        return True
    return bool(_SECRET.search(name)) and not _OF_FILE.search(name) and value.lower() not in _PLAIN


def _variable(workload: str, namespace: str) -> str:
    words = ("kubectl", "create", "secret", "generic", workload, "--from-env-file=FILE")
    create = commands.others(namespace, *words)
    return (
        "whoever may read the Workload, or this output, can read the value: put it into a Secret "
        f"({create}), and give it by valueFrom.secretKeyRef in place of value, or all keys of the Secret by "
        "envFrom"
    )


def _elsewhere(kind: str, name: str) -> str:
    begin = f"it has the value of {name[:60]}, which whoever may read the {kind} can read: "
    if kind == "Workload":
        return (
            f"{begin}put it into a Secret, give it to the container by env with valueFrom.secretKeyRef, and "
            f"write $({name[:60]}) here if it is a command or its args"
        )
    return f"{begin}make a Secret of the whole, and mount that"


def _texts(value: Any, path: str, variable: str) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  JSON
    """All texts below a value: each with its path, and the variable whose value it is, empty if of none."""
    match value:
        case str():
            yield path, variable, value
        case {"name": str(name), "value": str(text)} if ".env[" in path:
            yield f"{path}.value", name, text
        case dict():
            for key, below in value.items():
                yield from _texts(below, f"{path}.{key}" if path else str(key), "")
        case list():
            for index, element in enumerate(value):
                yield from _texts(element, f"{path}[{index}]", "")
