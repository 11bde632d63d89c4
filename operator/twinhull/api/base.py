"""What every API model has in common."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from twinhull.api.group import API_VERSION, GROUP, VERSION, Raw

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "Model",
    "Name",
    "Raw",
    "SubdomainName",
    "rule",
    "validations",
]

#: The name of an object.
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=253)]
#: The same of a kind whose names the API server holds to be DNS subdomains (RFC 1123), such as a Secret.
SubdomainName: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    ),
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


def rule(expression: str, message: str, *, field: str = "") -> dict[str, str]:
    """A CEL rule of a CustomResourceDefinition; `message` names the field and says what to do.

    `field` is the path of the field to blame, from where the rule is; the API server says it first.
    """
    return {"rule": expression, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def validations(*rules: dict[str, str], **extra: Any) -> Raw:  # noqa: ANN401  JSON schema is JSON
    """What a model or field adds to its JSON schema: CEL rules, and any other keyword."""
    return {"x-kubernetes-validations": list(rules), **extra}
