"""Label selectors, as Kubernetes has them (meta/v1, type LabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, rule, validations

_NAME_PATTERN = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)"
_PREFIX_PATTERN = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)"

#: A label's key: a name of at most 63 characters, perhaps with a DNS name and a slash before it.
Key: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=317, pattern=f"^{_PREFIX_PATTERN}?{_NAME_PATTERN}$")
]
#: A label's value, which may be empty.
Value: TypeAlias = Annotated[str, Field(max_length=63, pattern=f"^{_NAME_PATTERN}?$")]


class Requirement(Model):
    """A requirement of one label."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
                "In and NotIn need values, and Exists and DoesNotExist can't have any: set or remove values",
                field="values",
            )
        )
    )

    key: Key = Field(description="The label's key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label is compared. An absent label meets every NotIn and no In."
    )
    values: Annotated[tuple[Value, ...], Field(max_length=32)] | None = Field(
        None,
        description="The values of In and NotIn.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )

    def admits(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet the requirement (k8s.io/apimachinery, pkg/labels, Requirement.Matches)."""
        match self.operator:
            case "In":
                return labels.get(self.key) in (self.values or ())
            case "NotIn":
                return labels.get(self.key) not in (self.values or ())
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels


class LabelSelector(Model):
    """Selects objects by their labels. An empty selector selects all objects."""

    match_labels: Annotated[dict[str, Value], Field(max_length=32)] | None = Field(
        None, description="Labels that an object must have, with exactly these values."
    )
    match_expressions: Annotated[tuple[Requirement, ...], Field(max_length=32)] | None = Field(
        None,
        description="Requirements, all of which must be met.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )

    def admits(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        exact = (self.match_labels or {}).items()
        return all(labels.get(key) == value for key, value in exact) and all(
            requirement.admits(labels) for requirement in self.match_expressions or ()
        )
