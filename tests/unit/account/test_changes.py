from __future__ import annotations

from fsd.account.changes import ResourceChange, compare_templates
from fsd.compile.desired import Json


def template(**resources: str) -> Json:
    return {
        "Resources": {
            id_: {"Type": "AWS::IAM::Role", "Properties": {"RoleName": id_.lower(), "Path": path}}
            for id_, path in resources.items()
        }
    }


def change(action: str, name: str) -> ResourceChange:
    return ResourceChange(action=action, type="AWS::IAM::Role", name=name)


def test_compare_templates__no_stack__everything_is_added() -> None:
    found = compare_templates(None, template(B="/", A="/"))

    assert found == (change("add", "a"), change("add", "b"))


def test_compare_templates__added_changed_and_removed__each_by_its_name() -> None:
    found = compare_templates(template(A="/", B="/", C="/"), template(A="/", B="/x/", D="/"))

    assert found == (change("add", "d"), change("change", "b"), change("remove", "c"))


def test_compare_templates__other_order_of_a_list__is_no_change() -> None:
    def with_actions(*actions: str) -> Json:
        return {"Resources": {"P": {"Type": "T", "Properties": {"Action": [*actions]}}}}

    assert compare_templates(with_actions("a", "b"), with_actions("b", "a")) == ()
