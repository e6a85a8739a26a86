"""No permission without a proof: each is in needs.csv, or in unseen.yml with its reason."""

from __future__ import annotations

import re
from pathlib import Path

from fsd.account.boundary import boundary_grants
from fsd.account.stack import role_grants
from tests.privilege.record import Permission
from tests.privilege.table import DENIED, Row, load_rows, load_unseen, merged
from tests.unit.account.test_policies import EVERYTHING_NAMED, KINDS_OF_ROLE, reach

ROOT = Path(__file__).parent.parent.parent
_PAGES = ("https://docs.aws.amazon.com/", "https://github.com/")


def permissions() -> set[Permission]:
    """Of all that any manifest may name; of several sources of promotion, the first."""
    found = {
        Permission(role=role, sid=grant.sid, action=action)
        for role in KINDS_OF_ROLE
        for grant in role_grants(role, reach(named=EVERYTHING_NAMED))
        for action in grant.actions
        if not re.fullmatch(r"ReadPromoted\w+[2-9]", grant.sid)
    }
    boundary = {
        Permission(role="boundary", sid="", action=action)
        for grant in boundary_grants()
        for action in grant.actions
    }
    return found | boundary


def test_table__every_permission__is_proved_or_has_its_reason() -> None:
    proved, unseen = set(load_rows()), set(load_unseen())

    assert {str(one) for one in permissions() - proved - unseen} == set()
    assert {str(one) for one in proved & unseen} == set()


def test_table__what_is_in_no_policy_any_more__is_not_in_it() -> None:
    made_by_stacks = {one for one in load_rows() if one.role in ("execution", "schedule")}

    old = (set(load_rows()) | set(load_unseen())) - permissions() - made_by_stacks
    assert {str(one) for one in old} == set()


def test_unseen__each__has_a_reason_and_a_place_to_look() -> None:
    for permission, reason in load_unseen().items():
        assert len(reason.why.split()) > 3, permission
        path, _, name = reason.see.partition("::")
        is_page = reason.see.startswith(_PAGES)
        assert is_page or (name and name in (ROOT / path).read_text()), reason.see


def row(action: str, *, without: str, command: str = "deploy") -> Row:
    permission = Permission(role="deploy", sid="Sid", action=action)
    return Row(permission=permission, scenario="service", command=command, without=without)


def test_merged__what_a_run_found__is_written_and_named_where_it_differs() -> None:
    names = "exit 5, and names it"
    known = (row("a:Same", without=names), row("b:Other", without=names), row("c:Old", without="x"))
    found = (
        row("a:Same", without=names, command="plan"),
        row("b:Other", without="goes on without it"),
        row("c:Old", without=DENIED),
        row("d:New", without=DENIED),
    )

    rows, differ = merged({one.permission: one for one in known}, found)

    assert list(rows.values()) == [found[0], found[1], known[2], found[3]]
    assert differ == (found[1], found[3])
