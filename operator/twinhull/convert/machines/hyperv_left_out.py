"""Tables of properties of Hyper-V's machines that no code reads: those without a meaning in KubeVirt, and the
reasons why others are left.

A property that is in neither table is named with OTHERWISE. Kinds are the properties' names; sources as in
`hyperv`.
"""

from __future__ import annotations

from twinhull.convert.machines.tree import Table, Tables

_HOST = "it is about the host, or about Hyper-V's own files"
_STATE = "how the machine is at present"
_NAME = "its name in Hyper-V's own lists"
_UNSET = "it is off, or as Hyper-V has it by default"

#: The properties that Get-VM prints for every machine (type Microsoft.HyperV.PowerShell.VirtualMachine).
_OF_MACHINES = {
    **dict.fromkeys(
        (
            *(
                "State",
                "Status",
                "OperationalStatus",
                "PrimaryOperationalStatus",
                "SecondaryOperationalStatus",
            ),
            *(
                "StatusDescriptions",
                "PrimaryStatusDescription",
                "SecondaryStatusDescription",
                "Heartbeat",
                "Uptime",
            ),
            *(
                "CPUUsage",
                "MemoryAssigned",
                "MemoryDemand",
                "MemoryStatus",
                "SmartPagingFileInUse",
                "NumaAligned",
            ),
            *(
                "IntegrationServicesState",
                "IntegrationServicesVersion",
                "ReplicationState",
                "ReplicationHealth",
            ),
            *("ReplicationMode", "IsDeleted", "SizeOfSystemFiles", "IsStateSaved"),
        ),
        _STATE,
    ),
    **dict.fromkeys(
        (
            *("Id", "VMId", "VMName", "Key", "ComputerName", "CimSession", "Version", "CreationTime", "Path"),
            *(
                "ConfigurationLocation",
                "SnapshotFileLocation",
                "SmartPagingFilePath",
                "ResourceMeteringEnabled",
            ),
            *("CheckpointFileLocation", "AutomaticStartDelay", "AutomaticCriticalErrorAction", "IsClustered"),
            *("AutomaticCriticalErrorActionTimeout", "VirtualMachineType", "VirtualMachineSubType", "Groups"),
            *(
                "EnhancedSessionTransportType",
                "LockOnDisconnect",
                "CheckpointType",
                "AutomaticCheckpointsEnabled",
            ),
            *(
                "GuestControlledCacheTypes",
                "LowMemoryMappedIoSpace",
                "HighMemoryMappedIoSpace",
                "NumaNodesCount",
            ),
            *(
                "NumaSocketCount",
                "HighMemoryMappedIoBaseAddress",
                "BatteryPassthroughEnabled",
                "SizeOfSystemFiles",
            ),
            *("VMIntegrationService", "ParentSnapshotId", "ParentCheckpointId", "OperatingSystem"),
        ),
        _HOST,
    ),
    "AutomaticStartAction*": "a Workload's machine is started whenever it stops, until spec.state is Stopped",
    "AutomaticStopAction*": "a machine is shut down by its node",
}
_OF_DEVICES = dict.fromkeys(
    (
        *(
            "Id",
            "Name",
            "VMId",
            "VMName",
            "VMSnapshotId",
            "VMSnapshotName",
            "VMCheckpointId",
            "VMCheckpointName",
        ),
        *("ComputerName", "CimSession", "IsDeleted", "PoolName"),
    ),
    _NAME,
)
_STATE_OF_ADAPTERS = (
    *("Status", "StatusDescription", "IPAddresses", "Connected", "SwitchId", "AdapterId", "ClusterMonitored"),
    *(
        "DeviceId",
        "IsManagementOs",
        "IsExternalAdapter",
        "IsTemplate",
        "SwitchName=",
        "AclList",
        "ExtendedAclList",
    ),
    *(
        "VirtualFunction",
        "MandatoryFeatureId",
        "MandatoryFeatureName",
        "OperationalStatus*",
        "VmqUsage",
        "IPsecOffloadSAUsage",
    ),
)

#: Properties without a meaning for a Workload, each with the reason why it isn't named.
MEANINGLESS = {
    **_OF_MACHINES,
    **{f"VM/{name}": why for name, why in _OF_MACHINES.items()},
    **{
        f"*{part}/{name}": why
        for part in (
            "HardDrives",
            "DVDDrives",
            "NetworkAdapters",
            "Firmware",
            "Processor",
            "Security",
            "Bios",
            "FloppyDrive",
        )
        for name, why in _OF_DEVICES.items()
    },
    **{f"*NetworkAdapters/{name}": _STATE for name in _STATE_OF_ADAPTERS},
    "*NetworkAdapters/DynamicMacAddressEnabled": "the address itself is carried over",
    "*NetworkAdapters/IsLegacy=false": _UNSET,
    "*NetworkAdapters/MacAddress=000000000000": "the machine has never had one",
    "*NetworkAdapters/Vlan=0": _UNSET,
    **{
        f"*NetworkAdapters/{name}={off}": _UNSET
        for name in (
            *(
                "MacAddressSpoofing",
                "DhcpGuard",
                "RouterGuard",
                "AllowTeaming",
                "DeviceNaming",
                "IeeePriorityTag",
            ),
            *("FixSpeed10G", "NumaAwarePlacement"),
        )
        for off in ("1", "off")  # OnOffState: On is 0
    },
    **{f"*NetworkAdapters/PortMirroringMode={off}": _UNSET for off in ("0", "none")},
    **{
        f"*NetworkAdapters/{name}=0": _UNSET
        for name in ("StormLimit", "DynamicIPAddressLimit", "BandwidthPercentage")
    },
    **{
        f"*NetworkAdapters/{name}*": "how the host drives the card"
        for name in (
            "Vmq",
            "Vmmq",
            "Vrss",
            "Iov",
            "IPsecOffload",
            "PacketDirect",
            "RdmaWeight",
            "InterruptModeration",
        )
    },
    "*HardDrives/DiskNumber*": "there is none: it is a file",
    "*HardDrives/Disk": "there is none: it is a file",
    "*HardDrives/VHD/Path": "the file is named with the drive",
    "*HardDrives/VHD/VhdFormat": "CDI finds out the format of a disk by itself",
    "*HardDrives/VHD/VhdType": "what is to be done about it is said with the file",
    "*HardDrives/VHD/ParentPath*": "what is to be done about it is said with the file",
    **{
        f"*HardDrives/VHD/{name}": _HOST
        for name in (
            *(
                "ComputerName",
                "FileSize",
                "MinimumSize",
                "PhysicalSectorSize",
                "BlockSize",
            ),
            *(
                "DiskIdentifier",
                "FragmentationPercentage",
                "Alignment",
                "Attached",
                "IsPMEMCompatible",
                "Number",
            ),
            "AddressAbstractionType",
        )
    },
    "*HardDrives/WriteHardeningMethod*": "how the disk is cached is KubeVirt's",
    "*HardDrives/*IOPS=0": _UNSET,
    "*HardDrives/QoSPolicyID=00000000-0000-0000-0000-000000000000": _UNSET,
    "*HardDrives/SupportPersistentReservations=false": _UNSET,
    "*HardDrives/ControllerType": "the controller is KubeVirt's",
    "*DVDDrives/DvdMediaType*": _HOST,
    "*DVDDrives/Controller*": "the controller is KubeVirt's",
    "GuestItems*": "what the system in the machine said of itself: its name is read",
    "Firmware/SecureBoot*": "it is carried over; a machine of generation 1 has none",
    "Firmware/BootOrder*": "the first drive in it is booted",
    "Firmware/PreferredNetworkBootProtocol*": "the machine boots its disk",
    "Firmware/ConsoleMode*": "the console is KubeVirt's",
    "Firmware/PauseAfterBootFailure*": _HOST,
    "Bios/*": "the firmware is KubeVirt's, and boots the disk first",
    "Processor/Count": "the machine says it",
    "Processor/ResourcePoolName": _HOST,
    "Processor/Reserve=0": _UNSET,
    "Processor/Maximum=100": _UNSET,
    "Processor/RelativeWeight=100": _UNSET,
    "Processor/HwThreadCountPerCore*": "how CPUs are threads is KubeVirt's",
    "Processor/MaximumCountPer*": _HOST,
    "Processor/*=false": _UNSET,
    "Security/KsdEnabled=false": _UNSET,
    "Security/Shielded=false": _UNSET,
    "Security/EncryptStateAndVmMigrationTraffic=false": _UNSET,
    "Security/VirtualizationBasedSecurityOptOut*": "it is for the host",
    "Security/BindToHostTpm=false": _UNSET,
    "*ComPort1/Path=": _UNSET,
    "*ComPort2/Path=": _UNSET,
    **{f"*ComPort{number}/{name}": _NAME for number in (1, 2) for name in (*_OF_DEVICES, "DebuggerMode")},
    "ComPorts/Name": _NAME,
    "*GuestStateIsolationType=disabled": _UNSET,
    "*GuestStateIsolationType=notapplicable": _UNSET,
    "*GuestStateIsolationEnabled=false": _UNSET,
    "*GuestStateIsolationMode=disabled": _UNSET,
    "*ParentSnapshotName=": _UNSET,
    "*ParentCheckpointName=": _UNSET,
}

_TUNING = (
    "how the host shares its CPUs, memory and disks out is Kubernetes': set it in virtualMachine.overrides"
)
_NETWORK = "the machine is on the Pod's network, behind a masquerade: reach it by the Workload's Service"
_PASSED = "a device of the host that is passed through stays there: name a device of the nodes in overrides"

REASONS = {
    "*MemoryM*": "memory isn't dynamic: set memory to what the machine needs at most",
    "*Checkpoints*": "checkpoints aren't carried over: delete them before the disks are copied, so that "
    "each is one file",
    "*Parent*Name": "checkpoints aren't carried over: delete them before the disks are copied, so that each "
    "is one file",
    "*ComPort*": "the serial port isn't carried over: the console is KubeVirt's (twinhull console)",
    "*FloppyDrive*": "KubeVirt has no floppy drive: copy what is on it into the machine",
    "*FibreChannel*": "the machine has no Fibre Channel adapter: attach its LUNs to the nodes, and give "
    "them claims",
    "*RemoteFx*": "the graphics card is KubeVirt's",
    "*AssignableDevices*": _PASSED,
    "*GpuPartitionAdapters*": _PASSED,
    "*GuestStateIsolation*": "the machine's memory isn't isolated from the node: set "
    "overrides.domain.launchSecurity if the nodes can do it",
    "*NetworkAdapters/Vlan*": _NETWORK,
    "*NetworkAdapters/IsLegacy": "KubeVirt has no such card: the machine has an e1000e",
    "*NetworkAdapters/MacAddress": "it is no address: the machine has a new one",
    "*NetworkAdapters*": _NETWORK,
    "*HardDrives/SupportPersistentReservations": "a disk has one machine: share files by a network file "
    "system instead",
    "*HardDrives/*IOPS": _TUNING,
    "*HardDrives*": "a Workload's disk has no field for it",
    "Processor/ExposeVirtualizationExtensions": "virtualization isn't nested: set "
    "overrides.domain.cpu.model to host-passthrough, if the nodes allow it",
    "Processor/Compatibility*": "which features the CPU has is KubeVirt's",
    "Processor*": _TUNING,
    "Security/EncryptStateAndVmMigrationTraffic": "KubeVirt encrypts migrations by default, and no state",
    "Security*": "KubeVirt has no such protection",
}

OTHERWISE = "a Workload has no field for it"

TABLES = Tables(Table(MEANINGLESS), Table(REASONS), OTHERWISE)
