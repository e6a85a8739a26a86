from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.errors import Location
from fsd.manifest.check_messages import PATTERNS
from fsd.manifest.finding import Finding
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import places, shape_at
from tests.unit.manifest.manifests import KAFKA_CONSUMER, SMALL, manifest

SEED = Path(__file__).parents[4] / "shared" / "seed"


def load(text: str, **variables: str) -> Loaded:
    return load_manifest(text, path="service.yml", variables=variables or None)


def said(finding: Finding) -> tuple[str, int, int, str]:
    assert isinstance(finding.where, Location)
    return finding.id, finding.where.line, finding.where.column, finding.message


def the_finding(text: str) -> tuple[str, int, int, str]:
    (finding,) = load(text).findings
    assert finding.fix
    return said(finding)


def test_load_manifest__everything_written__as_written() -> None:
    loaded = load(KAFKA_CONSUMER, ENV="dev")

    assert loaded.findings == ()
    assert loaded.manifest is not None
    service = loaded.manifest.service
    assert loaded.manifest.metadata.owners == ("@org/pricing",)
    assert (service.resources.cpu, service.resources.maximum) == (1024, 10)
    assert service.environment["CONSUMER_GROUP"] == "price-watcher-dev"
    assert service.secrets[0].value_from.endswith(":secret:model-key-abc123")
    assert service.auto_scaling is not None
    assert service.auto_scaling.target_cpu_utilization == 70
    assert [item.name for item in loaded.manifest.dependencies] == ["dev-events", "dev-prices"]
    assert loaded.assumed == frozenset()


def test_load_manifest__least__defaults() -> None:
    loaded = load(SMALL)

    assert loaded.manifest is not None
    service = loaded.manifest.service
    assert (service.port, service.resources.cpu, service.resources.memory) == (None, 512, 1024)
    assert (service.resources.desired, service.checks.path) == (1, "/health")
    assert (service.observability.logs.retention, service.networking.vpc) == (30, True)


@pytest.mark.skipif(not SEED.is_dir(), reason="the seed manifests are not beside the repository")
@pytest.mark.parametrize(
    "name", ["api-service", "category-service", "data-processor", "ml-service", "service"]
)
def test_load_manifest__seed__no_findings(name: str) -> None:
    text = (SEED / f"{name}.yml").read_text(encoding="utf-8")

    loaded = load_manifest(text, path=name)

    assert loaded.findings == ()
    assert loaded.manifest is not None


def test_load_manifest__numbers_and_booleans_in_environment__the_text_that_was_written() -> None:
    loaded = load(
        manifest("""
            environment:
              A: no
              B: 0.750
              C: 0512
              D: true
              E: "quoted"
              F: 12:30
        """)
    )

    assert loaded.manifest is not None
    assert dict(loaded.manifest.service.environment) == {
        "A": "no",
        "B": "0.750",
        "C": "0512",
        "D": "true",
        "E": "quoted",
        "F": "12:30",
    }


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("prot: 8000", ("unknown-key", 8, 3, "`prot` is not a key of `service`")),
        ("desired_count: 2", ("unknown-key", 8, 3, "`desired_count` is not a key of `service`")),
        (
            "health_check: {}",
            ("unknown-key", 8, 3, "`health_check` is not a key of `service`"),
        ),
        (
            "port: 70000",
            ("out-of-range", 8, 9, "`service.port` is 70000, which is out of range"),
        ),
        (
            'port: "8000"',
            ("wrong-type", 8, 9, "`service.port` is the text `8000`, not a whole number"),
        ),
        ("port: 0512", ("wrong-type", 8, 9, "`service.port` is `0512`, not a whole number")),
        (
            "port: yes",
            (
                "wrong-type",
                8,
                9,
                "`service.port` is `yes` (the boolean true to YAML), not a whole number",
            ),
        ),
        (
            "networking: {vpc: maybe}",
            ("wrong-type", 8, 21, "`service.networking.vpc` is `maybe`, not true or false"),
        ),
        (
            "healthCheck: {path: health}",
            (
                "wrong-value",
                8,
                23,
                "`service.healthCheck.path` is `health`, which is not a path",
            ),
        ),
        (
            "platform: x86",
            ("wrong-value", 8, 13, "`service.platform` is `x86`; it can be `X86_64` or `ARM64`"),
        ),
        ("command: python", ("wrong-type", 8, 12, "`service.command` is `python`, not a list")),
        ("command: 5", ("wrong-type", 8, 12, "`service.command` is the number 5, not a list")),
        ("resources:", ("wrong-type", 8, 3, "`service.resources` has no value")),
        ("environment: {A: }", ("wrong-type", 8, 17, "`service.environment.A` has no value")),
        (
            "environment: {1A: x}",
            ("wrong-value", 8, 17, "`1A` is not the name of an environment variable"),
        ),
        ("secrets: [{name: A}]", ("missing-key", 8, 13, "`service.secrets[0]` has no `valueFrom`")),
        (
            "environment: {A: '${EVN}-x'}",
            ("unknown-variable", 8, 21, "there is no variable `${EVN}`"),
        ),
        ("environment: {A: '${ENV'}", ("unknown-variable", 8, 21, "`${` is not closed")),
    ],
)  # fmt: skip
def test_load_manifest__one_mistake__one_sentence_at_its_place(
    service: str, expected: tuple[str, int, int, str]
) -> None:
    assert the_finding(manifest(service)) == expected


@pytest.mark.parametrize(
    ("service", "fix"),
    [
        ("prot: 8000", "did you mean `port`?"),
        ("health_check: {}", "did you mean `healthCheck`?"),
        ("cpu: 512", "did you mean `service.resources.cpu`?"),
        ('port: "8000"', "remove the quotes: `port: 8000`"),
        ("port: 0512", "write it without leading zeros: `port: 512`"),
        (
            "port: 0",
            "use a value from 1 to 65535 (the container's port)",
        ),
        ("image: 5", 'put it in quotes: "5"'),
        ("environment: {A: }", 'write `A: ""` for an empty one'),
    ],
)
def test_load_manifest__one_mistake__the_fix(service: str, fix: str) -> None:
    (finding,) = load(manifest(service)).findings

    assert finding.fix == fix


@pytest.mark.parametrize(
    ("text", "id_", "line"),
    [
        ("", "yaml-empty", 1),
        ("# nothing\n", "yaml-empty", 1),
        ("- a\n", "not-a-service-yaml", 1),
        ("hello\n", "not-a-service-yaml", 1),
        ("{}\n", "not-a-service-yaml", 1),
        ("name: ci\non: push\njobs: {}\n", "not-a-service-yaml", 1),
        (SMALL + "---\na: 1\n", "yaml-several-documents", 9),
        (SMALL.replace("fsd/v1", "fsd/v2"), "wrong-value", 1),
        (SMALL.replace("kind: Service\n", ""), "missing-key", 1),
        (SMALL.replace("  pack: offers\n", ""), "missing-key", 3),
        (SMALL.replace("offer-api", "Offer_API"), "wrong-value", 4),
        (SMALL.replace("offer-api", "${SERVICE}-x"), "unknown-variable", 4),
        (SMALL + "  type: ecs\n", "duplicate-key", 8),
        ("\tapiVersion: fsd/v1\n", "yaml-tab", 1),
    ],
)
def test_load_manifest__not_a_manifest__says_so(text: str, id_: str, line: int) -> None:
    loaded = load(text)

    assert loaded.manifest is None
    assert [said(finding)[:2] for finding in loaded.findings] == [(id_, line)]


def test_load_manifest__many_mistakes__all_in_one_run_by_place() -> None:
    loaded = load(
        manifest(
            """
            port: 70000
            port: 1
            healthcheck: {}
            resources: {cpu: abc}
            environment: {A: '${NOPE}'}
            """,
            metadata="team: x",
        )
    )

    assert [said(finding)[:2] for finding in loaded.findings] == [
        ("unknown-key", 6),
        ("out-of-range", 9),
        ("duplicate-key", 10),
        ("unknown-key", 11),
        ("wrong-type", 12),
        ("unknown-variable", 13),
    ]


def test_load_manifest__alias_used_twice__its_mistake_is_said_once() -> None:
    text = manifest("command: &c ['${NOPE}']\nentryPoint: *c")

    assert [finding.id for finding in load(text).findings] == ["unknown-variable"]


def test_load_manifest__variables__values_and_dollars() -> None:
    loaded = load(
        manifest("""
            environment:
              A: ${ENV}/${AWS_REGION}/${AWS_ACCOUNT_ID}/${SERVICE}/${VERSION}/${COMMIT}
              B: $$ENV costs $5 and $${ENV}
        """),
        ENV="dev",
        AWS_REGION="eu-west-1",
        AWS_ACCOUNT_ID="123456789012",
        VERSION="v1",
        COMMIT="abc",
    )

    assert loaded.manifest is not None
    assert dict(loaded.manifest.service.environment) == {
        "A": "dev/eu-west-1/123456789012/offer-api/v1/abc",
        "B": "$ENV costs $5 and ${ENV}",
    }
    assert loaded.assumed == frozenset()


def test_load_manifest__variable_with_yaml_in_it__stays_a_value() -> None:
    loaded = load(manifest("environment: {A: '${VERSION}'}"), VERSION="x'\n  port: 1 # ${ENV}")

    assert loaded.manifest is not None
    assert loaded.manifest.service.port is None
    assert loaded.manifest.service.environment == {"A": "x'\n  port: 1 # ${ENV}"}


def test_load_manifest__offline__placeholders_and_their_names() -> None:
    arn = "arn:aws:acm:${AWS_REGION}:${AWS_ACCOUNT_ID}:certificate/x"
    text = manifest(f"port: 80\nnetworking: {{loadBalancer: {{certificateArn: '{arn}'}}}}")

    loaded = load(text)

    assert loaded.findings == ()
    assert loaded.assumed == {"AWS_REGION", "AWS_ACCOUNT_ID"}


def test_load_manifest__every_pattern_of_the_language__has_a_sentence() -> None:
    patterns = {
        shape.pattern
        for place in places(Manifest)
        for path in (place, (*place, 0))
        if (shape := shape_at(Manifest, path)) and shape.pattern
    }

    assert patterns <= set(PATTERNS)
    assert len(patterns) >= 5


def test_load_manifest__findings__never_in_the_words_of_pydantic() -> None:
    wrong = ["[]", "{}", "5", "-1", "'x'", "true", "99999999999", "''", "[5]", "[{}]", "~"]
    for place in places(Manifest):
        for value in wrong:
            section: str = value
            for part in reversed(place):
                section = f"[{section}]" if isinstance(part, int) else f"{{{part}: {section}}}"
            for finding in load(section).findings:
                text = f"{finding.message} {finding.fix}".lower()
                assert "input should" not in text
                assert "pydantic" not in text
                assert finding.fix


@given(
    st.integers(0, len(KAFKA_CONSUMER)),
    st.integers(0, 40),
    st.text("\t\n -:{}[]'\"&*$abc0", max_size=6),
)
def test_load_manifest__damaged_text__findings_or_a_manifest_but_never_an_exception(
    start: int, length: int, text: str
) -> None:
    damaged = KAFKA_CONSUMER[:start] + text + KAFKA_CONSUMER[start + length :]

    loaded = load(damaged)

    assert (loaded.manifest is None) == loaded.has_errors


@pytest.mark.parametrize("value", ["5", "[]", "[a, 5]", "{a: b}", '""', "true"])
def test_load__value_of_a_union_that_fits_none__one_finding_that_names_both(value: str) -> None:
    text = manifest(f"healthCheck: {{command: {value}}}")

    (finding,) = load_manifest(text, path="service.yml").findings

    assert finding.id == "wrong-type"
    assert finding.message.startswith("`service.healthCheck.command` is ")
    assert "it takes a string, or a non-empty list of strings" in finding.message
