"""The options of `twinhull convert` for machines of hypervisors: facts that their descriptions don't have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from twinhull.convert.conversion import WrongOption
from twinhull.convert.machines.options import MachineOptions, Vddk, pairs

_F = TypeVar("_F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--os",
        type=click.Choice(["Linux", "Windows"]),
        help="Machines: the operating system. Without this option, the description tells it.",
    ),
    click.option(
        "--bootloader",
        type=click.Choice(["BIOS", "UEFI"]),
        help="Machines: the firmware with which the disk was installed. Without this option, the "
        "description tells it.",
    ),
    click.option(
        "--disk-url",
        metavar="URL",
        help="Machines: the folder on a web server that has the disks, under the names of their files.",
    ),
    click.option(
        "--disk-claim",
        "disk_claims",
        metavar="DISK=CLAIM",
        multiple=True,
        help="Machines: a claim that has a disk already. DISK is the disk's name in the Workload, such as "
        "boot. It may be repeated.",
    ),
    click.option(
        "--disk-size",
        "disk_sizes",
        metavar="DISK=SIZE",
        multiple=True,
        help="Machines: the virtual size of a disk (qemu-img info), such as boot=40Gi. It may be repeated.",
    ),
    click.option(
        "--vddk-url",
        metavar="URL",
        help="Machines: vCenter or the ESXi host from which CDI is to read the disks. It needs "
        "--vddk-thumbprint and --vddk-secret.",
    ),
    click.option(
        "--vddk-thumbprint", metavar="SHA1", help="Machines: the fingerprint of that host's certificate."
    ),
    click.option(
        "--vddk-secret", metavar="NAME", help="Machines: the Secret with the credentials for that host."
    ),
    click.option(
        "--vddk-folder",
        metavar="FOLDER",
        help="Machines: the machine's folder on that host, such as '[datastore1] web'.",
    ),
    click.option("--vddk-image", metavar="IMAGE", help="Machines: the image with VMware's VDDK library."),
)


def machine_options(command: _F) -> _F:
    """Add the options to a command, which gets them as `os`, `bootloader`, `disk_url` and so on."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(values: dict[str, Any]) -> MachineOptions:
    """The values of the options. Raises WrongOption for values that don't go together."""
    vddk = {key.removeprefix("vddk_"): value for key, value in values.items() if key.startswith("vddk_")}
    vddk_keys = {key for key, value in vddk.items() if value}
    if vddk_keys and not {"url", "thumbprint", "secret"} <= vddk_keys:
        raise WrongOption(
            "--vddk-url, --vddk-thumbprint and --vddk-secret go together: give all three, or none of --vddk-…"
        )
    return MachineOptions(
        os=values["os"],
        bootloader=values["bootloader"],
        disk_url=values["disk_url"] or "",
        vddk=Vddk(**{key: vddk[key] for key in vddk_keys}) if vddk_keys else None,
        disk_claims=pairs("--disk-claim", values["disk_claims"]),
        disk_sizes=pairs("--disk-size", values["disk_sizes"]),
    )
