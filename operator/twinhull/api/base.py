"""The base of all API models, and the types of fields that several of them have."""

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
#: The name of an object of a kind whose names must be DNS subdomains (RFC 1123), such as a Secret.
SubdomainName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_SUBDOMAIN, pattern=rf"^{SUBDOMAIN}$"),
]
#: The name of a namespace.
NamespaceName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=rf"^{LABEL}$")
]


class Model(BaseModel):
    """A frozen part of the API. Fields are snake_case here and camelCase in YAML.

    Unknown fields are ignored: the API server has pruned or refused them, and an older operator must be able
    to read an object that a newer CRD let in.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def raw(self) -> Raw:
        """This model as the API server would store it: with camelCase keys, and without absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
