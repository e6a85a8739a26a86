from __future__ import annotations

from fsd.compile.tags import compile_ledger, compile_tags
from tests.builders import COMMIT, DIGEST, make_image, make_manifest, make_release, make_target


def test_compile_ledger__release__says_what_runs_and_whose_it_is() -> None:
    manifest = make_manifest(owners=["@org/team", "@anna"])

    tags = compile_ledger(
        manifest, target=make_target(), image=make_image(), release=make_release()
    )

    assert tags == {
        "fsd:service": "offer-api",
        "fsd:environment": "dev",
        "fsd:pack": "pack-digdog",
        "fsd:owners": "@anna @org/team",
        "fsd:version": "v1.3.0",
        "fsd:commit": COMMIT,
        "fsd:digest": DIGEST,
        "fsd:run": "https://github.com/org/offers/actions/runs/42",
    }


def test_compile_ledger__characters_that_aws_refuses__are_replaced() -> None:
    release = make_release(version="v1 (hot\nfix)?", commit="", run="x" * 300)

    tags = compile_ledger(
        make_manifest(), target=make_target(), image=make_image(digest=""), release=release
    )

    assert tags["fsd:version"] == "v1 _hot_fix__"
    assert len(tags["fsd:run"]) == 256
    assert not {"fsd:commit", "fsd:digest"} & tags.keys()


def test_compile_tags__no_owners__leaves_the_tag_out() -> None:
    assert "fsd:owners" not in compile_tags(make_manifest(), target=make_target())
