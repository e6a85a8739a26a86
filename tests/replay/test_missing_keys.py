"""Any one key may be missing from any answer: old services, other partitions, an API that changes.

Whatever is left out, nothing breaks, nothing is called well that nobody can see, and every fact on
the screen is one that the whole answer has as well. Each key is tried by functions; the command
itself tries a few keys of each answer: FSD_TEST_MISSING_KEYS says how many.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from fsd.app.clock import SystemClock
from fsd.aws.connect import connect
from fsd.aws.session import open_session
from fsd.errors import FsdError
from fsd.release.diagnose_service import examine
from fsd.release.operation import Operation, ServiceRef
from fsd.release.reporter import Silent
from fsd.report.condition import diagnosis_text, exit_code
from fsd.report.json_report import examination_json, status_json
from fsd.report.tables import status_text
from tests.replay.cli import CASES, CLUSTER, read_case, run, service_of
from tests.replay.server import replaying

KEYS = int(os.environ.get("FSD_TEST_MISSING_KEYS", "1"))
FACTS = re.compile(
    r"\d+ of \d+"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    r"|\b[\w-]+:\d+\b(?!:)"  # web:42
    r"|Nothing is wrong|as configured"
    r"|\b(?:succeeded|(?<!-)failed|was rolled back|is in progress|in progress)\b"
)


def paths(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every key, in every answer that FSD reads."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*at, key)
            yield from paths(value, (*at, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from paths(value, (*at, number))


def without(node: Any, path: tuple[Any, ...]) -> Any:
    found = copy.deepcopy(node)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return found


@dataclass(frozen=True)
class Key:
    access_key_id: str
    secret_access_key: str


class Looker:
    """Both screens of one look, by clients that are made once; adapters remember, and are not."""

    def __init__(self, endpoint: str, service: str) -> None:
        self._session = open_session(
            region="us-east-1",
            endpoint_url=endpoint,
            credentials=Key(access_key_id="AKIAEXAMPLE", secret_access_key="example"),
            session_name="replay",
        )
        is_ours = service.endswith("-dev")
        self._ref = ServiceRef(
            service=service.removesuffix("-dev"),
            environment="dev" if is_ours else "",
            cluster=CLUSTER,
            name=service,
            stack_name=f"fsd-{service}" if is_ours else "",
        )

    def look(self) -> tuple[int, str]:
        clock = SystemClock()
        operation = Operation(
            aws=connect(self._session, clock=clock),
            ref=self._ref,
            clock=clock,
            reporter=Silent(),
        )
        try:
            found = examine(operation)
        except FsdError as error:
            return int(error.exit_code), str(error)
        code = int(exit_code(found))
        json.dumps([status_json(found), examination_json(found)])
        return code, f"{diagnosis_text(found, code=code)}\n{status_text(found, code=code)}"


def times(node: Any) -> Iterator[str]:
    """Of all that the answers say, as FSD prints them."""
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from times(value)
        return
    try:
        at = parse_timestamp(node) if re.match(r"\d{4}-\d\d-\d\dT|\d{9,}", str(node)) else None
    except ValueError:
        return
    if at is not None:
        yield f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


# Old services have none: what names no alarm cannot be told from one that has none.
OPTIONAL = ("deploymentConfiguration", "alarms")


def first_with(case: str) -> bool:
    """Whether no case before it has the same service: its keys are taken out once."""
    service = service_of(read_case(case))
    return next(one for one in CASES if service_of(read_case(one)) == service) == case


@pytest.mark.parametrize("case", CASES)
def test_look__any_key_missing__no_traceback_and_no_false_statement(case: str) -> None:
    answers = read_case(case)
    wrong = []

    with replaying(answers) as replay:
        looker = Looker(replay.endpoint, service_of(answers))
        code, text = looker.look()
        facts = {*FACTS.findall(text), *times(answers)}
        facts |= {"Nothing is wrong"} if code == 0 else set()
        for path in paths(answers):
            if path[-1] in OPTIONAL or (path[0] == "DescribeServices" and not first_with(case)):
                continue
            replay.answers = without(answers, path)
            now, said = looker.look()
            extra = set(FACTS.findall(said)) - facts
            is_less = now == 0 and "FSD could not read" in said  # and not called well
            if not (now in {code, 6, 5} or is_less) or extra:
                wrong.append((path, now, extra, said))

    assert not wrong, "\n".join(map(str, wrong[:5]))


@pytest.mark.parametrize("case", CASES)
def test_command__a_key_missing__same_answer_as_the_functions(tmp_path: Path, case: str) -> None:
    answers = read_case(case)
    every = list(paths(answers))
    for path in random.sample(every, min(KEYS, len(every))):
        less = without(answers, path)
        try:
            service = service_of(less)
        except (IndexError, KeyError):
            continue  # nobody can ask for a service without its name
        with replaying(less) as replay:
            code, said = Looker(replay.endpoint, service).look()
        ended = run(tmp_path, "diagnose", less)

        assert ended.code == code, (path, ended.text, said)
        assert "Traceback" not in ended.text, path
        assert set(FACTS.findall(ended.out)) <= set(FACTS.findall(said)), (path, ended.text, said)
