"""The guest directory: what the operator needs to ask guests, noted as their objects come, so that none is
unpacked.

Tenants decide how many machines there are, and how large their objects are. The operator looks each second
which guests it should ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias, TypeVar

from twinhull.api.base import Raw
from twinhull.hulls import graceful_end
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.hulls.instance import address_of
from twinhull.hulls.manifest import asks_for_node, noted
from twinhull.hulls.objectmeta import condition, labels, owner_of
from twinhull.shell.kinds import CONFIG_MAP, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE, Kind

_Key: TypeAlias = tuple[str, str]
_T = TypeVar("_T")

#: The most characters of an address, or of a note on a machine. A digest, or a time with a uid, is shorter.
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest that may be asked."""

    #: The uid of its VirtualMachineInstance.
    uid: str
    #: The name of its machine.
    name: str
    #: The Workload that the guest runs.
    workload: _Key
    #: The uid of that Workload.
    workload_uid: str
    #: The address at which it answers.
    address: str
    #: The resourceVersion of its instance. If it changes, the guest is asked again.
    version: str
    #: Whether KubeVirt says that its machine is Ready.
    ready: bool
    #: The digest of the manifest that the guest should run, empty if the machine notes none.
    manifest: str
    #: Whether the guest should end its Pod.
    ends: bool = False
    #: Whether a container of the guest asks for its node's addresses. True if that isn't known.
    asks_for_node: bool = True


class _Machine(NamedTuple):
    """The facts about a guest that its VirtualMachine tells."""

    #: The uid of the Workload that owns it.
    workload_uid: str
    #: The digest of the manifest, noted on the machine.
    manifest: str
    #: The note on the machine that its Pod should end.
    ending: str


class _Instance(NamedTuple):
    """The facts about a guest that its running VirtualMachineInstance tells."""

    #: The uid of the instance.
    uid: str
    #: The name of the Workload, by the instance's label.
    workload: str
    #: The address of the guest.
    address: str
    #: The resourceVersion of the instance.
    version: str
    #: Whether the instance is Ready.
    ready: bool
    #: How long its Pod may take to end.
    grace: timedelta


class _End(NamedTuple):
    """A Pod's end that was asked for."""

    #: When the Pod was asked to end.
    at: datetime
    #: How long it may take to end.
    grace: timedelta


class GuestDirectory:
    """The guests of the machines in the store, by their VirtualMachines, instances and manifests."""

    def __init__(self) -> None:
        self._machines: dict[_Key, _Machine] = {}
        self._instances: dict[_Key, _Instance] = {}
        self._ask_for_node: dict[_Key, bool] = {}
        self._guests: dict[_Key, Guest] = {}
        self._ends: dict[_Key, _End] = {}

    def guests(self, now: datetime) -> Iterator[Guest]:
        """The guests of all machines that run and have an address."""
        for key, guest in self._guests.items():
            end = self._ends.get(key)
            ends = end is not None and graceful_end.counts(*end, now)
            yield replace(guest, ends=True) if ends else guest

    def guest(self, machine: _Key) -> Guest | None:
        """The guest of a machine, None if the machine doesn't run or has no address."""
        return self._guests.get(machine)

    def owners(self) -> set[str]:
        """The uids of the Workloads that have machines."""
        return {machine.workload_uid for machine in self._machines.values()}

    def changed(self, kind: Kind, key: _Key, obj: Raw | None) -> None:
        """Take in an object's new state; None if it is gone, or isn't held as a whole."""
        if kind is VIRTUAL_MACHINE:
            _set(self._machines, key, _machine(obj) if obj else None)
        elif kind is VIRTUAL_MACHINE_INSTANCE:
            _set(self._instances, key, _instance(obj) if obj else None)
        elif kind is CONFIG_MAP:
            _set(self._ask_for_node, key, _asks_for_node(obj) if obj else None)
        else:
            return
        machine, instance = self._machines.get(key), self._instances.get(key)
        at = graceful_end.noted_at(machine.ending, instance.uid) if machine and instance else None
        asks = self._ask_for_node.get(key, True)
        _set(self._guests, key, _guest(key, machine, instance, asks) if machine and instance else None)
        _set(self._ends, key, _End(at, instance.grace) if at and instance else None)


def _guest(key: _Key, machine: _Machine, instance: _Instance, asks: bool) -> Guest:  # noqa: FBT001
    return Guest(
        uid=instance.uid,
        name=key[1],
        workload=(key[0], instance.workload),
        workload_uid=machine.workload_uid,
        address=instance.address,
        version=instance.version,
        ready=instance.ready,
        manifest=machine.manifest,
        asks_for_node=asks,
    )


def _machine(vm: Raw) -> _Machine | None:
    """The facts of a VirtualMachine. None if it has no owner, or can't be read."""
    with suppress(AttributeError, KeyError, TypeError):
        if owner := owner_of(vm):
            return _Machine(owner.uid, _noted(noted(vm)), _noted(graceful_end.ending_note(vm)))
    return None


def _asks_for_node(config_map: Raw) -> bool | None:
    """Whether the containers of a manifest ask for their node's addresses. None if it can't be read."""
    with suppress(AttributeError, TypeError):
        return asks_for_node(config_map)
    return None


def _instance(vmi: Raw) -> _Instance | None:
    """The facts of a VirtualMachineInstance. None if it doesn't run, has no Workload's label, or can't be
    read.
    """
    with suppress(AttributeError, KeyError, TypeError):
        metadata, workload, address = (
            vmi["metadata"],
            labels(vmi).get(WORKLOAD_LABEL),
            _noted(address_of(vmi) or ""),
        )
        if workload and address and vmi["status"].get("phase") == "Running":
            ready = condition(vmi, "Ready").get("status") == "True"
            version, grace = metadata["resourceVersion"], graceful_end.grace(vmi)
            return _Instance(metadata["uid"], workload, address, version, ready, grace)
    return None


def _noted(text: str) -> str:
    return text if len(text) <= _LONGEST else ""


def _set(index: dict[_Key, _T], key: _Key, value: _T | None) -> None:
    if value is None:
        index.pop(key, None)
    else:
        index[key] = value
