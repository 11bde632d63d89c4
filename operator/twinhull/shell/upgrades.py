"""Refused upgrades to a WebSocket: reads why the server refused one."""

from __future__ import annotations

from http import HTTPStatus

import aiohttp

#: The most bytes of a refusal that are read.
_LARGEST = 1 << 16


class UpgradeRefusedError(aiohttp.ClientError):
    """The server refused an upgrade. The message is the text of its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text or f"the server answered {status}")
        #: The HTTP status.
        self.status = status
        #: The text of the answer.
        self.text = text


async def read_refusal(answer: aiohttp.ClientResponse) -> None:
    """Raise UpgradeRefusedError with the text of an answer that refuses an upgrade. Each session calls this
    for each answer (parameter `raise_for_status`), since aiohttp's own error lacks the text.
    """
    if "Upgrade" not in answer.request_info.headers or answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return
    text = b""
    while len(text) < _LARGEST and (piece := await answer.content.read(_LARGEST - len(text))):
        text += piece
    raise UpgradeRefusedError(answer.status, text.decode(errors="replace").strip())
