"""A stack's template that is known without being read.

CloudFormation says when a stack was changed last, and between two changes its template stays the
same. So a revision is tagged with that change and a digest of the template of then: while the stack
is at the same change, and what is wanted now has the same digest, what is wanted is what is there.
A change by anybody, FSD or not, has another time, and the template is read.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html (LastUpdatedTime)
"""

from __future__ import annotations

import hashlib

from fsd.compile.desired import Json
from fsd.plan.canonical import canonical_text

STACK_TAG = "fsd:stack-template"  # of a revision


def record_template(change: str, template: Json) -> str:
    """The tag's value: `change` names one change of one stack; "" where it is not known."""
    if not change:
        return ""
    return f"{change}.{hashlib.sha256(canonical_text(template).encode()).hexdigest()[:32]}"


def is_recorded(record: str, change: str) -> bool:
    """Whether the record is of this change, so that it is worth asking what is wanted."""
    return bool(change) and record.startswith(f"{change}.")
