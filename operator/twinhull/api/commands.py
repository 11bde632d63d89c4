"""Commands that messages tell a person to run. Each names its namespace, since the person's kubeconfig may be
set to another one.

The namespace is empty only where there is none yet: what `twinhull convert` makes is in the namespace that it
is applied to.
"""

from __future__ import annotations

import shlex


def ours(verb: str, name: str, namespace: str, *more: str) -> str:
    """The command line of a verb of ours for a Workload; `more` follows the namespace. Words are quoted for a
    shell where they need it.
    """
    return shlex.join(("twinhull", verb, name, *_option(namespace), *more))


def others(namespace: str, *words: str) -> str:
    """The command line of kubectl or virtctl, which is the first of the words, for objects of a namespace.
    Words are quoted for a shell where they need it.
    """
    return shlex.join((*words, *_option(namespace)))


def _option(namespace: str) -> tuple[str, ...]:
    return ("-n", namespace) if namespace else ()
