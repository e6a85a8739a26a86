"""Texts that only a credential begins with, whoever wrote them and wherever they stand."""

from __future__ import annotations

# (what is in each, pattern, what it is). To look for the first costs a hundredth of the second.
KNOWN = (
    (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "an AWS access key id"),
    (("gh", "github_pat_"), r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}", "a GitHub token"),
    (("xox",), r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (("k_",), r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}", "a Stripe key"),
    (("sk-",), r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}", "an API key"),
    (("AIza",), r"\bAIza[A-Za-z0-9_-]{35}\b", "a Google API key"),
    (("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
    (
        ("PRIVATE KEY", "AGE-SECRET"),
        r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAGE-SECRET-KEY-1",
        "a private key",
    ),
    (
        ("hooks.slack",),
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/\w",
        "a Slack webhook",
    ),
    (("discord",), r"\bdiscord(?:app)?\.com/api/webhooks/\d+/\w", "a Discord webhook"),
    (("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b", "an npm token"),
    (("pypi-",), r"\bpypi-AgE[\w-]{40,}", "a PyPI token"),
    (("SG.",), r"\bSG\.[\w-]{22}\.[\w-]{43}", "a SendGrid key"),
    (("hf_",), r"\bhf_[A-Za-z0-9]{30,}\b", "a Hugging Face token"),
    (("dapi",), r"\bdapi[0-9a-f]{32}\b", "a Databricks token"),
    (("do",), r"\bdo[opr]_v1_[0-9a-f]{64}\b", "a DigitalOcean token"),
    (("hv",), r"\bhv[sb]\.[\w-]{24,}", "a Vault token"),
    (("glsa_",), r"\bglsa_[A-Za-z0-9]{32}_", "a Grafana token"),
    (("NRAK-",), r"\bNRAK-[A-Z0-9]{27}\b", "a New Relic key"),
)
