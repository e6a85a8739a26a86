"""Loaded manifest → findings: what needs more than one key, or a reason.

    lint(loaded, "prod")  ─▶  every rule of `rules/`  ─▶  findings, less the suppressed

One rule a file in `rules/`, and one page in `pages/`. A rule is a pure function from a `Subject` to
`Problem`s that name a key; the place in the file is found here, once.
"""
