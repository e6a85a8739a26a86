"""Texts that only a credential begins with, whoever wrote them and wherever they stand."""

from __future__ import annotations

import re

# (pattern, what it is)
KNOWN = (
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key id"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}"), "a GitHub token"),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"), "a Stripe key"),
    (re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}"), "an API key"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"), "a Google API key"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a GitLab token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAGE-SECRET-KEY-1"), "a private key"),
    (re.compile(r"\bhooks\.slack\.com/(?:services|workflows|triggers)/\w"), "a Slack webhook"),
    (re.compile(r"\bdiscord(?:app)?\.com/api/webhooks/\d+/\w"), "a Discord webhook"),
    (re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"), "an npm token"),
    (re.compile(r"\bpypi-AgE[\w-]{40,}"), "a PyPI token"),
    (re.compile(r"\bSG\.[\w-]{22}\.[\w-]{43}"), "a SendGrid key"),
    (re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"), "a Hugging Face token"),
    (re.compile(r"\bdapi[0-9a-f]{32}\b"), "a Databricks token"),
    (re.compile(r"\bdo[opr]_v1_[0-9a-f]{64}\b"), "a DigitalOcean token"),
    (re.compile(r"\bhv[sb]\.[\w-]{24,}"), "a Vault token"),
    (re.compile(r"\bglsa_[A-Za-z0-9]{32}_"), "a Grafana token"),
    (re.compile(r"\bNRAK-[A-Z0-9]{27}\b"), "a New Relic key"),
)
