"""`extends`: a service that is merged with another one.

Source: the Compose Specification, chapters Services (`extends`) and Merge: mappings are merged, lists are
joined, and all else, such as commands, is replaced. Volumes and devices with the same target are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twinhull.api.group import Raw
from twinhull.convert.compose.files import Folder
from twinhull.convert.compose.typed import mapping, pairs, text
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.givenoptions import InputValue

#: How many services may extend each other in a row.
_LONGEST = 20
_REPLACED = ("command", "entrypoint", "test")
#: Keys whose value may be a mapping or a list, but means a mapping: of names and values, or of names alone.
_PAIRS = ("environment", "labels", "annotations", "sysctls", "extra_hosts", "args", "storage_opt", "options")
_NAMED = {"depends_on": {"condition": "service_started"}, "networks": None}
_BY_TARGET = ("volumes", "devices")
#: Keys that name files, by paths relative to the file that has the key.
_PATHS = ("env_file", "label_file")


class Extends:
    """Merges services with the services that they extend.

    `load` gives the document of another file, with its variables filled in.
    """

    def __init__(self, services: Mapping[str, Any], load: Callable[[str, str], Raw]) -> None:
        self._load = load
        self._documents: dict[str, Mapping[str, Any]] = {"": services}

    def service(self, name: str, file: str = "", seen: tuple[tuple[str, str], ...] = ()) -> Raw:
        """A service of a file, merged with all that it extends. An empty `file` is the main Compose file."""
        path = f"services.{name}"
        if (file, name) in seen or len(seen) > _LONGEST:
            raise CannotConvert(f"{path}.extends: it extends itself in the end: remove one of the two")
        services = self._documents[file]
        if not isinstance(services.get(name), dict):
            where = f" of {file}" if file else ""
            raise CannotConvert(f"{path}{where}: there is no such service, or it is no mapping: correct it")
        own: Raw = dict(services[name])
        extends = own.pop("extends", None)
        if extends is None:
            return own
        keys = (
            {"service": InputValue(f"{path}.extends", extends)}
            if isinstance(extends, str)
            else mapping(InputValue(f"{path}.extends", extends))
        )
        if "service" not in keys or not keys.keys() <= {"service", "file"}:
            raise CannotConvert(f"{path}.extends has to have service, and may have file: correct it")
        base_file = file
        if "file" in keys:
            base_file = Folder.joined(file, text(keys["file"]))
            if base_file not in self._documents:
                document = self._load(base_file, keys["file"].path)
                self._documents[base_file] = dict(
                    mapping(InputValue("", document.get("services"))) and document["services"]
                )
        base = self.service(text(keys["service"]), base_file, (*seen, (file, name)))
        whole_service: Raw = merged(_moved(base, base_file, file), own)
        return whole_service


def merged(base: Any, own: Any, key: str = "") -> Any:  # noqa: ANN401  JSON
    """The value of a key after merging: `own` is put over `base`."""
    if key in _PAIRS and base is not None and own is not None:
        return {**_pairs(base), **_pairs(own)}
    if key in _NAMED:
        base, own = _named(base, key), _named(own, key)
    if isinstance(base, dict) and isinstance(own, dict):
        return {
            name: merged(base.get(name), own[name], name) if name in own else base[name]
            for name in {**base, **own}
        }
    if isinstance(base, list) and isinstance(own, list) and key not in _REPLACED:
        if key in _BY_TARGET:
            targets = {_target(element) for element in own}
            base = [element for element in base if _target(element) not in targets]
        joined: list[Any] = []
        for element in (*base, *own):
            if element not in joined:
                joined.append(element)
        return joined
    if key in {"dns", "dns_search", "tmpfs", *_PATHS} and base is not None and own is not None:
        return [*_listed(base), *_listed(own)]
    return base if own is None else own


def _pairs(value: object) -> Raw:
    return {name: entry.value for name, entry in pairs(InputValue("", value))}


def _named(value: object, key: str) -> object:
    return dict.fromkeys(map(str, value), _NAMED[key]) if isinstance(value, list) else value


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _target(element: object) -> object:
    if isinstance(element, dict):
        return element.get("target")
    parts = str(element).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _moved(service: Raw, of: str, to: str) -> Raw:
    """A service of one file as it would be written in another: its paths are relative to that file."""
    if of == to:
        return service
    return {key: _path(value, of) if key in _PATHS else value for key, value in service.items()}


def _path(value: Any, of: str) -> Any:  # noqa: ANN401  JSON
    match value:
        case str():
            return Folder.joined(of, value)
        case list():
            return [_path(element, of) for element in value]
        case {"path": str() as path}:
            return {**value, "path": Folder.joined(of, path)}
    return value
