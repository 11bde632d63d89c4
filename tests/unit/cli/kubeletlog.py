"""What stands for a kubelet's log of a container, by the rules of k8s.io/cri-client, pkg/logs/logs.go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

SECOND = 10**9
#: When the first line of a log was written, in nanoseconds since 1970.
START = 1_700_000_000 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KubeletLog:
    """A log in a file. A line may come in pieces, of which only the last has its line feed."""

    def __init__(self, zone: timedelta = timedelta()) -> None:
        self.zone = zone
        #: The pieces, each with when it was written, in nanoseconds since START.
        self.pieces: list[tuple[int, bytes]] = []
        #: What the clock of the node says, as the pieces have it.
        self.now = 0

    def write(self, time: int, text: bytes) -> None:
        """Write a piece."""
        self.pieces.append((time, text))
        self.now = max(self.now, time)

    @property
    def text(self) -> bytes:
        """All that was written."""
        return b"".join(text for _, text in self.pieces)

    def answer(self, query: Mapping[str, str]) -> bytes:
        """What is answered to the question for the log."""
        since = -SECOND * 10**9
        if "sinceTime" in query:
            at = datetime.fromisoformat(query["sinceTime"])
            since = (at - _EPOCH) // timedelta(seconds=1) * SECOND - START  # the API server cuts the fraction
        if "sinceSeconds" in query:
            since = self.now - int(query["sinceSeconds"]) * SECOND
        tail = int(query.get("tailLines", len(self.pieces)))
        content, is_new = b"", True
        for time, text in self.pieces[max(0, len(self.pieces) - tail) :]:
            if time >= since:
                stamped = is_new and query.get("timestamps") == "true"
                content += (self._stamp(time) if stamped else b"") + text
            is_new = text.endswith(b"\n") or not text
        return content

    def _stamp(self, time: int) -> bytes:
        second, fraction = divmod(START + time, SECOND)
        at = datetime.fromtimestamp(second, UTC) + self.zone
        hours, minutes = divmod(self.zone // timedelta(minutes=1), 60)
        zone = f"+{hours:02}:{minutes:02}" if self.zone else "Z"
        return f"{at:%Y-%m-%dT%H:%M:%S}.{fraction:09}{zone} ".encode()
