"""The stack of one deployment: what it was, what this run made of it, and the way back.

Other runs may change the same stack at the same time: what somebody else made of it is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fsd.compile.desired import Desired, Json
from fsd.errors import CallFailedError
from fsd.plan.diff import diff_templates
from fsd.plan.observed import Observed, ObservedStack
from fsd.plan.previous_stack import split_previous
from fsd.plan.rule_weights import without_weights
from fsd.plan.transition import is_same_template, left_behind, transition_template
from fsd.quoted import Quoted
from fsd.release.notes import ClashMended, LeftBehind, Note, StackClash, StackNotRestored, Undeleted
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

    def clash(self, observed: Observed) -> StackClash | None:
        """In what it is not as this run found or made it; None where it is."""
        now = self.stacks.find(self.desired.stack_name)
        ours = self.template or (observed.stack.template if observed.stack else None)
        if now is None or ours is None or is_same_template(now.template, ours):
            return None
        return find_clash(self.desired.stack_name, ours, now.template)

    def changes_roles(self) -> bool:
        """Whether this run made a role, or changed what one may."""
        before = roles_of(self.before.template) if self.before is not None else {}
        return self.template is not None and roles_of(self.template) != before

    def restore(self) -> None:
        """As it was before this run. Raises CallFailedError."""
        before = self.before
        if self.template is not None and before is not None:
            stack = self.stacks.apply(
                self.desired.stack_name, template=before.as_found, tags=dict(before.tags)
            )
            self._tell(find_undeleted(stack))

    def restore_if_ours(self) -> None:
        """Unless somebody has changed it since. What AWS refuses is told."""
        if self.template is None:
            return
        try:
            now = self.stacks.find(self.desired.stack_name)
            if now is not None and is_same_template(now.template, self.template):
                self.restore()
            elif now is not None:
                self._tell(self._left_behind(now.template))
        except CallFailedError as error:
            left = self._left_behind(self.template)
            self._tell(StackNotRestored(error=Quoted.of(error), left=left))
        self.template = None

    def _left_behind(self, now: Json) -> LeftBehind | None:
        good = self.before.template if self.before else {}
        return find_left_behind(self.desired.stack_name, now, good, self.template or {})

    def _tell(self, note: Note | None) -> None:
        if note is not None:
            self.reporter.note(note)

    def claim(self, seen: Stack | None, *, own: Json) -> ClashMended | None:
        """Put back what this release needs, where another run changed the stack under it; what
        that run added stays: its tasks may be on their way. Returns what to tell of it.

        `own` is the template that this release asks for, with the target group that serves.
        """
        if seen is None:
            return None
        wanted = transition_template(seen.template, own)
        if is_same_template(wanted, seen.template):
            return None
        tags = dict(self.desired.stack_tags)
        clash = find_clash(self.desired.stack_name, wanted, seen.template)
        try:
            self.stacks.apply(self.desired.stack_name, template=wanted, tags=tags)
        except CallFailedError as error:
            return ClashMended(clash=clash, error=Quoted.of(error))
        return ClashMended(clash=clash, error=None)

    def with_stack_before(self, observed: Observed) -> Observed:
        return observed if self.template is None else replace(observed, stack=self.before)

    def changed_template(self, observed: Observed) -> Json | None:
        """Of the stack, where it is not the last good release's: by this run, or one that died."""
        stack = observed.stack
        dead = stack.template if stack is not None and stack.previous is not None else None
        return self.template or dead


def find_clash(name: str, expected: Json, now: Json) -> StackClash:
    """That somebody has changed it. Who, a template does not tell."""
    bare = without_weights(split_previous(now)[0])
    changes = diff_templates(without_weights(split_previous(expected)[0]), bare)
    return StackClash(stack=name, changes=tuple(changes))


def find_left_behind(name: str, now: Json, good: Json, made: Json) -> LeftBehind | None:
    names = tuple(left_behind(now, good, made))
    return LeftBehind(stack=name, resources=names) if names else None


def find_undeleted(stack: Stack) -> Undeleted | None:
    """What is no longer in the stack, so that no later deployment removes it."""
    return Undeleted(resources=tuple(stack.undeleted)) if stack.undeleted else None


def roles_of(template: Json) -> Json:
    resources = template.get("Resources")
    found = resources if isinstance(resources, dict) else {}
    return {
        name: resource
        for name, resource in found.items()
        if isinstance(resource, dict) and str(resource.get("Type", "")).startswith("AWS::IAM::")
    }
