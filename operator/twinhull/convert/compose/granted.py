"""`secrets` and `configs`: the declared ones, and the files with their content in a service.

Source: the Compose Specification, chapters Services (`secrets`, `configs`), Secrets and Configs.

A Compose file never has a secret's content, only its origin. So no Secret is made: it is named, with the
command that makes it, and nothing secret is printed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twinhull.api import commands
from twinhull.api.group import Raw
from twinhull.api.objectnames import is_subdomain
from twinhull.api.qualifiedname import is_label_value, is_qualified_name
from twinhull.convert.compose import typed
from twinhull.convert.compose.project import Project
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.docker.bounds import MOST_VOLUMES
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.mounts import mount
from twinhull.convert.docker.names import Names

#: All permission bits of a file.
_ALL = 0o777
#: The most characters of a ConfigMap's content.
_LARGEST = 1_000_000
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True, slots=True)
class Kind:
    """Secrets or configs."""

    #: The key in a Compose file.
    key: str
    #: The kind in Kubernetes.
    kind: str
    #: The words for it in `kubectl create`.
    command: tuple[str, ...]
    #: The field of a volume for it, and the field in that with the name.
    source: tuple[str, str]
    #: The folder of its files if their target is no absolute path.
    folder: str


SECRETS = Kind("secrets", "Secret", ("secret", "generic"), ("secret", "secretName"), "/run/secrets/")
CONFIGS = Kind("configs", "ConfigMap", ("configmap",), ("configMap", "name"), "/")


@dataclass(frozen=True, slots=True)
class Grant:
    """A declared secret or config."""

    #: The object's name.
    name: str
    #: The key in the object that has the content.
    item: str
    #: The ConfigMap, if the Compose file has its content.
    made: Raw | None = None
    #: What is left of it, named once a service uses it.
    left: list[Left] = field(default_factory=list)


def declared(
    kind: Kind, declarations: Mapping[str, InputValue], project: Project, namespace: str
) -> dict[str, Grant]:
    """The declared secrets or configs, by their names in the file. `namespace` is for commands in messages,
    empty if it isn't known. Raises CannotConvert for an invalid value.
    """
    names = Names(63)
    return {
        name: _grant(kind, name, declaration, project, names, namespace=namespace)
        for name, declaration in declarations.items()
    }


def grant(kind: Kind, service: InputValue, known: Mapping[str, Grant], draft: Draft) -> Iterator[str]:
    """Mount the secrets or configs that a service uses. Gives their names. Raises CannotConvert for
    undeclared ones.
    """
    listed = typed.listing(typed.mapping(service).get(kind.key, InputValue("", None)))
    if len(listed) > MOST_VOLUMES:
        raise CannotConvert(
            f"{service.path}.{kind.key}: a Workload has at most {MOST_VOLUMES} volumes: have fewer"
        )
    for reference in listed:
        keys = typed.mapping(reference) if isinstance(reference.value, dict) else {"source": reference}
        if "source" not in keys:
            raise CannotConvert(f"{reference.path} has no source: add it")
        source = typed.text(keys["source"])
        if source not in known:
            raise CannotConvert(f"{reference.path}: {source!r} isn't among {kind.key}: add it there")
        target = typed.text(keys["target"]) if keys.get("target") and keys["target"].value else source
        path = mount(reference, "volume", target if target.startswith("/") else kind.folder + target).target
        _mount(kind, known[source], path, keys.get("mode"), draft)
        yield source


def _mount(kind: Kind, secret_or_config: Grant, path: str, mode: InputValue | None, draft: Draft) -> None:
    file = path.rpartition("/")[2]
    if any(other["mountPath"] == path for other in draft.mounts):
        raise CannotConvert(f"{path}: there are two mounts of it: remove one of them")
    item = {
        "key": secret_or_config.item,
        "path": file,
        **({"mode": _mode(mode)} if mode and mode.value is not None else {}),
    }
    name = draft.volume_names.of(f"{kind.key} {path}", secret_or_config.name)
    field_name, name_of = kind.source
    draft.volumes.append({"name": name, field_name: {name_of: secret_or_config.name, "items": [item]}})
    draft.mounts.append({"name": name, "mountPath": path, "subPath": file, "readOnly": True})


def _mode(value: InputValue) -> int:
    """Permissions. In YAML 0440 is 288; in a text it is octal."""
    mode = value.value
    if isinstance(mode, str) and re.fullmatch(r"(0o)?[0-7]{1,5}", mode):
        mode = int(mode.removeprefix("0o"), 8)
    if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= _ALL:
        raise CannotConvert(
            f"{value.path}: {str(mode)[:20]!r} is no mode of a file: write a mode such as 0440"
        )
    return mode


def _grant(  # noqa: PLR0913  what all of a kind have in common, and one's own
    kind: Kind, name: str, value: InputValue, project: Project, names: Names, *, namespace: str
) -> Grant:
    keys = typed.mapping(value)
    external = keys.get("external")
    is_external = external is not None and (isinstance(external.value, dict) or typed.truth(external))
    given_name = (
        typed.mapping(external).get("name")
        if external and isinstance(external.value, dict)
        else keys.get("name")
    )
    wanted = typed.text(given_name) if given_name and given_name.value else name
    made_name = wanted if is_subdomain(wanted) else names.of(wanted)
    item = name if _KEY.fullmatch(name) and name not in {".", ".."} else "content"
    left = []
    if made_name != wanted:
        left.append(Left(value.path, f"a {kind.kind} can't be called so: its name is {made_name}"))
    create = commands.others(namespace, "kubectl", "create", *kind.command, made_name)
    content, why = _content(kind, keys, project, create, item)
    if external is not None and is_external:
        left.append(
            Left(external.path, f"{kind.kind} {made_name} has to be there, with its content in key {item}")
        )
    elif content is None:
        left.append(Left(value.path, why))
    elif len(content) > _LARGEST:
        raise CannotConvert(
            f"{value.path}: its content is larger than a ConfigMap may be: put it into a claim"
        )
    else:
        metadata: Raw = {"name": made_name, **_labels(keys.get("labels"), left)}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {item: content}}
        return Grant(made_name, item, made, left)
    return Grant(made_name, item, None, left)


def _content(
    kind: Kind, keys: Mapping[str, InputValue], project: Project, create: str, item: str
) -> tuple[str | None, str]:
    """The content, None if it is unknown or must not be printed; then also what to do."""
    if "content" in keys:
        return typed.text(keys["content"]), ""
    if "environment" in keys:
        variable = typed.text(keys["environment"])
        if kind is CONFIGS and variable in project.environment:
            return project.environment[variable], ""
        return None, f"the {kind.kind} isn't made: {_from_variable(variable, project, create, item)}"
    if "file" in keys:
        path = shlex.quote(typed.text(keys["file"]))
        return None, f"the {kind.kind} isn't made: run {create} --from-file={item}={path}"
    return None, f"nothing says what is in it: run {create} --from-literal={item}=…"


def _from_variable(variable: str, project: Project, create: str, item: str) -> str:
    """How to make an object of a variable. The command fails if the variable is empty or unset.

    A shell doesn't know the variables of .env, and can't run .env as a script: quotes, spaces and dollars
    mean something else there. So Compose reads it: `docker compose config --environment` prints a line
    NAME=VALUE for each variable (docs.docker.com/reference/cli/docker/compose/config).
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        return f'run {create} --from-literal={item}="${{VARIABLE:?}}"'
    command = f'{create} --from-literal={item}="${{{variable}:?}}"'
    if variable not in project.of_dotenv:
        return f"run {command}"
    if "\n" in project.environment[variable]:
        return (
            f"{variable} has several lines in .env, so write its value to a file, and run {create} "
            f"--from-file={item}=FILE"
        )
    read = f"{variable}=\"$(docker compose config --environment | sed -n 's/^{variable}=//p')\""
    return (
        f"{variable} is in .env, which your shell doesn't read; in the Compose file's folder, run {read}, "
        f"and then {command}"
    )


def _labels(value: InputValue | None, left: list[Left]) -> Raw:
    """Labels of an object's metadata, or annotations for values that a label can't have."""
    return labels(typed.pairs(value) if value else [], left)


def labels(pairs: list[tuple[str, InputValue]], left: list[Left]) -> Raw:
    """Labels of an object's metadata, or annotations for values that a label can't have. Invalid keys are
    named in `left`.
    """
    metadata: Raw = {}
    for key, label in pairs:
        value = "" if label.value is None else typed.text(label)
        if not is_qualified_name(key):
            left.append(
                Left(
                    label.path,
                    "Kubernetes doesn't allow such a key here: add another one to the object yourself",
                )
            )
        else:
            metadata.setdefault("labels" if is_label_value(value) else "annotations", {})[key] = value
    return metadata
