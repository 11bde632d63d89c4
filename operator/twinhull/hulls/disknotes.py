"""The annotations on the DataVolumes and claims of disks: ours, and those of CDI."""

from __future__ import annotations

from twinhull.api.base import GROUP

#: On a DataVolume: the name of the disk that it is.
DISK_ANNOTATION = f"{GROUP}/disk"
#: On a DataVolume: what its claim asked for first, which is its size and what CDI adds for a file system.
FIRST_REQUEST_ANNOTATION = f"{GROUP}/first-request"
#: On a DataVolume: the uid of the Workload that it was made for, or that has taken it up again since.
HOLDER_ANNOTATION = f"{GROUP}/workload-uid"
#: On a DataVolume: the size that its Workload asked for, if that isn't the one that it was made with.
SIZE_ANNOTATION = f"{GROUP}/size"
#: On a DataVolume that has been filled: that it was. CDI's own word may be lost by a restored backup.
FILLED_ANNOTATION = f"{GROUP}/filled"
#: On a claim that CDI has a Pod fill: the phase of that Pod.
POD_PHASE_ANNOTATION = "cdi.kubevirt.io/storage.pod.phase"
#: On a claim whose StorageClass has it wait for a Pod that uses it: that CDI is to fill it without.
BIND_ANNOTATION = "cdi.kubevirt.io/storage.bind.immediate.requested"
#: On a DataVolume that is a clone: the namespace and name of the DataSource that led to its source.
DATA_SOURCE_ANNOTATION = f"{GROUP}/data-source"
