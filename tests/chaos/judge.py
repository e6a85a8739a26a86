"""What an independent observer of AWS holds against what each of several deployers says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.chaos.cloud import IN_FLIGHT, Cloud
from tests.chaos.deployers import Deployer

GOING_BACK = {
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A service deployment, with the version of the revision that it rolls out."""

    arn: str
    status: str
    reason: str
    version: str
    revision: str
    created_at: datetime
    ended_at: datetime | None


@dataclass
class Observer:
    """Reads AWS with a client of its own; remembers every revision that was ever rolled out."""

    cloud: Cloud
    environment: str
    rolled_out: set[str] = field(default_factory=set)
    _versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"hello-{self.environment}"

    def deployments(self) -> list[Seen]:
        """Oldest first."""
        ecs = self.cloud.ecs
        arns = [one["serviceDeploymentArn"] for one in self._briefs()]
        seen = []
        for start in range(0, len(arns), 20):
            answer = ecs.describe_service_deployments(
                serviceDeploymentArns=arns[start : start + 20]
            )
            seen += [self._seen(one) for one in answer["serviceDeployments"]]
        self.rolled_out |= {one.revision for one in seen}
        return sorted(seen, key=lambda one: one.created_at)

    def _briefs(self) -> Iterator[Any]:
        token: dict[str, str] = {}
        while True:
            page = self._page(**token)
            yield from page["serviceDeployments"]
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def _page(self, **parameters: Any) -> Any:
        ecs = self.cloud.ecs
        try:
            return ecs.list_service_deployments(
                cluster=self.environment, service=self.name, **parameters
            )
        except (
            ecs.exceptions.ServiceNotFoundException,
            ecs.exceptions.ClusterNotFoundException,
        ):
            return {"serviceDeployments": []}

    def _seen(self, one: Any) -> Seen:
        arn = one["targetServiceRevision"]["arn"]
        (revision,) = self.cloud.ecs.describe_service_revisions(serviceRevisionArns=[arn])[
            "serviceRevisions"
        ]
        return Seen(
            arn=one["serviceDeploymentArn"],
            status=one["status"],
            reason=one.get("statusReason", ""),
            version=self.version(revision["taskDefinition"]),
            revision=revision["taskDefinition"],
            created_at=one["createdAt"],
            ended_at=one.get("finishedAt") or one.get("stoppedAt"),
        )

    def version(self, revision: str) -> str:
        if revision not in self._versions:
            tags = self.cloud.ecs.describe_task_definition(
                taskDefinition=revision, include=["TAGS"]
            )["tags"]
            self._versions[revision] = {t["key"]: t["value"] for t in tags}["fsd:version"]
        return self._versions[revision]

    def orphans(self) -> dict[str, str]:
        """ACTIVE revisions that no deployment ever rolled out, with their versions."""
        active = set(self.cloud.revisions(self.environment))
        return {arn: self.version(arn) for arn in active - self.rolled_out}

    def in_flight(self) -> list[str]:
        found = self._page(status=[*IN_FLIGHT, "ROLLBACK_IN_PROGRESS"])["serviceDeployments"]
        return [one["serviceDeploymentArn"] for one in found]


@dataclass
class Judge:
    """One round: the deployers, and the deployments that came to be meanwhile."""

    deployers: Sequence[Deployer]
    before: Sequence[Seen]
    after: Sequence[Seen]
    orphans: dict[str, str]
    faults: list[str] = field(default_factory=list)

    @property
    def new(self) -> list[Seen]:
        known = {one.arn for one in self.before}
        return [one for one in self.after if one.arn not in known]

    def judge(self) -> list[str]:
        for deployer in self.deployers:
            self._judge_truth(deployer)
        earlier = [one for one in self.before if one.status == "SUCCESSFUL"][-1:]
        for old, new in pairwise([*earlier, *self.new]):
            self._judge_successor(old, new)
        for one in self.new:
            self._judge_end(one)
        self._judge_orphans()
        return self.faults

    # --- nobody's healthy deployment is undone ---------------------------------------------

    def _of(self, version: str) -> list[Deployer]:
        return [one for one in self.deployers if one.version == version]

    def _judge_successor(self, old: Seen, new: Seen) -> None:
        askers = self._of(new.version)
        is_own = any(one.version == old.version for one in askers)
        if not askers:
            self._judge_rollback_by_update(old, new)
        elif _was_over(old, new) or is_own:
            return
        elif not any(one.wish.mode == "--supersede" for one in askers):
            self._judge_tie(old, new, askers)

    def _judge_rollback_by_update(self, old: Seen, new: Seen) -> None:
        """An update to an older release: somebody's rollback, which may only undo its own."""
        owners = self._of(old.version)
        if not owners or old.status == "SUCCESSFUL":
            self._fault(f"{old.version} ({old.status}) was undone by an update to {new.version}")

    def _judge_tie(self, old: Seen, new: Seen, askers: list[Deployer]) -> None:
        """UpdateService knows no condition: who takes over unasked has to say so."""
        alive = [one for one in askers if one.result.code >= 0]
        if alive and not any("same moment" in one.result.out for one in alive):
            self._fault(
                f"{new.version} took over from {old.version} in flight, and does not say so"
            )

    def _judge_end(self, one: Seen) -> None:
        owners = self._of(one.version)
        is_cancelled = any(
            d.is_signalled and d.wish.on_cancel == "rollback" and d.result.code > 0 for d in owners
        )
        is_bad = any(d.wish.bad for d in owners)
        if one.status in GOING_BACK and not (is_bad or is_cancelled):
            self._fault(f"good {one.version} was rolled back: {one.reason}")
        if one.status == "SUCCESSFUL" and is_bad:
            self._fault(f"bad {one.version} is called SUCCESSFUL")
        is_stopped = one.status == "STOPPED" and one is self.after[-1]
        if is_stopped and not (is_bad or is_cancelled):
            self._fault(f"{one.version} was stopped by nobody: {one.reason}")

    # --- every run reports the truth -------------------------------------------------------

    def _judge_truth(self, deployer: Deployer) -> None:
        ended = deployer.result
        mine = [one for one in self.after if one.version == deployer.version]
        match ended.code:
            case 0:
                self._judge_success(deployer, mine)
            case 4:
                self._judge_refusal(deployer, mine)
            case 6:
                if not any(one.status in GOING_BACK or one.status == "STOPPED" for one in mine):
                    self._wrong(deployer, "says rolled back")
            case 7:
                if any(one.status == "SUCCESSFUL" for one in self._before(mine)):
                    self._wrong(deployer, "says that nothing could be rolled back")
            case 8:
                self._judge_superseded(deployer, mine)
            case 130 | 143 if deployer.is_signalled:
                self._judge_interrupted(deployer, mine)
            case -9 if deployer.is_signalled:
                pass
            case _:
                self._wrong(deployer, f"ended with {ended.code}")

    def _before(self, mine: list[Seen]) -> list[Seen]:
        return [one for one in self.after if mine and one.created_at < mine[0].created_at]

    def _judge_success(self, deployer: Deployer, mine: list[Seen]) -> None:
        result = deployer.result.json()
        succeeded = [one for one in mine if one.status == "SUCCESSFUL"]
        if not succeeded:
            self._wrong(deployer, f"says {result['outcome']}")
            return
        # A run again after a signal may find its release rolled out, and only a stack to put right.
        named = result["deploymentArn"]
        if named and named not in {one.arn for one in succeeded}:
            self._wrong(deployer, "names a deployment that did not succeed")
        if result["release"]["version"] != deployer.version:
            self._wrong(deployer, f"says that {result['release']['version']} was released")
        running = result["running"]["version"]
        later = {one.version for one in self.after if one.created_at >= succeeded[0].created_at}
        if running not in later:
            self._wrong(deployer, f"says that {running} runs")

    def _judge_refusal(self, deployer: Deployer, mine: list[Seen]) -> None:
        said = deployer.result.out + deployer.result.err
        in_flight, older = "deployment-in-flight" in said, "older-commit" in said
        if not (in_flight or older):
            self._wrong(deployer, "was refused, and not for a reason that it may have")
        if in_flight and deployer.wish.mode == "--supersede":
            self._wrong(deployer, "was refused although it may take over")
        if older and deployer.wish.allows_older:
            self._wrong(deployer, "was refused although it may be older")
        if mine and len(self._of(deployer.version)) == 1:
            self._wrong(deployer, "was refused, and yet deployed")

    def _judge_superseded(self, deployer: Deployer, mine: list[Seen]) -> None:
        result = deployer.result.json()
        if any(one.arn == result["deploymentArn"] and one.status == "SUCCESSFUL" for one in mine):
            self._wrong(deployer, "says superseded, and succeeded")
        newer = [one for one in self.after if mine and one.created_at > mine[0].created_at]
        named = [one for one in newer if one.revision.rpartition("/")[2] in result["message"]]
        if not named:
            self._wrong(deployer, "names no deployment that took over")

    def _judge_interrupted(self, deployer: Deployer, mine: list[Seen]) -> None:
        if not deployer.result.has_result:
            return
        message = deployer.result.json()["message"]
        is_alone = len(self._of(deployer.version)) == 1
        if "ECS was not asked" in message or "before ECS was asked" in message:
            if mine and is_alone:
                self._wrong(deployer, "says that ECS was not asked, and it was")
        elif "does not list a deployment" in message:
            return  # the signal came before the answer: either may be
        elif "; FSD asked ECS to roll" in message:
            if not mine:  # asked is asked: it may have succeeded, or have been taken over, first
                self._wrong(deployer, "says that ECS was asked to roll back")
        elif "had already ended" in message:
            if not any(f"had already ended ({one.status})" in message for one in mine):
                self._wrong(deployer, "names another end than its deployment had")
        elif not mine:
            self._wrong(deployer, "speaks of a deployment that is none")

    # --- no orphan -------------------------------------------------------------------------

    def _judge_orphans(self) -> None:
        """Only who was stopped in the middle may leave a revision behind, for the next run."""
        stopped = {d.version for d in self.deployers if d.result.code in {-9, 130, 143}}
        for arn, version in self.orphans.items():
            if version not in stopped:
                self._fault(f"{arn} ({version}) is ACTIVE, and was never rolled out")

    def _wrong(self, deployer: Deployer, what: str) -> None:
        self._fault(f"{deployer.version} {what}\n{deployer.told()}")

    def _fault(self, text: str) -> None:
        self.faults.append(text)


def _was_over(old: Seen, new: Seen) -> bool:
    if old.status in {"SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}:
        return True
    return old.ended_at is not None and old.ended_at < new.created_at


def describe(judge: Judge) -> str:
    lines = [
        f"  {one.created_at:%H:%M:%S.%f} {one.version} {one.status} {one.reason}"
        for one in judge.new
    ]
    runs = [
        f"  {d.version} {d.wish.mode} {d.wish.bad} exit {d.result.code}" for d in judge.deployers
    ]
    return "\n".join([*lines, *runs])
