"""What is in `environment` is in git, in the task definition and in the console, for all to read;
so are sidecars' variables, build arguments and the words of commands.

Three looks, the cheap ones first: texts that only a credential starts with, names that say what
they are, and detect-secrets for values that look random. It is imported for those alone, since it
takes longer to import than everything else here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from fsd.lint.credentials import KNOWN
from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import Severity

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

    from fsd.manifest.container import DeployStep
    from fsd.manifest.models import Service

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


_BUILD = "pass it with `build.secrets` and use it in one RUN step, because a build argument "
"stays in the image"
_WORDS = "make the program read the value from a variable, and list that variable in `secrets`"
# --db-password=x, and the two words --db-password x
_FLAG = re.compile(
    r"--?[\w-]{0,40}(?:password|passwd|secret|token|api-?key|access-?key)(?:=(?P<value>\S+))?",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Problem]:
    for at, values, fix in _variables(subject.service):
        for name, value in values.items():
            literal = _literal(subject, (*at, name), value)
            what, severity = _look(name, literal)
            if what:
                yield Problem(
                    at=(*at, name),
                    message=f"the value of `{name}` looks like {what}",
                    fix=fix
                    or f"put it into Secrets Manager and name it in `secrets`: "
                    f"`- name: {name}` with `valueFrom: arn:aws:secretsmanager:…`",
                    severity=severity,
                )
    for at, words in _commands(subject.service):
        yield from _check_words(subject, at, words)


def _variables(
    service: Service,
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, str], str]]:
    """(where, names and values, the fix where it is another than for the service's variables)."""
    yield ("service", "environment"), service.environment, ""
    for index, sidecar in enumerate(service.sidecars):
        yield ("service", "sidecars", index, "environment"), sidecar.environment, ""
    for name, step in _steps(service):
        yield ("service", name, "environment"), step.environment, _WORDS
    if service.build is not None:
        yield ("service", "build", "args"), service.build.args, _BUILD


def _commands(
    service: Service,
) -> Iterator[tuple[tuple[str | int, ...], Sequence[str] | str]]:
    yield ("service", "command"), service.command or ()
    yield ("service", "entryPoint"), service.entry_point or ()
    for index, sidecar in enumerate(service.sidecars):
        yield ("service", "sidecars", index, "command"), sidecar.command or ()
    for name, step in _steps(service):
        yield ("service", name, "command"), step.command


def _steps(service: Service) -> Iterator[tuple[str, DeployStep]]:
    if service.before_deploy is not None:
        yield "beforeDeploy", service.before_deploy
    if service.after_deploy is not None:
        yield "afterDeploy", service.after_deploy


def _check_words(
    subject: Subject, at: tuple[str | int, ...], words: Sequence[str] | str
) -> Iterator[Problem]:
    """What is plainly a secret among the words of a command: a random word may be anything."""
    before = ""
    for place, word in (
        [(at, words)]
        if isinstance(words, str)
        else [((*at, index), word) for index, word in enumerate(words)]
    ):
        literal = _literal(subject, place, word)
        what, severity = _look_at_word(literal, before=before)
        before = literal
        if what:
            yield Problem(
                at=place,
                message=f"a word of the command looks like {what}",
                fix=_WORDS,
                severity=severity,
            )


def _look_at_word(word: str, *, before: str) -> tuple[str, Severity | None]:
    if known := _known(word):
        return known, Severity.ERROR
    if _USER_AND_PASSWORD.search(word):
        return "a URL with a password", None
    flag = _FLAG.fullmatch(before)
    value = word if flag is not None and flag["value"] is None else ""
    found = _FLAG.match(word)
    value = value or (found["value"] or "" if found is not None else "")
    is_variable = value.startswith(("$", "-")) or not re.search(r"\d", value)
    return ("", None) if is_variable or _HARMLESS.fullmatch(value) else ("a secret", None)


def _literal(subject: Subject, at: tuple[str | int, ...], value: str) -> str:
    text = subject.text(*at) or value
    return (re.sub(r"\$\{[A-Z_]+\}", "", text) if "$" in text else text)[:_LONGEST]


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
        return "a secret, judging by the variable's name", None
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
