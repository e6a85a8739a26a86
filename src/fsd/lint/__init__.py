"""Loaded manifest → findings: what needs more than one key, or a reason.

    lint(loaded, "prod")  ─▶  every rule of `registry.ALL_RULES`  ─▶  findings, less the suppressed

One rule a file in `rules/`, registered by hand. A rule is a pure function from a `Subject` to
`Problem`s that name a key; the place in the file is found here, once.
"""

from fsd.lint.run import lint

__all__ = ["lint"]
