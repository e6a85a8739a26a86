from __future__ import annotations

import re

import pytest

from fsd.errors import Location
from fsd.manifest.finding import Finding, Severity
from fsd.plan.security_diff import GrantChange, RuleChange, SecurityChange
from fsd.report.plan_markdown import render_findings
from fsd.report.security import security_json, security_text


def test_render_findings__hostile_text__stays_in_its_entry() -> None:
    hostile = Finding(
        id="wrong-value",
        severity=Severity.ERROR,
        where=Location(path="a|b`\n.yml", line=1, column=1),
        message="x | y\n| <script> @org/team [a](https://evil.example) `",
        fix="<!-- fsd:x --> ![](https://evil.example/p)",
    )

    head, _, what, fix = render_findings([hostile], subject="a@b").split("\n")

    assert head.startswith("❌ a@\N{ZERO WIDTH SPACE}b: 1 error")
    assert what.startswith("- ❌ ")
    assert what.endswith("(`wrong-value`)\\")
    assert fix.startswith("  **Fix:** ")
    for line in (what, fix):
        assert not re.search(r"<script|<!--|@org|(?<!\\)\[a|://e", line)


def test_render_findings__nothing__one_line() -> None:
    assert render_findings([], subject="s.yml") == "✅ s.yml: 0 errors, 0 warnings"


TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/offers"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            GrantChange(role="TaskRole", resource=TABLE, actions=("dynamodb:*",), is_granted=True),
            "the task role will gain `dynamodb:*` on `table/offers`",
        ),
        (
            GrantChange(
                role="ExecutionRole", resource="*", actions=("a:B", "a:C"), is_granted=False
            ),
            "the execution role will lose `a:B` and `a:C` on all resources (`*`)",
        ),
        (
            GrantChange(role="Other", resource="Queue", actions=("sqs:X",), is_granted=True),
            "`Other` will gain `sqs:X` on `Queue`",
        ),
        (
            RuleChange(
                group="LoadBalancerSecurityGroup",
                peer="0.0.0.0/0",
                protocol="tcp",
                first=443,
                last=443,
                is_ingress=True,
            ),
            "the load balancer will accept traffic on TCP port 443 from `0.0.0.0/0`",
        ),
        (
            RuleChange(
                group="TaskSecurityGroup",
                peer="10.0.0.0/8",
                protocol="udp",
                first=1,
                last=9,
                is_ingress=False,
                is_added=False,
            ),
            "the tasks will no longer be able to connect to `10.0.0.0/8` on UDP ports 1-9",
        ),
        (
            RuleChange(
                group="TaskSecurityGroup",
                peer="0.0.0.0/0",
                protocol="-1",
                first=None,
                last=None,
                is_ingress=False,
            ),
            "the tasks will be able to send any traffic to `0.0.0.0/0`",
        ),
    ],
)
def test_security_text__one_sentence_a_change(change: SecurityChange, text: str) -> None:
    assert security_text(change) == text
    assert security_json(change)["text"] == text
