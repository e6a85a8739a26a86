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

from fsd.lint.credentials import KNOWN
from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import Severity

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_SHORTEST_KNOWN = 16
_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY"
    r"|CREDENTIALS?|AUTH_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY)$"
)
# A name, a place or a switch, not the secret itself.
_HARMLESS = re.compile(
    r"(?:true|false|none|null|yes|no|on|off|\d+|arn:.*|https?://[^@]*|/.*|)", re.IGNORECASE
)
# Some are meant to be public, so no error.
_JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
_USER_AND_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^/\s:@]*:(?P<password>[^/\s@]+)@")
# Connection strings and signed addresses: a part that says what it is, with a value.
_PASSWORD_PART = re.compile(
    r"(?:^|[\s;&?,])(?:password|passwd|pwd|account_?key|shared_?access_?key|api_?key|access_?token"
    r"|client_?secret|sig|x-amz-signature)=[^\s;&,]{4,}",
    re.IGNORECASE,
)
_RANDOM_LOOKING = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])[A-Za-z0-9+/=_.:-]{20,}")
_LONGEST = 4096  # characters; what is longer is judged by its beginning
_ENTROPY = 4.5  # bits a character; the limit that detect-secrets has for base64


def check(subject: Subject) -> Iterator[Problem]:
    for name, value in subject.service.environment.items():
        written = subject.text("service", "environment", name)
        literal = re.sub(r"\$\{[A-Z_]+\}", "", written or value)[:_LONGEST]
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
    known = _known(value)
    if known:
        return known, Severity.ERROR
    if _JSON_WEB_TOKEN.search(value):
        return "a JSON Web Token", None
    if _USER_AND_PASSWORD.search(value):
        return "a URL with a password", None
    if _PASSWORD_PART.search(value):
        return "a connection string or an address with a secret in it", None
    if _HARMLESS.fullmatch(value):
        return "", None
    if _NAME.search(name.upper()):
        return "a secret, from its name", None
    if _RANDOM_LOOKING.fullmatch(value):
        return _detect(value), None
    return "", None


def _known(value: str) -> str:
    if len(value) < _SHORTEST_KNOWN:
        return ""
    return next(
        (
            what
            for marks, pattern, what in KNOWN
            if any(mark in value for mark in marks) and re.search(pattern, value)
        ),
        "",
    )


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
