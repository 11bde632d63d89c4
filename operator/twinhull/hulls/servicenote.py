"""The note on a Service: the labels, annotations and fields that spec.service asked for at the last write.

The operator removes a label, annotation or field that is in the note when spec.service no longer asks for it.
What the note doesn't name was added by somebody else, and stays.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from twinhull.api.base import GROUP, Raw
from twinhull.api.service import ServiceSettings
from twinhull.hulls.applied import APPLIED_ANNOTATION

#: The fields of spec.service that are copied to the Service's spec unchanged.
COPIED_FIELDS = (
    *("loadBalancerClass", "externalTrafficPolicy", "internalTrafficPolicy"),
    *("sessionAffinity", "sessionAffinityConfig", "ipFamilyPolicy", "ipFamilies"),
)
#: The fields of a Service's spec that can change, and go back to the API server's default when they are
#: removed.
CHANGEABLE_FIELDS = (*COPIED_FIELDS, "publishNotReadyAddresses")


@dataclass(frozen=True, slots=True)
class RequestedServiceFields:
    """The annotations, labels and fields of a Service that spec.service asked for at the last write."""

    #: The keys of the annotations.
    annotations: tuple[str, ...] = ()
    #: The keys of the labels.
    labels: tuple[str, ...] = ()
    #: The names of the fields of the Service's spec.
    spec: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: ServiceSettings, fields: Raw) -> RequestedServiceFields:
        """What spec.service asks for. `fields` are the fields that it sets in the Service's spec."""
        return cls(tuple(sorted(policy.annotations or ())), tuple(sorted(policy.labels or ())), tuple(fields))

    @classmethod
    def read(cls, seen: Raw) -> RequestedServiceFields:
        """The note on a Service, empty if there is none or it can't be read. The operator's own labels and
        annotations, and fields that spec.service doesn't have, are left out: somebody may have forged them.
        """
        try:
            note = json.loads((seen["metadata"].get("annotations") or {})[APPLIED_ANNOTATION])
            return cls(
                tuple(key for key in note["annotations"] if not key.startswith(f"{GROUP}/")),
                tuple(key for key in note["labels"] if not key.startswith(f"{GROUP}/")),
                tuple(key for key in note["spec"] if key in {*CHANGEABLE_FIELDS, "clusterIP"}),
            )
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return cls()

    def as_annotation(self) -> str:
        """The value of the annotation, empty if spec.service asks for nothing."""
        nonempty = {key: value for key, value in asdict(self).items() if value}
        return json.dumps(asdict(self), separators=(",", ":")) if nonempty else ""

    def no_longer_in(self, desired: Raw) -> RequestedServiceFields:
        """The part of the note that the Service `desired` doesn't have any more. clusterIP isn't in it: the
        API server lets nobody change that field.
        """
        metadata = desired["metadata"]
        return RequestedServiceFields(
            tuple(key for key in self.annotations if key not in metadata.get("annotations", {})),
            tuple(key for key in self.labels if key not in metadata["labels"]),
            tuple(key for key in self.spec if key not in desired["spec"] and key != "clusterIP"),
        )

    def paths(self) -> list[str]:
        """The paths of the fields: metadata.annotations and metadata.labels as a whole, each spec field."""
        parts = {"metadata.annotations": self.annotations, "metadata.labels": self.labels}
        return [*(part for part, keys in parts.items() if keys), *(f"spec.{key}" for key in self.spec)]
