"""Brevity: bounds for the texts and lists of a status. Some are made of other people's texts, which have no
bound.

All together they stay below 400 kB, of the 1.5 MB that etcd takes of an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

#: How many bytes of UTF-8 a condition's message may have (Kubernetes' own bound is 32,768).
LONGEST_MESSAGE = 4096
#: How many bytes of UTF-8 one text of a list may have.
LONGEST_ITEM = 1024
#: How many bytes of UTF-8 a reason may have. Kubernetes refuses an Event with a longer one
#: (k8s.io/kubernetes/pkg/apis/core/validation, events.go, ReasonLengthLimit).
LONGEST_REASON = 128
#: How many things a sentence names.
MOST_NAMED = 8


def shortened(text: str, most: int = LONGEST_MESSAGE) -> str:
    """A text of at most so many bytes. If it is cut, its end says so. A text that isn't too long is returned
    as it is.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= most:
        return encoded.decode()
    end = f"… ({len(encoded)} bytes, cut)"
    return encoded[: most - len(end.encode())].decode(errors="ignore") + end


def word(reason: str) -> str:
    """A reason, cut to LONGEST_REASON bytes."""
    return reason.encode(errors="replace")[:LONGEST_REASON].decode(errors="ignore")


def listed(parts: Sequence[str], separator: str = "; ") -> str:
    """Some things as part of a sentence: the first ones, and how many more there are."""
    more = len(parts) - MOST_NAMED
    if more <= 1:  # naming it takes no more words
        return separator.join(parts)
    others = f"{more} more" if separator == " and " else f"and {more} more"
    return separator.join((*parts[:MOST_NAMED], others))


#: Texts of a status, which are cut when they are put in. The CRD has no bound for them: an older operator's
#: may be longer.
Message: TypeAlias = Annotated[str, AfterValidator(shortened)]
Item: TypeAlias = Annotated[str, AfterValidator(lambda text: shortened(text, LONGEST_ITEM))]
Word: TypeAlias = Annotated[str, AfterValidator(word)]
