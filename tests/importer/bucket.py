"""A bucket of an S3 server on loopback, which verifies the signature of every request."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.controlplane import build, process
from tests.controlplane.polling import eventually
from tests.controlplane.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The only key whose requests it answers.
ID, SECRET = "reader", "only for these tests"


@dataclass(frozen=True)
class Bucket:
    """One of the name disks: tests/controlplane/go/objectstore."""

    port: int

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Bucket]:
        """One whose objects are the files below a folder, for as long as this lasts.

        Whatever changes in the folder later doesn't change the objects. Raises BuildError.
        """
        program = build.programs(build.OBJECT_STORE)["objectstore"]
        (port,) = free_ports(1)
        started = process.start(
            "objectstore",
            [program, f"{LOOPBACK}:{port}", folder, ID, SECRET],
            log=folder.with_name(f"{folder.name}.log"),
            folder=folder,
            environment={},
            tied=True,
        )
        try:
            eventually(
                lambda: _answers(port),
                30,
                "the S3 server answers",
                alive=lambda: process.check([started]),
            )
            yield cls(port)
        finally:
            process.stop([started])

    def url(self, key: str, bucket: str = "disks") -> str:
        """The URL of an object, whether there is one or not."""
        return f"http://{LOOPBACK}:{self.port}/{bucket}/{key}"


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.HTTPStatus.FORBIDDEN
    finally:
        connection.close()
