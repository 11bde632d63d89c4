"""Checks that the machine of a name belongs to a Workload."""

from __future__ import annotations

import asyncio

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.hulls.objectmeta import owner_of
from twinhull.reach.errors import EntryError
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Refused, Unreachable
from twinhull.shell.kinds import VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE


async def check_owner(cluster: Cluster, namespace: str, name: str, workload: str, workload_uid: str) -> None:
    """Raise EntryError unless the Workload owns the VirtualMachine, and that owns the VirtualMachineInstance
    of its name, if there is one.

    Once the Workload's machine is deleted, anybody who may create VirtualMachines in the namespace can make
    one of its name. A replacement between this check and the connection isn't noticed.

    A caller who may not read both objects is refused. KubeVirt's roles that let people connect let them read
    these, too. A mere warning would come after something typed blindly, such as a password, has gone to
    another machine.
    """
    try:
        machine, instance = await asyncio.gather(
            cluster.get(VIRTUAL_MACHINE, namespace, name),
            cluster.get(VIRTUAL_MACHINE_INSTANCE, namespace, name),
        )
    except Refused as error:
        raise EntryError(
            f"the owner of the machine can't be read: {error}. You need the right to get virtualmachines and "
            f"virtualmachineinstances in the API group {VIRTUAL_MACHINE.group}: KubeVirt's roles "
            "kubevirt.io:view, kubevirt.io:edit and kubevirt.io:admin have it"
        ) from error
    except Unreachable as error:
        raise EntryError(f"the connection failed: {error}") from error
    except ApiError as error:
        raise EntryError(str(error)) from error
    if machine is None:
        wait = commands.ours("wait", workload, namespace)
        raise EntryError(f"VirtualMachine {name} is gone: {wait} waits until there is another")
    if not _is_owned(machine, workload_uid):
        raise EntryError(f"VirtualMachine {name} isn't the Workload's: somebody else has made it")
    if instance is not None and not _is_owned(instance, machine["metadata"]["uid"]):
        raise EntryError(
            f"VirtualMachineInstance {name} isn't the one of VirtualMachine {name}: that one is being "
            "replaced, or somebody else has made this one"
        )


def _is_owned(obj: Raw, uid: str) -> bool:
    owner = owner_of(obj)
    return owner is not None and owner.uid == uid
