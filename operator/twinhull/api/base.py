"""What every API model has in common."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from twinhull.api.celrule import in_words, matches, rule, validations
from twinhull.api.group import API_VERSION, GROUP, VERSION, Raw
from twinhull.api.objectnames import LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN, SUBDOMAIN

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "Model",
    "Name",
    "NamespaceName",
    "Raw",
    "SubdomainName",
    "in_words",
    "matches",
    "rule",
    "validations",
]

#: The name of an object.
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_SUBDOMAIN)]
#: The same of a kind whose names the API server holds to be DNS subdomains (RFC 1123), such as a Secret.
SubdomainName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_SUBDOMAIN, pattern=rf"^{SUBDOMAIN}$"),
]
#: The name of a namespace.
NamespaceName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=rf"^{LABEL}$")
]


class Model(BaseModel):
    """A frozen part of the API; fields are snake_case here and camelCase in YAML.

    Unknown fields are ignored: the API server has pruned or refused them, and an older operator must be
    able to read an object that a newer CRD let in.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def raw(self) -> Raw:
        """This model as the API server would store it: camelCase keys, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
