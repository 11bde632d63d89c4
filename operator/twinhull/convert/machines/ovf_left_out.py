"""Tables of parts of OVF descriptors that no code reads: those without a meaning in KubeVirt, and the reasons
why others are left.

A part that is in neither table is named with OTHERWISE. Sources as in `ovf`.
"""

from __future__ import annotations

from twinhull.convert.machines.machine import NEW_VARIABLES
from twinhull.convert.machines.tree import Table, Tables

_TOOL = "it is for the tool that imports the package"
_SAME = "a machine of KubeVirt is like this anyway"
_WORDS = "words for a person about what beside it is carried over or named"
_SLOT = "where on a bus the hypervisor has put a device"

#: Parts without a meaning for a Workload, each with the reason why it isn't named.
MEANINGLESS = {
    "envelope/@*": _TOOL,
    "*/info": _WORDS,
    "*/info/*": _WORDS,
    "*/@required": _TOOL,
    "*/@vmw:required": _TOOL,
    "*/@xsi:type": _TOOL,
    "*/@msgid": _TOOL,
    "envelope/strings*": _WORDS,
    "envelope/references/file/@size": "the size of the file, not of the disk",
    "envelope/references/file/@compression": "CDI finds out the format of a disk by itself",
    "envelope/disksection/disk/@format": "CDI finds out the format of a disk by itself",
    "envelope/disksection/disk/@populatedsize": "how much of the disk is in use",
    "envelope/disksection/disk/@vbox:uuid": _TOOL,
    "envelope/networksection": "the network is named with the card",
    "envelope/networksection/*": "the network is named with the card",
    "*/operatingsystemsection/vbox:ostype/*": _TOOL,
    "*/virtualhardwaresection/@id": _TOOL,
    "*/virtualhardwaresection/@transport=": _TOOL,
    "*/system/elementname": _WORDS,
    "*/system/instanceid": _TOOL,
    "*/system/virtualsystemtype": "the kind of virtual hardware is KubeVirt's",
    "*/system/virtualsystemidentifier": "a name beside the one that is carried over",
    "*item/caption": _WORDS,
    "*item/description": _WORDS,
    "*item/elementname": _WORDS,
    "*item/instanceid": _SLOT,
    "*item/parent": _SLOT,
    "*item/addressonparent": _SLOT,
    "*item/automaticallocation=true": _SAME,
    "*item/automaticdeallocation*": "each device is connected from the start",
    "*item/@configuration": "the configuration is the one that is used",
    "*item/vmw:config/@vmw:key=slotinfo.pcislotnumber": _SLOT,
    "*item/changeabletype": _TOOL,
}

_TUNING = (
    "how the host shares its CPUs, memory and disks out is Kubernetes': set it in virtualMachine.overrides"
)

REASONS = {
    "*/productsection*": "what a vApp tells its machines isn't carried over: give it in another way, such "
    "as cloudInit",
    "*/eulasection*": "nobody is asked to accept the license",
    "*/annotationsection*": "it is empty, or too long",
    "*/startupsection*": "Workloads start when they are there: give the one that needs another a readiness, "
    "and wait for it",
    "*/installsection*": "the machine isn't installed anew",
    "*/resourceallocationsection*": _TUNING,
    "*/deploymentoptionsection*": "the default configuration is used",
    "*/networksection*": "the machine is on the Pod's network: reach it by the Workload's Service",
    "*/vmw:storagesection*": "the StorageClass says how disks are stored: set bootDisk.storageClassName",
    "*/vmw:storagegroupsection*": "the StorageClass says how disks are stored: set bootDisk.storageClassName",
    "*/vmw:*section*": "it is for vSphere",
    "*/vcloud:*section*": "it is for vCloud",
    "*/scaleoutsection*": "a Workload is one machine: make another one for each",
    "*item/hostresource/@vcloud:*": "it is for vCloud",
    "*/virtualsystemcollection/@id": "only its machines are carried over",
    "*/virtualsystemcollection/name": "only its machines are carried over",
    "envelope/references/file*": "no disk of the machine's is in this file",
    "envelope/disksection/disk*": "no machine has this disk, or it is said of another one",
    "*/virtualhardwaresection/@transport*": "the machine isn't given its OVF environment: use cloudInit",
    "*/virtualhardwaresection/vmw:config*": "a setting of vSphere's: set it in virtualMachine.overrides, if "
    "KubeVirt has it",
    "*/virtualhardwaresection/vmw:extraconfig*": "a setting of vSphere's: set it in "
    "virtualMachine.overrides, if KubeVirt has it",
    "*/system/*": "the SMBIOS data are KubeVirt's: set overrides.domain.firmware for serial and uuid",
    "*item/automaticallocation": "the device is connected from the start",
    "*item/connection": "the machine is on the Pod's network, behind a masquerade: reach it by the "
    "Workload's Service",
    "*item/vmw:corespersocket": "the CPUs are cores of one socket: set overrides.domain.cpu for sockets",
    "*item/reservation": _TUNING,
    "*item/limit": _TUNING,
    "*item/weight": _TUNING,
    "*item/vmw:config*": "a setting of vSphere's for this device: set it in virtualMachine.overrides, if "
    "KubeVirt has it",
    "*item/resourcesubtype": "the controller is KubeVirt's",
    "*item/address": "no address of a network card",
    "*item": "KubeVirt's machines have no such device: set it in virtualMachine.overrides, if KubeVirt has "
    "it",
    "*item/*": "a Workload has no field for it",
}

OTHERWISE = "a Workload has no field for it"

#: The beginnings of the keys of vSphere's settings that have no meaning for a machine of KubeVirt.
_SETTINGS_WITHOUT_MEANING = (
    *("tools.", "powerOpInfo.", "slotInfo.", "backing.writeThrough", "connectable.", "wakeOnLanEnabled"),
    *("useAutoDetect", "videoRamSizeInKB", "numDisplays", "use3dRenderer", "graphicsMemorySizeInKB"),
    *(
        "virtualSMCPresent",
        "virtualICH7MPresent",
        "simultaneousThreads",
        "upgradePolicy",
        "uptCompatibilityEnabled",
    ),
)
_SETTINGS = {
    "nestedHVEnabled": "virtualization isn't nested: set overrides.domain.cpu.model to host-passthrough, "
    "if the nodes allow it",
    "cpuHotAddEnabled": "no CPUs are plugged in later",
    "cpuHotRemoveEnabled": "no CPUs are plugged in later",
    "memoryHotAddEnabled": "no memory is plugged in later",
    "flags.vbsEnabled": "virtualization-based security needs nested virtualization: set "
    "overrides.domain.cpu.features",
    "flags.vvtdEnabled": "the machine has no IOMMU",
    "enable3DSupport": "the graphics card is KubeVirt's, and has no 3D",
    "nvram": NEW_VARIABLES,
}


def setting(key: str, value: str) -> str:
    """Why a setting of vSphere (vmw:Config) is left, empty if it has no meaning here."""
    is_off = value.strip().lower() in {"", "false"} and (
        key in _SETTINGS or key == "bootOptions.efiSecureBootEnabled"
    )
    if is_off or key.startswith(_SETTINGS_WITHOUT_MEANING):
        return ""
    return _SETTINGS.get(
        key, "a setting of vSphere's: set it in virtualMachine.overrides, if KubeVirt has it"
    )


TABLES = Tables(Table(MEANINGLESS), Table(REASONS), OTHERWISE)
