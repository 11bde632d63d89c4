"""Finds secrets that can be read in the output: Docker's variables become values in the Workload."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from twinhull.api import commands
from twinhull.api.group import Raw
from twinhull.convert.conversion import Left, LeftKind

#: Names of variables that usually have secrets. KEY has to be a word of its own, so KEYCLOAK_URL isn't one.
_SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|APIKEY|(?:^|[^A-Z])(?:PASS|PWD|PW|KEYS?)(?:[^A-Z]|$)",
    re.IGNORECASE,
)
#: Names of such variables that have the path of a file with the secret.
_OF_FILE = re.compile(r"_(?:FILE|PATH|DIR)$", re.IGNORECASE)
#: A URL with a password in it.
_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
#: Values that aren't secrets, whatever the variable's name: MYSQL_RANDOM_ROOT_PASSWORD=yes.
_PLAIN = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "none", "null"})
#: Values that are words or numbers. Many texts have them by chance: DB_PASSWORD=postgres in an image.
_WORD = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*|[0-9]+")
#: The places where such a value may be one that a variable filled in. Names, images and paths have words of
#: their own, and the first word of a command is a program.
_FREE = re.compile(r"\.env\[|\.(?:command|args)\[(?!0\])|(?:^|\.)(?:annotations|labels|data)\.")
#: The text before a password within a text, and the text behind it.
_BEFORE_WORD = (
    r"(?:://[^/\s:@]*:|(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW|TOKEN|SECRET|CREDENTIALS?|KEY)[\"']?"
    r"(?:\s*[=:]\s*|\s+)[\"']?)"
)
_BEHIND_WORD = r"(?![\w.-])"
#: The place of a word in a command that isn't its first, and the end of a word after which a password comes.
_LATER_WORD = re.compile(r"\.(?:command|args)\[(?!0\])")
_ENDS_BEFORE_WORD = re.compile(f"{_BEFORE_WORD}$", re.IGNORECASE)
_MOST_BEFORE = 200
#: The fewest characters of a value that is looked for in other values. Many texts have shorter ones by
#: chance.
_SHORTEST = 4


def readable(
    objects: Iterable[Raw], variables: Mapping[str, str], filled: Collection[str] = (), *, namespace: str
) -> Iterator[Left]:
    """Name the values in the objects that look like secrets: by the names of variables, by passwords in URLs,
    and by the values of variables to which the input refers. A value that is a word is looked for only where
    it stands alone, or as a password.

    `variables` are those that a person gives (`--variable`, `.env`), and `filled` the names of those that are
    in the input's own variables. No value is in the result. `namespace` is for the commands in messages,
    empty if it isn't known.
    """
    secrets = {
        name: value for name, value in variables.items() if is_secret(name, value) and len(value) >= _SHORTEST
    }
    shared = {name for name, value in secrets.items() if _is_shared(value, variables)}
    used = set(filled)
    for obj in objects:
        title = f"{obj['kind']} {obj['metadata']['name']}"
        before = ""
        for path, variable, text in _texts(obj, "", ""):
            is_own = bool(variable) and variables.get(variable) == text
            within = [
                name
                for name, value in secrets.items()
                if _has(path, text, value, is_own=is_own)
                and not (name in shared and text == value and not _is_behind_word(path, before))
            ]
            before = text
            if variable and (within or is_secret(variable, text)):
                yield Left(
                    f"{title}: env {variable}",
                    _variable(obj["metadata"]["name"], namespace),
                    LeftKind.READABLE,
                )
            elif within:
                yield Left(f"{title}: {path}", _elsewhere(obj["kind"], path, within[0]), LeftKind.READABLE)
            elif is_own:
                used.add(variable)
    if others := sorted(name for name in used if variables.get(name) and not is_secret(name, "secret")):
        yield Left(
            ", ".join(others),
            "the value is from .env or --variable: if it is secret, put it into a Secret, too",
            LeftKind.READABLE,
        )


def is_secret(name: str, value: str) -> bool:
    """Whether a variable seems to have a secret."""
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


def _is_shared(value: str, variables: Mapping[str, str]) -> bool:
    """Whether a value is a word that a variable without a secret has as well. In a text that is this value
    alone, nobody can tell which of the two it is.
    """
    return bool(_WORD.fullmatch(value)) and any(
        other == value and not is_secret(name, other) for name, other in variables.items()
    )


def _has(path: str, text: str, value: str, *, is_own: bool) -> bool:
    """Whether a text has a secret's value in it. `is_own` says that the variable of the same name has this
    value.
    """
    if path.endswith(".image"):
        return False
    text = text.replace("$$", "$")
    if not _WORD.fullmatch(value):
        return value in text
    if is_own or value not in text or not _FREE.search(path):
        return False
    before_word = re.compile(f"{_BEFORE_WORD}{re.escape(value)}{_BEHIND_WORD}", re.IGNORECASE)
    return text == value or bool(before_word.search(text))


def _is_behind_word(path: str, before: str) -> bool:
    """Whether a word of a command comes after a word such as --password, which `before` is."""
    return bool(_LATER_WORD.search(path) and _ENDS_BEFORE_WORD.search(f"{before[-_MOST_BEFORE:]} "))


def _elsewhere(kind: str, path: str, name: str) -> str:
    """What to do about a value outside of variables.

    The kubelet expands `$(NAME)` fully only in a container's command and args. In a probe it knows the
    variables with a value, but none from a Secret (pkg/kubelet/container/helpers.go,
    ExpandContainerCommandOnlyStatic), and in lifecycle it knows none.
    """
    name = name[:60]
    begin = f"it has the value of {name}, which whoever may read the {kind} can read: "
    if kind != "Workload":
        return f"{begin}make a Secret of the whole, and mount that"
    begin += "put it into a Secret, "
    if re.search(r"ontainers\[\d+\]\.(?:command|args)\[", path):
        return f"{begin}give it to the container by env with valueFrom.secretKeyRef, and write $({name}) here"
    if ".command[" in path:
        return (
            f"{begin}give it to the container by env with valueFrom.secretKeyRef, and have a shell read it "
            f'here: /bin/sh, -c, and the command with "${name}" in it'
        )
    return f"{begin}and have the container read it from there instead"


def _texts(value: Any, path: str, variable: str) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  JSON
    """All texts within a value, each with its path, and with the variable whose value it is, empty if it is
    none's.
    """
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
