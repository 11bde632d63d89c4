"""What would reach past an isolation to the node, and so has no place where a policy requires that isolation.

Each type of hull says what reaches past it (hulls/types); what tells it is here.
"""

from __future__ import annotations

from twinhull.hulls.evasion.fields import Evasion
from twinhull.hulls.evasion.keys import ANNOTATIONS, DOMAINS, brought, reaching, running_beside
from twinhull.hulls.evasion.machines import of_reference, past_machine, start_of, started_beside
from twinhull.hulls.evasion.pods import past_sandbox

__all__ = [
    "ANNOTATIONS",
    "DOMAINS",
    "Evasion",
    "brought",
    "of_reference",
    "past_machine",
    "past_sandbox",
    "reaching",
    "running_beside",
    "start_of",
    "started_beside",
]
