"""The options that a person gives beside a machine's description, above all for the origin of its disks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.api.objectnames import is_subdomain
from twinhull.convert.conversion import WrongOption

#: The pattern of api/disks.
_SIZE = re.compile(r"[1-9][0-9]*(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?")
#: The pattern of the CEL rule in api/workload.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_URL = re.compile(r"https?://[^\s?#]+")


@dataclass(frozen=True, slots=True)
class Vddk:
    """vCenter or an ESXi host, from which CDI reads the disks by VMware's VDDK library."""

    #: Its URL, such as https://vcenter.example.
    url: str
    #: The SHA-1 fingerprint of its certificate.
    thumbprint: str
    #: The Secret with the credentials, in the Workload's namespace.
    secret: str
    #: The machine's folder on its datastore, such as `[datastore1] web`: a .vmx names its disks without it.
    folder: str = ""
    #: The image with the VDDK library. Empty: the one that CDI's ConfigMap names.
    image: str = ""


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """The options for machines. The source of a disk is its claim, or else vddk, or else disk_url, or else an
    upload.
    """

    #: The Workload's name. None: it is made of the machine's own. It is refused if there are several
    #: machines.
    name: str | None = None
    #: The name of a machine whose description has none, such as the file's name without its ending.
    stem: str = ""
    #: The namespace of all objects. None: the objects name none.
    namespace: str | None = None
    #: The machine's operating system. None: that of the description.
    os: Literal["Linux", "Windows"] | None = None
    #: The firmware with which the disk was installed. None: that of the description.
    bootloader: Literal["BIOS", "UEFI"] | None = None
    #: The URL of the folder in which a web server has the disks, under the names of their files.
    disk_url: str = ""
    vddk: Vddk | None = None
    #: Claims that have the disks already, by the disk's name or by `workload/disk`.
    disk_claims: Mapping[str, str] = field(default_factory=dict)
    #: The virtual sizes of disks, by the same names. They have precedence over those of a description.
    disk_sizes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the options. Raises WrongOption for invalid ones."""
        if self.name is not None and not (_NAME.fullmatch(self.name) and len(self.name) <= MAX_NAME_LENGTH):
            raise WrongOption(
                f"--name {self.name}: use lower-case letters, digits and '-', begin with a letter, and at "
                f"most {MAX_NAME_LENGTH} characters"
            )
        for disk, size in self.disk_sizes.items():
            if not _SIZE.fullmatch(size):
                raise WrongOption(f"--disk-size {disk}={size}: {size!r} is no size: write one such as 40Gi")
        for disk, claim in self.disk_claims.items():
            if not is_subdomain(claim):
                raise WrongOption(
                    f"--disk-claim {disk}={claim}: {claim!r} is no name of a PersistentVolumeClaim: correct "
                    "it"
                )
        if self.disk_url and not _URL.fullmatch(self.disk_url):
            raise WrongOption(
                f"--disk-url {self.disk_url}: give the URL of the folder that has the disks, such as "
                "https://disks.example/exports"
            )
        if self.disk_url and self.vddk:
            raise WrongOption("--disk-url and --vddk-url both say where the disks are: give one of them")


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """The values of an option of the form DISK=VALUE. Raises WrongOption."""
    values: dict[str, str] = {}
    for text in texts:
        disk, equals, value = text.partition("=")
        if not (disk and equals and value):
            raise WrongOption(f"{option} {text}: write it as DISK=VALUE, such as {option} boot=…")
        if disk in values:
            raise WrongOption(f"{option} names the disk {disk} twice: remove one of the two")
        values[disk] = value
    return values
