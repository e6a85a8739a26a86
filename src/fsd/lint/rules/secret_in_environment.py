"""What is in `environment` is in git, in the task definition and in the console, for all to read.

Three looks, the cheap ones first: texts that only a credential starts with, names that say what
they are, and detect-secrets for values that look random. It is imported for those alone, since it
takes longer to import than everything else here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from fsd.lint.finding import Problem, Rule, Severity, Subject

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_KNOWN = (
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key id"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}"), "a GitHub token"),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"), "a Stripe key"),
    (re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}"), "an API key"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"), "a Google API key"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a GitLab token"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "a private key"),
)
_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY"
    r"|CREDENTIALS?|AUTH_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY)$"
)
# A name, a place or a switch, not the secret itself.
_HARMLESS = re.compile(
    r"(?:true|false|none|null|yes|no|on|off|\d+|arn:.*|https?://[^@]*|/.*|)", re.IGNORECASE
)
_USER_AND_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<password>[^/\s@]+)@")
_RANDOM_LOOKING = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])[A-Za-z0-9+/=_.:-]{20,}")
_ENTROPY = 4.5  # bits a character; the limit that detect-secrets has for base64


def check(subject: Subject) -> Iterator[Problem]:
    for name, value in subject.service.environment.items():
        written = subject.text("service", "environment", name)
        literal = re.sub(r"\$\{[A-Z_]+\}", "", written or value)
        what, severity = _look(name, literal)
        if what:
            yield Problem(
                at=("service", "environment", name),
                message=f"the value of `{name}` looks like {what}",
                fix=f"put it into Secrets Manager and name it in `secrets`: "
                f"`- name: {name}` with `valueFrom: arn:aws:secretsmanager:…`",
                severity=severity,
            )


def _look(name: str, value: str) -> tuple[str, Severity | None]:
    for pattern, what in _KNOWN:
        if pattern.search(value):
            return what, Severity.ERROR
    if _USER_AND_PASSWORD.search(value):
        return "a URL with a password", None
    if _HARMLESS.fullmatch(value):
        return "", None
    if _NAME.search(name.upper()):
        return "a secret, from its name", None
    if _RANDOM_LOOKING.fullmatch(value):
        return _detect(value), None
    return "", None


def _detect(value: str) -> str:
    for detector in _detectors():
        if any(detector.analyze_string(value)):
            return f"a secret ({detector.secret_type})"
    return "a random secret" if _entropy(value) > _ENTROPY else ""


def _entropy(value: str) -> float:
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    return float(Base64HighEntropyString(limit=_ENTROPY).calculate_shannon_entropy(value))


@cache
def _detectors() -> tuple[RegexBasedDetector, ...]:
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    return (
        AzureStorageKeyDetector(),
        DiscordBotTokenDetector(),
        JwtTokenDetector(),
        MailchimpDetector(),
        NpmDetector(),
        OpenAIDetector(),
        PypiTokenDetector(),
        SendGridDetector(),
        SquareOAuthDetector(),
        TelegramBotTokenDetector(),
        TwilioKeyDetector(),
    )


RULE = Rule(
    id="secret-in-environment",
    severity=Severity.WARNING,
    summary="an environment variable holds what looks like a secret",
    check=check,
)
