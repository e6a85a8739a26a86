from __future__ import annotations

from fsd.github.comments import CUT, LIMIT, fit


def test_fit__a_body_at_the_limit__is_left_alone() -> None:
    body = "x" * LIMIT

    assert fit(body) == body


def test_fit__too_long__is_cut_between_paragraphs_and_says_so() -> None:
    body = "\n\n".join(["a" * 40, "b" * 40, "c" * 400])

    cut = fit(body, 300)

    assert cut == f"{'a' * 40}\n\n{'b' * 40}{CUT}"


def test_fit__cut_inside_a_fold__leaves_the_whole_fold_out() -> None:
    fold = "<details><summary>x</summary>\n\n" + "one\n\ntwo\n\n" * 40 + "</details>"

    assert fit(f"head\n\n{fold}", 300) == f"head{CUT}"


def test_fit__cut_inside_code__leaves_the_whole_block_out() -> None:
    code = "```text\n" + "line\n\n" * 100 + "```"

    assert fit(f"head\n\n{code}", 300) == f"head{CUT}"


def test_fit__one_endless_paragraph__is_cut_to_the_limit() -> None:
    assert len(fit("x" * 1000, 300)) == 300
