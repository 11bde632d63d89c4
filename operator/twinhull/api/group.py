"""What identifies our API: its group and version, and names in it. No models are made, so it imports fast."""

from __future__ import annotations

from typing import Any, TypeAlias

GROUP = "twinhull.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
#: On all that the operator makes for a Workload: the Workload's name.
WORKLOAD_LABEL = f"{GROUP}/workload"
#: The command by which a person finds the operator's Pods, by a label of the chart's.
FIND_OPERATOR = "kubectl get pods -A -l app.kubernetes.io/name=twinhull"
#: Hulls are named `<workload>-<revision>`, and a label value ends at 63 characters.
MAX_NAME_LENGTH = 50

#: A Kubernetes object, or a part of one, as JSON gives it.
Raw: TypeAlias = dict[str, Any]
