"""docs/troubleshooting.md: every reason, what it means and what to do, from core/reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.api.reasons import Reason
from twinhull.core.reasons import SECTIONS, ReasonRow

_INTRO = """\
<!-- Made by `make generate` from operator/twinhull/core/reasons; changes belong there, or in
tools/pages/troubleshooting.py. -->

# Troubleshooting

A Workload's status says what its state is, by a reason and a message:

```console
$ twinhull status web         # what is wrong, what to do, and all that belongs to it
$ kubectl get twl             # READY and REASON
$ kubectl describe twl web    # all conditions with their messages, and the Events
```

- **`Ready`** is True or False, with one of the reasons below.
- **`Reconciling`** is True while the operator, or the cluster, is working on a change. You need to do
  nothing.
- **`Stalled`** is True when somebody has to do something first. Once that is done the Workload continues by
  itself.
- **`IsolationResolved`** says which isolation the Workload gets, and which rule decided.

If the reason doesn't tell enough:

| to know | look at |
|---|---|
| which container fails, how often and why | `status.containers`, and `twinhull logs NAME` |
| which rule decided the isolation | `status.isolation.message`, which names the policy to everybody; `twinhull explain NAME` ([policies](policies.md)), which needs `list` on isolationpolicies and `get` on the namespace, as administrators have |
| which objects the operator would make | `twinhull render workload.yaml` |
| all prerequisites that the cluster lacks | `status.lacks` |
| how often the hull was lost, and when the next one is made | `status.backOff` |
| all fields that the machine can't honour | `status.unsupportedFields` ([parity](parity.md)) |
| what happens in the machine | `twinhull logs NAME`: the containers' lines; `twinhull console NAME`: the guest's own as well |
| what the operator did | the operator's log, with one line for each write and each change of a status |
| how the operator is configured | `twinhull config`, or its Pods' annotation `twinhull.dev/config.yaml` |

NAME and NAMESPACE stand for those of the Workload, and HULL for the name in `status.hull`. `twinhull status` says what to do
with these names filled in.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([_INTRO, *(line for title, table in SECTIONS for line in _section(title, table))])


def _section(title: str, table: Mapping[Reason, ReasonRow] | Mapping[str, ReasonRow]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| reason | what it means | what to do |"
    yield "|---|---|---|"
    for name, reason in sorted(table.items()):
        yield f'| <a id="{name.lower()}"></a>`{name}` | {reason.means} | {reason.remedy or "-"} |'
    yield ""
