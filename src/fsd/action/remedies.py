"""What to do next, in the words of the place where the user is: a workflow has inputs, no options.

Errors are written for the command line, where most people meet them. Here is the one table that
says them for a workflow; a test renders every error of the source, and finds no option in any.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from fsd.errors import FsdError
from fsd.manifest.finding import Finding
from fsd.quoted import Quoted
from fsd.release.follow_ups import AdvisedFix
from fsd.release.messages import InWorkflow, Message
from fsd.release.result import Result
from fsd.report.cause_advice import advice_text
from fsd.report.follow_ups import follow_up_text
from fsd.report.messages import message_text
from fsd.rollout.cause import Cause, Diagnosis

Error = TypeVar("Error", bound=FsdError)

# An option that has no input is something that only a person at a terminal does.
INPUTS = {
    "--adopt": "`adopt: true`",
    "--allow-interruption": "`allow-interruption: true`",
    "--allow-older": "`allow-older: true`",
    "--allow-replacement": "`allow-replacement: true`",
    "--build-arg": "`build-args`",
    "--context": "`context`",
    "--dockerfile": "`dockerfile`",
    "--env": "`environment`",
    "--file": "`service-file`",
    "--force": "`force` at a terminal",
    "--image": "`image`",
    "--no-rollback": "`rollback: false`",
    "--no-wait": "a shorter `timeout`",
    "--on-cancel": "`on-cancel`",
    "--override": "`overrides`",
    "--region": "`aws-region`",
    "--service": "`service-file`",
    "--supersede": "`in-flight: supersede`",
    "--timeout": "`timeout`",
    "--to-version": "`rollback-to`",
    "--version": "`version`",
    "--wait-for-lock": "`in-flight: wait`",
}

# Whole commands: what a workflow does with an input instead. The others are for a terminal.
_COMMANDS = {
    "rollback": "a run with the input `rollback-to: previous`",
    "deploy": "a run of this workflow",
}
_VALUE = r"(?!(?:or|and|to|it|is|is\b)\b)[^\s`,;()]+"
_COMMAND = re.compile(
    r"(?P<tick>`?)\bfsd (?P<name>[a-z]+)(?P<rest>(?:\s+--[a-z][a-z-]*(?:[ =]"
    rf"{_VALUE})?|\s+\.\.\.)*)(?P=tick)"
)
_PAIR = re.compile(r"`(?P<option>--[a-z][a-z-]*)[ =](?P<value>[^`]+)`")
_OPTION = re.compile(r"`?(?<![\w-])(?P<option>--[a-z][a-z-]*)`?")


def in_workflow(text: str) -> str:
    """`text` with the Action's inputs in the place of our command line's options."""
    text = text.replace("run the same fsd deploy again", "run this workflow again")
    text = _COMMAND.sub(_command, text)
    text = _PAIR.sub(lambda match: _pair(match["option"], match["value"]), text)
    return _OPTION.sub(lambda match: INPUTS.get(match["option"], match[0]), text)


def error_in_workflow(error: Error) -> Error:
    """The same error; also its findings, where it has any."""
    translated = type(error).__new__(type(error))  # not by a copy: that asks for the arguments anew
    translated.__dict__ |= error.__dict__
    translated.what, translated.fix = in_workflow(error.what), in_workflow(error.fix)
    translated.args = (translated.what,)
    if isinstance(error.where, str):
        translated.where = in_workflow(error.where)
    findings = getattr(error, "findings", None)
    if findings is not None:
        translated.__dict__["findings"] = tuple(
            finding_in_workflow(finding) for finding in findings
        )
    return translated


def finding_in_workflow(finding: Finding) -> Finding:
    where = finding.where
    return replace(
        finding,
        message=in_workflow(finding.message),
        fix=in_workflow(finding.fix),
        where=in_workflow(where) if isinstance(where, str) else where,
    )


def result_in_workflow(result: Result) -> Result:
    """What AWS and the service said stays as it is."""
    return replace(
        result,
        message=_message(result.message) if result.message else None,
        next_steps=tuple(
            AdvisedFix(text=in_workflow(follow_up_text(each))) for each in result.next_steps
        ),
        diagnosis=_diagnosis(result.diagnosis) if result.diagnosis else None,
    )


def _message(message: Message) -> InWorkflow:
    return InWorkflow(said=Quoted(text=in_workflow(message_text(message))))


def _diagnosis(diagnosis: Diagnosis) -> Diagnosis:
    return replace(
        diagnosis,
        causes=_causes(diagnosis.causes),
        causes_without_log=_causes(diagnosis.causes_without_log),
    )


def _causes(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    return tuple(replace(cause, advice=_advice(cause)) for cause in causes)


def _advice(cause: Cause) -> Quoted:
    return Quoted(text=in_workflow(advice_text(cause.advice)))


def _command(match: re.Match[str]) -> str:
    """A command of ours keeps its name, which is enough to find it, and loses its options."""
    if match["name"] in _COMMANDS and match["rest"]:
        return _COMMANDS[match["name"]]
    return f"{match['tick']}fsd {match['name']}{match['tick']}" if match["rest"] else match[0]


def _pair(option: str, value: str) -> str:
    """`--override resources.maxCount=2` → `overrides: resources.maxCount=2`."""
    known = INPUTS.get(option)
    if known is None:
        return f"`{option} {value}`"
    name = known.strip("`").partition(":")[0]
    return f"`{name}: {value}`"
