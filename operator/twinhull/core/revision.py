"""The revision: a hash of what a hull is made from, which its name ends in.

The same content has the same name, so a creation repeated after a crash is the same creation. What the
operator itself renders isn't part of the content, nor is its default guest image: upgrading the operator
restarts nothing.
"""

from __future__ import annotations

import hashlib
import json

from twinhull.api.base import Raw
from twinhull.api.workload import Isolation, WorkloadSpec

#: The first character of every revision: how it was worked out. A new way gets a new character, and the
#: hulls of the old way stay current for as long as their content does.
FORMAT = "1"

_DIGITS = 9


def revision(
    spec: WorkloadSpec, isolation: Isolation, runtime_class: str | None, restart: str | None = None
) -> str:
    """The revision of what this spec would run: 10 characters, fit for a name.

    `restart` is whatever was last said to restart it, None if nothing ever was.

    Fields at their defaults leave no trace, so that a field added later changes no revision; nor do those of
    another kind of hull, or of the Service.
    """
    template = spec.template
    metadata = template.get("metadata") or {}
    content: Raw = {
        "isolation": isolation,
        "runtimeClass": runtime_class,
        "metadata": {
            key: metadata[key] for key in ("annotations", "finalizers", "labels") if metadata.get(key)
        },
        "spec": template["spec"],
    }
    if isolation is Isolation.VIRTUAL_MACHINE:
        content["virtualMachine"] = spec.virtual_machine.model_dump(
            mode="json", by_alias=True, exclude_defaults=True
        )
    if restart is not None:
        content["restart"] = restart
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return FORMAT + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
