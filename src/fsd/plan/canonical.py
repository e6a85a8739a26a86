"""Templates made comparable: what CloudFormation gives back is sorted otherwise than what was sent,
and the order of most lists (rules, statements, subnets, attributes) means nothing.

The arguments of an intrinsic function stay in order: it is part of their meaning.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json

from fsd.compile.desired import JsonValue

_FUNCTION = "Fn::"


def canonical(value: JsonValue) -> JsonValue:
    """A copy in which equal meanings are equal values."""
    match value:
        case dict():
            return {
                key: _in_order(item) if key.startswith(_FUNCTION) else canonical(item)
                for key, item in sorted(value.items())
            }
        case list():
            return sorted(map(canonical, value), key=_text)
        case _:
            return value


def canonical_text(value: JsonValue) -> str:
    """The same text for equal meanings, whatever the order of keys and lists."""
    return _text(canonical(value))


def _in_order(value: JsonValue) -> JsonValue:
    match value:
        case list():
            return [_in_order(item) for item in value]
        case dict():
            return canonical(value)
        case _:
            return value


def _text(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)
