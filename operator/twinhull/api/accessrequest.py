"""AccessRequest, the resource by which a person gets access to a Workload's machine for a while."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from twinhull.api.base import Model, Name, rule, validations
from twinhull.api.workloadstatus import Condition


class Usage(StrEnum):
    """What a person may do in a machine. The guest's agent knows these words (guest/README.md)."""

    LOGS = "logs"
    EXEC = "exec"
    ATTACH = "attach"
    PORT_FORWARD = "port-forward"


class AccessRequestSpec(Model):
    """Who wants to do what in which machine, and for how long."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "self == oldSelf",
                "an AccessRequest can't be changed: create another one",
            )
        )
    )

    workload: Name = Field(description="The Workload of this namespace that is to be reached.")
    request: Annotated[str, Field(min_length=1, max_length=8192)] = Field(
        description="A certificate request (PKCS #10, PEM) of a key that never leaves you: Ed25519, ECDSA on "
        "P-256 or P-384, or RSA of 2048 to 4096 bits. Only its key is used: its subject and "
        "extensions have no effect.",
    )
    usages: Annotated[tuple[Usage, ...], Field(min_length=1, max_length=len(Usage))] = Field(
        description="What the certificate is for: logs, exec, attach or port-forward.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    expiration_seconds: int = Field(
        600,
        ge=10,
        le=3600,
        description="For how many seconds after its creation the request and its certificate are valid. Then "
        "the operator deletes the request. A command that has begun goes on.",
    )


class AccessibleGuest(Model):
    """The machine that the certificate is good for, and no other."""

    machine: Name = Field(description="The VirtualMachineInstance.")
    uid: str = Field(description="The uid of the VirtualMachineInstance.")
    port: int = Field(description="The port of the launcher Pod at which the guest answers.")
    certificate: Annotated[str, Field(max_length=8192)] = Field(
        description="The guest's own certificate (PEM), as the operator first received it. Check that the "
        "guest presents it before you send anything."
    )
    fingerprint: str = Field(description="The SHA-256 of that certificate (DER), in hex.")


class AccessRequestStatus(Model):
    """What became of the request. Only the operator writes it."""

    observed_generation: int = Field(
        -1,
        description="The metadata.generation for which the operator wrote this status. It is -1 until the "
        "operator has seen the request.",
    )
    certificate: Annotated[str, Field(max_length=8192)] | None = Field(
        None, description="The certificate (PEM) for the request's key."
    )
    guest: AccessibleGuest | None = Field(None, description="The machine that the certificate is good for.")
    expires_at: datetime | None = Field(
        None, description="When the certificate ends, and the operator deletes the request."
    )
    conditions: tuple[Condition, ...] | None = Field(
        None,
        description="Ready, Reconciling and Stalled, as kstatus reads them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class AccessRequestMeta(Model):
    """The part of metadata from which decisions are made."""

    namespace: str
    name: str
    uid: str
    generation: int = 1
    creation_timestamp: datetime


class AccessRequest(Model):
    """An AccessRequest as the API server gives it."""

    model_config = ConfigDict(
        json_schema_extra={
            "description": "A request to get into a Workload's machine for a while: for its logs, to run "
            "commands in its containers, to attach to them, or to reach their ports."
        }
    )

    metadata: AccessRequestMeta
    spec: AccessRequestSpec = Field(description="Who wants to do what in which machine, and for how long.")
    status: AccessRequestStatus = Field(
        default_factory=AccessRequestStatus,
        description="What became of the request. Only the operator writes it.",
        # Without a status, kstatus would count an object as done that no controller has seen yet.
        json_schema_extra={"default": {"observedGeneration": -1}},
    )
