"""Labels and annotations.

In Docker, a label is any text. It becomes a label of the Pod if Kubernetes allows its value, else an
annotation. Keys with a prefix and a `/` may have a meaning for Kubernetes or for programs on its nodes, but
never had one for Docker. So they are left out.
"""

from __future__ import annotations

from twinhull.api.qualifiedname import is_label_value, is_qualified_name
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue

#: Keys with a prefix that only people read
#: (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
_HARMLESS = "app.kubernetes.io/"
#: Keys without a prefix on which KubeVirt acts (hulls/parity/keys).
_ACTED_ON = ("kubevirt.io", "logVerbosity")
_PREFIXED = (
    "a key with a prefix can have a meaning in Kubernetes: if you want that, add it to "
    "spec.template.metadata yourself"
)


def metadata(options: GivenOptions, draft: Draft) -> None:
    """The options `label` and `annotation`, whose values are pairs."""
    for pair in options.take("label"):
        _put(pair, draft, is_label=True)
    for pair in options.take("annotation"):
        _put(pair, draft, is_label=False)


def _put(pair: InputValue, draft: Draft, *, is_label: bool) -> None:
    key, value = pair.value
    name = key.removeprefix(_HARMLESS)
    if "/" in name or key in _ACTED_ON:
        draft.leave(pair, _PREFIXED)
    elif not is_qualified_name(name):
        draft.leave(
            pair,
            "a key has up to 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or "
            "digit",
        )
    elif is_label and is_label_value(value):
        draft.annotations.pop(key, None)
        draft.labels[key] = value
    elif is_label:
        draft.labels.pop(key, None)
        draft.annotations[key] = value
    elif key in draft.annotations:
        draft.leave(pair, "a label of that name is an annotation already, since no label may have its value")
    else:
        draft.annotations[key] = value
