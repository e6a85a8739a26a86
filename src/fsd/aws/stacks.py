"""CloudFormation: one stack a service, changed by change sets, followed on our own clock.

botocore's waiters are not used: they look every 30 s, and `stack_create_complete` takes a later
update's status for success.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from fsd.aws.drift import detect_drift
from fsd.aws.errors import aws_code, aws_message, call, pages
from fsd.aws.propagation import once_roles_are_known
from fsd.aws.session import Clients
from fsd.aws.stack_causes import find_fix
from fsd.aws.stack_look import look_at_stack
from fsd.aws.targets import TargetHealthReader
from fsd.aws.wait import wait_for
from fsd.compile.desired import OUTPUT_PRODUCTION_RULE, Json
from fsd.errors import CallFailedError, ErrorCode
from fsd.plan.canonical import canonical_text
from fsd.plan.previous_stack import split_previous
from fsd.plan.rule_weights import changed_rules, has_pair, with_weights, with_weights_only
from fsd.plan.serving import production_rule_of, weights_by_name
from fsd.plan.template_parts import object_at
from fsd.release.ports import Clock, KnownTemplate, Stack, StackDrift
from fsd.snapshot import StackLook

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_LIMIT = 51_200  # bytes of TemplateBody
# A load balancer takes minutes, and its network interfaces minutes more to go away.
STACK_LIMIT = timedelta(minutes=45)
CHANGE_SET_LIMIT = timedelta(minutes=10)
BEATEN_TOLERATED = 5  # by other runs that change the same stack

# Created never, or not to the end: there is nothing to update, the next creation starts anew.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_EMPTY = frozenset({"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"})
_BROKEN = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
_UNFINISHED = frozenset({"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"})
_AS_ITS_TEMPLATE_SAYS = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_NEEDS_A_PERSON = frozenset({"UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"})
# `Update successful. One or more resources could not be deleted.`
# https://github.com/serverless/serverless/issues/9144
_NOT_DELETED = "could not be deleted"
_CANCELLED = ("resource creation cancelled", "resource update cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFormationStacks:
    """`fsd.release.ports.Stacks`. `role_arn` is the role that CloudFormation itself uses.

    The role is sent with every call that takes one: a policy that allows only this role denies a
    call that names none.
    """

    clients: Clients
    clock: Clock
    poll: timedelta
    role_arn: str | None = None
    _read: dict[str, Json] = field(default_factory=dict)  # templates, by the change

    def find(self, name: str, *, known: KnownTemplate | None = None) -> Stack | None:
        """None also for a stack whose creation failed, where there is nothing to keep, and for one
        that is being created: `apply` waits for it, and has its outputs then."""
        stack = self._describe(name)
        if stack is None or stack["StackStatus"] in _EMPTY | _BROKEN | _UNFINISHED:
            return None
        change = _change(stack)
        template = known(change) if known and change else None
        if template is not None:
            self._read[change] = template
        return _stack(stack, self._template(stack))

    def look(self, name: str) -> StackLook | None:
        return look_at_stack(self._client, name)

    def apply(self, name: str, *, template: Json, tags: Mapping[str, str]) -> Stack:
        """As the port says. Raises also for a template that is too long, and for a stack that
        needs a person first (UPDATE_ROLLBACK_FAILED)."""
        _render(template, name)  # what is too long is said before any call
        return self._repeat(name, make=lambda _: template, tags=tags)

    def merge(self, name: str, *, make: Callable[[Json], Json], tags: Mapping[str, str]) -> Stack:
        def merged(stack: dict[str, Any] | None) -> Json:
            return make(self._template(stack) if stack is not None else {})

        return self._repeat(name, make=merged, tags=tags)

    def _repeat(
        self, name: str, *, make: Callable[[dict[str, Any] | None], Json], tags: Mapping[str, str]
    ) -> Stack:
        """Until no other run was faster."""
        for _ in range(BEATEN_TOLERATED):
            try:
                return self._apply(name, make=make, tags=tags)
            except CallFailedError as error:
                if not says_another_was_faster(error):
                    raise
        return self._apply(name, make=make, tags=tags)

    def _apply(
        self, name: str, *, make: Callable[[dict[str, Any] | None], Json], tags: Mapping[str, str]
    ) -> Stack:
        stack = self._settled(name)
        if stack is not None and stack["StackStatus"] in _BROKEN:
            self.delete(name)
            stack = None
        if stack is not None:
            _refuse_stuck(stack)
        template = make(stack)
        body = _render(template, name)
        if stack is None:
            return self._create(name, body=body, template=template, tags=tags)
        template, steady = self._weighted(stack, template)
        body = _render(template, name)
        if steady is not None:
            self._steady(stack, steady)
        if self._is_unchanged(stack, template=template, tags=tags):
            return _stack(stack, template)
        return self._update(stack, body=body, template=template, tags=tags)

    def _weighted(self, stack: dict[str, Any], template: Json) -> tuple[Json, Json | None]:
        """`template` with the weights that its rules have on AWS; and where it changes such a rule,
        whose text in the stack says other weights, the stack's own template with those of now.

        Raises CallFailedError where the weights cannot be read: a wrong guess sends all requests to
        a target group that may be empty.
        """
        if not has_pair(template):
            return template, None
        now, outputs = self._template(stack), _output_values(stack)
        rules = changed_rules(template, now)
        if not rules:
            return with_weights(template, now, {}), None
        rule = outputs.get(OUTPUT_PRODUCTION_RULE, "")
        if rules != (production_rule_of(now),) or not rule:
            raise _unknown_weights(stack, rules, "the stack's outputs do not name it")
        found = TargetHealthReader(clients=self.clients).weights(rule)
        named = weights_by_name(now, outputs, found)
        if found and not any(named.values()):
            groups = ", ".join(arn for arn, weight in found.items() if weight)
            raise _unknown_weights(stack, rules, f"it sends requests to {groups or 'nothing'}")
        steady = with_weights_only(now, named, rules=rules)
        is_said = canonical_text(steady) == canonical_text(now)
        return with_weights(template, now, named), None if is_said else steady

    def return_traffic(self, name: str, *, group: str) -> None:
        """CloudFormation changes a rule only where its text changes, so the text first says what
        the rule says."""
        stack = self._settled(name)
        outputs = _output_values(stack) if stack is not None else {}
        rule = outputs.get(OUTPUT_PRODUCTION_RULE, "")
        if stack is None or not rule:
            return
        now = self._template(stack)
        rules = (production_rule_of(now),)
        found = TargetHealthReader(clients=self.clients).weights(rule)
        for weights in (found, {arn: 100 if arn == group else 0 for arn in found}):
            template = with_weights_only(now, weights_by_name(now, outputs, weights), rules=rules)
            if canonical_text(template) != canonical_text(now):
                self._steady(stack, template)
                now = template

    def _steady(self, stack: dict[str, Any], template: Json) -> None:
        """Should the change that comes next fail, CloudFormation goes back to the text that it has,
        and to its weights: so that text says the weights of now first.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
        """
        body = _render(template, str(stack["StackName"]))
        self._update(stack, body=body, template=template, tags=_tags(stack))

    def delete(self, name: str) -> None:
        """Also of a stack whose creation or deletion failed before."""
        stack = self._settled(name, keep_empty=True)
        if stack is not None:
            self._delete(name, stack_id=str(stack["StackId"]))

    def drift(self, name: str) -> StackDrift:
        return detect_drift(self._client, name, clock=self.clock, poll=self.poll)

    def _delete(self, name: str, *, stack_id: str) -> None:
        call(
            self._client,
            "delete_stack",
            name,
            StackName=stack_id,
            ClientRequestToken=_token(),
            **self._role,
        )
        stack = self._wait_until_settled(stack_id)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return
        what = "could not be deleted"
        if not str(stack["StackStatus"]).startswith("DELETE_"):
            # Cancelled, as another stack imports of it: the events tell of earlier changes.
            # https://github.com/aws/aws-cdk/issues/604
            raise _failure(stack, what=what)
        raise self._failed(stack, operation="DELETE", what=what)

    # --- create and update -----------------------------------------------------------------

    def _create(self, name: str, *, body: str, template: Json, tags: Mapping[str, str]) -> Stack:
        """A stack whose creation fails is deleted by CloudFormation (OnStackFailure)."""
        change_set = self._make_change_set(
            name, body=body, tags=tags, ChangeSetType="CREATE", OnStackFailure="DELETE"
        )
        try:
            self._require_ready(change_set, name)
        except CallFailedError as error:
            if not says_another_was_faster(error):
                self._delete_empty(name)
            raise
        self._execute(change_set, name)
        done = self._wait_until_settled(change_set["StackId"], executing=True)
        return self._finished(
            change_set["StackId"], done, expected="CREATE_COMPLETE", template=template
        )

    def _delete_empty(self, name: str) -> None:
        """What a refused creation leaves: a stack in REVIEW_IN_PROGRESS, with nothing in it."""
        stack = self._describe(name)
        if stack is not None and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            self._delete(name, stack_id=str(stack["StackId"]))

    def _update(
        self, stack: dict[str, Any], *, body: str, template: Json, tags: Mapping[str, str]
    ) -> Stack:
        name, stack_id = str(stack["StackName"]), str(stack["StackId"])
        change_set = self._make_change_set(name, body=body, tags=tags, ChangeSetType="UPDATE")
        has_changes = self._require_ready(change_set, name)
        if not has_changes:  # then CloudFormation keeps the text that it has
            return replace(_stack(self._with_outputs(stack, template), template), change="")
        self._execute(change_set, name)
        done = self._wait_until_settled(stack_id, executing=True)
        finished = self._finished(stack_id, done, expected="UPDATE_COMPLETE", template=template)
        # Between two looks somebody else may have updated it too, and the change is theirs.
        return replace(finished, change="")

    def _with_outputs(self, stack: dict[str, Any], template: Json) -> dict[str, Any]:
        """The stack as it is now, if it has the outputs of the template: CloudFormation may have no
        changes because another run made the same ones between our look and our change set.

        Raises CallFailedError if it lacks them.
        """
        if not self._differing_outputs(stack, template):
            return stack
        name = str(stack["StackName"])
        now = self._settled(name)
        differing = self._differing_outputs(now or stack, template)
        if now is None or differing:
            raise CallFailedError(
                "CloudFormation finds no changes, but these outputs of the stack are not as in the "
                f"template: {', '.join(differing)}",
                where=name,
                fix="run it again; nothing was changed",
                code=ErrorCode.STACK_REFUSED,
            )
        return now

    def _differing_outputs(self, stack: dict[str, Any], template: Json) -> list[str]:
        old, new = object_at(self._template(stack), "Outputs"), object_at(template, "Outputs")
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))

    def _make_change_set(
        self, name: str, *, body: str, tags: Mapping[str, str], **how: str
    ) -> dict[str, Any]:
        token = _token()
        parameters: dict[str, Any] = {
            "StackName": name,
            "ChangeSetName": token,
            "ClientToken": token,
            "TemplateBody": body,
            "Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            **how,
            **self._role,
        }
        return once_roles_are_known(
            lambda: call(self._client, "create_change_set", name, **parameters), clock=self.clock
        )

    def _require_ready(self, change_set: dict[str, Any], name: str) -> bool:
        """Wait for the change set; False where it changes nothing. A failed one is deleted."""
        described = wait_for(
            lambda: self._change_set_if_done(change_set["Id"], name),
            clock=self.clock,
            poll=self.poll,
            limit=CHANGE_SET_LIMIT,
            where=name,
        )
        if described["Status"] == "CREATE_COMPLETE":
            return True
        reason = str(described.get("StatusReason", ""))
        call(self._client, "delete_change_set", name, ChangeSetName=change_set["Id"])
        if says_no_changes(reason):
            return False
        raise CallFailedError(
            f"CloudFormation refuses the change: {reason or 'it gave no reason'}",
            where=name,
            fix=f"{find_fix(reason) or 'correct what the reason names'}; nothing was changed",
            code=ErrorCode.STACK_REFUSED,
        )

    def _change_set_if_done(self, change_set_id: str, name: str) -> dict[str, Any] | None:
        described = call(self._client, "describe_change_set", name, ChangeSetName=change_set_id)
        return described if described["Status"] in {"CREATE_COMPLETE", "FAILED"} else None

    def _execute(self, change_set: dict[str, Any], name: str) -> None:
        call(
            self._client,
            "execute_change_set",
            name,
            ChangeSetName=change_set["Id"],
            ClientRequestToken=_token(),
        )

    def _finished(
        self, stack_id: str, stack: dict[str, Any] | None, *, expected: str, template: Json
    ) -> Stack:
        if stack is not None and stack["StackStatus"] == expected:
            return replace(_stack(stack, template), undeleted=self._undeleted(stack))
        operation = expected.partition("_")[0]
        what = f"could not be {operation.lower()}d"
        raise self._failed(stack or {"StackId": stack_id}, operation=operation, what=what)

    def _is_unchanged(
        self, stack: dict[str, Any], *, template: Json, tags: Mapping[str, str]
    ) -> bool:
        """Read, so that an unchanged stack costs no change set."""
        return (
            stack["StackStatus"] in _AS_ITS_TEMPLATE_SAYS
            and _tags(stack) == dict(tags)
            and canonical_text(self._template(stack)) == canonical_text(template)
        )

    # --- look ------------------------------------------------------------------------------

    def _settled(self, name: str, *, keep_empty: bool = False) -> dict[str, Any] | None:
        """The stack once no operation is in flight; another run's is waited for."""
        stack = self._wait_until_settled(name)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return None
        return stack if keep_empty or stack["StackStatus"] not in _EMPTY else None

    def _wait_until_settled(
        self, name_or_id: str, *, executing: bool = False
    ) -> dict[str, Any] | None:
        """Follow the id, where there is one: a deleted stack is found by nothing else.

        While a change set executes, REVIEW_IN_PROGRESS is a look that came too early.
        """

        def look() -> tuple[dict[str, Any] | None] | None:
            stack = self._describe(name_or_id)
            status = str(stack["StackStatus"]) if stack else ""
            is_review = status == "REVIEW_IN_PROGRESS"
            if status.endswith("_IN_PROGRESS") and (executing or not is_review):
                return None
            return (stack,)

        (found,) = wait_for(
            look, clock=self.clock, poll=self.poll, limit=STACK_LIMIT, where=_name(name_or_id)
        )
        return found

    def _describe(self, name_or_id: str) -> dict[str, Any] | None:
        try:
            answer = call(self._client, "describe_stacks", _name(name_or_id), StackName=name_or_id)
        except CallFailedError as error:
            if says_absent(error):
                return None
            raise
        stacks: list[dict[str, Any]] = answer["Stacks"]
        return stacks[0] if stacks else None

    def _template(self, stack: dict[str, Any]) -> Json:
        """Read once for each change of the stack: between two of them it stays the same."""
        change = _change(stack)
        if not change:
            return self._read_template(stack)
        if change not in self._read:
            self._read[change] = self._read_template(stack)
        return self._read[change]

    def _read_template(self, stack: dict[str, Any]) -> Json:
        name = str(stack["StackName"])
        body = call(
            self._client, "get_template", name, StackName=stack["StackId"], TemplateStage="Original"
        )["TemplateBody"]
        if isinstance(body, str):
            raise CallFailedError(
                "FSD did not create the stack's template: it is not JSON",
                where=name,
                fix="rename or delete that stack, or choose another service name",
                code=ErrorCode.STACK_NOT_OURS,
            )
        # botocore answers an OrderedDict.
        template: Json = json.loads(json.dumps(body))
        return template

    def _failed(self, stack: dict[str, Any], *, operation: str, what: str) -> CallFailedError:
        reason = self._first_reason(str(stack["StackId"]), operation)
        return _failure(stack, what=what, reason=reason)

    def _undeleted(self, stack: dict[str, Any]) -> tuple[str, ...]:
        """What CloudFormation gave up to delete at the end of an update: after three tries it takes
        the resource out of the stack, and says that the update was successful.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
        """
        if _NOT_DELETED not in str(stack.get("StackStatusReason", "")):
            return ()
        found = {
            f"{event['LogicalResourceId']} {event.get('PhysicalResourceId', '')}".rstrip()
            for event in self._events_of_last("UPDATE", str(stack["StackId"]))
            if event.get("ResourceStatus") == "DELETE_FAILED"
        }
        return tuple(sorted(found))

    def _first_reason(self, stack_id: str, operation: str) -> str:
        """The reason of the resource that failed first: the others were cancelled because of it."""
        failed = [
            event
            for event in self._events_of_last(operation, stack_id)
            if str(event.get("ResourceStatus", "")).endswith("_FAILED")
            and event.get("PhysicalResourceId") != stack_id
            and not _is_cancelled(event)
        ]
        if not failed:
            return ""
        first = failed[-1]
        reason = str(first.get("ResourceStatusReason", "")) or str(first["ResourceStatus"])
        return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"

    def _events_of_last(self, operation: str, stack_id: str) -> Iterator[dict[str, Any]]:
        """Newest first, back to where the last `operation` (CREATE, UPDATE, DELETE) began."""
        for page in pages(
            self._client, "describe_stack_events", _name(stack_id), StackName=stack_id
        ):
            for event in page["StackEvents"]:
                if (
                    event.get("PhysicalResourceId") == stack_id
                    and event.get("ResourceStatus") == f"{operation}_IN_PROGRESS"
                ):
                    return
                yield event

    @property
    def _client(self) -> Any:
        return self.clients.client("cloudformation")

    @property
    def _role(self) -> dict[str, str]:
        return {"RoleARN": self.role_arn} if self.role_arn else {}


def says_absent(error: CallFailedError) -> bool:
    """DescribeStacks answers a stack that is not there with a ValidationError and a sentence."""
    return aws_code(error) == "ValidationError" and "does not exist" in aws_message(error)


def says_another_was_faster(error: CallFailedError) -> bool:
    """Another run began an operation between our look and our change, which had no effect.

    Executing one change set deletes the others of the stack.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html
    """
    code, message = aws_code(error), aws_message(error)
    is_busy = code == "ValidationError" and "_IN_PROGRESS state and can not be" in message
    return is_busy or code in {
        "AlreadyExistsException",
        "ChangeSetNotFound",
        "ChangeSetNotFoundException",
        "InvalidChangeSetStatus",
        "OperationInProgressException",
    }


def says_no_changes(reason: str) -> bool:
    """A change set that changes nothing FAILS, and only its reason says why.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _render(template: Json, name: str) -> str:
    """Sorted, so that equal templates are equal bytes. What would make it too long is forgotten."""
    body = _text(template)
    if len(body.encode()) > TEMPLATE_LIMIT:
        body = _text(split_previous(template)[0])
    size = len(body.encode())
    if size > TEMPLATE_LIMIT:
        raise CallFailedError(
            f"the stack's template has {size} bytes; CloudFormation takes {TEMPLATE_LIMIT}",
            where=name,
            fix="grant fewer single permissions, or split the service",
            code=ErrorCode.TEMPLATE_TOO_LONG,
        )
    return body


def _text(template: Json) -> str:
    return json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _unknown_weights(stack: dict[str, Any], rules: tuple[str, ...], why: str) -> CallFailedError:
    return CallFailedError(
        f"nothing was changed: the weights of {', '.join(rules)} are not known, as {why}",
        where=str(stack["StackName"]),
        fix="set the rule to the service's own two target groups, or deploy without a change of "
        "the load balancer",
    )


def _refuse_stuck(stack: dict[str, Any]) -> None:
    status = str(stack["StackStatus"])
    if status in _NEEDS_A_PERSON:
        raise CallFailedError(
            f"the stack is stuck in {status}: {stack.get('StackStatusReason', '')}".rstrip(": "),
            where=str(stack["StackName"]),
            fix=_fix(str(stack["StackName"]), status),
            code=ErrorCode.STACK_STUCK,
        )


def _failure(stack: dict[str, Any], *, what: str, reason: str = "") -> CallFailedError:
    """Without a resource's reason with that of the stack itself."""
    name = _name(str(stack["StackId"]))
    reason = reason or str(stack.get("StackStatusReason", "")) or "CloudFormation gave no reason"
    status = str(stack.get("StackStatus", "DELETE_COMPLETE"))
    return CallFailedError(
        f"{what}: {reason}",
        where=f"{name} ({status})",
        fix=_fix(name, status, find_fix(reason)),
        code=ErrorCode.STACK_FAILED,
    )


def _fix(name: str, status: str, advice: str = "") -> str:
    """`advice` is what the reason itself asks for; "" where it says no more than what failed."""
    if status in _NEEDS_A_PERSON:
        return (
            f"aws cloudformation continue-update-rollback --stack-name {name}  "
            "(with --resources-to-skip for what cannot go back), then run it again"
        )
    if status == "DELETE_FAILED":
        return f"{advice or 'remove what the reason names'}, and run it again"
    first = advice or "correct what the reason names, and run it again"
    if status.startswith("UPDATE_ROLLBACK") or status in _AS_ITS_TEMPLATE_SAYS:
        return f"{first}; the stack is as it was before"
    return f"{first}; nothing of the stack is left"


def _is_cancelled(event: dict[str, Any]) -> bool:
    return str(event.get("ResourceStatusReason", "")).lower().startswith(_CANCELLED)


def _stack(stack: dict[str, Any], template: Json) -> Stack:
    return Stack(
        name=str(stack["StackName"]),
        id=str(stack["StackId"]),
        status=str(stack["StackStatus"]),
        template=template,
        outputs=_output_values(stack),
        tags=_tags(stack),
        status_reason=str(stack.get("StackStatusReason", "")),
        change=_change(stack),
    )


def _change(stack: dict[str, Any]) -> str:
    """Names the stack's last change, by whoever made it; "" while it is not as its template says.

    Hashed, so that it fits into a tag.
    """
    if stack["StackStatus"] not in _AS_ITS_TEMPLATE_SAYS:
        return ""
    said = (stack.get(k, "") for k in ("StackId", "StackStatus", "CreationTime", "LastUpdatedTime"))
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()[:32]


def _output_values(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _tags(stack: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def _name(name_or_id: str) -> str:
    """`arn:…:stack/<name>/<uuid>` or a name → the name."""
    return name_or_id.split("/")[1] if name_or_id.startswith("arn:") else name_or_id


def _token() -> str:
    """A change set's name starts with a letter."""
    return f"fsd-{uuid.uuid4()}"
