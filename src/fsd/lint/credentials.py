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

# Others that a log line may have: some are public by design or may stand in a configuration, so
# that the lint rule does not name them. Prefixes as their vendors and secret scanners list them.
# https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
# https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
LOGGED = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b",
        r"\b(?:whsec|[prs]k_(?:live|test|prod))_[A-Za-z0-9]{16,}",
        r"\bxoxe\.xox[bp]-[\w-]{8,}|\bx(?:app|oxc|oxd|wfp)-[\w%-]{10,}",
        r"\bgl[a-z]{2,8}-[\w-]{18,}",  # GitLab: gldt-, glrt-, glptt-, glcbt-, …
        r"\bsk-[\w-]{20,}|\b(?:gsk|xai|pplx|tvly|fw|csk|r8)[_-][A-Za-z0-9]{20,}",
        r"\bAIza[\w-]{20,}|\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{20,}|\b1//0[\w-]{20,}",
        r"\bAAAA[\w-]{7}:[\w-]{100,}",  # Firebase
        r"\bSK[0-9a-f]{32}\b",  # Twilio
        r"\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b",  # Mailgun, Mailchimp
        r"\bxkeysib-[0-9a-f]{32,}",
        r"\bsq0(?:atp|csp|idp)-[\w-]{20,}|\bEAAA[\w-]{40,}",  # Square
        r"\bEAA[A-Za-z0-9]{60,}",  # Facebook
        r"\bshp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",  # Shopify
        r"\bhv[sbr]\.[\w-]{20,}|(?<![\w.])s\.[A-Za-z0-9]{24}\b",  # Vault
        r"\b(?:NRAK|NRII|NRJS|NRRA|NRIQ)-[A-Za-z0-9-]{19,}|\b[0-9a-f]{36}NRAL\b",
        r"\bgl(?:sa|c)_[\w+/=]{32,}|\beyJrIjoi[\w+/=-]{30,}",  # Grafana
        r"\bdckr_(?:pat|oat)_[\w-]{20,}",
        r"\bAT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{20,}",  # Atlassian
        r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        r"\b(?:lin_api|lin_oauth|rubygems|figd|rdme|sbp|nfp|nfc|ntn|pul|pat|pnu|tskey"
        r"|crates|cio|rpa|api_org|vercel|vcp|prefect|dt0c01|sgp|sb_secret|sb_publishable"
        r"|sntry[su]|bkua|oaat|waka|hrku-?|ctp|fm[12]|fo1|phx|phc|dp\.(?:pt|st|ct|sa|scim)"
        r"|pscale_(?:tkn|pw|oauth)|CFPAT|HRKU|sl\.u)[._-][A-Za-z0-9_=.+/-]{24,}",
        r"\btskey-[a-z]+-[\w-]{16,}|\bsecret_[A-Za-z0-9]{40,}",
        r"\bpat-[a-z]{2}\d-[0-9a-f-]{36}",  # HubSpot
        r"\bLTAI[A-Za-z0-9]{12,20}\b|\bAKID[A-Za-z0-9]{32}\b",  # Alibaba, Tencent
        r"\bEZ[AT]K[A-Za-z0-9]{40,}|\bFLWSECK[\w-]{20,}|\bSB-Mid-server-[\w-]{16,}",
        r"\bamzn\.mws\.[0-9a-f-]{36}",
        r"\b[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}",  # a Discord bot
        r"\b\d{8,10}:AA[\w-]{32,}",  # a Telegram bot
        r"(?<![\w~.])[\w~.-]{3}\dQ~[\w~.-]{31,34}",  # a Microsoft Entra client secret
        r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}",  # HCP Terraform
        r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",  # Cloudflare
        r"\bdoo_v1_[0-9a-f]{40,}|\bdop_v1_[0-9a-f]{40,}",
        r"\bwebhook\.office\.com/webhookb2/\w|\bhooks\.zapier\.com/hooks/catch/\w",
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/\w",
        r"\bops_eyJ[\w-]{24,}",  # 1Password
        r"\bPuTTY-User-Key-File-\d",
    )
)
