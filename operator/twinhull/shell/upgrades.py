"""Refused upgrades to a WebSocket: why they were refused."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp

#: The most bytes of a refusal that are read.
_LARGEST = 1 << 16


class UpgradeRefusedError(aiohttp.ClientError):
    """An upgrade was refused."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text or f"the server answered {status}")
        #: HTTP's status.
        self.status = status
        #: What the answer says.
        self.text = text


async def read_refusal(answer: aiohttp.ClientResponse) -> None:
    """Raise UpgradeRefusedError with an answer's text if it refuses an upgrade. Each session calls this with
    each answer (its parameter `raise_for_status`): aiohttp's own error of a refused upgrade hasn't the text.
    """
    if "Upgrade" not in answer.request_info.headers or answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return
    text = b""
    while len(text) < _LARGEST and (piece := await answer.content.read(_LARGEST - len(text))):
        text += piece
    raise UpgradeRefusedError(answer.status, text.decode(errors="replace").strip())
