from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.change import Change, Sign
from fsd.errors import Location
from fsd.manifest.finding import Finding, Severity
from fsd.plan.steps import Plan, RegisterRevision
from fsd.release.result import Outcome, PhaseName, PhaseState
from fsd.report.markdown import (
    LIMIT,
    code,
    code_block,
    escape,
    marker,
    render_comment,
    render_findings,
    render_plan_comment,
    render_progress_comment,
    render_summary,
    sentence,
)
from fsd.report.plans import Planned
from tests.unit.report.results import (
    DIAGNOSIS,
    NEW,
    T0,
    make_first_failed,
    make_phase,
    make_result,
    make_rolled_back,
)

RUN = "https://github.com/org/offers/actions/runs/2"
AT = T0 + timedelta(seconds=201)


def comment(**changes: object) -> str:
    return render_comment(make_rolled_back(**changes), run_url=RUN, updated_at=AT)


def test_render_comment__succeeded__whole_text() -> None:
    assert (
        render_comment(make_result(), run_url=RUN, updated_at=AT)
        == f"""\
<!-- fsd:offer-api:dev -->

### ✅ offer-api v1.3.0 is on dev — 2 of 2 healthy, 2m04s

|  | before | now |
| --- | --- | --- |
| version | **v1.2.9** `1a2b3c4` | **v1.3.0** `4f2c1e9` |
| revision | `offer-api-dev:41` | `offer-api-dev:42` |
| image | `sha256:77aa00000000…` | `sha256:9b1f00000000…` |
| size | 0.5 vCPU, 1 GB | 1 vCPU, 2 GB |

<details><summary>Rollout</summary>

```mermaid
gantt
    dateFormat YYYY-MM-DDTHH:mm:ss
    axisFormat %H:%M:%S
    image : done, 2026-03-04T14:00:00, 12s
    rollout : done, 2026-03-04T14:00:20, 98s
```

</details>

<details><summary>What changed</summary>

- image `sha256:77aa… → sha256:9b1f…`
- environment `+DATABASE_URL`

</details>

[run]({RUN}) · [service](http://internal-offer-api-dev-1a2b3c.us-east-1.elb.amazonaws.com) · \
updated 2026-03-04 14:03:21 UTC"""
    )


def test_render_comment__rolled_back__the_cause_stands_above_the_table() -> None:
    text = comment()
    head, _, _ = text.partition("\n|  | before | failed | now |")

    assert (
        head
        == f"""\
<!-- fsd:offer-api:dev -->

### ❌ offer-api v1.3.0 was rolled back on dev — v1.2.9 runs, 2 of 2 healthy

> **health-check-failed**: the load balancer's health check failed (2 tasks): Health checks failed \
with these codes: \\[500\\]\\
> `offer-api-dev:42 · tasks 7f3a…, 91cc…`\\
> ECS says: `{DIAGNOSIS.cause.evidence[0].text}`\\
> Target group says: `Health checks failed with these codes: [500]`\\
> Changed since `offer-api-dev:41 (v1.2.9)`: `image sha256:77aa… → sha256:9b1f…, environment \
+DATABASE_URL`\\
> **Fix**: make the health path answer in time, and as `healthCheck.matcher` says

The last lines of task 7f3a… in `/ecs/offer-api-dev`:

```text
{DIAGNOSIS.log_lines[0]}
```

@org/digdog @alice please look.
"""
    )


def test_render_comment__first_deployment_failed__nothing_runs_and_how_to_go_on() -> None:
    text = render_comment(make_first_failed(), run_url=RUN, updated_at=AT)

    assert "### ❌ offer-api v1.3.0 failed on dev and was not rolled back — nothing runs" in text
    assert "Nothing to roll back to: scaled to 0" in text
    assert "fsd delete --service offer-api --env dev\n```" in text


def test_render_comment__succeeded__owners_are_left_alone() -> None:
    assert "@" not in render_comment(make_result(), run_url=RUN, updated_at=AT)


def test_render_summary__rolled_back__nobody_is_mentioned() -> None:
    text = render_summary(make_rolled_back())

    assert "@org/digdog" not in text
    assert text.startswith("### ❌ offer-api")
    assert text.endswith("\n")


def test_render_comment__failed_phase__critical_in_the_chart() -> None:
    failed = make_phase(PhaseName.ROLLOUT, state=PhaseState.FAILED, text="`|`<!--", seconds=0)
    text = comment(phases=(failed, make_phase(PhaseName.ROLLBACK, state=PhaseState.RUNNING)))

    assert "    rollout : crit, 2026-03-04T14:00:00, 1s\n```" in text
    assert "`|`" not in text


def test_render_comment__not_started__no_word_of_success() -> None:
    text = comment(outcome=Outcome.NOT_STARTED, message="no task ran", diagnosis=None)

    assert "is deployed on dev and not started — nothing runs" in text
    assert "No task ran." in text
    assert "✅" not in text
    assert "healthy" not in text


HOSTILE = "<!-- fsd:offer-api:dev --> @victim | `x` ``` #12 [a](http://b)\n### h\x1b[0m"


@pytest.mark.parametrize(
    "changes",
    [
        {"diagnosis": replace(DIAGNOSIS, log_lines=(HOSTILE,))},
        {"diagnosis": replace(DIAGNOSIS, causes=(replace(DIAGNOSIS.cause, summary=HOSTILE),))},
        {"diagnosis": replace(DIAGNOSIS, causes=(replace(DIAGNOSIS.cause, where=HOSTILE),))},
        {"release": replace(NEW, version=HOSTILE)},
        {"running": replace(NEW, version=HOSTILE, commit=HOSTILE, revision=HOSTILE)},
        {"message": HOSTILE, "outcome": Outcome.TIMED_OUT},
        {"notes": (HOSTILE,)},
        {"next_steps": (HOSTILE,)},
        {"url": f"http://{HOSTILE}"},
        {
            "diagnosis": None,
            "changes": (Change(what=HOSTILE, after=HOSTILE, added=(HOSTILE,), remark=HOSTILE),),
        },
    ],
)
def test_render_comment__hostile_text_anywhere__stays_text(changes: dict[str, object]) -> None:
    text = comment(**changes)
    rest = outside_code(text)

    assert text.count("<!--") == 1
    assert re.findall(r"@\w+", rest.replace("@org/digdog @alice", "")) == []
    assert not re.search(r"#\d", rest)
    assert "](http://b)" not in rest
    assert "\n### h" not in rest
    assert "\x1b" not in text
    columns = re.findall(r"\|", text.partition("\n| --- ")[0].rpartition("\n")[2])
    for row in re.findall(r"^\| (?:version|revision|image).*$", text, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", row)) == len(columns), row


def outside_code(text: str) -> str:
    """What GitHub reads as Markdown: blocks and spans of code taken out."""
    text = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_escape__markup__all_of_it_plain() -> None:
    space = "\N{ZERO WIDTH SPACE}"

    assert escape("a|b *c* <i>&") == r"a\|b \*c\* &lt;i&gt;&amp;"
    assert escape("@bob #1 http://x") == f"@{space}bob #{space}1 http://{space}x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "`plain`"),
        ("a`b", "`` a`b ``"),
        ("a|b", "`a\\|b`"),
        ("x" * 600, f"`{'x' * 499}…`"),
    ],
)
def test_code__text__inline_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_code_block__fence_inside__a_longer_fence() -> None:
    assert code_block(["```", "x"]) == "````text\n```\nx\n````"


def test_render_comment__endless_logs__cut_below_githubs_limit() -> None:
    lines = tuple("x" * 10_000 for _ in range(500))

    assert len(comment(diagnosis=replace(DIAGNOSIS, log_lines=lines))) <= LIMIT + 100


def test_render_progress_comment__phase_reached() -> None:
    text = render_progress_comment("offer-api", "dev", make_phase(), run_url=RUN, updated_at=AT)

    assert text.startswith(marker("offer-api", "dev"))
    assert "### ⏳ offer-api is being deployed to dev" in text
    assert "image: `offer-api@sha256:9b1f…   built 12.4 s`" in text


def test_render_plan_comment__two_environments_and_findings__whole_text() -> None:
    step = RegisterRevision(
        family="offer-api-dev",
        definition={},
        changes=(Change(what="environment", added=("PRICE_FILTER",)),),
        sign=Sign.CHANGE,
    )
    plan = Plan(name="offer-api-dev", account="1", region="us-east-1", steps=(step,))
    empty = replace(plan, name="offer-api-prod", steps=())
    finding = Finding(
        id="log-retention-missing",
        severity=Severity.WARNING,
        where=Location(path="service.yml", line=33, column=5),
        message="logs of offer-api are kept for ever",
        fix="`retention: 30`",
    )

    text = render_plan_comment(
        "offer-api",
        [
            Planned(service="offer-api", environment="dev", plan=plan, notes=("not built yet",)),
            Planned(service="offer-api", environment="prod", plan=empty),
        ],
        findings=[finding],
        run_url=RUN,
        updated_at=AT,
        blob_url="https://github.com/org/offers/blob/abc",
    )

    assert (
        text
        == f"""\
<!-- fsd:offer-api:plan -->

### 📋 offer-api: plan for dev and prod

**dev** — 1 to change

| | what | change |
| --- | --- | --- |
| `~` | revision | `environment +PRICE_FILTER` |

- `not built yet`

**prod** — nothing to change

| | finding | where | what | fix |
| --- | --- | --- | --- | --- |
| ⚠️ | `log-retention-missing` | [`service.yml:33`]\
(https://github.com/org/offers/blob/abc/service.yml#L33) | logs of offer-api are kept for ever \
| `retention: 30` |

[run]({RUN}) · updated 2026-03-04 14:03:21 UTC"""
    )


def test_render_plan_comment__environment_out_of_reach__says_why() -> None:
    text = render_plan_comment(
        "offer-api", [], unavailable={"dev": "no credentials"}, run_url="", updated_at=AT
    )

    assert "### 📋 offer-api: plan for dev" in text
    assert "**dev** — no plan: `no credentials`" in text


def test_render_findings__hostile_text__stays_in_its_cell() -> None:
    hostile = Finding(
        id="wrong-value",
        severity=Severity.ERROR,
        where=Location(path="a|b`\n.yml", line=1, column=1),
        message="x | y\n| <script> @org/team [a](https://evil.example) `",
        fix="<!-- fsd:x --> ![](https://evil.example/p)",
    )

    head, _, table, dashes, row = render_findings([hostile], subject="a@b").split("\n")

    assert head.startswith("❌ a@\N{ZERO WIDTH SPACE}b: 1 error")
    assert (table, dashes) == ("| | finding | where | what | fix |", "| --- " * 5 + "|")
    assert len(re.findall(r"(?<!\\)\|", row)) == 6
    assert not re.search(r"<script|<!--|@org|(?<!\\)\[a|://e", row)


def test_render_findings__nothing__one_line() -> None:
    assert render_findings([], subject="s.yml") == "✅ s.yml: 0 errors, 0 warnings"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("set `healthCheck.path` to *it*", "set `healthCheck.path` to \\*it\\*"),
        ("the path `/a|b` redirects", "the path `/a\\|b` redirects"),
        ("`@org/team` and @org", "`@org/team` and @\N{ZERO WIDTH SPACE}org"),
        ("one ` alone <b>", "one \\` alone &lt;b&gt;"),
        ("`a` `", "\\`a\\` \\`"),
        ("", ""),
    ],
)
def test_sentence__names_are_code_and_the_rest_is_harmless(text: str, markdown: str) -> None:
    assert sentence(text) == markdown
