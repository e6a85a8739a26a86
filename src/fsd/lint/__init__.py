"""Loaded manifest → findings: what needs more than one key, or a reason.

    lint(loaded, "prod")  ─▶  every rule of `rules/`  ─▶  findings, less the suppressed

One rule a file in `rules/`, and one page in `pages/`. A rule is a pure function from a `Subject` to
`Problem`s that name a key; the place in the file is found here, once.
"""

from typing import TYPE_CHECKING

__all__ = ["lint"]

if TYPE_CHECKING:
    from fsd.lint.run import lint
else:

    def __getattr__(name: str) -> object:
        """`lint` when it is asked for: who reads `fsd.lint.pages` does not pay for the models."""
        if name != "lint":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from fsd.lint.run import lint

        return lint
