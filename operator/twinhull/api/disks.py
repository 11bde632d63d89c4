"""The disks of a machine that boots a disk of its own: their sources, and what happens to them.

The sources are named as in CDI (cdi.kubevirt.io/v1beta1, type DataVolumeSource). An existing claim and a
containerDisk are the only sources that CDI doesn't have.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Name, NamespaceName, SubdomainName, in_words, matches, rule, validations

#: The boot disk's name, if it is given no other.
BOOT_DISK = "boot"
#: The most disks beside the boot disk.
MOST_DISKS = 32
_BYTES = r"^[1-9][0-9]*(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$"
_ENOUGH_BYTES = (
    r"^([1-9][0-9]*(\.[0-9]+)?[MGTPE]i?|[1-9][0-9]{3,}(\.[0-9]+)?(Ki|k)|[1-9][0-9]{6,}(\.[0-9]+)?)$"
)
#: An amount of bytes, as Kubernetes writes it. Less than a megabyte is accepted only in objects that were
#: stored before there was this rule.
Bytes: TypeAlias = Annotated[
    str,
    Field(
        max_length=32,
        pattern=_BYTES,
        json_schema_extra=in_words(
            _ENOUGH_BYTES,
            "write an amount such as 40Gi, of 1M at least (without a unit it is in bytes)",
        ),
    ),
]
#: The prefix of the volumes that a machine has in addition to its disks, such as its cloud-init data.
RESERVED_PREFIX = "twinhull-"
_DISK_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
#: The name of a disk: a part of the names of its claim and of the machine's volume.
DiskName: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=_DISK_NAME,
        json_schema_extra=validations(
            rule(
                f"!self.startsWith('{RESERVED_PREFIX}')",
                f"names that begin with {RESERVED_PREFIX} are kept for what a machine has beside its disks: "
                "choose another",
            ),
            matches(_DISK_NAME, "write a name of lower-case letters, digits and '-', such as data-1"),
        ),
    ),
]
#: The prefix of the URL of an image that holds a disk.
REGISTRY_SCHEME = "docker://"
_IMAGE_URL = rf"^{REGISTRY_SCHEME}[^\t\n\f\r ]+$"
_URL_PATTERN = r"^[a-z0-9+.-]+://[^\t\n\f\r ]+$"
_HTTP_URL_PATTERN = r"^https?://[^\t\n\f\r ]+$"


def _url(pattern: str, example: str) -> Any:  # noqa: ANN401  what Field gives
    """A field with a URL. New URLs must match `pattern`. Those stored before there was the rule only have to
    be URLs.
    """
    wanted = in_words(pattern, f"begin with {example}, and write no spaces")
    return Field(min_length=1, max_length=2048, pattern=_URL_PATTERN, json_schema_extra=wanted)


_HTTP_URL = Annotated[
    str, _url(_HTTP_URL_PATTERN, "https:// (or http://), such as https://disks.example/web.qcow2")
]
_SERVICE_URL = Annotated[str, _url(_URL_PATTERN, "https:// or the scheme of the service")]

_CREDENTIALS = "The Secret with the credentials, in the Workload's namespace."
_CERTIFICATES = "The ConfigMap with the certificates that are trusted there, in the Workload's namespace."
_Names = Annotated[tuple[Annotated[SubdomainName, Field(description="A Secret.")], ...], Field(max_length=16)]
#: Archives with a disk in them, and descriptions beside a disk. CDI would take them for the disk itself: it
#: treats a format that it can't read as raw (kubevirt.io/containerized-data-importer,
#: pkg/importer/format-readers.go).
_NO_ARCHIVE = rule(
    "!self.url.matches('(?i)[.](ova|ovf|zip|7z|rar|tar|tgz|bz2)([.](gz|xz|zst))?([?#]|$)')",
    "CDI would take this file for the disk itself: unpack it (an OVA by tar -xf), and give the URL of the "
    "disk in it, or of the .vmdk beside an OVF",
    field="url",
)
_NO_USER = rule(
    "!self.url.matches('^[^/?#]*//[^/?#]*@')",
    "everybody who may read the Workload sees a user and password: put them into a Secret, and name it in "
    "secretRef",
    field="url",
)
_NO_CHECKSUM = rule(
    "!has(self.checksum)",
    "only a source http has its checksum verified: remove checksum, or serve the disk by HTTP",
    field="checksum",
)
_CHECKSUM_PATTERN = r"^(md5|sha1|sha256|sha512):[0-9a-fA-F]{32,128}$"
#: CDI accepts upper-case and lower-case digits (kubevirt.io/containerized-data-importer, pkg/util/checksum).
_RIGHT_CHECKSUM = "^({})$".format(
    "|".join(
        f"{algorithm}:[0-9a-fA-F]{{{digits}}}"
        for algorithm, digits in (("md5", 32), ("sha1", 40), ("sha256", 64), ("sha512", 128))
    )
)
_CHECKSUM: TypeAlias = Annotated[
    str,
    Field(
        max_length=140,
        pattern=_CHECKSUM_PATTERN,
        json_schema_extra=in_words(
            _RIGHT_CHECKSUM,
            "write sha256: in lower case and the 64 hexadecimal digits that sha256sum or Get-FileHash prints "
            "(or md5: and 32, sha1: and 40, sha512: and 128)",
        ),
    ),
]


class Http(Model):
    """A disk that a web server serves."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_ARCHIVE, _NO_USER))

    url: _HTTP_URL = Field(description="The URL of the disk, http:// or https://.")
    checksum: _CHECKSUM | None = Field(
        None,
        description="The checksum of the file as it is served, such as sha256:0123…: md5, sha1, sha256 or "
        "sha512. The import fails if it differs.",
    )
    secret_ref: SubdomainName | None = Field(
        None, description=f"{_CREDENTIALS} Its keys are accessKeyId (user) and secretKey (password)."
    )
    cert_config_map: SubdomainName | None = Field(None, description=_CERTIFICATES)
    secret_extra_headers: _Names | None = Field(
        None,
        description="Secrets in the Workload's namespace. Each value is a header of the request, such as "
        "Authorization: Bearer ….",
    )


class _Unverified(Model):
    """A source whose checksum CDI doesn't verify. A checksum is refused here, and not just ignored."""

    checksum: Annotated[str, Field(max_length=140)] | None = Field(
        None, description="Refused: only a source http has its checksum verified."
    )


class S3(_Unverified):
    """A disk in a bucket of an S3 service."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_ARCHIVE, _NO_USER, _NO_CHECKSUM))

    url: _SERVICE_URL = Field(description="The URL of the disk, such as https://s3.example/bucket/web.qcow2.")
    secret_ref: SubdomainName | None = Field(
        None, description=f"{_CREDENTIALS} Its keys are accessKeyId and secretKey."
    )
    cert_config_map: SubdomainName | None = Field(None, description=_CERTIFICATES)


class Gcs(_Unverified):
    """A disk in a bucket of Google Cloud Storage."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_ARCHIVE, _NO_CHECKSUM))

    url: _SERVICE_URL = Field(description="The URL of the disk, such as gs://bucket/web.qcow2.")
    secret_ref: SubdomainName | None = Field(None, description=f"{_CREDENTIALS} Its key is credentials.json.")


class Registry(_Unverified):
    """A disk in an image of a registry, as containerDisks have it: one file in /disk."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_CHECKSUM))

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            pattern=_IMAGE_URL,
            json_schema_extra=in_words(
                _IMAGE_URL,
                f"write {REGISTRY_SCHEME} and the image, such as {REGISTRY_SCHEME}registry.example/web:1",
            ),
        ),
    ] = Field(description=f"The image, such as {REGISTRY_SCHEME}registry.example/disks/web:1.")
    pull_method: Literal["pod", "node"] | None = Field(
        None,
        description="pod: the importer pulls the image. node: the node pulls it, with the node's own "
        "credentials and mirrors. Without it, pod.",
    )
    secret_ref: SubdomainName | None = Field(
        None, description=f"{_CREDENTIALS} Its keys are accessKeyId and secretKey."
    )
    cert_config_map: SubdomainName | None = Field(None, description=_CERTIFICATES)


class Vddk(_Unverified):
    """A disk straight from vCenter or ESXi, read by VMware's VDDK library."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_USER, _NO_CHECKSUM))

    url: _SERVICE_URL = Field(
        description="The URL of vCenter or of the ESXi host, such as https://vcenter.example."
    )
    uuid: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="The UUID of the machine in vSphere (govc vm.info: UUID)."
    )
    backing_file: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="The disk's file, such as [datastore1] web/web.vmdk."
    )
    thumbprint: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="The SHA-1 fingerprint of the host's certificate, such as 20:6C:8A:…."
    )
    secret_ref: SubdomainName = Field(
        description=f"{_CREDENTIALS} Its keys are accessKeyId (user) and secretKey (password)."
    )
    cert_config_map: SubdomainName | None = Field(
        None, description=f"{_CERTIFICATES} It needs CDI 1.66 or later."
    )
    init_image_url: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None,
        alias="initImageURL",
        description="The image with the VDDK library, which only VMware may distribute. Without it, the "
        "image that CDI's ConfigMap v2v-vmware names.",
    )
    extra_args: SubdomainName | None = Field(
        None,
        description="A ConfigMap in the Workload's namespace with further arguments for VDDK, under the key "
        "vddk-config-file.",
    )


class Imageio(_Unverified):
    """A disk from oVirt, by its imageio service."""

    model_config = ConfigDict(json_schema_extra=validations(_NO_USER, _NO_CHECKSUM))

    url: _SERVICE_URL = Field(
        description="The URL of the oVirt engine, such as https://ovirt.example/ovirt-engine/api."
    )
    disk_id: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="The disk's id in oVirt.")
    secret_ref: SubdomainName = Field(description=f"{_CREDENTIALS} Its keys are accessKeyId and secretKey.")
    cert_config_map: SubdomainName = Field(description=_CERTIFICATES)


class Claim(Model):
    """An existing claim, whoever created and filled it. It is used as it is, and never deleted."""

    name: SubdomainName = Field(description="The claim, in the Workload's namespace.")


class Snapshot(Model):
    """A VolumeSnapshot, from which the disk is made."""

    name: SubdomainName = Field(description="The VolumeSnapshot, in the Workload's namespace.")


class DataSource(Model):
    """A CDI DataSource, such as a golden image. The disk is a clone of it."""

    name: SubdomainName = Field(description="The DataSource's name.")
    namespace: NamespaceName | None = Field(
        None,
        description="The DataSource's namespace. Without it, the Workload's. If the DataSource leads to a "
        "claim or snapshot in another namespace than the Workload's, the operator needs the right to create "
        "datavolumes/source there.",
    )


class Empty(Model):
    """An object without fields."""


class ContainerDisk(Model):
    """A disk in an image. It is new at each start: everything that the machine writes to it is lost."""

    image: Annotated[str, Field(min_length=1, max_length=1024)] = Field(description="The image.")
    image_pull_secret: SubdomainName | None = Field(
        None, description="The Secret with which nodes pull the image, in the Workload's namespace."
    )
    path: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="The file in the image. Without it, the only file in /disk."
    )


#: The fields of a source. Exactly one of them is set.
_SOURCES = (
    *("http", "s3", "gcs", "registry", "vddk", "imageio", "claim", "snapshot", "dataSource", "upload"),
    *("blank", "containerDisk"),
)
_ONE_SOURCE = rule(
    "[" + ", ".join(f"has(self.{source})" for source in _SOURCES) + "].filter(said, said).size() == 1",
    f"set exactly one of {', '.join(_SOURCES)} (blank and upload are written as {{}})",
)


class DiskSource(Model):
    """Where a disk comes from. Exactly one of its fields is set."""

    model_config = ConfigDict(json_schema_extra=validations(_ONE_SOURCE))

    http: Http | None = Field(None, description="A web server.")
    s3: S3 | None = Field(None, description="A bucket of an S3 service.")
    gcs: Gcs | None = Field(None, description="A bucket of Google Cloud Storage.")
    registry: Registry | None = Field(None, description="An image of a registry that holds a disk.")
    vddk: Vddk | None = Field(None, description="vCenter or ESXi.")
    imageio: Imageio | None = Field(None, description="oVirt.")
    claim: Claim | None = Field(
        None, description="An existing claim, such as one that a migration tool left."
    )
    snapshot: Snapshot | None = Field(None, description="A VolumeSnapshot.")
    data_source: DataSource | None = Field(None, description="A CDI DataSource, such as a golden image.")
    upload: Empty | None = Field(
        None, description="The disk is uploaded, for instance by virtctl image-upload to the DataVolume."
    )
    blank: Empty | None = Field(None, description="An empty disk.")
    container_disk: ContainerDisk | None = Field(None, description="An image. The disk is new at each start.")

    @property
    def kind(self) -> str:
        """The name of the field that is set, empty if none is."""
        return next(iter(self.raw()), "")


#: The sources whose size CDI finds out itself.
_SIZED = ("snapshot", "dataSource")


def _only_imported(field: str) -> dict[str, str]:
    return rule(
        f"!has(self.{field}) || !has(self.source.claim) && !has(self.source.containerDisk)",
        f"{field} has no meaning for a claim or a containerDisk, which is used as it is: remove {field}",
        field=field,
    )


_DISK_RULES = (
    rule(
        "has(self.size) || has(self.source.claim) || has(self.source.containerDisk)"
        + "".join(f" || has(self.source.{source})" for source in _SIZED),
        "size is required with this source: set it to the virtual size of the disk (qemu-img info)",
        field="size",
    ),
    *(
        _only_imported(field)
        for field in ("size", "storageClassName", "accessModes", "volumeMode", "reclaim")
    ),
)


class Disk(Model):
    """The fields that every disk of a machine has."""

    model_config = ConfigDict(json_schema_extra=validations(*_DISK_RULES))

    source: DiskSource = Field(
        description="Where the disk comes from. A disk that was filled is never filled again: another source "
        "is refused then, unless the disk gets another name, too. CDI reads qcow2, VMDK, VHD, "
        "VHDX, VDI and raw, and these compressed by gzip, xz or zstd."
    )
    size: Bytes | None = Field(
        None,
        description="The virtual size of the disk, which qemu-img info shows, such as 40Gi. It can be made "
        "larger later.",
    )
    storage_class_name: Name | None = Field(
        None, description="The StorageClass of the claim. Without it, the default one for machines."
    )
    access_modes: (
        Annotated[
            tuple[
                Annotated[
                    Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"],
                    Field(description="An access mode."),
                ],
                ...,
            ],
            Field(min_length=1, max_length=3),
        ]
        | None
    ) = Field(
        None,
        description="The access modes of the claim. Without them, what CDI's StorageProfile has for the "
        "StorageClass.",
    )
    volume_mode: Literal["Filesystem", "Block"] | None = Field(
        None, description="The volume mode of the claim. Without it, what CDI's StorageProfile has."
    )
    reclaim: Literal["Retain", "Delete"] | None = Field(
        None,
        description="What becomes of the disk when the Workload is deleted. Retain: it stays, and a Workload "
        "of this name takes it up again. Delete: it is deleted. Without it, Retain.",
    )
    bus: Literal["sata", "scsi", "virtio"] | None = Field(
        None, description="The bus of the disk. Without it, as virtualMachine.devices says."
    )

    @property
    def disk_name(self) -> str:
        """The disk's name, or its default name."""
        raise NotImplementedError

    @property
    def field(self) -> str:
        """The disk's path in spec.virtualMachine, such as disks[data]."""
        raise NotImplementedError

    @property
    def may_be_booted(self) -> bool:
        """Whether the firmware tries to boot the disk."""
        raise NotImplementedError


class BootDisk(Disk):
    """The disk that the machine boots."""

    name: DiskName | None = Field(
        None,
        description=f"Its name, {BOOT_DISK} by default: the claim is named after the Workload and it. With "
        "another name the machine gets another disk. reclaim says what happens to the former disk's claim.",
    )

    @property
    def disk_name(self) -> str:
        """The disk's name, or its default name."""
        return self.name or BOOT_DISK

    @property
    def field(self) -> str:
        """The disk's path in spec.virtualMachine."""
        return "bootDisk"

    @property
    def may_be_booted(self) -> bool:
        """True: the firmware tries this disk first."""
        return True


class DataDisk(Disk):
    """A disk in addition to the one that the machine boots."""

    name: DiskName = Field(description="Its name: the claim is named after the Workload and it.")
    cdrom: bool | None = Field(None, description="Whether the machine has it as a CD-ROM drive.")
    boot_order: Annotated[int, Field(ge=2, le=64)] | None = Field(
        None,
        description="Its place in the order in which the firmware tries the disks. The boot disk is the "
        "first. Without it, the firmware doesn't try the disk.",
    )

    @property
    def disk_name(self) -> str:
        """The disk's name."""
        return self.name

    @property
    def field(self) -> str:
        """The disk's path in spec.virtualMachine."""
        return f"disks[{self.name}]"

    @property
    def may_be_booted(self) -> bool:
        """Whether it has a place among the disks that the firmware tries."""
        return self.boot_order is not None
