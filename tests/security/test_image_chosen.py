"""The image that was judged is the one that is deployed: it is resolved once, and checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fsd.app.account import Connection
from fsd.app.deployment import DeployOptions, Opened
from fsd.app.image import choose_image, require_chosen
from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, Image, Json, JsonValue
from fsd.errors import CallFailedError, RefusedError
from fsd.image.build import FoundImage, put_tag
from fsd.image.context import Source
from fsd.image.key import Recipe
from fsd.manifest.environments import Environment
from fsd.release.ports import RegistryImage, Repository
from fsd.report.notes import note_texts
from tests.builders import COMMIT, DIGEST, make_image, make_manifest, make_release, make_target
from tests.fakes.aws import FakeAws, FakeRegistry

KEY = "a" * 64
FOUND = FoundImage(image=make_image(), tags=frozenset())
OURS = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
THEIRS = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
OTHER = "sha256:" + "c0de" * 16


@dataclass
class MovingRegistry(FakeRegistry):
    """Each answer about a tag is used once: the next asker gets the next, as if it had moved."""

    answers: dict[str, list[str | None]] = field(default_factory=dict)
    refusal: CallFailedError | None = None
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    tagged: list[tuple[str, str]] = field(default_factory=list)
    refuses_tags: bool = False

    def find_image(
        self, repository: str, tag_or_digest: str, *, account: str = "", region: str = ""
    ) -> RegistryImage | None:
        self.asked.append((repository, tag_or_digest, account, region))
        if account and self.refusal is not None:
            raise self.refusal
        answers = self.answers.get(tag_or_digest, [])
        digest = answers.pop(0) if answers else None
        return RegistryImage(digest=digest) if digest else None

    def tag_digest(self, repository: str, *, digest: str, tag: str) -> None:
        del repository
        if self.refuses_tags:
            raise CallFailedError("AccessDenied: no ecr:PutImage", where="ecr", fix="")
        self.tagged.append((digest, tag))


def make_source(**changes: Any) -> Source:
    source = Source(
        folder=Path("app"),
        dockerfile=Path("app/Dockerfile"),
        recipe=Recipe(),
        commit=COMMIT,
        title="",
        is_dirty=False,
        is_plain=True,
        key=KEY,
    )
    return replace(source, **changes)


def opened(registry: FakeRegistry, *, image: str = "", source: Source | None = None) -> Opened:
    aws = replace(FakeAws().aws(), registry=registry)
    return Opened(
        connection=Connection(
            aws=aws, environment=Environment(name="dev"), run="test", embedded=None
        ),
        manifest=make_manifest(image=image or None),
        source=source or make_source(),
        release=make_release(),
    )


def options(**changes: Any) -> DeployOptions:
    return DeployOptions(file=Path("service.yml"), environment="dev", **changes)


def repository(name: str = "offer-api") -> Repository:
    return Repository(name=name, uri=f"{OURS}/{name}")


def compiled(image: Image) -> Desired:
    return compile_service(
        make_manifest(), target=make_target(), image=image, release=make_release()
    )


@pytest.mark.parametrize("how", ["option", "manifest"])
def test_choose_image__tag_moves_in_between__asked_once_and_by_digest(how: str) -> None:
    reference = f"{OURS}/offer-api:v1"
    registry = MovingRegistry({"offer-api": repository()}, answers={"v1": [DIGEST, OTHER]})

    chosen = choose_image(
        options(image=reference if how == "option" else None),
        opened(registry, image=reference if how == "manifest" else ""),
    )

    assert (chosen.image.digest, chosen.is_given, chosen.is_there) == (DIGEST, True, True)
    assert len(registry.asked) == 1
    require_chosen(chosen.image, compiled(chosen.image))


def test_choose_image__context_and_an_image_in_the_manifest__the_build_is_judged() -> None:
    """The gate looked at the manifest's image once, and the build was deployed."""
    key_tag = make_source().key_tag
    registry = MovingRegistry(
        {"offer-api": repository()}, answers={"v1": [OTHER], key_tag: [DIGEST]}
    )

    chosen = choose_image(
        options(context=Path("app")), opened(registry, image=f"{OURS}/offer-api:v1")
    )

    assert (chosen.image.digest, chosen.is_given) == (DIGEST, False)


def test_choose_image__commit_s_tag_is_another_build_s__not_taken() -> None:
    registry = MovingRegistry({"offer-api": repository()}, answers={COMMIT: [OTHER, OTHER]})

    chosen = choose_image(options(), opened(registry))

    assert (chosen.image.digest, chosen.is_there) == ("", False)


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        (THEIRS, "210987654321", "eu-west-1"),
        ("123456789012.dkr.ecr.us-west-2.amazonaws.com", "123456789012", "us-west-2"),
        ("210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn", "210987654321", "cn-north-1"),
        ("210987654321.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "210987654321", "us-gov-west-1"),
        ("210987654321.dkr-ecr.us-east-1.on.aws", "210987654321", "us-east-1"),
    ],
)
def test_choose_image__another_account_or_region__its_digest(
    host: str, account: str, region: str
) -> None:
    registry = MovingRegistry(answers={"v1": [DIGEST]})

    chosen = choose_image(options(image=f"{host}/team/x:v1"), opened(registry))

    assert chosen.image == Image(repository=f"{host}/team/x", digest=DIGEST, tag="v1")
    assert registry.asked == [("team/x", "v1", account, region)]
    assert note_texts(chosen.notes) == ()


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        (f"{THEIRS}/team/x:v1", "AccessDenied: no ecr:DescribeImages"),
        ("ghcr.io/team/x:v1", "FSD looks digests up only in private Amazon ECR repositories"),
        ("nginx", "FSD looks digests up only in private Amazon ECR repositories"),
        (
            "210987654321.dkr.ecr.eu-west-1.amazonaws.com.evil.test/x:v1",
            "only in private Amazon ECR repositories",
        ),
    ],
)
def test_choose_image__digest_that_nobody_says__said(reference: str, why: str) -> None:
    refusal = CallFailedError("AccessDenied: no ecr:DescribeImages", where="ecr", fix="")
    registry = MovingRegistry(refusal=refusal)

    chosen = choose_image(options(image=reference), opened(registry))

    assert chosen.image.digest == ""
    (note,) = note_texts(chosen.notes)
    assert note.startswith(f"the digest of {reference} is not known: ")
    assert why in note


def test_choose_image__given_by_digest__nothing_to_say() -> None:
    chosen = choose_image(options(image=f"ghcr.io/team/x@{DIGEST}"), opened(MovingRegistry()))

    assert (chosen.image.digest, note_texts(chosen.notes)) == (DIGEST, ())


def with_image(desired: Desired, image: JsonValue) -> Desired:
    definition: Json = dict(desired.task_definition)
    containers = definition["containerDefinitions"]
    assert isinstance(containers, list)
    definition["containerDefinitions"] = [
        {**container, "image": image} for container in containers if isinstance(container, dict)
    ]
    return replace(desired, task_definition=definition)


@pytest.mark.parametrize(
    "deployed",
    [
        f"{OURS}/offer-api@{OTHER}",
        f"{OURS}/offer-api:{COMMIT}",
        f"{OURS}/other-api@{DIGEST}",
        f"{THEIRS}/offer-api@{DIGEST}",
        "",
        None,
    ],
)
def test_require_chosen__another_image__refused(deployed: str | None) -> None:
    judged = make_image()
    require_chosen(judged, compiled(judged))

    with pytest.raises(RefusedError) as raised:
        require_chosen(judged, with_image(compiled(judged), deployed))

    assert raised.value.code == "image-changed"


def test_require_chosen__no_container_of_that_name__refused() -> None:
    judged = make_image()
    desired = compiled(judged)
    nothing: Json = {**desired.task_definition, "containerDefinitions": []}
    desired = replace(desired, task_definition=nothing)

    with pytest.raises(RefusedError):
        require_chosen(judged, desired)


@pytest.mark.parametrize(
    ("answers", "refuses", "tag", "notes"),
    [
        ({}, False, COMMIT, 0),
        ({COMMIT: [DIGEST]}, False, COMMIT, 0),
        ({COMMIT: [OTHER]}, False, f"{COMMIT}-{KEY[:12]}", 0),
        ({COMMIT: [OTHER], f"{COMMIT}-{KEY[:12]}": [OTHER]}, False, f"content-{KEY[:40]}", 0),
        ({}, True, f"content-{KEY[:40]}", 1),
    ],
)
def test_put_tag__taken_or_denied__another_and_never_an_error(
    answers: dict[str, list[str | None]], refuses: bool, tag: str, notes: int
) -> None:
    registry = MovingRegistry(answers=answers, refuses_tags=refuses)

    got, said = put_tag(make_source(), FOUND, repository=repository(), registry=registry)

    assert (got, len(said)) == (tag, notes)
    assert {digest for digest, _ in registry.tagged} <= {DIGEST}
