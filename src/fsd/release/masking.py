"""Log lines without their secrets: they are shown in comments and in job summaries.

What looks like a secret is hidden, even where it is none; an ordinary line stays as it is. Three
looks at a line: texts that only a credential begins with, URLs, and names that say what they are
with the value that follows them. What a line cannot know (a private key, a value below its name)
`mask_lines` sees.

A line has up to 256 KB, so that no pattern may look twice at a long run of characters: runs are
taken possessively or bounded, and a match begins only where a run does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from fsd.lint.credentials import KNOWN, LOGGED
from fsd.release.secret_names import Kind, kind_of
from fsd.release.secret_values import find_value, is_ordinary

HIDDEN = "***"

# Colours, as terminals get them, as JSON writes them (two ways), and as rsyslog does.
_COLOUR = re.compile(
    r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e|#033)\[[0-9;:?]{0,30}[@-~]"
    r"|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[()][0-9A-B]"
)
_QUOTE = r"(?:\\{0,7}[\"'`]|&quot;|&apos;|&#0?3[49];|&#x2[27];|%2[27])"
_TOKENS = re.compile(
    rf"(?:{'|'.join(p.pattern for p in (*(pattern for pattern, _ in KNOWN), *LOGGED))})"
    r"[^\s\"',;)}\]\\<>&]*"
)
# A JSON Web Token has three parts; an encrypted one five, of which the second may be empty.
_JSON_WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{6,}+(?:\.[\w-]*+){1,4}")
_NAME = re.compile(
    r"(?<![\w.$-])(?P<name>(?:(?:api|access|secret|private|encryption|signing|account|master"
    r"|license|auth|subscription|shared|storage|client|recovery|verification|one-time|pin) )?"
    rf"[\w$.]*+(?:-(?!>)[\w$.]*+)*+)(?<=[\w$.-])(?P<close>{_QUOTE}?(?:\]|%5[Dd]|\))?)"
    r"(?P<sign>[ \t]{0,40}"
    r"(?:=>|:=|->|(?<![!<>=])=(?!=)|::?|%3[DdAa]|\\u003[dD]|[＝：→])[ \t]{0,40})",
    re.IGNORECASE,
)
_ARN = re.compile(r"[^\s\"',)}\]]*+")
# --password hunter2, -Password hunter2
_FLAG = re.compile(r"(?<![\w-])--?(?P<name>[A-Za-z][\w.-]*+)[ \t]{1,20}(?P<value>[^\s-]\S*+)")
# What `-p`, `-a` and `-u` mean depends on the command.
_SHORT_FLAGS = (
    (
        re.compile(r"\b(?:mysql\w*|mariadb[\w-]*|sshpass|mongo\w*|(?:docker|podman|helm|az|oc)\b"
                   r".{0,60}\blogin|sqlcmd|influx|rabbitmqadmin)\b"),
        re.compile(r"(?P<name>(?<=\s)-[pP] ?)(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:redis-cli|keydb-cli|valkey-cli)\b"),
        re.compile(r"(?P<name>(?<=\s)-a )(?P<value>[^\s-]\S*+)"),
    ),
    (
        re.compile(r"\b(?:curl|http|https|wget|ldapsearch)\b"),
        re.compile(r"(?P<name>(?<=\s)-(?:u|U|w|-user|-proxy-user|a)[ =]?[\"']?"
                   r"(?:[^\s:\"']{1,80}+:)?)(?P<value>[^\s\"'-][^\s\"']*+)"),
    ),
)  # fmt: skip
_SCHEME_VALUE = re.compile(
    r"\b(?P<name>(?:bearer|basic|negotiate|apikey|splunk|genie\s?key|token)[ \t]{1,9})"
    r"(?P<value>[\w.~+/-]{6,}+(?:={1,2}(?![\w\"']))?)(?![\w=(])",
    re.IGNORECASE,
)
_QUERY = re.compile(
    r"(?P<name>(?:[?&;]|&amp;|\\u0026)(?P<key>sig|key|code|auth|sid|ticket|assertion|hash|state"
    r"|samlresponse|saml_?request|jwt|session|t)=)(?P<value>[^\s&;\"'<>\\]++)",
    re.IGNORECASE,
)
_URLS = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]{1,40}+://[^\s\"'<>`]++")
_ONE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://")
_PORT_FIRST = re.compile(r"\d{1,5}(?:[/?#,]|$)")
_WITHOUT_SCHEME = (
    # Go's MySQL driver, Oracle, and a user with a password before a host with a port.
    re.compile(r"(?P<name>(?<![\w.-])[\w.-]{1,60}+:)(?P<value>[^\s:@\"']{1,200})(?=@(?:tcp|unix)\()"),
    re.compile(r"(?P<name>\boracle:\w{1,9}:[\w.-]{1,60}/)(?P<value>[^\s@\"']{1,200})(?=@)"),
    re.compile(
        r"(?P<name>(?<![\w.:/@-])[\w.-]{1,60}+:)(?P<value>(?=[^\s:@/]*[A-Za-z])(?=[^\s:@/]*\d)"
        r"[^\s:@\"'/,]{4,100})(?=@[\w.-]{1,100}:\d)"
    ),
)  # fmt: skip
_ELEMENT = re.compile(
    r"(?P<name><(?P<key>[\w:.-]{1,60}+)(?:\s[^<>]{0,200})?>)(?P<value>[^<>\s][^<>]{0,4000})(?=</)"
)
# {"name": "DB_PASSWORD", "value": "…"}, as task definitions and pods have them.
_NAME_VALUE = re.compile(
    rf"\b(?:name|key){_QUOTE}?\s{{0,4}}[=:]\s{{0,4}}{_QUOTE}?(?P<key>[\w.-]{{2,80}}+){_QUOTE}?"
    rf"[,;\s]{{1,4}}{_QUOTE}?value{_QUOTE}?\s{{0,4}}[=:]\s{{0,4}}",
    re.IGNORECASE,
)
# ('password', 'hunter2'); [b'authorization', b'Bearer …']
_PAIR = re.compile(
    rf"(?P<open>[\[(])b?{_QUOTE}(?P<key>[\w.-]{{2,60}}+){_QUOTE},\s{{0,4}}(?=b?{_QUOTE})"
)
_IN_PROSE = re.compile(
    r"\b(?P<name>(?:password|passphrase|passwd|passcode|pin|api key|access token|secret key"
    r"|token)(?: (?:is|was|of|set to|changed to|provided|used|value))?[: ]? ?)"
    rf"(?P<value>{_QUOTE}[^\"'`\s][^\"'`]{{0,200}}|[^\s\"'`]{{1,400}}+)",
    re.IGNORECASE,
)
# What has a form of its own: SQL, Redis, .pgpass, an AWS key id with its key, codes in messages.
_FORMS = (
    re.compile(
        r"(?P<name>\bIDENTIFIED (?:WITH \w{1,40} )?(?:BY|AS) (?:PASSWORD )?[\"'])(?P<value>[^\"']{1,200})",  # noqa: E501
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<name>\bSET PASSWORD FOR \S{1,100} = (?:PASSWORD\()?[\"'])(?P<value>[^\"']{1,200})",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<name>\bAUTH\"? (?:default )?\"?)(?P<value>(?=[^\s\"]*\d)(?=[^\s\"]*[a-z])[^\s\"]{6,200})"  # noqa: E501
    ),
    re.compile(r"(?P<name>\b(?:requirepass|masterauth|bindpw) )(?P<value>\S{4,200})"),
    re.compile(
        r"(?P<name>^[\w.*-]{1,100}:(?:\d{1,5}|\*):[\w*-]{1,60}:[\w.-]{1,60}:)(?P<value>\S{4,200})$"
    ),
    re.compile(
        r"(?P<name>\*\*\*[\"']?[,:;/ \t]{1,3}[\"']?)(?P<value>(?=[\w/+]{0,39}[a-z])(?=[\w/+]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![\w/+]))"  # noqa: E501
    ),
    re.compile(
        r"(?P<name>\b(?:verification|login|security|one-time|otp|totp|sign-in|auth)(?: code)?(?: is|:)? )"  # noqa: E501
        r"(?P<value>\d{4,8})(?!\S)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<name>(?<![A-Za-z])[A-Z]{0,20}_?(?:PASSWORD|SECRET|TOKEN|(?:secret_access|API|SECRET)_key)[ \t]{1,4})"  # noqa: E501
        r"(?P<value>(?=\S*[A-Za-z])(?=\S*\d)[\w/+.!$-]{8,200}={0,2}(?!\S))",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<name>%3A%2F%2F[\w.-]{0,60}%3A)(?P<value>[^\s%]{1,200})(?=%40)", re.IGNORECASE),
    re.compile(r"(?P<name>:\\/\\/[\w.-]{0,60}:)(?P<value>[^\s@\\]{1,200})(?=@)"),
    re.compile(
        r"(?P<name>[\"']--?[\w-]{0,40}(?:password|token|secret|api-?key)[\"'],\s{0,2}[\"'])(?P<value>[^\"']{1,400})"
    ),
    re.compile(r"(?P<name>/bot)(?P<value>\d{8,10}:[\w-]{30,})"),
    re.compile(r"(?P<name>\bgit\+https?://)(?P<value>[^\s@:/]{8,200})(?=@)"),
    re.compile(r"(?P<name>\becho )(?P<value>[^\s|]{4,200})(?= \| (?:docker|podman|helm|sudo) )"),
)
_BASIC_AUTH = re.compile(
    r"(?P<name>\b(?:\w{0,20}auth|\w{0,20}Auth(?:entication)?|login|credentials)\s{0,2}[=:]?\s{0,2}[\[(]\s{0,2}"
    r"[bu]?[\"'][^\"'\s]{0,100}[\"'],\s{0,3})(?P<value>[bu]?[\"'][^\"']{1,400})"
)


def mask(text: str) -> str:
    """One line, or a part of one; of several lines each with what the others tell about it."""
    if "\n" in text:
        return "\n".join(mask_lines(text.split("\n")))
    plain = _COLOUR.sub("", text)
    masked = _mask_plain(plain)
    return text if masked == plain else masked


def mask_lines(lines: Iterable[str]) -> Iterator[str]:
    """As many lines; also those of a private key, and a value that is below its name."""
    texts = list(lines)
    plain = [_COLOUR.sub("", text) for text in texts]
    hidden = _key_lines(plain)
    values = _values_below(plain)
    for number, text in enumerate(texts):
        if number in hidden:
            yield HIDDEN
        elif number in values:
            yield plain[number][: values[number]] + HIDDEN
        else:
            yield mask(text)


def _mask_plain(text: str) -> str:
    text = _PEM_INSIDE.sub(HIDDEN, text)
    text = _JSON_WEB_TOKEN.sub(_hide_web_token, text)
    text = _TOKENS.sub(HIDDEN, text)
    text = _URLS.sub(_hide_in_urls, text)
    for pattern in _WITHOUT_SCHEME:
        text = pattern.sub(_hide, text)
    text = _ELEMENT.sub(_hide_element, text)
    text = _hide_after(_NAME_VALUE, text)
    text = _hide_after(_PAIR, text)
    text = _hide_named(text)
    text = _BASIC_AUTH.sub(_hide, text)
    for pattern in _FORMS:
        text = pattern.sub(_hide_form, text)
    text = _FLAG.sub(_hide_flag, text)
    for command, flag in _SHORT_FLAGS:
        if command.search(text):
            text = flag.sub(_hide_short_flag, text)
    text = _QUERY.sub(_hide_query, text)
    text = _SCHEME_VALUE.sub(_hide_random, text)
    return _IN_PROSE.sub(_hide_prose, text)


def _hide(match: re.Match[str]) -> str:
    """Its quotes stay."""
    value = match["value"]
    return f"{match['name']}{value[0] if value[0] in _QUOTES else ''}{HIDDEN}"


_QUOTES = "\"'"


def _hide_form(match: re.Match[str]) -> str:
    value = match["value"]
    return match[0] if HIDDEN in value else f"{match['name']}{HIDDEN}"


def _hide_web_token(match: re.Match[str]) -> str:
    """What has no second part is base64 of JSON, and no token."""
    head, _, rest = match[0].partition(".")
    return HIDDEN if len(head) >= 10 and rest.strip(".") else match[0]


# --- names and their values --------------------------------------------------------------------


def _hide_named(text: str) -> str:
    """Every `name=value`, whose name says that it is a secret."""
    parts: list[str] = []
    done = position = 0
    while (match := _NAME.search(text, position)) is not None:
        position = match.end()
        if match["name"].split()[-1:] == ["arn"] and match["sign"] == ":":
            # It names a secret and holds none, also behind the word: "fetch secret arn:aws:…".
            position = end_of(_ARN, text, position)
            continue
        kind = kind_of(match["name"], sign=match["sign"].strip())
        if kind is Kind.NONE:
            continue
        opened = text[match.start() - 1 : match.start()]
        for start, end in find_value(text, position, kind=kind, opened=opened):
            value = text[start:end]
            if is_ordinary(value, kind=kind, name=match["name"], sign=match["sign"]):
                break
            parts += [text[done:start], HIDDEN]
            done = position = end
    return "".join([*parts, text[done:]])


def _hide_after(pattern: re.Pattern[str], text: str) -> str:
    """Where the name stands in a value of its own."""
    parts: list[str] = []
    done = 0
    for match in pattern.finditer(text):
        kind = kind_of(match["key"], sign="=")
        if kind is Kind.NONE or match.end() < done:
            continue
        for start, end in find_value(text, match.end(), kind=kind, opened="("):
            if start < done or is_ordinary(text[start:end], kind=kind, name="", sign="="):
                break
            if pattern is _PAIR and not _is_pair(text, start, end, kind):
                break
            parts += [text[done:start], HIDDEN]
            done = end
    return "".join([*parts, text[done:]])


_PAIR_ENDS = re.compile(rf"{_QUOTE}?\s{{0,3}}[)\]]")


def _is_pair(text: str, start: int, end: int, kind: Kind) -> bool:
    """A list of names may begin with the same two; of headers there is none."""
    if kind is Kind.HEADER:
        return True
    return _PAIR_ENDS.match(text, end) is not None and _is_random(text[start:end])


def end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _hide_element(match: re.Match[str]) -> str:
    kind = kind_of(match["key"].rpartition(":")[2], sign="=")
    if kind is Kind.NONE or is_ordinary(match["value"], kind=kind, name="", sign="="):
        return match[0]
    return f"{match['name']}{HIDDEN}"


def _hide_flag(match: re.Match[str]) -> str:
    kind = kind_of(match["name"], sign="=")
    value = match["value"]
    if kind is Kind.NONE or is_ordinary(value.strip("\"'"), kind=kind, name="", sign="="):
        return match[0]
    return match[0][: match.start("value") - match.start()] + HIDDEN


def _hide_short_flag(match: re.Match[str]) -> str:
    value = match["value"]
    if re.fullmatch(r"\d{1,5}(?::\d{1,5})?(?:/\w+)?", value) or value.startswith(("/", "http")):
        return match[0]
    if match["name"].rstrip().endswith(("-u", "-U", "--user")) or value == HIDDEN:
        return match[0]  # a user alone
    return f"{match['name']}{HIDDEN}"


def _hide_query(match: re.Match[str]) -> str:
    value = match["value"]
    if match["key"].lower() in {"sig", "jwt", "assertion", "samlresponse", "ticket"}:
        return f"{match['name']}{HIDDEN}" if len(value) > 3 else match[0]
    if match["key"].lower() in {"state", "hash", "t", "session"}:
        return f"{match['name']}{HIDDEN}" if len(value) >= 24 and _is_random(value) else match[0]
    return f"{match['name']}{HIDDEN}" if len(value) >= 8 and _is_random(value) else match[0]


def _hide_random(match: re.Match[str]) -> str:
    value = match["value"]
    return (
        match[0]
        if value.startswith("HTTP/") or not _is_random(value)
        else f"{match['name']}{HIDDEN}"
    )


def _is_random(value: str) -> bool:
    """No word: letters with digits among them, or with capitals inside, or very long."""
    if re.fullmatch(r"[\d.:-]+|v\d[\d.]*", value):
        return False
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    has_capitals = value[1:] != value[1:].lower() and value != value.upper()
    return (has_letter and (has_digit or has_capitals)) or (len(value) >= 24 and "_" not in value)


def _hide_prose(match: re.Match[str]) -> str:
    """`password "hunter2" for user`; in `password reset` no word follows that is a password."""
    value = match["value"]
    name = match["name"].lower()
    quoted = value[0] in "\"'`\\&%"
    text = value.strip("\"'`\\.,;:)(")
    is_password = name.startswith(("pass", "pin"))
    if name[-1] not in " :" or not text or HIDDEN in value or value[0] in "[({<=:":
        return match[0]
    if quoted:
        has_space = " " in text
        if not is_password and not (len(text) >= 8 and _is_random(text) and not has_space):
            return match[0]
        if has_space and not name.strip().endswith(("is", "to", "was")):
            return match[0]
        if is_ordinary(text, kind=Kind.PASSWORD, name="", sign=" "):
            return match[0]
        return f"{match['name']}{value[0] if value[0] in _QUOTES else ''}{HIDDEN}"
    told = name.rstrip(" :").endswith((" is", " was", " to", " used", " provided"))
    length = 6 if is_password or told else 16
    if len(text) < length or not re.search(r"[A-Za-z]", text) or not re.search(r"\d", text):
        return match[0]
    if re.search(r"[=:(/]|^v?\d+\.\d|-\d{2}-", text) and not told:
        return match[0]
    return f"{match['name']}{HIDDEN}"


# --- URLs --------------------------------------------------------------------------------------


def _hide_in_urls(match: re.Match[str]) -> str:
    """A run may hold several, as lists of brokers do."""
    run = match[0]
    starts = [m.start() for m in _ONE_URL.finditer(run)] or [0]
    ends = [*starts[1:], len(run)]
    parts = [_hide_in_url(run[start:end]) for start, end in zip(starts, ends, strict=True)]
    return run[: starts[0]] + "".join(parts)


def _hide_in_url(url: str) -> str:
    """The password, up to the last `@`: what people put into URLs is not always encoded."""
    scheme, _, rest = url.partition("://")
    cut = len(rest)
    if scheme.lower() in {"http", "https", "ws", "wss", "s3", "file", "ftp"}:
        cut = min((i for c in "/?#" if (i := rest.find(c)) >= 0), default=cut)
    authority, behind = rest[:cut], rest[cut:]
    before, at, host = authority.rpartition("@")
    if not at or not re.match(r"[\w\[*.-]", host or " ") or "@" in before[:1]:
        return url
    user, colon, password = before.partition(":")
    if not colon:
        return f"{scheme}://{HIDDEN}@{host}{behind}" if _is_long_user(user) else url
    if _PORT_FIRST.match(password) and "/" in password:
        return url  # a host with its port, and an address behind it
    return f"{scheme}://{user}:{HIDDEN}@{host}{behind}" if password else url


def _is_long_user(user: str) -> bool:
    """A key in the user's place: Sentry's addresses, tokens for git."""
    return len(user) >= 20 and "/" not in user and bool(re.search(r"\d", user))


# --- what several lines tell -------------------------------------------------------------------

_KEY_BEGINS = re.compile(r"BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_ENDS = re.compile(r"END [A-Z0-9 ]{0,40}PRIVATE KEY")
_PUBLIC_BEGINS = re.compile(r"-BEGIN [A-Z0-9 ]{0,40}(?:CERTIFICATE|PUBLIC KEY|SIGNATURE|MESSAGE)")
_PUBLIC_ENDS = re.compile(r"-END [A-Z0-9 ]{0,40}(?:CERTIFICATE|PUBLIC KEY|SIGNATURE|MESSAGE)")
# A whole key in one line: to its end, or to the line's.
_PEM_INSIDE = re.compile(
    r"-{2,5}BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?:(?!-END ).)*+(?:-END [^-]{0,60}-{0,5})?"
)
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/]{16,80}={0,2}(?:\\[nr]|[\"',\\+])*")
_KEY_REST = re.compile(r"[A-Za-z0-9+/]{1,80}={0,2}(?:\\[nr]|[\"',\\+])*")
_KEY_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject|Private-Lines):")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{60,72}={0,2}")  # they may begin in the middle of a key
_LONGEST_KEY = 200  # lines


def _key_lines(lines: Sequence[str]) -> set[int]:
    hidden: set[int] = set()
    is_public = False
    number = 0
    while number < len(lines):
        line = lines[number]
        is_public = (is_public or bool(_PUBLIC_BEGINS.search(line))) and not _PUBLIC_ENDS.search(
            line
        )
        begins = _KEY_BEGINS.search(line)
        if begins and not _KEY_ENDS.search(line, begins.end()):
            end = _find_end(lines, number)
            hidden.update(range(number, end))
            number = end
            continue
        if not begins and _KEY_ENDS.search(line):
            before = reversed(range(number))
            hidden.add(number)
            hidden.update(takewhile(lambda n: _is_key_text(lines[n], _KEY_TEXT), before))
            if number and _is_key_text(lines[number - 1], _KEY_REST):
                hidden.add(number - 1)
                before = reversed(range(number - 1))
                hidden.update(takewhile(lambda n: _is_key_text(lines[n], _KEY_TEXT), before))
        elif not is_public and _is_part_of_key(_last_word(line)):
            hidden.add(number)
        number += 1
    return hidden


def _find_end(lines: Sequence[str], start: int) -> int:
    """Behind the key that begins at `start`; without its end, behind what looks like it."""
    for number in range(start + 1, min(start + _LONGEST_KEY, len(lines))):
        if _KEY_ENDS.search(lines[number]):
            return number + 1
    number = start + 1
    while number < len(lines) and _looks_like_key(lines[number]):
        number += 1
    return number


def _looks_like_key(line: str) -> bool:
    return not line.strip() or bool(_KEY_HEADER.search(line)) or _is_key_text(line, _KEY_TEXT)


def _is_key_text(line: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(_last_word(line).lstrip("\"'")) is not None


def _last_word(line: str) -> str:
    """Behind a time and a level that each line may have. Only its end is looked at."""
    words = line[-400:].split()
    return words[-1] if words else ""


def _is_part_of_key(word: str) -> bool:
    """Base64 in lines of 64 or 70, with all that it is made of: no digest, and no name."""
    word = word.strip("\"',")
    if not _KEY_LINE.fullmatch(word):
        return False
    return all(re.search(kind, word) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


_ENDS_WITH_NAME = re.compile(
    rf"(?:--?)?(?P<name>(?:(?:api|access|secret|private|client|signing) )?[\w.-]{{2,80}})"
    rf"(?:{_QUOTE})?"
    r"(?P<sign>[ \t]*(?:=>|[=:＝：])[ \t]*(?:[|>][+-]?|\\)?|[ \t]+\\)[ \t\r]*$",
    re.IGNORECASE,
)
_NAMES_IT = re.compile(
    rf"\bname{_QUOTE}?\s*[=:]\s*{_QUOTE}?(?P<name>[\w.-]{{2,80}}){_QUOTE}?,?\s*$", re.I
)
_VALUE_LINE = re.compile(r"(?P<before>\s*(?:- )?)(?P<value>\"[^\"]*\"?|'[^']*'?|\S+)\s*,?\s*$")
_VALUE_NAMED = re.compile(
    rf"(?P<before>.{{0,60}}?\bvalue{_QUOTE}?\s*[=:]\s*)(?P<value>\S.*)$", re.I
)
_PREFIX = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]?(?:[\d:.,+Z-]*)\]?\s"
    r"(?:\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\]?:?\s)?"
)


def _values_below(lines: Sequence[str]) -> dict[int, int]:
    """The line of each value that stands below its name → where in it the value begins."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines[:-1]):
        tail = line[-160:]
        named = _ENDS_WITH_NAME.search(tail)
        kind = kind_of(named["name"], sign="=") if named else Kind.NONE
        form = _VALUE_LINE
        below = number + 1
        if kind is Kind.NONE:
            named = _NAMES_IT.search(tail)
            kind = kind_of(named["name"], sign="=") if named else Kind.NONE
            form = _VALUE_NAMED
            if "form-data" in tail:
                form = _VALUE_LINE
                while below < min(len(lines) - 1, number + 3) and not lines[below].strip():
                    below += 1
        if kind is Kind.NONE:
            continue
        text = lines[below]
        start = end_of(_PREFIX, text, 0) if _PREFIX.match(line) or "form-data" in tail else 0
        value = form.match(text, start)
        if value and not is_ordinary(value["value"].strip("\"',"), kind=kind, name="", sign="="):
            if form is _VALUE_LINE and _NAME.match(value["value"]):
                continue  # the next name, so that this one has no value
            found[below] = value.start("value")
    return found
