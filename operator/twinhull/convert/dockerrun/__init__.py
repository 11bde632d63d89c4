"""Makes a Workload of a `docker run` command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert, Conversion, LeftKind
from twinhull.convert.docker.bounds import check
from twinhull.convert.docker.draft import CLAIM_IS_A_GUESS, CLAIM_IS_EMPTY, Draft, claim
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.images import base_name, image
from twinhull.convert.docker.linefiles import pairs
from twinhull.convert.docker.mentions import mentions
from twinhull.convert.docker.names import workload_name
from twinhull.convert.docker.readable import readable
from twinhull.convert.docker.services import (
    lead_by_name,
    lists_its_ports,
    other_services,
    outside,
    reach_unready,
    tell_ports,
)
from twinhull.convert.docker.workload import fill
from twinhull.convert.dockerrun.commandline import CommandLine, parse

#: Reads a file that the command line names: gives its text, or None if it can't be read.
Reader = Callable[[str], str | None]


def convert(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    read: Reader = lambda _: None,
    namespace: str = "",
) -> Conversion:
    """The Workload that a `docker run` starts, and the claims of its volumes.

    `arguments` are the words of the command line, with or without those up to `run`: `docker run`, `docker
    container run`, `docker create`, `podman run`, `nerdctl run`, with `sudo` before it or not. `environment`
    has the variables that `--env NAME` takes over, and `read` gives the text of a file (`--env-file`,
    `--label-file`). `namespace` is for the commands in messages, empty if it isn't known.

    Raises CannotConvert for a command line that Docker would refuse, and for a container that can't be a
    Workload.
    """
    line = parse(arguments)
    options = GivenOptions(_input_values(line, environment or {}, read))
    named = options.last("name")
    draft = _draft(line, named, namespace)
    fill(options, draft)
    if named and draft.own_network:
        lead_by_name(draft)
    check(draft.workload(), "the command line")
    claims = _claims(draft)
    _tell_reach(draft)

    objects = (*claims, *draft.objects, *other_services(draft), draft.workload())
    return Conversion(objects, (*draft.left, *readable(objects, environment or {}, namespace=namespace)))


def _draft(line: CommandLine, named: InputValue | None, namespace: str) -> Draft:
    """A draft with its name from `named`, the value of --name, or else from the image. A changed name, and
    options of the program itself, are named in it.
    """
    reference = base_name(image(InputValue("the image", line.image)))
    draft = Draft(workload_name(str(named.value) if named else reference), namespace)
    if named and named.value != draft.name:
        draft.leave(
            named, f"a Workload's name has up to 50 lower-case letters, digits and '-': it is {draft.name}"
        )
    if line.program == "podman" and "/" not in line.image:
        draft.leave("the image", "Podman asks registries.conf for the image's registry: docker.io is a guess")
    for option in line.program_options:
        draft.leave(
            f"{line.program} {option}",
            f"it is about {line.program} itself, and not about the container",
            LeftKind.MEANINGLESS,
        )
    return draft


def _claims(draft: Draft) -> list[Raw]:
    """The claims of the container's volumes, each of which is named."""
    claims = {use.claim: use for use in draft.claims}
    for use in claims.values():
        draft.leave(use.path, CLAIM_IS_A_GUESS.format(claim=use.claim))
    for use in claims.values():
        draft.leave(use.path, CLAIM_IS_EMPTY)
    return [claim(name, ["ReadWriteOnce"]) for name in claims]


def _tell_reach(draft: Draft) -> None:
    """Let the container's names lead to it as in Docker, and name the ports at which it is reached."""
    names = dict.fromkeys((draft.name, *draft.aliases), draft.name)
    if draft.own_network or draft.aliases or mentions(names, [(draft.name, draft)], {}):
        reach_unready(draft)
    if draft.own_network and lists_its_ports(draft):
        tell_ports(draft.own_network, draft, "--expose")
    draft.left += outside("--publish", [draft])


def _input_values(
    line: CommandLine, environment: Mapping[str, str], read: Reader
) -> Iterator[tuple[str, InputValue]]:
    """The options of the command line and of its files. Variables of files come before those of --env."""
    yield "image", InputValue("the image", line.image)
    if line.command:
        yield "command", InputValue("the command", list(line.command))
    for kind in ("env", "label"):
        for name, setting in line.options:
            if name == f"{kind}-file":
                yield from _of_file(kind, setting, environment, read)
    for name, setting in line.options:
        match name:
            case "env-file" | "label-file":
                continue
            case "env" | "label" | "annotation":
                key, value = pair(setting, environment if name == "env" else None)
                yield name, InputValue(f"{setting.path} {key}", (key, value))
            case "entrypoint":
                yield name, InputValue(setting.path, [setting.value] if setting.value else [])
            case "rm" | "detach" | "quiet" | "help" if setting.value is False:
                continue
            case _:
                yield name, setting


def _of_file(
    kind: str, setting: InputValue, environment: Mapping[str, str], read: Reader
) -> Iterator[tuple[str, InputValue]]:
    text = read(str(setting.value))
    if text is None:
        raise CannotConvert(f"{setting.path} {setting.value}: it can't be read: name a file that is there")
    for key, value in pairs(text, setting.path, environment if kind == "env" else None):
        yield kind, InputValue(f"{setting.path} {setting.value}: {key}", (key, value))


def pair(setting: InputValue, environment: Mapping[str, str] | None) -> tuple[str, str | None]:
    """A name and its value. A name without a value has the environment's value, or None. Without an
    `environment`, as for labels, its value is empty.
    """
    key, equals, value = str(setting.value).partition("=")
    if not key:
        raise CannotConvert(f"{setting.path}: it has no name: write NAME=VALUE")
    if equals:
        return key, value
    return key, "" if environment is None else environment.get(key)
