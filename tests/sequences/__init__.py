"""What people do to Workloads, policies and labels, in any order, and what the floor then is.

The same changes are made in memory (tests/unit/shell) and on a real control plane (tests/e2e/operator).
"""

from tests.sequences.changes import CHANGES, SICK, Change, admitted
from tests.sequences.content import content
from tests.sequences.floor import Demand, demand, strength

__all__ = ["CHANGES", "SICK", "Change", "Demand", "admitted", "content", "demand", "strength"]
