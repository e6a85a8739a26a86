"""The stack of one deployment: what it was, what this run made of it, and the way back.

Other runs may change the same stack at the same time: what somebody else made of it is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fsd.compile.desired import Desired, Json
from fsd.errors import CallFailedError
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.transition import is_same_template, transition_template
from fsd.release.ports import Stack, Stacks
from fsd.release.reporter import Reporter


@dataclass(slots=True, kw_only=True)
class StackChange:
    stacks: Stacks
    desired: Desired
    reporter: Reporter
    before: ObservedStack | None = None  # when this run first changed it
    template: Json | None = None  # what this run made of it, while it may have to go back

    def begins(self, template: Json, observed: Observed) -> None:
        if self.template is None:
            self.before = observed.stack
        self.template = template

    def is_anothers(self, observed: Observed) -> bool:
        """Whether it is not as this run found or made it."""
        now = self.stacks.find(self.desired.stack_name)
        ours = self.template or (observed.stack.template if observed.stack else None)
        return now is not None and ours is not None and not is_same_template(now.template, ours)

    def restore(self) -> None:
        """As it was before this run. Raises CallFailedError."""
        before = self.before
        if self.template is not None and before is not None:
            self.stacks.apply(
                self.desired.stack_name, template=before.as_found, tags=dict(before.tags)
            )

    def restore_if_ours(self) -> None:
        """Unless somebody has changed it since. What AWS refuses is told."""
        if self.template is None:
            return
        try:
            now = self.stacks.find(self.desired.stack_name)
            if now is not None and is_same_template(now.template, self.template):
                self.restore()
        except CallFailedError as error:
            self.reporter.note(f"the stack could not be put back: {error.what}")
        self.template = None

    def claim(self, seen: Stack | None) -> str:
        """Put back what this release needs, where another run changed the stack under it; what
        that run added stays: its tasks may be on their way. Returns what to tell of it, or ""."""
        if seen is None:
            return ""
        wanted = transition_template(seen.template, self.desired.template)
        if is_same_template(wanted, seen.template):
            return ""
        tags = dict(self.desired.stack_tags)
        try:
            self.stacks.apply(self.desired.stack_name, template=wanted, tags=tags)
        except CallFailedError as error:
            return f"another run has changed the stack, and it could not be put back: {error.what}"
        return "another run had changed the stack; what this release needs is there again"

    def with_stack_before(self, observed: Observed) -> Observed:
        return observed if self.template is None else replace(observed, stack=self.before)

    def changed_template(self, observed: Observed) -> Json | None:
        """Of the stack, where it is not the last good release's: by this run, or one that died."""
        stack = observed.stack
        dead = stack.template if stack is not None and stack.memory is not None else None
        return self.template or dead
