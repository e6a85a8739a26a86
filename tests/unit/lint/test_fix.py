"""Fixes of findings: each makes its finding go, brings no other, and needs no second run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsd.errors import Location
from fsd.lint.fix import Fixed, fix
from fsd.lint.pages import MANIFEST, read_page
from fsd.lint.run import lint
from fsd.manifest.edit import SetValue
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.load import Loaded, load_manifest
from tests.unit.manifest.manifests import manifest

FIXABLE = [
    "external-load-balancer",
    "log-retention-missing",
    "log-retention-value",
    "msk-iam-flag-missing",
    "msk-permission-companions",
    "msk-permissions-incomplete",
    "s3-list-bucket-missing",
    "yaml-boolean-trap",
]


def check(text: str) -> Loaded:
    from dataclasses import replace

    loaded = load_manifest(text, path="service.yml")
    return replace(loaded, findings=(*loaded.findings, *lint(loaded, None)))


def run(text: str) -> Fixed:
    return fix(text, check(text), check=check)


@pytest.mark.parametrize("id_", FIXABLE)
def test_fix__the_example_of_its_page__nothing_left_to_find(id_: str) -> None:
    text = read_page(id_).before.files[MANIFEST]

    fixed = run(text)

    assert [finding.id for finding in fixed.done] == [id_]
    assert [finding for finding in fixed.loaded.findings if finding.id == id_] == []
    assert fixed.not_done == ()
    assert run(fixed.text).text == fixed.text


def test_fix__the_issue_as_a_whole__every_comment_and_blank_line_stays() -> None:
    text = manifest(
        """
        # what it listens to
        environment: {COUNTRY: no}   # Norway

        networking:
          loadBalancer: {internal: false}  # why
        port: 8000
        observability:
          logs: {enabled: true}
        """,
        dependencies="""
        - type: aws_s3_bucket
          name: ${ENV}-models
          permissions: [s3:GetObject]
        - type: aws_msk_cluster  # events
          name: ${ENV}-events
          permissions:
            - kafka-cluster:ReadData

            # the end
        """,
    )

    fixed = run(text)

    assert fixed.not_done == ()
    assert fixed.text == text.replace("no}", '"no", USE_MSK_IAM: "true"}').replace(
        "internal: false", "internal: true"
    ).replace("enabled: true}", "enabled: true, retention: 30}").replace(
        "s3:GetObject]", "s3:GetObject, s3:ListBucket]"
    ).replace(
        "ReadData\n",
        "ReadData\n      - kafka-cluster:Connect\n      - kafka-cluster:DescribeCluster\n"
        "      - kafka-cluster:DescribeGroup\n",
    )


def test_fix__suppressed__left_alone() -> None:
    text = manifest(
        "port: 1\nnetworking:\n  loadBalancer:\n    internal: false"
        "  # fsd: ignore[external-load-balancer] the shop"
    )

    assert run(text).text == text


def test_fix__an_alias__left_alone_with_the_reason() -> None:
    text = manifest(
        "observability:\n  metrics: &on {enabled: true}\n  logs: *on\n",
    )

    fixed = run(text)

    assert fixed.text == text
    (left,) = fixed.not_done
    assert (left.finding.id, "alias `*on`" in left.why) == ("log-retention-missing", True)


def test_fix__other_values_are_wrong__what_can_be_repaired_is() -> None:
    text = manifest("port: 99999\nobservability:\n  logs: {enabled: true}\n")

    fixed = run(text)

    assert fixed.text == text.replace("true}", "true, retention: 30}")
    assert [finding.id for finding in fixed.loaded.findings] == ["out-of-range"]


def test_fix__an_override_brought_the_value__not_fixable() -> None:
    loaded = load_manifest(
        manifest("port: 1\nnetworking: {loadBalancer: {internal: true}}"),
        path="service.yml",
        overrides=["networking.loadBalancer.internal=false"],
    )

    found = [item for item in lint(loaded, None) if item.id == "external-load-balancer"]

    assert [finding.edit for finding in found] == [None]


@pytest.mark.parametrize(
    ("value", "why"), [(70000, "the fix would bring out-of-range"), (8001, "not be enough")]
)
def test_fix__an_edit_that_does_not_help__not_made(value: int, why: str) -> None:
    text = manifest("port: 8000")
    wrong = Finding(
        id="made-up",
        severity=Severity.WARNING,
        where=Location(path="service.yml", line=1, column=1),
        message="m",
        fix="f",
        edit=SetValue(at=("service", "port"), value=value),
    )

    def with_wrong(text: str) -> Loaded:
        from dataclasses import replace

        loaded = check(text)
        return replace(loaded, findings=(*loaded.findings, wrong))

    fixed = fix(text, with_wrong(text), check=with_wrong)

    assert fixed.text == text
    assert [why in left.why for left in fixed.not_done] == [True]


PARTS = [
    "environment: {A: no, B: 0777}",
    "environment:\n  A: off # x\n  B: 'on'",
    "environment: &e\n  A: off\n",
    "observability: {logs: {retention: 45}}",
    "observability:\n  logs:\n    enabled: true\n\n  # more\n  metrics: {enabled: true}",
    "observability: &o\n  logs: &l\n    enabled: true\n  metrics: *l",
    "port: 8000\nnetworking:\n  loadBalancer:\n    internal: false",
    "port: 8000\nnetworking: {loadBalancer: {internal: false}}",
]
DEPENDENCIES = [
    "- {type: aws_s3_bucket, name: '${ENV}-a', permissions: [s3:GetObject]}",
    "- type: aws_s3_bucket\n  name: ${ENV}-b\n  permissions: &p\n    - 's3:Get*' # all",
    "- type: aws_msk_cluster\n  name: ${ENV}-c\n  permissions:\n  - kafka-cluster:WriteData",
    "- type: aws_msk_cluster\n  name: ${ENV}-d\n  permissions: ['kafka-cluster:ReadData',]",
]


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.sampled_from(PARTS), unique_by=lambda part: part.split(":")[0], max_size=3),
    dependencies=st.lists(st.sampled_from(DEPENDENCIES), unique=True, max_size=4),
    eol=st.sampled_from(["\n", "\r\n"]),
    start=st.sampled_from(["", "\ufeff"]),
)
def test_fix__any_mixture__fewer_findings_never_others_and_a_second_run_does_nothing(
    parts: list[str], dependencies: list[str], eol: str, start: str
) -> None:
    text = manifest("\n".join(parts), dependencies="\n".join(dependencies))
    text = start + text.replace("\n", eol)
    before = check(text)

    fixed = run(text)

    ids = {(finding.id, finding.key_path) for finding in fixed.loaded.findings}
    assert ids <= {(finding.id, finding.key_path) for finding in before.findings}
    assert len(fixed.loaded.findings) <= len(before.findings) - len(fixed.done)
    assert run(fixed.text).text == fixed.text
    assert fixed.text.count("\n") == fixed.text.count(eol)
    assert fixed.text.startswith(start)


def test_fix__the_examples__valid_as_they_are() -> None:
    root = Path(__file__).parents[3] / "examples" / "services"
    for path in root.rglob("service.yml"):
        text = path.read_text(encoding="utf-8")
        assert run(text).done == ()
