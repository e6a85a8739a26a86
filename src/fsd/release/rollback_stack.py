"""The stack during a rollback: what old and new tasks need, then what it was before."""

from __future__ import annotations

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.transition import is_same_template, left_behind, transition_template
from fsd.release.messages import AsBefore, RunsAgain
from fsd.release.rollback_target import GoBack
from fsd.release.stack_change import find_clash, find_left_behind, find_undeleted
from fsd.rollout.diagnose import family_revision


def apply_stack_of_both(back: GoBack) -> bool:
    """First the stack: old tasks are judged by the health check that it says. What only the new
    tasks need stays until they are gone. False where nothing was to change."""
    stack = back.observed.stack
    if back.stack is None or stack is None:
        return False
    both = back.observed.remembering(transition_template(back.stack.template, back.good_template))
    return _change_stack(back, back.stack.template, both)


def apply_stack_of_before(back: GoBack) -> AsBefore | RunsAgain:
    """What is as it was before, and what is not. Raises CallFailedError."""
    stack = back.observed.stack
    if back.named:
        return RunsAgain(revision=family_revision(back.named))
    if stack is None:  # the service was another tool's, and is again
        return AsBefore(new_stack=back.ref.stack_name)
    if back.stack is None:
        return AsBefore()
    current = transition_template(back.stack.template, back.good_template)
    if is_same_template(current, back.good_template):
        # `apply_stack_of_both` put it back; or it was as before, and only remembered that it was.
        was_changed = not is_same_template(back.stack.template, back.good_template)
        return AsBefore(is_stack_restored=was_changed)
    name, now = back.ref.stack_name, back.aws.stacks.find(back.ref.stack_name)
    if now is not None and not is_same_template(now.template, current):
        return AsBefore(
            clash=find_clash(name, current, now.template),
            left=find_left_behind(name, now.template, back.good_template, back.stack.template),
        )
    try:
        done = back.aws.stacks.apply(name, template=back.good_template, tags=dict(stack.tags))
    except CallFailedError as error:
        names = ", ".join(left_behind(current, back.good_template, back.stack.template))
        error.what = f"{error.what}; left behind in {name}: {names}" if names else error.what
        raise
    return AsBefore(is_stack_restored=True, undeleted=find_undeleted(done))


def _change_stack(back: GoBack, current: Json, wanted: Json) -> bool:
    """False where nothing was to change, or another run has changed it since."""
    stack = back.observed.stack
    if stack is None or is_same_template(current, wanted):
        return False
    now = back.aws.stacks.find(back.ref.stack_name)
    if now is not None and not is_same_template(now.template, current):
        return False
    back.aws.stacks.apply(back.ref.stack_name, template=wanted, tags=dict(stack.tags))
    return True


def apply_stack_of_now(back: GoBack) -> None:
    """The release that could not be stopped runs: its own stack belongs to it."""
    if back.stack is not None and back.observed.stack is not None:
        own, tags = back.stack.own, dict(back.stack.tags)
        back.aws.stacks.apply(back.ref.stack_name, template=own, tags=tags)
