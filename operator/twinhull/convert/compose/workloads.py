"""Makes the objects of a Compose file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from twinhull.api.group import MAX_NAME_LENGTH, Raw
from twinhull.api.objectnames import LONGEST_LABEL, is_subdomain
from twinhull.convert.compose import granted, typed
from twinhull.convert.compose.dependencies import aliases, dependencies, ordered, tell
from twinhull.convert.compose.deploy import starts_first
from twinhull.convert.compose.granted import CONFIGS, SECRETS, Grant, Kind
from twinhull.convert.compose.hooks import hooks
from twinhull.convert.compose.networks import (
    Attachment,
    attachment,
    external,
    is_separated,
    policies,
    separation_sentence,
)
from twinhull.convert.compose.project import Project
from twinhull.convert.compose.service import option_values
from twinhull.convert.conversion import CannotConvert, Conversion, Left, LeftKind
from twinhull.convert.docker.bounds import check
from twinhull.convert.docker.draft import CLAIM_IS_A_GUESS, CLAIM_IS_EMPTY, Draft, Refused, claim
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.mentions import Mentions, mentions
from twinhull.convert.docker.names import Names, workload_name
from twinhull.convert.docker.network import alias, let_listen
from twinhull.convert.docker.readable import readable
from twinhull.convert.docker.services import (
    declare,
    lead_by_name,
    lists_its_ports,
    other_services,
    outside,
    reach_unready,
    tell_ports,
)
from twinhull.convert.docker.workload import fill


@dataclass(slots=True)
class _Making:
    """The objects that are made of a file, so far."""

    #: The file.
    project: Project
    #: The namespace for commands in messages, empty if it isn't known.
    namespace: str
    #: The Workloads' names.
    names: Names = field(default_factory=lambda: Names(MAX_NAME_LENGTH))
    #: The claims' names.
    claim_names: Names = field(default_factory=lambda: Names(LONGEST_LABEL))
    #: The names of Services: of all Workloads, and their aliases.
    service_names: set[str] = field(default_factory=set)
    #: The draft of each service that is converted, in their order.
    drafts: dict[str, Draft] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    #: The secrets and configs that a service uses, by kind and name.
    granted: set[tuple[str, str]] = field(default_factory=set)
    #: The content of configs that the Compose file has, by the ConfigMaps' names.
    contents: dict[str, str] = field(default_factory=dict)
    #: What isn't converted, or has to be checked.
    left: list[Left] = field(default_factory=list)


def workloads(project: Project, namespace: str) -> Conversion:
    """All objects, each after those that it needs. Raises CannotConvert if no service can be a Workload."""
    making = _Making(project, namespace)
    # A service whose name is valid keeps it, even if another one would have to be called the same.
    for name in sorted(project.services, key=lambda name: workload_name(name) != name):
        making.service_names.add(making.names.of(name, workload_name(name)))
    external_claims = dict(_named_claims(making))
    known = {
        kind.key: granted.declared(kind, declarations, project, namespace)
        for kind, declarations in ((SECRETS, project.secrets), (CONFIGS, project.configs))
    }
    configs = known[CONFIGS.key].values()
    making.contents = {config.name: config.made["data"][config.item] for config in configs if config.made}
    refused: dict[str, str] = {}
    linked = aliases(project.services)
    for name in ordered(project.services):
        try:
            _convert(making, name, known, linked.get(name, []))
        except Refused as error:
            refused[name] = str(error)
    if not making.drafts:
        raise CannotConvert(
            "; ".join(refused.values()) or "services: none of them is asked for: name their profiles"
        )
    texts = _texts(making)
    for name, draft in making.drafts.items():
        tell(project.services[name], draft, making.drafts, project.all_services)
        _name_container(making, name, texts)
        if len(making.drafts) > 1:
            lead_by_name(draft)
    mentioned = _mentioned(making, known[CONFIGS.key])
    for name, draft in making.drafts.items():
        _open_ports(making, name, mentioned.get(name, Mentions()))
        if name in mentioned or any(name in dependencies(project.services[other]) for other in making.drafts):
            reach_unready(draft)
    claims = list(_claims(making, external_claims))
    grants = list(_grants(making, known))
    kept_apart = list(_policies(making))
    made = [*claims, *grants, *kept_apart]
    for draft in making.drafts.values():
        made += [*draft.objects, *other_services(draft), draft.workload()]
    lost = tuple(f"services.{name}." for name in refused)
    left = [
        *(one for one in project.left if not (lost and one.path.startswith(lost))),
        *(Left(f"services.{name}", f"it is left out: {why}") for name, why in refused.items()),
        *making.left,
        *(one for draft in making.drafts.values() for one in draft.left),
        *outside("services.*.ports", making.drafts.values()),
        *readable(made, project.environment, project.filled, namespace=namespace),
    ]
    return Conversion(tuple(made), tuple(left))


def _convert(
    making: _Making, name: str, known: dict[str, dict[str, Grant]], linked: list[InputValue]
) -> None:
    """Convert one service into the draft of a Workload."""
    project, service = making.project, making.project.services[name]
    draft = Draft(making.names.of(name), making.namespace, claim_names=making.claim_names)
    attached = attachment(service, project.networks)
    options = [*option_values(service, project.environment, project.folder, draft)]
    options += [("network-alias", value) for value in _aliases((*attached.aliases, *linked), making, draft)]
    fill(GivenOptions(options), draft)
    for kind in (SECRETS, CONFIGS):
        for source in granted.grant(kind, service, known[kind.key], draft):
            making.granted.add((kind.key, source))
    hooks(service, draft)
    _of_workload(service, name, draft)
    check(draft.workload(), service.path)
    making.drafts[name], making.attachments[name] = draft, attached


def _of_workload(service: InputValue, name: str, draft: Draft) -> None:
    """Put a service's settings for the Workload itself into the draft."""
    if draft.name != name:
        draft.leave(
            service,
            f"a Workload can't have this name: it is called {draft.name}, and others have to use that name",
        )
    if (order := starts_first(service)) is not None:
        if draft.pod["restartPolicy"] == "Always" and not draft.claims and not draft.has_host_network:
            draft.spec["replacement"] = {"strategy": "StartFirst"}
        else:
            draft.leave(
                order, "two hulls can't run at once with a claim, with the host's network or without restart"
            )


def _name_container(making: _Making, name: str, texts: dict[str, set[str]]) -> None:
    """Give a Workload a Service of its `container_name`, by which Compose's services reach it, too, if
    another service uses that name. `texts` are the texts of all services, each with the services that have
    it.
    """
    draft, container = making.drafts[name], typed.mapping(making.project.services[name]).get("container_name")
    if container is None or not container.value or typed.text(container) == draft.name:
        return
    called = typed.text(container)
    word = re.compile(rf"(?<![\w.-]){re.escape(called)}(?![\w-]|\.\w)")
    # Most texts don't have the name at all, which is found faster without the pattern.
    if any(called in text and owners != {name} and word.search(text) for text, owners in texts.items()):
        for container_name in _aliases((container,), making, draft):
            alias(container_name, draft)
    else:
        draft.leave(
            container,
            f"the Workload is called {draft.name}: who uses the name {called[:63]} has to use that one",
        )


def _texts(making: _Making) -> dict[str, set[str]]:
    """The texts in which containers may name another one: their variables and commands, and their configs.
    Each text has the names of the services that have it.
    """
    texts: dict[str, set[str]] = {}
    for name, draft in making.drafts.items():
        asked = json.dumps([draft.container, draft.pod.get("initContainers", [])], ensure_ascii=False)
        configs = (volume.get("configMap", {}).get("name", "") for volume in draft.volumes)
        for text in (asked, *(making.contents.get(config, "") for config in configs)):
            texts.setdefault(text, set()).add(name)
    return texts


def _aliases(names: tuple[InputValue, ...], making: _Making, draft: Draft) -> Iterator[InputValue]:
    """The other names of a service that no other Service has. Names that another one has are left out, and
    named.
    """
    for name, value in {typed.text(value): value for value in names}.items():
        if name == draft.name:
            continue
        if name in making.service_names:
            draft.leave(
                value,
                f"there is a Service {name[:63]} already, and a name leads to one Workload: give it another",
            )
            continue
        making.service_names.add(name)
        yield InputValue(value.path, name)


def _mentioned(making: _Making, configs: dict[str, Grant]) -> dict[str, Mentions]:
    """The mentions of each service in variables, commands and configs of services, by the service's name."""
    names: dict[str, str] = {}
    for name, draft in making.drafts.items():
        # If a Workload can't have the service's name, others still use that name.
        names |= dict.fromkeys((name, draft.name, *draft.aliases), name)
    made = (grant.made for grant in configs.values() if grant.made is not None)
    contents = {config["metadata"]["name"]: "\n".join(config["data"].values()) for config in made}
    return mentions(names, making.drafts.items(), contents)


def _open_ports(making: _Making, name: str, mentioned: Mentions) -> None:
    """Add the ports at which other services reach this one, if its Service lists its ports, and name the
    ports that the Service has. In Docker, containers reach each other at every port.
    """
    draft = making.drafts[name]
    if len(making.drafts) == 1 or not lists_its_ports(draft):
        return
    service = making.project.services[name]
    # Mentions without a protocol come last, and mean the port that exists.
    for number, protocol in sorted(mentioned.ports, key=lambda port: (port[0], not port[1], port[1])):
        if not protocol and any(port["containerPort"] == number for port in draft.container["ports"]):
            continue
        said_by_others = mentioned.said.get((number, protocol), set()) - {name}
        if not said_by_others and _is_published(draft, number):
            continue  # it may be the service's own address for clients outside (such as an origin of CORS)
        published = declare(draft, number, protocol or "TCP")
        if published is not None:
            draft.leave(
                f"{service.path}.ports",
                f"other services ask for {draft.name}:{number}, which is the container's own port in Docker, "
                f"and so in the Service: the host's port {number}, which led to the container's port "
                f"{published['targetPort']}, isn't in it",
            )
    let_listen(draft)
    tell_ports(service, draft, "expose")


def _is_published(draft: Draft, number: int) -> bool:
    return any(port["port"] == number for port in draft.spec.get("service", {}).get("ports", []))


def _named_claims(making: _Making) -> Iterator[tuple[str, InputValue]]:
    """Give claims the names that the file gives them. Yields the external ones."""
    for name, declaration in making.project.volumes.items():
        keys = typed.mapping(declaration)
        external = keys.get("external")
        of_external = (
            typed.mapping(external).get("name") if external and isinstance(external.value, dict) else None
        )
        given_name = of_external or keys.get("name")
        if given_name is not None and given_name.value:
            wanted = typed.text(given_name)
            made = wanted if is_subdomain(wanted) else making.claim_names.of(wanted)
            making.claim_names.give(name, made)
            if made != wanted:
                making.left.append(
                    Left(given_name.path, f"a claim can't have this name: it is called {made}")
                )
        if external is not None and (isinstance(external.value, dict) or typed.truth(external)):
            yield name, external


def _claims(making: _Making, external: dict[str, InputValue]) -> Iterator[Raw]:
    """The claims of the volumes that services mount."""
    uses: dict[str, list[tuple[str, str]]] = {}
    for draft in making.drafts.values():
        for use in draft.claims:
            uses.setdefault(use.volume, []).append((draft.name, use.path))
    for volume, declaration in making.project.volumes.items():
        if volume not in uses:
            making.left.append(Left(declaration.path, "no service that is converted mounts it"))
    made: set[str] = set()
    empty: list[Left] = []
    for volume, used in uses.items():
        if volume not in making.project.volumes:
            raise CannotConvert(f"{used[0][1]}: {volume[:60]!r} isn't among volumes: add it there")
        name, declaration = making.claim_names.of(volume), making.project.volumes[volume]
        if volume in external:
            making.left.append(Left(external[volume].path, f"PersistentVolumeClaim {name} has to be there"))
            continue
        if name in made:
            raise CannotConvert(f"{declaration.path}: another volume has the name {name}: give it another")
        made.add(name)
        shared = len({workload for workload, _ in used}) > 1
        making.left.append(Left(declaration.path, CLAIM_IS_A_GUESS.format(claim=name)))
        empty.append(Left(declaration.path, CLAIM_IS_EMPTY))
        if shared:
            making.left.append(
                Left(
                    declaration.path,
                    "several Workloads mount it: it is ReadWriteMany, which needs storage that can be shared",
                )
            )
        labels = typed.mapping(declaration).get("labels")
        metadata = granted.labels(typed.pairs(labels), making.left) if labels else {}
        manifest = claim(name, ["ReadWriteMany" if shared else "ReadWriteOnce"])
        yield {**manifest, "metadata": {**manifest["metadata"], **metadata}}
    making.left += empty


def _grants(making: _Making, known: dict[str, dict[str, Grant]]) -> Iterator[Raw]:
    """The ConfigMaps. Objects that have to be made by hand are named."""
    kinds: tuple[tuple[Kind, dict[str, InputValue]], ...] = (
        (SECRETS, making.project.secrets),
        (CONFIGS, making.project.configs),
    )
    for kind, declared in kinds:
        for name, declaration in declared.items():
            grant = known[kind.key][name]
            if (kind.key, name) not in making.granted:
                making.left.append(Left(declaration.path, "no service that is converted has it"))
                continue
            making.left += grant.left
            if grant.made is not None:
                yield grant.made


def _policies(making: _Making) -> Iterator[Raw]:
    """NetworkPolicies, if the file keeps services apart; otherwise its networks have no effect."""
    declared = making.project.networks
    making.left += external(declared)
    if is_separated(making.attachments, declared):
        making.left += [Left(network.path, separation_sentence(declared)) for network in declared.values()]
        yield from policies(making.drafts, making.attachments, declared)
        return
    why = "all services share a network, as all Pods of a cluster do: nothing is made of it"
    making.left += [Left(network.path, why, LeftKind.MEANINGLESS) for network in declared.values()]
    for name in making.drafts:
        networks = typed.mapping(making.project.services[name]).get("networks")
        if networks is not None:
            making.left.append(Left(networks.path, why, LeftKind.MEANINGLESS))
