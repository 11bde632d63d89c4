"""Keys of .vmx files that no code reads: those that mean nothing in KubeVirt, and why others are left.

A key of neither table is named with OTHERWISE. Kinds are `device/key`, in lower case; sources as in `vmx`.
"""

from __future__ import annotations

from twinhull.convert.machines.tree import Table, Tables

_HOST = "VMware's own notes about the machine and its files"
_SAME = "a machine of KubeVirt is like this anyway"
_SLOT = "where on a bus VMware has put a device"
_UNSET = "it is off, or as VMware has it by default"

#: Keys that say nothing for a Workload, with the reason why they aren't named.
MEANINGLESS = {
    "encoding": _HOST,
    "config/version": _HOST,
    "virtualhw/*": _HOST,
    "pcibridge*": _SLOT,
    "*/pcislotnumber": _SLOT,
    "*/parent": _SLOT,
    "*slotinfo*": _SLOT,
    "chipset*": _SLOT,
    "vmci0*": "it is for VMware's own drivers",
    "hpet0*": _SAME,
    "*/present=false": _UNSET,
    "scsi*/present": "the controller is KubeVirt's; its disks are carried over",
    "sata*/present": "the controller is KubeVirt's; its disks are carried over",
    "nvme*/present": "the controller is KubeVirt's; its disks are carried over",
    "scsi*/virtualdev": "the controller is KubeVirt's",
    "scsi*/sasaddress": _SLOT,
    "scsi*/wwid": _SLOT,
    "scsi*/redo=": _HOST,
    "nvme*/redo=": _HOST,
    "sata*/redo=": _HOST,
    "ide*/redo=": _HOST,
    "nvme*/uuid": _HOST,
    "scsi*/sharedbus=none": _UNSET,
    "scsi*/sharing=": _UNSET,
    "*/sharing=none": _UNSET,
    "*/startconnected=true": _SAME,
    **{
        f"{bus}*/startconnected=false": "what is in it is carried over or named"
        for bus in ("ide", "sata", "scsi")
    },
    "*/autodetect": _HOST,
    "*/clientdevice=false": _UNSET,
    "*/allowguestconnectioncontrol": _HOST,
    "ethernet*/addresstype": "the address itself is carried over",
    "ethernet*/generatedaddressoffset": _HOST,
    "ethernet*/checkmacaddress": _HOST,
    "ethernet*/wakeonpcktrcv": _HOST,
    "ethernet*/uptcompatibility": _HOST,
    "ethernet*/features": _HOST,
    "ethernet*/linkstatepropagation.enable=false": _UNSET,
    "ethernet*/displayname": _HOST,
    "floppy*/present=false": _UNSET,
    "svga*": "the graphics card is KubeVirt's",
    "mks*": "the graphics card is KubeVirt's",
    "disk/enableuuid": "KubeVirt's disks have serial numbers",
    "uuid/location": _HOST,
    "vc/uuid": _HOST,
    "vm/genid*": "KubeVirt gives each machine its own",
    "numa/autosize*": _HOST,
    "numvcpus=": _UNSET,
    "migrate/*": _HOST,
    "ftcpt/*": _HOST,
    "hostcpuid/*": _HOST,
    "guestcpuid/*": _HOST,
    "usercpuid/*": _HOST,
    "evccompatibilitymode": _HOST,
    "vm/createdate": _HOST,
    "cpuid/corespersocket.cookie": _HOST,
    "msg/autoanswer": _HOST,
    "memtrimrate": _HOST,
    "scsi*/saswwid": _SLOT,
    "buslogic/nodriver": _HOST,
    "guestinfo/detailed*": "what VMware's tools said of the system in the machine",
    "guestinfo/vmtools*": "what VMware's tools said of themselves",
    "guestinfo/toolsinst*": "what VMware's tools said of themselves",
    "checkpoint/*": _HOST,
    "vmotion/*": _HOST,
    "monitor/*": _HOST,
    "sched/swap.derivedname": _HOST,
    "sched/cpu.units": "the unit of keys beside it",
    "sched/*shares=normal": _UNSET,
    "sched/*min=0": _UNSET,
    "sched/*minsize=0": _UNSET,
    "sched/*affinity=all": _UNSET,
    "sched/*throughputcap=off": _UNSET,
    "sched/*latencysensitivity=normal": _UNSET,
    "sched/mem.pin=false": _UNSET,
    "tools/*": "VMware's tools: remove them in the machine, and install the QEMU guest agent",
    "toolscripts/*": "VMware's tools: remove them in the machine, and install the QEMU guest agent",
    "toolsinstallmanager/*": "VMware's tools",
    "isolation/*": "what the console of VMware may do; KubeVirt's console does none of it",
    "isolation*": "what the console of VMware may do; KubeVirt's console does none of it",
    "cleanshutdown": _HOST,
    "softpoweroff": _HOST,
    "powertype/*": _HOST,
    "extendedconfigfile": _HOST,
    "replay/*": _HOST,
    "viv/*": _HOST,
    "log/*": _HOST,
    "logging*": _HOST,
    "gui/*": _HOST,
    "keyboardandmouseprofile": _HOST,
    "hints/*": _HOST,
    "policy/*": _HOST,
    "vmxstats/*": _HOST,
    "unity/*": _HOST,
    "workingdir": _HOST,
    "debugstub/*": _HOST,
    "snapshot/action": _HOST,
    "answer/*": _HOST,
    "virtualmachine/*": _HOST,
    "rxclients*": _HOST,
    "inventory*": _HOST,
    "vmx/buildtype*": _HOST,
    "vmx/log*": _HOST,
    "memallowautoscaledown": _HOST,
    "mainmem/*": _HOST,
    "prefvmx/*": _HOST,
    "vhv/enable=false": _UNSET,
    "vpmc/enable=false": _UNSET,
    "vvtd/enable=false": _UNSET,
    "windows/vbs.enabled=false": _UNSET,
    "mem/hotadd=false": _UNSET,
    "vcpu/hotadd=false": _UNSET,
    "vcpu/hotremove=false": _UNSET,
    "time/synchronize*": "VMware's tools set the clock: the machine's own time service does",
    "synctime*": "VMware's tools set the clock: the machine's own time service does",
    "sharedfolder/maxnum=0": _UNSET,
    "hgfs/*": "the shared folders themselves are named",
    "acpi/*": _SAME,
    "hypervisor/cpuid.v0=true": _UNSET,
    "remotedisplay/vnc.enabled=false": _UNSET,
    "bios/bootorder=hdd*": "the first disk is booted",
    "remotedisplay/maxconnections=*": _HOST,
    "uefi/secureboot.enabled=false": _UNSET,
    "firmware=bios": "it is carried over",
}

_TUNING = (
    "how the host shares its CPUs, memory and disks out is Kubernetes': set it in virtualMachine.overrides"
)
_CLOUD_INIT = (
    "cloud-init reads it from VMware only: put it into a Secret, and name that in virtualMachine.cloudInit. "
    "It is "
    "often base64, as the key …encoding says"
)

REASONS = {
    "uuid/bios": "the machine has a new UUID: set overrides.domain.firmware.uuid to keep this one, if a "
    "license goes "
    "by it",
    "uuid*": "the machine has a new UUID",
    "nvram": "the firmware's variables stay behind: it finds the boot loader anew. firmware.persistent "
    "keeps those "
    "that are set from now on",
    "cpuid/corespersocket": "the CPUs are cores of one socket: set overrides.domain.cpu for sockets",
    "cpuid*": "which features the CPU has is KubeVirt's: set overrides.domain.cpu.features",
    "vcpu/hot*": "no CPUs are plugged in later",
    "mem/hotadd": "no memory is plugged in later",
    "numa*": "the machine has one NUMA node",
    "vhv*": "virtualization isn't nested: set overrides.domain.cpu.model to host-passthrough, if the nodes "
    "allow it",
    "vpmc*": "the machine has no performance counters",
    "vvtd*": "the machine has no IOMMU",
    "windows/vbs*": "virtualization-based security needs nested virtualization: set "
    "overrides.domain.cpu.features",
    "hypervisor*": "which features the CPU has is KubeVirt's",
    "sched/cpu.affinity": "CPUs aren't pinned: set overrides.domain.cpu.dedicatedCpuPlacement for CPUs of "
    "its own",
    "sched*": _TUNING,
    "bios/bootorder": "the machine boots its disk first: give a disk bootOrder, or an interface in overrides",
    "bios/hddorder": "the first disk in it is booted",
    "bios*": "the firmware is KubeVirt's",
    "efi*": "the firmware is KubeVirt's",
    "uefi/secureboot.enabled": "the firmware isn't UEFI, and has no secure boot",
    "uefi*": "the firmware is KubeVirt's",
    "smbios*": "the SMBIOS data are KubeVirt's: set overrides.domain.firmware for serial and uuid",
    "rtc*": "the machine's clock is UTC: set overrides.domain.clock for another",
    "ethernet*/startconnected": "the card is connected from the start",
    "ethernet*": "the machine is on the Pod's network, behind a masquerade: reach it by the Workload's "
    "Service",
    "*/mode": "an independent disk is one as all others are here, and isn't thrown away at the machine's end",
    "scsi*/sharedbus": "a disk has one machine: share files by a network file system instead",
    "*/sharing": "a disk has one machine: share files by a network file system instead",
    "*/redo": "the file of a snapshot: delete the machine's snapshots before the disk is copied",
    "*/writethrough": "how the disk is cached and read is KubeVirt's",
    "*/ctkenabled": "changed blocks are tracked by VMware only",
    "ctkenabled": "changed blocks are tracked by VMware only",
    "scsi*": "the controller is KubeVirt's",
    "sata*": "the controller is KubeVirt's",
    "nvme*": "the controller is KubeVirt's",
    "ide*": "the controller is KubeVirt's",
    "usb*": "USB devices aren't passed through: name a device of the nodes in overrides",
    "ehci*": "USB controllers are KubeVirt's",
    "xhci*": "USB controllers are KubeVirt's",
    "pcipassthru*": "a device of the host that is passed through stays there: name a device of the nodes in "
    "overrides",
    "serial*": "the serial port isn't carried over: the console is KubeVirt's (virtctl console)",
    "parallel*": "KubeVirt has no parallel port",
    "floppy*": "KubeVirt has no floppy drive: copy what is on it into the machine",
    "sound*": "the machine has no sound card: set overrides.domain.devices.sound",
    "sharedfolder*": "folders of the host aren't shared: copy what is in them, or use a claim or NFS",
    "guestinfo/*userdata*": _CLOUD_INIT,
    "guestinfo/*metadata*": _CLOUD_INIT,
    "guestinfo*": "the machine can ask VMware only for it: give it in another way, such as cloudInit",
    "remotedisplay*": "the console is KubeVirt's: virtctl vnc",
    "vtpm*": "the machine has no TPM",
    "managedvm*": _TUNING,
    "encryption/data": "what is encrypted in it can't be read: remove the machine's encryption in VMware",
    "encryption*": "the machine's own files aren't encrypted: encrypt the StorageClass's volumes instead",
    "vmx/encryptiontype": "the machine's own files aren't encrypted: encrypt the StorageClass's volumes "
    "instead",
    "encryptedvm*": "the machine's own files aren't encrypted: encrypt the StorageClass's volumes instead",
    "crypto*": "the machine's own files aren't encrypted: encrypt the StorageClass's volumes instead",
    "snapshot*": "snapshots aren't carried over: delete them before the disk is copied",
    "disk*": "how disks are read is KubeVirt's",
    "annotation": "it is empty, or too long",
    "vapp*": "what a vApp tells its machines isn't carried over: give it in another way, such as cloudInit",
}

OTHERWISE = "VMware documents no such key for machines, and a Workload has no field for it"

TABLES = Tables(Table(MEANINGLESS), Table(REASONS), OTHERWISE)
