"""Tables of parts of libvirt's domains that no code reads: those without a meaning in KubeVirt, and the
reasons why others are left.

A part that is in neither table is named with OTHERWISE. Source: libvirt's docs/formatdomain.rst.
"""

from __future__ import annotations

from twinhull.convert.machines.machine import NEW_UUID, NEW_VARIABLES, UTC_CLOCK
from twinhull.convert.machines.tree import Table, Tables

_HOST = "it is about the host, or about where on a bus libvirt has put a device"
_SAME = "a machine of KubeVirt is like this anyway"
_OWN = "KubeVirt gives each machine its own"

#: Parts without a meaning for a Workload, each with the reason why it isn't named.
MEANINGLESS = {
    "domain/@type": "KubeVirt's machines are KVM's",
    "domain/@id": _HOST,
    "domain/genid*": _OWN,
    "domain/devices/emulator": _HOST,
    "domain/devices/*/alias": _HOST,
    "domain/devices/*/alias/*": _HOST,
    "domain/devices/*/address": _HOST,
    "domain/devices/*/address/*": _HOST,
    "domain/devices/controller/@index": _HOST,
    "domain/devices/controller/driver/@queues": _OWN,
    "domain/devices/controller/target*": _HOST,
    "domain/devices/controller/model*": _HOST,
    "domain/devices/controller/@ports": _HOST,
    "domain/devices/controller/@vectors": _HOST,
    "domain/devices/controller/@model": _HOST,
    "domain/devices/controller/@type=*": _HOST,
    "domain/devices/controller": _HOST,
    "domain/devices/disk/@type": "the source is another one in the cluster",
    "domain/devices/disk/@snapshot": _HOST,
    "domain/devices/disk/source/@index": _HOST,
    "domain/devices/disk/source/@startuppolicy": _HOST,
    "domain/devices/disk/source/@pool": "the source is another one in the cluster",
    "domain/devices/disk/source/@protocol": "the source is another one in the cluster",
    "domain/devices/disk/source/host*": "the source is another one in the cluster",
    "domain/devices/disk/driver/@name": _HOST,
    "domain/devices/disk/driver/@type": "CDI finds out the format of a disk by itself",
    "domain/devices/disk/target/@tray*": _HOST,
    "domain/devices/disk/backingstore": "an empty one: there is no backing file",
    "domain/devices/interface/@type": "the machine is on the Pod's network; the source of this one is named",
    "domain/devices/interface/target*": _HOST,
    "domain/devices/interface/source/@portid": _HOST,
    "domain/devices/input/@bus=ps2": _SAME,
    "domain/devices/input": "keyboard, mouse and tablet are KubeVirt's",
    "domain/devices/input/*": "keyboard, mouse and tablet are KubeVirt's",
    "domain/devices/graphics/listen*": "KubeVirt's console is VNC through the API server",
    "domain/devices/tpm/*": "the TPM is named as a whole",
    "domain/devices/rng*": _SAME,
    "domain/devices/memballoon*": _SAME,
    "domain/devices/audio/@type=none": "there is none",
    "domain/devices/audio/@id": _HOST,
    "domain/devices/watchdog/@model=itco": "QEMU's chipset has it; it does nothing unless it is set up",
    "domain/features/acpi": _SAME,
    "domain/features/apic*": _SAME,
    "domain/features/pae": _SAME,
    "domain/features/smm*": "KubeVirt sets it for secure boot",
    "domain/features/vmport*": "it is VMware's, and KubeVirt has none",
    **{
        f"domain/features/hyperv/{name}*": "a Windows gets it from Twinhull"
        for name in (
            *(
                "relaxed",
                "vapic",
                "spinlocks",
                "vpindex",
                "runtime",
                "synic",
                "stimer",
                "reset",
                "frequencies",
            ),
            *("reenlightenment", "tlbflush", "ipi"),
        )
    },
    "domain/features/hyperv/@mode=custom": "a Windows gets its enlightenments from Twinhull",
    "domain/features/hyperv/@mode=passthrough": "a Windows gets its enlightenments from Twinhull",
    "domain/os/type/@machine": "the machine type is KubeVirt's",
    "domain/os/boot": "the first disk is booted; another device is named",
    "domain/os/boot/@dev=hd": "the first disk is booted",
    "domain/os/loader/@readonly": _SAME,
    "domain/os/loader/@format": _HOST,
    "domain/os/loader/@stateless=no": _SAME,
    "domain/os/bootmenu/@enable=no": _SAME,
    "domain/os/smbios/@mode=emulate": _SAME,
    "domain/vcpu/@placement=static": _SAME,
    "domain/vcpu/@placement=auto": _HOST,
    "domain/cpu/@check": _HOST,
    "domain/cpu/@migratable": _HOST,
    "domain/cpu/@match": "the model beside it is named",
    "domain/cpu/model/@fallback": _HOST,
    "domain/cpu/model/@check": _HOST,
    "domain/clock/@offset=utc": _SAME,
    "domain/clock/timer*": "a Windows gets its timers from Twinhull, and a Linux needs none",
    "domain/on_poweroff=destroy": _SAME,
    "domain/on_reboot=restart": _SAME,
    "domain/on_crash=destroy": "KubeVirt starts a machine that has crashed anew",
    "domain/on_crash=restart": _SAME,
    "domain/on_lockfailure*": _HOST,
    "domain/resource*": _HOST,
    "domain/seclabel*": "it is the host's; KubeVirt confines each machine in its own way",
    "domain/pm*=no": _SAME,
    "domain/pm/*": "a machine of KubeVirt doesn't suspend",
    "domain/iothreads": "how disks are read is KubeVirt's",
    "domain/metadata/libosinfo:libosinfo": "what it says of the system is read",
}

_NETWORK = "the machine is on the Pod's network, behind a masquerade: reach it by the Workload's Service"
_TUNING = (
    "how the host shares its CPUs, memory and disks out is Kubernetes': set it in virtualMachine.overrides"
)
_PASSED = "a device of the host that is passed through stays there: name a device of the nodes in overrides"
_CONSOLE = "the console is KubeVirt's: twinhull console, or twinhull vnc"

REASONS = {
    "domain/uuid": NEW_UUID,
    "domain/title": "the description is kept in its place",
    "domain/metadata/*": "it is for the tools of the former host",
    "domain/metadata": "it is for the tools of the former host",
    "domain/currentmemory*": "the machine has all of its memory from the start (memory)",
    "domain/maxmemory*": "no memory is plugged in later",
    "domain/memorybacking*": "huge pages and locked memory are set in overrides.domain.memory",
    "domain/memtune*": _TUNING,
    "domain/cputune*": f"CPUs aren't pinned: {_TUNING}",
    "domain/vcpu/@cpuset": "CPUs aren't pinned: set overrides.domain.cpu.dedicatedCpuPlacement for CPUs of "
    "its own",
    "domain/vcpus*": "all CPUs are there from the start",
    "domain/numatune*": _TUNING,
    "domain/blkiotune*": _TUNING,
    "domain/iothreadids*": _TUNING,
    "domain/cpu/topology*": "the CPUs are cores of one socket: set overrides.domain.cpu for sockets and "
    "threads",
    "domain/cpu/feature*": "which features the CPU has is KubeVirt's (nested virtualization among them): set "
    "overrides.domain.cpu.features",
    "domain/cpu/numa*": "the machine has one NUMA node",
    "domain/cpu*": "the CPU's model is the cluster's: set overrides.domain.cpu.model for another",
    "domain/launchsecurity*": "the memory isn't encrypted: set overrides.domain.launchSecurity if the nodes "
    "can do it",
    "domain/os/boot/@dev*": "the machine boots its disk first: give a disk bootOrder, or an interface in "
    "overrides",
    "domain/os/bootmenu*": "there is no boot menu",
    "domain/os/nvram*": NEW_VARIABLES,
    "domain/os/loader/@secure": "the firmware isn't UEFI, and has no secure boot",
    "domain/os/firmware*": "the firmware isn't UEFI, or KubeVirt's has this feature in its own way",
    "domain/os/kernel": "the host's kernel isn't booted: install a boot loader on the disk",
    "domain/os/initrd": "the host's initrd isn't booted: install a boot loader on the disk",
    "domain/os/cmdline": "the host's kernel isn't booted: put its arguments into the boot loader on the disk",
    "domain/os/smbios*": "the SMBIOS data are KubeVirt's: set overrides.domain.firmware for serial and uuid",
    "domain/sysinfo*": "the SMBIOS data are KubeVirt's: set overrides.domain.firmware for serial and uuid",
    "domain/clock*": UTC_CLOCK,
    "domain/features/hyperv*": "it isn't among the enlightenments that a Windows gets: set it in "
    "overrides.domain.features.hyperv",
    "domain/features/kvm*": "set it in overrides.domain.features.kvm",
    "domain/features*": "set it in overrides.domain.features, if KubeVirt has it",
    "domain/on_*": "a machine that stops is started again, until spec.state is Stopped",
    "domain/devices/disk/shareable": "a disk has one machine: share files by a network file system instead",
    "domain/devices/disk/transient": "the disk isn't thrown away at the machine's end: a containerDisk "
    "would be",
    "domain/devices/disk/readonly": "the disk can be written to: set overrides.domain.devices.disks for a "
    "read-only one",
    "domain/devices/disk/serial": "the disk has another serial number: set it in "
    "overrides.domain.devices.disks if a license or a file system table goes by it",
    "domain/devices/disk/wwn": "the disk has another serial number: don't go by it",
    "domain/devices/disk/iotune*": _TUNING,
    "domain/devices/disk/boot*": "the place among the devices that are tried",
    "domain/devices/disk/mirror*": "the host is copying the disk: let it end first",
    "domain/devices/disk/driver*": "how the disk is cached and read is KubeVirt's",
    "domain/devices/disk/*encryption": "KubeVirt encrypts no disks: encrypt volumes by their StorageClass",
    "domain/devices/disk/source/*": "the source is another one in the cluster",
    "domain/devices/disk/auth*": "the source is another one in the cluster",
    "domain/devices/disk/geometry*": "the geometry is the firmware's",
    "domain/devices/disk/blockio*": "set the block size in overrides.domain.devices.disks",
    "domain/devices/disk/backingstore*": "write the disk as one file by qemu-img convert",
    "domain/devices/interface/source*": _NETWORK,
    "domain/devices/interface/boot*": "the machine boots its disk, and not from the network",
    "domain/devices/interface/vlan*": _NETWORK,
    "domain/devices/interface/filterref*": "traffic is filtered by NetworkPolicies",
    "domain/devices/interface/bandwidth*": "bandwidth is limited by the cluster's network, if at all",
    "domain/devices/interface/ip*": _NETWORK,
    "domain/devices/interface/mtu*": _NETWORK,
    "domain/devices/interface/link*": "the card is connected",
    "domain/devices/interface/driver*": "how the card is driven is KubeVirt's",
    "domain/devices/interface*": _NETWORK,
    "domain/devices/hostdev*": _PASSED,
    "domain/devices/redirdev*": "USB devices aren't redirected by default: set "
    "overrides.domain.devices.clientPassthrough",
    "domain/devices/redirfilter*": "USB devices aren't redirected by default",
    "domain/devices/filesystem*": "folders of the host aren't shared: copy what is in them, or use a claim "
    "or NFS",
    "domain/devices/serial*": _CONSOLE,
    "domain/devices/parallel*": "KubeVirt has no parallel port",
    "domain/devices/console*": _CONSOLE,
    "domain/devices/channel*": "KubeVirt has a channel for the QEMU guest agent only, and gives it to each "
    "machine",
    "domain/devices/graphics*": _CONSOLE,
    "domain/devices/video*": "the graphics card is KubeVirt's: set overrides.domain.devices.video for "
    "another",
    "domain/devices/sound*": "the machine has no sound card: set overrides.domain.devices.sound",
    "domain/devices/audio*": "sound isn't played anywhere",
    "domain/devices/watchdog*": "the machine has no watchdog: set overrides.domain.devices.watchdog",
    "domain/devices/panic*": "KubeVirt sets a panic device by itself where it can",
    "domain/devices/smartcard*": "KubeVirt has no smart cards",
    "domain/devices/hub*": "USB hubs are KubeVirt's",
    "domain/devices/shmem*": "KubeVirt has no memory that machines share",
    "domain/devices/memory*": "no memory is plugged in beside virtualMachine.memory",
    "domain/devices/iommu*": "the machine has no IOMMU",
    "domain/devices/vsock*": "the machine has no vsock: set overrides.domain.devices.autoattachVSOCK",
    "domain/devices/lease*": "KubeVirt has its own way of keeping a machine from running twice",
    "domain/devices/tpm*": "a machine has one TPM",
    "domain/vmware:*": "it is for vSphere",
    "domain/qemu:*": "QEMU's arguments are KubeVirt's",
    "domain/idmap*": "it is for containers",
    "domain/bootloader*": "the host's boot loader isn't used: install one on the disk",
    "domain/perf*": "the host's performance counters stay there",
    "domain/throttlegroups*": _TUNING,
}

OTHERWISE = "a Workload has no field for it: set it in virtualMachine.overrides, if KubeVirt has it"

TABLES = Tables(Table(MEANINGLESS), Table(REASONS), OTHERWISE)
