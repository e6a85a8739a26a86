"""GitHub's own examples, and what its cheat sheet says of each sign.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import random
import re

import pytest

from fsd.manifest.ref_patterns import find_problem, matches

CHEAT_SHEET = [
    ("feature/*", "feature/my-branch feature/your-branch", "feature/beta-a/my-branch feature"),
    ("feature/**", "feature/beta-a/my-branch feature/mona/the/octocat feature/", "features/a"),
    ("main", "main", "Main main2 amain"),
    ("releases/mona-the-octocat", "releases/mona-the-octocat", "releases/mona"),
    ("*", "main releases", "all/the/branches"),
    ("**", "main all/the/branches every/tag", ""),
    ("*feature", "mona-feature feature ver-10-feature", "a/feature"),
    ("v2*", "v2 v2.0 v2.9", "v1 av2"),
    ("v[12].[0-9]+.[0-9]+", "v1.10.1 v2.0.0", "v1.10 v3.0.0 v1x0.1"),
    ("m+ain", "main mmmain", "ain maain"),
    ("releases?", "release releases", "releasess"),
    ("[CB]at", "Cat Bat", "cat CBat"),
    ("[1-2]00", "100 200", "300"),
    ("\\*a", "*a", "ba a"),
    ("a.b", "a.b", "axb"),
    ("v*-rc+", "v1-rc v1-rccc", "v1-r"),
    ("(a|b)", "(a|b)", "a b"),
    ("a^$", "a^$", "a"),
]


@pytest.mark.parametrize(("pattern", "taken", "left"), CHEAT_SHEET)
def test_matches__cheat_sheet__as_github(pattern: str, taken: str, left: str) -> None:
    assert find_problem([pattern]) is None
    for name in taken.split():
        assert matches([pattern], name), name
    for name in (*left.split(), ""):
        assert not matches([pattern], name), name


@pytest.mark.parametrize(
    ("patterns", "name", "expected"),
    [
        (("releases/**", "!releases/**-alpha"), "releases/10", True),
        (("releases/**", "!releases/**-alpha"), "releases/beta/3-alpha", False),
        (("a*", "!ab*", "abc"), "abc", True),
        (("!a", "a"), "a", True),
        ((), "a", False),
    ],
)
def test_matches__exclusions__the_last_that_speaks_of_it_decides(
    patterns: tuple[str, ...], name: str, expected: bool
) -> None:
    assert matches(patterns, name) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "!", "[", "a[", "a]", "[]", "[^a]", "[z-a]", "[a/]", "?a", "+", "*+", "a++", "a b"),
        *("a\\", "refs/heads/main", "!refs/heads/x", "refs/**", "!main"),
    ],
)
def test_find_problem__what_matches_nothing__is_said(pattern: str) -> None:
    assert find_problem([pattern]) is not None
    assert not any(matches([pattern], name) for name in ("main", "a", "b", "heads/main"))


def test_find_problem__no_pattern__is_fine() -> None:
    assert find_problem([]) is None


def as_expression(pattern: str) -> str:
    """Another way to say the same, for patterns of these signs only."""
    text = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return text.replace(r"\?", "?").replace(r"\+", "+")


@pytest.mark.parametrize("seed", range(20))
def test_matches__generated_patterns__agree_with_a_regular_expression(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(300):
        pattern = "".join(
            rng.choice("ab/") + rng.choice(("", "", "?", "+", "*", "**", "a*b"))
            for _ in range(rng.randint(1, 4))
        )
        name = "".join(rng.choice("ab/") for _ in range(rng.randint(1, 7)))
        expected = bool(re.fullmatch(as_expression(pattern), name))
        assert find_problem([pattern]) is None
        assert matches([pattern], name) is expected, (pattern, name)


def test_matches__pattern_that_would_backtrack__is_answered_at_once() -> None:
    pattern = "a+" * 200 + "*a" * 200 + "b"

    assert not matches([pattern], "a" * 2000)
