"""The API's group and version, and names in it. This module builds no models, so it imports fast."""

from __future__ import annotations

from typing import Any, TypeAlias

GROUP = "twinhull.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
#: On every object that the operator creates for a Workload, except disks: the Workload's name.
WORKLOAD_LABEL = f"{GROUP}/workload"
#: The command by which a person finds the operator's Pods. The chart sets the label.
FIND_OPERATOR = "kubectl get pods -A -l app.kubernetes.io/name=twinhull"
#: Hulls are named `<workload>-<revision>`, and a label value ends at 63 characters.
MAX_NAME_LENGTH = 50

#: A Kubernetes object, or a part of one, as JSON gives it.
Raw: TypeAlias = dict[str, Any]
