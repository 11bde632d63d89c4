"""The annotations on the DataVolumes and claims of disks: the operator's and CDI's."""

from __future__ import annotations

from twinhull.api.base import GROUP

#: On a DataVolume: the name of its disk in the Workload.
DISK_ANNOTATION = f"{GROUP}/disk"
#: On a DataVolume: the size that its claim asked for at first, which includes CDI's addition for a file
#: system.
FIRST_REQUEST_ANNOTATION = f"{GROUP}/first-request"
#: On a DataVolume: the uid of the Workload that it was made for, or that has taken it up since.
HOLDER_ANNOTATION = f"{GROUP}/workload-uid"
#: On a DataVolume: the size that its Workload has asked for and was given, if it isn't the size that the
#: DataVolume was made with.
SIZE_ANNOTATION = f"{GROUP}/size"
#: On a DataVolume that was filled once. CDI's own status may be lost when a backup is restored.
FILLED_ANNOTATION = f"{GROUP}/filled"
#: On a claim that a Pod of CDI fills: the phase of that Pod.
POD_PHASE_ANNOTATION = "cdi.kubevirt.io/storage.pod.phase"
#: On a claim whose StorageClass waits for a Pod that uses it: CDI has to fill the claim without waiting.
BIND_ANNOTATION = "cdi.kubevirt.io/storage.bind.immediate.requested"
#: On a DataVolume that is a clone: the namespace and name of the DataSource that pointed to its source.
DATA_SOURCE_ANNOTATION = f"{GROUP}/data-source"
