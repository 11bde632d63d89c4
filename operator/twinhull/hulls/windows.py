"""What a Windows machine needs: Hyper-V's enlightenments, a clock and timers, and time to shut down.

The values are those of KubeVirt's common-instancetypes, commit 7c1e305 (preferences/components: hyperv,
clock, tablet).
"""

from __future__ import annotations

from twinhull.api.base import Raw

#: The grace period of a Windows machine, in seconds: Windows may be installing updates.
GRACE = 3600
#: The graphics card of a Windows that has virtio's drivers. Before 1.9, KubeVirt refuses a machine that names
#: its graphics card unless the feature gate VideoConfig is enabled (kubevirt#16599).
VIDEO: Raw = {"type": "virtio"}


def features() -> Raw:
    """ACPI, APIC and the enlightenments (kubevirt.io/api/core/v1, type FeatureHyperv)."""
    plain = ("frequencies", "ipi", "reenlightenment", "relaxed", "reset", "runtime", "synic", "tlbflush")
    return {
        "acpi": {},
        "apic": {},
        "hyperv": {
            **{name: {} for name in (*plain, "vapic", "vpindex")},
            "spinlocks": {"spinlocks": 8191},
            "synictimer": {"direct": {}},
        },
    }


def clock(*, has_zone: bool) -> Raw:
    """The clock of a Windows machine: Windows counts time by the machine's clock, and must miss no tick. The
    clock is UTC unless the machine has a time zone: beside `utc`, KubeVirt ignores the time zone
    (kubevirt.io/kubevirt 1.9.0, pkg/virt-launcher/virtwrap/converter/compute/clock.go).
    """
    return {
        **({} if has_zone else {"utc": {}}),
        "timer": {
            "hpet": {"present": False},
            "hyperv": {},
            "pit": {"tickPolicy": "delay"},
            "rtc": {"tickPolicy": "catchup"},
        },
    }


def inputs(*, virtio: bool) -> list[Raw]:
    """A tablet, so that the pointer on the console is where the user's pointer is."""
    return [{"name": "tablet", "type": "tablet", "bus": "virtio" if virtio else "usb"}]
