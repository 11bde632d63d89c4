"""A client of a Service that makes one request after the other, each by a connection of its own."""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Self

from tests.controlplane.polling import PATIENCE

_PAUSE = 0.05  # seconds


@dataclass
class Client:
    """Asks from `with` on until its end. `lost` are the requests without a good answer: when, and why."""

    address: str
    port: int
    #: How long an answer may take, in seconds.
    patience: float = PATIENCE
    answered: int = 0
    lost: list[tuple[float, str]] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._done.wait(_PAUSE):
            try:
                self._ask()
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.lost.append((time.monotonic() - began, repr(error)))

    def _ask(self) -> None:
        """One request. Raises OSError, HTTPException."""
        with closing(
            http.client.HTTPConnection(self.address, self.port, timeout=self.patience)
        ) as connection:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"the answer is {answer.status}")
