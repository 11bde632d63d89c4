"""A Compose file, taken apart: variables filled in, services merged with what they extend, profiles
applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from twinhull.api.bounds import MAX_VALUES
from twinhull.api.group import Raw
from twinhull.convert.compose import typed, yamltext
from twinhull.convert.compose.envfile import FileVariables, variables
from twinhull.convert.compose.files import Folder
from twinhull.convert.compose.interpolation import Interpolation
from twinhull.convert.compose.merging import Extends
from twinhull.convert.compose.survey import survey
from twinhull.convert.conversion import CannotConvert, Left, WrongOption
from twinhull.convert.docker.givenoptions import InputValue

#: The most services of a file: a namespace couldn't have all objects of so many.
_MOST_SERVICES = 500


@dataclass(frozen=True, slots=True)
class Project:
    """The parts of a Compose file. Each has its path in the file."""

    #: The services to convert, by their names.
    services: dict[str, InputValue]
    #: The names of all services, with any profiles.
    all_services: frozenset[str]
    #: The networks by their names, and likewise volumes, secrets and configs.
    networks: dict[str, InputValue]
    volumes: dict[str, InputValue]
    secrets: dict[str, InputValue]
    configs: dict[str, InputValue]
    #: The variables of the environment, and those of the file .env.
    environment: Mapping[str, str]
    #: The names of the variables that only the file .env has.
    of_dotenv: frozenset[str]
    #: The files beside the Compose file.
    folder: Folder
    #: What isn't converted because of its key, or of its profiles.
    left: tuple[Left, ...]
    #: The names of variables whose values are in the services' own variables.
    filled: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls, document: str | Raw, environment: Mapping[str, str], folder: Folder, profiles: Collection[str]
    ) -> Project:
        """Take a file apart. Raises CannotConvert for a file that Compose would refuse."""
        raw = yamltext.load(document) if isinstance(document, str) else yamltext.checked(document)
        if "include" in raw:
            raise CannotConvert(
                "include: other files aren't merged: run docker compose config, and convert what it prints"
            )
        dotenv = _dotenv(environment, folder)
        of_dotenv = {name: value for name, value in dotenv.values.items() if value is not None}
        # The environment's variables have precedence.
        known = {**of_dotenv, **environment}
        interpolation = Interpolation(known)
        whole = interpolation.of(raw, "")
        services = InputValue("services", whole.get("services"))
        if not typed.mapping(services):
            raise CannotConvert("services: there are none: write at least one")
        if len(typed.mapping(services)) > _MOST_SERVICES:
            raise CannotConvert(f"services: there are more than {_MOST_SERVICES}: convert parts of the file")
        extends = Extends(whole["services"], lambda file, path: _other(file, path, interpolation, folder))
        merged: Raw = {}
        values = 0
        for name in typed.mapping(services):
            merged[name] = extends.service(name)
            values += _values(merged[name])
            if values > MAX_VALUES:
                raise CannotConvert(
                    f"services.{name}: with what they extend, services have more than {MAX_VALUES:,} values"
                )
        extensions = {name: below for name, below in whole["services"].items() if name.startswith("x-")}
        left = list(survey({**whole, "services": {**merged, **extensions}}))
        wanted = {*profiles, *filter(None, known.get("COMPOSE_PROFILES", "").split(","))}
        merged_services = {name: InputValue(f"services.{name}", service) for name, service in merged.items()}
        _check_profiles(profiles, merged_services.values())
        off = {name: names for name, service in merged_services.items() if (names := _off(service, wanted))}
        left += [
            Left(f"services.{name}", f"its profiles ({', '.join(names)}) aren't asked for")
            for name, names in off.items()
        ]
        return cls(
            services={name: service for name, service in merged_services.items() if name not in off},
            all_services=frozenset(merged),
            **{
                key: typed.mapping(InputValue(key, whole.get(key)))
                for key in ("networks", "volumes", "secrets", "configs")
            },
            environment=known,
            of_dotenv=frozenset(of_dotenv.keys() - environment.keys()),
            folder=folder,
            left=(*dotenv.left, *_without(interpolation.left, off), *_without(left, off)),
            filled=frozenset(interpolation.filled),
        )


def _values(value: object) -> int:
    """How many values a value has in it, itself included."""
    stack, count = [value], 0
    while stack:
        item = stack.pop()
        count += 1
        stack += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return count


def _dotenv(environment: Mapping[str, str], folder: Folder) -> FileVariables:
    """The variables of the file .env; none if it doesn't exist."""
    text = folder.text(".env")
    return FileVariables({}) if text is None else variables(text, ".env", environment)


def _other(file: str, path: str, interpolation: Interpolation, folder: Folder) -> Raw:
    """Another Compose file."""
    if not folder.contains(file):
        raise CannotConvert(
            f"{path}: {file[:100]} is outside of the Compose file's folder, and isn't read: move it there"
        )
    text = folder.text(file)
    if text is None:
        raise CannotConvert(
            f"{path}: {file[:100]} can't be read: run docker compose config, and convert what it prints"
        )
    whole: Raw = interpolation.of(yamltext.load(text, file), file)
    return whole


def _profiles(service: InputValue) -> list[str]:
    """The profiles of a service."""
    profiles = typed.mapping(service).get("profiles")
    return [typed.text(one) for one in typed.listing(profiles)] if profiles else []


def _check_profiles(wanted: Collection[str], services: Iterable[InputValue]) -> None:
    """Raise WrongOption for a profile that no service has."""
    known = {name for service in services for name in _profiles(service)}
    for name in wanted:
        if name not in known and name != "*":
            remedy = f"use one of {', '.join(sorted(known))}" if known else "leave it out"
            raise WrongOption(f"--profile {name}: no service has this profile: {remedy}")


def _off(service: InputValue, wanted: Collection[str]) -> list[str]:
    """The profiles of a service that isn't to be converted; empty if it is."""
    names = _profiles(service)
    return [] if not names or "*" in wanted or set(names) & set(wanted) else names


def _without(left: list[Left], off: Collection[str]) -> list[Left]:
    """What is left, without entries about services that are off."""
    prefixes = tuple(f"services.{name}." for name in off)
    return [one for one in left if not one.path.startswith(prefixes)] if prefixes else left
