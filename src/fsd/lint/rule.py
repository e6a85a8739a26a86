"""What a rule for manifests is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fsd.errors import Location
from fsd.manifest.finding import Severity
from fsd.manifest.key_path import KeyPath
from fsd.manifest.models import Manifest, Service
from fsd.manifest.yaml_tree import Node, Scalar, find

if TYPE_CHECKING:
    from fsd.manifest.edit import Edit
    from fsd.manifest.environments import Environment
    from fsd.manifest.overrides import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A manifest with its source. `environment` is None where none was named.

    `environments` are all that the environments file has, that one among them; `unused` are its
    overrides that change nothing here. Without `today` what FSD knows counts as new.
    """

    manifest: Manifest
    tree: Node
    environment: str | None = None
    environments: tuple[Environment, ...] = ()
    unused: tuple[Override, ...] = ()
    today: date | None = None

    @property
    def service(self) -> Service:
        return self.manifest.service

    @property
    def is_protected(self) -> bool:
        """Whether the environment that was named is protected."""
        return any(each.protected for each in self.environments if each.name == self.environment)

    @property
    def has_load_balancer(self) -> bool:
        service = self.service
        return service.main_port is not None and service.networking.load_balancer is not None

    def scalar(self, *path: str | int) -> Scalar | None:
        """A value as it was written: its `text` still has the variables."""
        node = find(self.tree, path)
        return node if isinstance(node, Scalar) else None

    def text(self, *path: str | int) -> str:
        """What was written, variables and all; empty where nothing was."""
        scalar = self.scalar(*path)
        return scalar.text if scalar else ""

    def resource(self, index: int) -> str:
        """The name of a dependency as it was written: offline, ENV has no value worth showing."""
        return self.text("dependencies", index, "name")

    def is_written(self, *path: str | int) -> bool:
        return find(self.tree, path) is not None

    def is_overridden(self, *path: str | int) -> bool:
        """Whether a value was not written in the manifest but put there by an override."""
        node, file = find(self.tree, path), self.tree.where
        if node is None or not isinstance(file, Location):
            return False
        return not isinstance(node.where, Location) or node.where.path != file.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A fault at a key. `uses` are other keys that were read: a wrong one there hides this.

    `written` is where an override stands that is meant itself, not the value that it puts at a key.
    `severity` is the rule's unless it is given. `edit` repairs it, where one can do so safely.
    `needs_reason`: a comment that ignores it counts only with a reason behind the id.
    """

    at: KeyPath
    message: str
    fix: str
    uses: tuple[KeyPath, ...] = ()
    on_key: bool = False  # point at the key instead of its value
    severity: Severity | None = None
    written: Override | None = None
    edit: Edit | None = None
    needs_reason: bool = False
