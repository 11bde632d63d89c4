"""The image registries of a machine, which pulls its images itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Name, Raw


class ConfigMapKey(Model):
    """A key of a ConfigMap in the Workload's namespace."""

    config_map: Name = Field(description="The ConfigMap's name.")
    key: Annotated[str, Field(min_length=1, max_length=253)] = Field(description="The key in it.")


class Source(Model):
    """From where a machine pulls the images of one registry."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")] = Field(
        description="The registry as it is written in image names, such as docker.io or "
        "registry.example:5000."
    )
    mirrors: Annotated[
        tuple[
            Annotated[
                str,
                Field(max_length=1024, pattern=r"^https?://[^\t\n\f\r ]+$", description="A mirror's URL."),
            ],
            ...,
        ],
        Field(max_length=16),
    ] = Field((), description="URLs of mirrors, which are tried in this order before the registry itself.")

    def _entry(self, authority: Raw | None) -> Raw:
        return {
            "host": self.host,
            "mirrors": list(self.mirrors),
            **({"ca": authority} if authority else {}),
        }


class Registry(Source):
    """From where the machine pulls the images of one registry, and which certificates it trusts there."""

    ca: ConfigMapKey | None = Field(
        None,
        description="PEM certificates that the machine trusts at the registry and its mirrors, in addition "
        "to the public ones.",
    )

    def entry(self) -> Raw:
        """The registry's entry in the guest's manifest."""
        return self._entry({"configMap": self.ca.config_map, "key": self.ca.key} if self.ca else None)


class ClusterRegistry(Source):
    """A registry in the operator's own configuration, for every machine. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    ca_bundle: str | None = Field(
        None,
        description="PEM certificates that machines trust at the registry and its mirrors, in addition to "
        "the public ones.",
    )

    def entry(self) -> Raw:
        """The registry's entry in the guest's manifest."""
        return self._entry({"bundle": self.ca_bundle} if self.ca_bundle else None)


def entries(own: Iterable[Registry], cluster: Iterable[ClusterRegistry]) -> list[Raw]:
    """The entries for a machine's registries: the Workload's own, and the operator's for all other hosts."""
    mine = {registry.host: registry.entry() for registry in own}
    return [*mine.values(), *(registry.entry() for registry in cluster if registry.host not in mine)]
