"""Evasions: fields, labels and annotations by which a hull would reach past its isolation to the node. A
policy that requires the isolation refuses them.

Each type of hull says which evasions it has (hulls/types). This package recognizes them.
"""

from __future__ import annotations

from twinhull.hulls.evasion.fields import Evasion
from twinhull.hulls.evasion.keys import ANNOTATIONS, DOMAINS, reaching, reaching_in_instance, running_beside
from twinhull.hulls.evasion.machines import of_reference, past_machine, start_of, started_beside
from twinhull.hulls.evasion.pods import past_sandbox

__all__ = [
    "ANNOTATIONS",
    "DOMAINS",
    "Evasion",
    "of_reference",
    "past_machine",
    "past_sandbox",
    "reaching",
    "reaching_in_instance",
    "running_beside",
    "start_of",
    "started_beside",
]
