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
from collections.abc import Iterable, Iterator

from fsd.lint.credentials import KNOWN
from fsd.release.secret_blocks import PEM_INSIDE, key_lines, values_below
from fsd.release.secret_forms import COMMANDS, FORMS, LOGGED
from fsd.release.secret_names import NAME, QUOTE, SecretKind, kind_of
from fsd.release.secret_values import end_of, find_value, is_ordinary

HIDDEN = "***"

# Colours, as terminals get them, as JSON writes them (two ways), and as rsyslog does.
_COLOUR = re.compile(
    r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e|#033)\[[0-9;:?]{0,30}[@-~]"
    r"|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[()][0-9A-B]"
    # Where something on the way took the escape away and left the rest
    r"|(?<!\w)\[\d{0,3}(?:;\d{1,3}){0,4}m|(?<=\w)\[0m"
)
_TOKENS = re.compile(
    rf"(?:{'|'.join([*(pattern for _, pattern, _ in KNOWN), *LOGGED])})"
    r"[^\s\"',;)}\]\\<>&]*"
)
# A JSON Web Token has three parts; an encrypted one five, of which the second may be empty.
_JSON_WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{6,}+(?:\.[\w-]*+){1,4}")
_ARN = re.compile(r"[^\s\"',)}\]&;]*+")
# --password hunter2, -Password hunter2
_FLAG = re.compile(r"(?<![\w-])--?(?P<name>[A-Za-z][\w.-]*+)[ \t]{1,20}(?P<value>[^\s-]\S*+)")
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
# A colon without a port behind it: what follows is a password that was not encoded.
_SLASH_IN_PASSWORD = re.compile(
    r"[\w.%+-]{1,100}+:(?!\d{1,5}(?:[/?#]|$))[^\s:@/?#]{1,100}[/?#][^\s@]{0,200}@[\w.-]+"
)
_PORT_FIRST = re.compile(r"\d{1,5}(?:[/?#,]|$)")
_WITHOUT_SCHEME = (
    # Go's MySQL driver, Oracle, and a user with a password before a host with a port.
    re.compile(r"(?P<name>(?<![\w.-])[\w.-]{1,60}+:)(?P<value>[^\s:@\"']{1,200})(?=@(?:tcp|unix)\()"),
    re.compile(r"(?P<name>\boracle:\w{1,9}:[\w.-]{1,60}/)(?P<value>[^\s@\"']{1,200})(?=@)"),
    re.compile(
        r"(?P<name>(?<![\w.:/@-])(?:[\w.-]{1,60}/)?[\w.-]{1,60}+:)(?P<value>(?=[^\s:@/]*[A-Za-z])(?=[^\s:@/]*\d)"
        r"[^\s:@\"'/,]{4,100})(?=@(?!sha\d)(?:[\w.-]{1,100}:\d|\d{1,3}(?:\.\d{1,3}){3}\b))"
    ),
)  # fmt: skip
_ESCAPED_ELEMENT = re.compile(
    r"(?P<name>&lt;(?P<key>[\w:.-]{1,60}+)(?:\s[^&<>]{0,200})?&gt;)(?P<value>[^&<>\s][^&<>]{0,4000})"
    r"(?=&lt;/)"
)
_ELEMENT = re.compile(
    r"(?P<name><(?P<key>[\w:.-]{1,60}+)(?:\s[^<>]{0,200})?>(?:<!\[CDATA\[)?)"
    r"(?P<value>[^<>\s][^<>]{0,4000}?)(?=(?:\]\]>)?</)"
)
# {"name": "DB_PASSWORD", "value": "…"}, as task definitions and pods have them.
_NAME_VALUE = re.compile(
    rf"\b(?:name|key|parameter(?:key|name)?|field|variable){QUOTE}?\s{{0,4}}[=:]\s{{0,4}}{QUOTE}?"
    rf"(?P<key>[\w./-]{{2,200}}+){QUOTE}?[,;\s]{{1,4}}"
    rf"(?:{QUOTE}?type{QUOTE}?\s{{0,4}}[=:]\s{{0,4}}{QUOTE}?\w{{1,20}}{QUOTE}?[,;\s]{{1,4}})?"
    rf"{QUOTE}?(?:(?:parameter)?val(?:ue)?|content){QUOTE}?\s{{0,4}}[=:]\s{{0,4}}",
    re.IGNORECASE,
)
# The other way round, and as property lists of macOS have them.
_VALUE_NAME = re.compile(
    rf"(?P<name>\bvalue{QUOTE}?\s{{0,4}}[=:]\s{{0,4}}{QUOTE})(?P<value>[^\"'`\\]{{1,400}}+)"
    rf"(?={QUOTE}[,;\s]{{1,4}}{QUOTE}?(?:name|key){QUOTE}?\s{{0,4}}[=:]\s{{0,4}}{QUOTE}?"
    rf"(?P<key>[\w./-]{{2,200}}+))",
    re.IGNORECASE,
)
_KEY_ELEMENT = re.compile(
    r"(?P<name><key>(?P<key>[\w.-]{2,80})</key>\s{0,20}<(?:string|data)>)(?P<value>[^<>]{1,4000})",
    re.IGNORECASE,
)
# | DB_PASSWORD | hunter2 |
_CELL = re.compile(
    r"(?P<name>[|│┃┆┊]\s{0,40}[`*]{0,2}(?P<key>[\w.-]{2,80}+)[`*]{0,2}\s{0,80}[|│┃┆┊]\s{0,40}[`*]{0,2})"
    r"(?P<value>[^\s|│┃┆┊`*]{4,400}+)"
)
# ('password', 'hunter2'); [b'authorization', b'Bearer …']
_PAIR = re.compile(
    rf"(?P<open>[\[(])b?{QUOTE}(?P<key>[\w.-]{{2,60}}+){QUOTE},\s{{0,4}}(?=b?{QUOTE})"
)
_IN_PROSE = re.compile(
    r"\b(?P<name>(?:password|passphrase|passwd|passcode|pin|api key|access token|secret key"
    r"|token)(?: (?:is|was|of|(?:(?:has|have) been )?(?:set|changed|reset|updated) to|provided|used"
    r"|value))?[: ]? ?)"
    rf"(?P<value>{QUOTE}[^\"'`\s][^\"'`]{{0,200}}|[^\s\"'`]{{1,400}}+)",
    re.IGNORECASE,
)

# The secret key in the columns or arguments behind its id.
_AWS_KEY_ID = re.compile(r"\bA(?:KIA|SIA)[A-Z0-9]")
_AWS_SECRET_KEY = re.compile(
    r"(?<![\w/+=.-])(?=[\w/+]{0,39}[a-z])(?=[\w/+]{0,39}[A-Z])(?=[\w/+]{0,39}\d)"
    r"[A-Za-z0-9/+]{40}(?![\w/+=.-])"
)
# `db_password hunter2`, in files of directives and columns: what has all three is no word.
_SPACED = re.compile(
    r"(?P<name>(?<![\w.$-])(?P<key>[A-Za-z][\w.-]{2,60}+)[ \t]{1,40}[\"']?)"
    r"(?P<value>(?=[^\sA-Z]{0,40}[A-Z])(?=[^\sa-z]{0,40}[a-z])(?=[^\s\d]{0,40}\d)[\w!#$%^&*+~=-]{8,400}+)"
    r"(?=[\"',;.]?(?:\s|$))"
)
_BASIC_AUTH = re.compile(
    r"(?P<name>\b(?:\w{0,20}auth|\w{0,20}Auth(?:entication)?|login|\w{0,20}[Cc]redentials?)"
    r"\s{0,2}[=:]?\s{0,2}[\[(]\s{0,2}[bu]?[\"'][^\"'\s]{0,100}[\"'],\s{0,3})"
    r"(?P<value>[bu]?[\"'][^\"']{1,400})"
)
# INSERT INTO users (name, password) VALUES ('bob', 'hunter2')
_ROW = re.compile(
    r"(?P<before>\((?P<columns>[\w\"'`., \t-]{1,2000}+)\)\s{0,4}VALUES\s{0,4}\()"
    r"(?P<between>[%?:$\w, ]{1,400}\)[^\[('\"]{0,80}[\[(]{1,2}(?=[\"']))?(?P<row>[^()]{1,4000})",
    re.IGNORECASE,
)
_FIELD = re.compile(r"\s*(?:[bBnN]?'(?:[^']|'')*'|[^,']*)")


def mask(text: str) -> str:
    """One line, or a part of one; of several lines each with what the others tell about it."""
    if "\n" in text:
        return "\n".join(mask_lines(text.split("\n")))
    plain = _plain(text)
    masked = _mask_plain(plain)
    return text if masked == plain else masked


def mask_lines(lines: Iterable[str]) -> Iterator[str]:
    """As many lines; also those of a private key, and a value that is below its name."""
    texts = list(lines)
    plain = [_plain(text) for text in texts]
    hidden = key_lines(plain)
    values = values_below(plain)
    for number, text in enumerate(texts):
        if number in hidden:
            yield HIDDEN
        elif number in values:
            yield plain[number][: values[number]] + HIDDEN
        else:
            yield mask(text)


# What nobody sees between two letters, and letters in other forms than people read.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_OTHER_FORMS = {ord("\u00a0"): " ", **{0xFF01 + n: chr(0x21 + n) for n in range(94)}}
_ESCAPED_LETTER = re.compile(r"(?<!\\)\\u00([46][1-9a-fA-F]|[57][0-9aA])")


def _plain(text: str) -> str:
    """As it is read: without colours and characters that nobody sees, in plain letters."""
    text = _COLOUR.sub("", text)
    if not text.isascii():
        text = _UNSEEN.sub("", text).translate(_OTHER_FORMS)
    if "\\u00" in text:
        text = _ESCAPED_LETTER.sub(lambda match: chr(int(match[1], 16)), text)
    return text


def _mask_plain(text: str) -> str:
    if _AWS_KEY_ID.search(text):
        text = _AWS_SECRET_KEY.sub(HIDDEN, text)
    text = PEM_INSIDE.sub(HIDDEN, text)
    text = _JSON_WEB_TOKEN.sub(_hide_web_token, text)
    text = _TOKENS.sub(HIDDEN, text)
    text = _URLS.sub(_hide_in_urls, text)
    for pattern in _WITHOUT_SCHEME:
        text = pattern.sub(_hide, text)
    for pattern in (_ELEMENT, _ESCAPED_ELEMENT, _VALUE_NAME, _KEY_ELEMENT):
        text = pattern.sub(_hide_keyed, text)
    text = _CELL.sub(_hide_cell, text)
    text = _hide_after(_NAME_VALUE, text)
    text = _hide_after(_PAIR, text)
    text = _hide_named(text)
    text = _BASIC_AUTH.sub(_hide, text)
    for pattern in FORMS:
        text = pattern.sub(_hide_form, text)
    text = _ROW.sub(_hide_in_row, text)
    text = _SPACED.sub(_hide_spaced, text)
    text = _FLAG.sub(_hide_flag, text)
    for command, flag in COMMANDS:
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
    while (match := NAME.search(text, position)) is not None:
        position = match.end()
        if match["name"].split()[-1:] == ["arn"] and match["sign"] == ":":
            # It names a secret and holds none, also behind the word: "fetch secret arn:aws:…".
            position = end_of(_ARN, text, position)
            continue
        kind = kind_of(match["name"], sign=match["sign"].strip())
        if kind is SecretKind.NONE:
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
        if kind is SecretKind.NONE or match.end() < done:
            continue
        for start, end in find_value(text, match.end(), kind=kind, opened="("):
            if start < done or is_ordinary(text[start:end], kind=kind, name="", sign="="):
                break
            if pattern is _PAIR and not _is_pair(text, start, end, kind):
                break
            parts += [text[done:start], HIDDEN]
            done = end
    return "".join([*parts, text[done:]])


_PAIR_ENDS = re.compile(rf"{QUOTE}?\s{{0,3}}[)\]]")


def _is_pair(text: str, start: int, end: int, kind: SecretKind) -> bool:
    """A list of names may begin with the same two; of headers there is none."""
    if kind is SecretKind.HEADER:
        return True
    return _PAIR_ENDS.match(text, end) is not None and _is_random(text[start:end])


def _hide_keyed(match: re.Match[str]) -> str:
    kind = kind_of(match["key"].rpartition(":")[2], sign="=")
    if kind is SecretKind.NONE or is_ordinary(match["value"], kind=kind, name="", sign="="):
        return match[0]
    return f"{match['name']}{HIDDEN}"


def _hide_cell(match: re.Match[str]) -> str:
    """The heading of a table may have the same words, so that the value must look like one."""
    return _hide_keyed(match) if _is_random(match["value"]) else match[0]


def _hide_in_row(match: re.Match[str]) -> str:
    kinds = [kind_of(column.strip(" \t\"'`"), sign="=") for column in match["columns"].split(",")]
    fields = [field for field in _FIELD.findall(match["row"]) if field]
    if len(fields) != len(kinds):
        return match[0]
    shown = [
        field
        if kind is SecretKind.NONE or field.strip().upper() in {"NULL", "?", "%S"}
        else f" '{HIDDEN}'"
        for field, kind in zip(fields, kinds, strict=True)
    ]
    return match["before"] + (match["between"] or "") + ",".join(shown).lstrip()


def _hide_spaced(match: re.Match[str]) -> str:
    kind = kind_of(match["key"], sign=" ")
    told = kind in {SecretKind.PASSWORD, SecretKind.WORD} or match["key"].endswith("_key")
    return f"{match['name']}{HIDDEN}" if told else match[0]


def _hide_flag(match: re.Match[str]) -> str:
    kind = kind_of(match["name"], sign="=")
    value = match["value"]
    if kind is SecretKind.NONE or is_ordinary(value.strip("\"'"), kind=kind, name="", sign="="):
        return match[0]
    return match[0][: match.start("value") - match.start()] + HIDDEN


def _hide_short_flag(match: re.Match[str]) -> str:
    value = match["value"]
    if re.fullmatch(r"\d{1,5}(?::\d{1,5})?(?:/\w+)?", value) or value.startswith(("/", "http")):
        return match[0]
    if value == HIDDEN:
        return match[0]
    if match["name"].rstrip().endswith(("-u", "-U", "--user")):  # a user alone, or a token
        return match[0] if len(value) < 20 or not _is_random(value) else f"{match['name']}{HIDDEN}"
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
        if is_ordinary(text, kind=SecretKind.PASSWORD, name="", sign=" "):
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
    if cut < len(rest) and "@" not in rest[:cut] and _SLASH_IN_PASSWORD.match(rest):
        cut = len(rest)
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
