"""The spec that a machine gets for its next start: the Workload's, with what stays of the present machine.

The machine keeps its identity (machine type, firmware UUID, MAC addresses), the places of its devices, and
volumes that were hot-plugged persistently (hulls/edits).
"""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.hulls import edits, machineclaims
from twinhull.hulls.diskmachine import CHOSEN
from twinhull.hulls.edits import Edits
from twinhull.hulls.merge import difference

#: Fields that the API server, KubeVirt or others fill in once, and by which the guest's system recognizes the
#: machine (kubevirt.io/kubevirt, pkg/virt-api/webhooks/defaults). They stay when the machine is changed.
_IDENTITY = (
    ("architecture",),
    ("domain", "machine"),
    ("domain", "firmware", "uuid"),
    ("domain", "firmware", "serial"),
)
#: Annotations of the template that stay as well: by them the guest's system finds its devices at their PCI
#: addresses (kubevirt.io/api/core/v1, constants PciTopologyVersionAnnotation and
#: PciInterfaceSlotCountAnnotation).
PLACES = ("kubevirt.io/pci-topology-version", "kubevirt.io/pci-interface-slot-count")


def patch_for_next_start(present: Raw, wanted: Raw) -> Raw:
    """The patch by which the machine `present` starts as `wanted` the next time. `wanted` is the
    VirtualMachine as the operator renders it.
    """
    spec = _next_spec(present, wanted)
    return {
        "metadata": {
            "labels": wanted["metadata"]["labels"],
            "annotations": {**wanted["metadata"].get("annotations", {}), **machineclaims.note(wanted)},
        },
        "spec": difference(present["spec"], spec),
    }


def edits_of(present: Raw, wanted: Raw) -> Edits:
    """The fields that `patch_for_next_start` would change."""
    return edits.of(present["spec"], _next_spec(present, wanted))


def edits_by_others(present: Raw, wanted: Raw) -> Edits:
    """The fields of a machine that others have changed. A field that the operator chooses by itself (CHOSEN)
    counts only if its value is one that no operator gives: an earlier operator may have left the field out.
    """
    target = _next_spec(present, wanted)
    was, spec = (present["spec"].get("template") or {}).get("spec") or {}, target["template"]["spec"]
    for path, chosen in CHOSEN.items():
        if _at(was, path) in (None, chosen) and _at(spec, path) in (None, chosen):
            spec = _put(spec, path, _at(was, path))
    return edits.of(present["spec"], {**target, "template": {**target["template"], "spec": spec}})


def _next_spec(present: Raw, wanted: Raw) -> Raw:
    """The spec of the machine from its next start on: the wanted one, with what stays of the present one."""
    template = _with_identity(present, wanted)
    was = (present["spec"].get("template") or {}).get("spec") or {}
    return {**wanted["spec"], "template": {**template, "spec": edits.with_plugged(was, template["spec"])}}


def _with_identity(present: Raw, wanted: Raw) -> Raw:
    """The wanted template with the present machine's identity, device places and MAC addresses, where the
    Workload doesn't set them.
    """
    template: Raw = wanted["spec"]["template"]
    former = present["spec"].get("template") or {}
    spec, was = dict(template["spec"]), former.get("spec") or {}
    noted = (former.get("metadata") or {}).get("annotations") or {}
    if places := {key: noted[key] for key in PLACES if key in noted}:
        metadata = template.get("metadata") or {}
        annotations = {**places, **(metadata.get("annotations") or {})}
        template = {**template, "metadata": {**metadata, "annotations": annotations}}
    for path in _IDENTITY:
        value = _at(was, path)
        if value is not None and _at(spec, path) is None:
            spec = _put(spec, path, value)
    path = ("domain", "devices", "interfaces")
    if isinstance(wanted_cards := _at(spec, path), list):
        spec = _put(spec, path, _with_addresses(wanted_cards, _at(was, path)))
    return {**template, "spec": spec}


def _with_addresses(cards: list[Raw], former: object) -> list[Raw]:
    """Network cards with the MAC addresses of the `former` cards of the same names. A card that has a MAC
    address of its own keeps that.
    """
    known = former if isinstance(former, list) else []
    macs = {str(card.get("name")): card.get("macAddress") for card in known if isinstance(card, dict)}
    return [
        {**card, "macAddress": address}
        if isinstance(card, dict)
        and "macAddress" not in card
        and (address := macs.get(str(card.get("name"))))
        else card
        for card in cards
    ]


def _at(tree: Raw, path: tuple[str, ...]) -> object:
    value: object = tree
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _put(tree: Raw, path: tuple[str, ...], value: object) -> Raw:
    first, *rest = path
    below = tree.get(first)
    inside = _put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**tree, first: inside}
