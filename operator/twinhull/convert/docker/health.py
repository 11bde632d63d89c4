"""Docker's health check as a readiness probe.

Source: docs.docker.com/reference/dockerfile, HEALTHCHECK: every 30 s, for 30 s at most, unhealthy after 3
failures.

Docker doesn't restart an unhealthy container: it reports the state, and dependent containers wait. A
readiness probe does the same; a liveness probe would restart the container.

The kubelet expands `$(NAME)` in a probe's command as in the container's own (pkg/kubelet/prober/prober.go,
ExpandContainerCommandOnlyStatic), and Docker doesn't. Commands of lifecycle aren't expanded by either.
"""

from __future__ import annotations

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert, LeftKind
from twinhull.convert.docker.amounts import duration, seconds, whole
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.options import OPTIONS, kind_of
from twinhull.convert.docker.process import literal

_INTERVAL = 30
_RETRIES = 3
#: The sentence about options of a check that is turned off.
CHECK_IS_DISABLED = "the check is disabled"
_NO_TEST = "it changes the image's own check, which Kubernetes doesn't see: write the check's command"


def health(options: GivenOptions, draft: Draft) -> None:
    """The options `health-cmd` (a text for the shell, or a list of words) and `health-…`."""
    test = options.last("health-cmd")
    times = {name: options.last(f"health-{name}") for name in ("interval", "timeout", "retries")}
    start, often = options.last("health-start-period"), options.last("health-start-interval")
    if (none := options.last("no-healthcheck")) is not None and none.value is True:
        if test:
            raise CannotConvert(
                f"{test.path}: there is to be a health check, and none: remove one of the two"
            )
        _leave(none, "no-healthcheck", draft)
    if test is None or not test.value:
        for value in (*times.values(), start, often):
            if value and none is not None and none.value is True:
                draft.leave(value, CHECK_IS_DISABLED, LeftKind.MEANINGLESS)
            elif value:
                draft.leave(value, _NO_TEST)
        return
    words = test.value if isinstance(test.value, list) else ["/bin/sh", "-c", test.value]
    probe: Raw = {
        "exec": {"command": [literal(word) for word in words]},
        "periodSeconds": _time(times["interval"], draft) or _INTERVAL,
        "timeoutSeconds": _time(times["timeout"], draft) or _INTERVAL,
        "failureThreshold": _count(times["retries"]) or _RETRIES,
    }
    draft.container["readinessProbe"] = probe
    for name, value in (("health-start-period", start), ("health-start-interval", often)):
        if value and seconds(value):
            _leave(value, name, draft)


def _leave(value: InputValue, name: str, draft: Draft) -> None:
    """Name an option, with its sentence and fate in the table."""
    draft.leave(value, OPTIONS[name].sentence, kind_of(OPTIONS[name].fate))


def _time(value: InputValue | None, draft: Draft) -> int:
    """Whole seconds, 0 for none."""
    if value is None:
        return 0
    whole_seconds = seconds(value)
    if whole_seconds != duration(value):
        draft.leave(value, f"Kubernetes has whole seconds only: it is {whole_seconds} s")
    return whole_seconds


def _count(value: InputValue | None) -> int:
    count = whole(value) if value else 0
    if value and not 0 <= count < 2**31:
        raise CannotConvert(f"{value.path}: {count} is no count: write a number from 1 on")
    return count
