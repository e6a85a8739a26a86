"""What setting up an account needs of AWS beside what a release needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Account(Protocol):
    """Every method may raise CallFailedError."""

    def has_provider(self, arn: str) -> bool:
        """An OIDC provider of IAM."""

    def delete_own_provider(self, arn: str) -> bool:
        """False where there is none, or where fsd has not made it."""

    def roles_trusting(self, provider_arn: str) -> Sequence[str]:
        """Names, sorted, of all roles of the account whose trust policy names it."""

    def has_namespace(self, name: str) -> bool:
        """A namespace of Cloud Map, which is what Service Connect has."""

    def has_images(self, repository: str) -> bool:
        """False also where there is no such repository."""
