"""What an environment lets in: its border holds for whoever comes, and by whatever command.

How things stand is handed in. The account is guarded where it is opened, and a promotion where the
image is known. None of it stops who has the keys of the account: the real border is the role's
trust policy, and GitHub's rules for the environment.
https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments
"""

from __future__ import annotations

from dataclasses import dataclass

from fsd.errors import ErrorCode, RefusedError
from fsd.manifest.environments import EnvironmentSpec
from fsd.release.ports import Ecs
from fsd.release.result import PastOutcome, ReleaseInfo

# The ledger's tag of what was forced: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html
FORCED = "fsd:forced"
_LONGEST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutState:
    """How the checkout from which a command is given stands to the environment's branches."""

    branch: str = ""  # one of them that has the checkout's commit, as the remote has it
    is_clean: bool = False
    where: str = ""  # "branch feature at 4f2c1e9", "no git repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """An environment's, and who wants to pass. `forced_by` is "" where nobody said --force."""

    environment: str
    is_protected: bool = False
    promote_from: str = ""
    policies: tuple[str, ...] = ()  # keys by which it judges an image: `image_policies`
    branches: tuple[str, ...] = ()
    forced_by: str = ""
    has_force: bool = True  # whether the command takes --force

    @property
    def reason(self) -> str:
        """Why it takes not just any image; "" where it does."""
        if self.is_protected:
            return "protected"
        if self.promote_from:
            return f"fed from {self.promote_from}"
        return f"under {' and '.join(self.policies)}" if self.policies else ""


def image_policies(environment: EnvironmentSpec) -> tuple[str, ...]:
    """The keys of an environment by which a deployment judges its image. Whatever else takes an
    image, or goes back to one, is to ask the border, which knows them from here alone."""
    policies = {
        "imageScan": environment.image_scan,
        "requireProvenance": environment.require_provenance,
    }
    return tuple(key for key, policy in policies.items() if policy is not None)


def check_checkout(border: Border, checkout: CheckoutState, *, action: str) -> str:
    """What to note in the ledger; "" where nothing had to be forced.

    Raises RefusedError unless a protected environment is asked from a clean checkout of a commit
    that one of its branches has.
    """
    if not border.is_protected or (checkout.branch and checkout.is_clean):
        return ""
    name = border.environment
    allowed = ", ".join(border.branches) or "none"
    what = f"this is {checkout.where}"
    if checkout.branch:
        what = f"{checkout.where} has changes that are not committed"
    return _forced(
        border,
        what=f"{name} is protected and accepts only commits of its branches ({allowed}); {what}",
        fix=f"{action} in a workflow on one of them, or from a clean checkout of a commit that is "
        "pushed there"
        + ("; in an emergency use --force, which the ledger notes" if border.has_force else ""),
        note=f"{action} from {checkout.where}",
    )


def check_image(border: Border, image: str) -> str:
    """What to note in the ledger; "" where nothing had to be forced.

    A task beside the service has its role and secrets, so that an image that never came over the
    border is none to run there. Raises RefusedError.
    """
    if not image or not border.reason:
        return ""
    name = border.environment
    return _forced(
        border,
        what=f"{name} is {border.reason} and runs only images that were deployed to it; this is "
        f"{image}",
        fix="leave out --image, or deploy the image; in an emergency use --force, which the "
        "ledger notes",
        note=f"run {image}",
    )


def check_rollback(border: Border, target: ReleaseInfo) -> str:
    """What to note in the ledger; "" where nothing had to be forced.

    A rollback asks for no checkout, so that it is there at night: what was proved in the
    environment came in over its border. Raises RefusedError for any other revision.
    """
    if target.outcome is PastOutcome.SUCCEEDED or not border.reason:
        return ""
    how = f"its rollout {_PAST.get(target.outcome, target.outcome)}"
    if not target.outcome:
        how = "ECS no longer knows how its rollout ended"
    name = border.environment
    return _forced(
        border,
        what=f"{name} is {border.reason} and goes back only to releases that succeeded in it; "
        f"{target.revision} has not: {how}",
        fix="take a release that `fsd history` shows as succeeded; in an emergency use --force, "
        "which the ledger notes",
        note=f"rollback to {target.revision}",
    )


def note_force(ecs: Ecs, arn: str, note: str) -> None:
    """On the revision, before anything else: what cannot be noted is not forced.

    Raises CallFailedError.
    """
    if note:
        ecs.tag_task_definition(arn, tags={FORCED: note})


_PAST = {
    PastOutcome.NOT_STARTED: "ran no task, at count 0",
    PastOutcome.NOT_SCHEDULED: "nothing shows that the schedule ever had it",
    PastOutcome.NOT_JUDGED: "was not seen to its end, or ran no task then",
    PastOutcome.FAILED: "failed",
    PastOutcome.ROLLED_BACK: "was rolled back",
    PastOutcome.ROLLBACK_FAILED: "failed, and so did its rollback",
    PastOutcome.STOPPED: "was stopped",
    PastOutcome.IN_PROGRESS: "has not ended",
}


def _forced(border: Border, *, what: str, fix: str, note: str) -> str:
    if border.forced_by:
        return f"{note} by {border.forced_by}"[:_LONGEST]
    raise RefusedError(
        what, where=border.environment, fix=fix, code=ErrorCode.ENVIRONMENT_PROTECTED
    )
