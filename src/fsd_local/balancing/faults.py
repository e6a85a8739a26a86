"""The errors of Elastic Load Balancing. Each code is one that botocore's model of it has."""

from __future__ import annotations


class BalancingFault(Exception):
    """HTTP 400 with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def not_valid(message: str) -> BalancingFault:
    return BalancingFault("ValidationError", message)


def not_done(what: str) -> BalancingFault:
    """What AWS takes and the embedded AWS does not do, so that nobody relies on it."""
    return not_valid(f"The embedded AWS does not {what}.")
