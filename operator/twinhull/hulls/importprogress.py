"""The progress of CDI in filling a disk: how much is filled, how the import failed, and what it waits for.

Source: cdi.kubevirt.io/v1beta1, type DataVolumeStatus.
"""

from __future__ import annotations

from decimal import Decimal

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.disks import Disk
from twinhull.api.workloadstatus import ImportFailure
from twinhull.hulls import cdi_messages
from twinhull.hulls.objectmeta import condition

#: The end of all phases in which CDI fills a disk. The progress tells less: CDI sets it to N/A before
#: anything begins, and leaves it so if it can't ask the importer.
_FILLING = "InProgress"
#: The meaning of phases on which CDI gives no message. {events} is the command that shows the Events.
_PHASES = {
    # CDI gives no message while the Pod waits for a missing ConfigMap.
    "ImportScheduled": (
        "the importer Pod doesn't run yet: if that lasts, see its Events ({events}). It doesn't "
        "start without the Secret of secretRef and the ConfigMap of certConfigMap"
    ),
    "Paused": "paused",
}
_NO_VDDK = (
    "waiting for the importer Pod, which CDI doesn't make without an image with VMware's VDDK library: name "
    "it as source.vddk.initImageURL, or in ConfigMap v2v-vmware of CDI's namespace"
)


def is_filling(phase: str) -> bool:
    """Whether CDI fills a disk in that phase. An upload has no such phase: CDI doesn't say whether it has
    begun.
    """
    return phase.endswith(_FILLING)


def percent(progress: str) -> Decimal | None:
    """A progress such as 45.32% in percent, None if it isn't a number (N/A)."""
    try:
        amount = Decimal(progress.removesuffix("%"))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


def whole_percent(progress: str) -> int | None:
    """A progress in whole percent, rounded down, from 0 to 100; None if it isn't a number."""
    amount = percent(progress)
    return None if amount is None else int(min(Decimal(100), max(Decimal(0), amount)))


def rounded_down(progress: str) -> str:
    """A progress in whole percent, so that it changes less often: CDI updates it every second. A text that
    isn't a number stays as it is.
    """
    whole = whole_percent(progress)
    return progress if whole is None else f"{whole}%"


def last_failure(volume: Raw, last: ImportFailure | None) -> ImportFailure | None:
    """How the import last failed, None if it didn't. While CDI tries again without a message, that is `last`,
    the failure noted before, until the import gets further than any attempt before.
    """
    status = volume.get("status") or {}
    progress, uid = str(status.get("progress") or ""), volume["metadata"]["uid"]
    if last and last.data_volume != uid:  # the DataVolume was made anew
        last = None
    got_further = last is not None and (percent(progress) or 0) > (percent(last.progress or "") or 0)
    best = progress if last is None or got_further else last.progress
    text = _importer_message(volume)
    if text and cdi_messages.explained(text, volume["metadata"]["namespace"]):
        if not (_attempts(volume) > 1 or cdi_messages.is_failure(text)):
            return None
        return ImportFailure(message=text, attempts=_attempts(volume), progress=best or None, data_volume=uid)
    if last is None or got_further or text:
        return None
    return last.model_copy(update={"attempts": _attempts(volume)})


def message(disk: Disk, volume: Raw, phase: str, failure: ImportFailure | None) -> str:
    """The most telling message on a DataVolume: what stops the import, or else what it waits for."""
    name, namespace = volume["metadata"]["name"], volume["metadata"]["namespace"]
    if failure:
        return f"{cdi_messages.explained(failure.message, namespace)}{_tried(failure.attempts)}"
    if phase == "UploadReady":
        words = ("virtctl", "image-upload", "dv", name, "--no-create", "--image-path=FILE")
        return (
            "waiting for the upload, of which CDI doesn't say whether it has begun: "
            f"{commands.others(namespace, *words)}"
        )
    bound = condition(volume, "Bound")
    # A CSI driver's claim is bound once it is filled.
    is_awaited = bound.get("status") != "True" and not is_filling(phase)
    waits = str(bound.get("message") or "") if is_awaited else ""
    for text in (_importer_message(volume), waits):
        if explained := cdi_messages.explained(text, namespace):
            return explained
    vddk = disk.source.vddk
    if vddk and not vddk.init_image_url and phase == "ImportScheduled":
        return _NO_VDDK
    return _PHASES.get(phase, "").format(events=cdi_messages.events(namespace))


def _importer_message(volume: Raw) -> str:
    """CDI's message on why its importer doesn't run; empty if it runs, or CDI says nothing."""
    running = condition(volume, "Running")
    return str(running.get("message") or "") if running.get("status") != "True" else ""


def _restarts(volume: Raw) -> int:
    """How often CDI's importer was restarted. CDI's CRD allows a number below 0 as well."""
    return max(0, int((volume.get("status") or {}).get("restartCount") or 0))


def _attempts(volume: Raw) -> int:
    """The least number of attempts that CDI has made, rounded down to a power of two so that it changes
    rarely: CDI tries every few minutes, without end.
    """
    return 1 << ((_restarts(volume) + 1).bit_length() - 1)


def _tried(attempts: int) -> str:
    return f" (CDI has tried at least {attempts} times)" if attempts > 1 else ""
