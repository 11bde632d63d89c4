"""docs/troubleshooting.md: every reason, what it means and what to do, from core/reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.api.reasons import Reason
from twinhull.core.reasons import SECTIONS, Row

_INTRO = """\
<!-- Made by `make generate` from operator/twinhull/core/reasons; changes belong there, or in
tools/pages/troubleshooting.py. -->

# Troubleshooting

A Workload says itself how it is, in one word and one sentence:

```console
$ kubectl get twl             # READY and REASON
$ kubectl describe twl web    # all conditions with their messages, and the Events
```

- **`Ready`** is True or False, with one of the reasons below.
- **`Reconciling`** is True while something is under way: it goes on by itself.
- **`Stalled`** is True when somebody has to do something first. Once that is done it goes on, without a
  restart of anything.
- **`IsolationResolved`** says where it runs, and who decided that.

Where the reason isn't enough:

| to know | look at |
|---|---|
| which container fails, how often, how | `status.containers`, and the Pod's or the machine's log |
| which rule decided on its isolation | `twinhull explain -f workload.yaml` ([policies](policies.md)) |
| what it would be made into | `twinhull render -f workload.yaml` |
| all that is missing in the cluster | `status.lacks` |
| how often its hull was lost, and when the next one is made | `status.backOff` |
| all fields that its machine can't honour | `status.unsupportedFields` ([parity](parity.md)) |
| what is said inside its machine | `virtctl console`: the guest's lines, and each container's log |
| what the operator did | its log: one line for each write and each change of a status |
| what the operator was told to do | `twinhull config`, or its Pods' annotation `twinhull.dev/config.yaml` |
"""


def page() -> str:
    """The page's text."""
    return "\n".join([_INTRO, *(line for title, table in SECTIONS for line in _section(title, table))])


def _section(title: str, table: Mapping[Reason, Row] | Mapping[str, Row]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| reason | what it means | what to do |"
    yield "|---|---|---|"
    for name, reason in sorted(table.items()):
        yield f'| <a id="{name.lower()}"></a>`{name}` | {reason.means} | {reason.remedy or "-"} |'
    yield ""
