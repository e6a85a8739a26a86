"""Where the value behind a name begins and ends, and whether it is one that may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.release.secret_names import SecretKind

_OPENING = re.compile(
    r"[bBrRuUfF]{0,2}(?P<quote>\"{3}|'{3}|\\{0,7}[\"'`]|&quot;|&apos;|&#0?3[49];|&#x2[27];|%2[27])"
)
# YAML's anchors and tags stand before the value; so does an object that has nothing else in it.
_BEFORE_VALUE = re.compile(
    r"(?:&[\w-]{1,60}|!{1,2}[\w/]{0,40})[ \t]{1,4}(?=\S)"
    r"|\{\s{0,4}[\"']?(?:value|Value|plain|secret)[\"']?\s{0,4}:\s{0,4}(?=[\"'])"
)
_SCHEME = re.compile(
    r"(?:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256)(?:\s|%20|\+)+", re.IGNORECASE
)
_BARE = re.compile(r"(?:[^\s\"'`,;}&<>)\]\\]|\\(?![nrtu\"'\\])|[)\]](?=[^\s\"',;)}\]]))++")
_HEADER_REST = re.compile(r"[^\"'`\\\r]++")
# A sign may be a part of it, where neither the next name nor the end follows.
_UNQUOTED_PASSWORD = re.compile(
    r"(?:[^\s\"'`;}<>&,\\]|\\(?![nrtu\"'\\])|,(?=\S)(?![\w.-]+[=:])|'(?=\w)"
    r"|[;&](?=[^\s;&=\"'])(?![\w.%-]{1,60}(?:=|%3)|(?:amp|quot|lt|gt|apos|#\w+);)"
    r"|[<>](?=\w{0,60}\d))++"
)
# A password of two words at the end of a line.
_SECOND_WORD = re.compile(r"[ \t](?=\S{0,60}\d)(?=\S{0,60}[A-Za-z])[^\s=:\"'/,()]{4,60}$")
_CALL = re.compile(r"(?P<callee>[A-Za-z_][\w.]{0,80})(?P<bracket>[(\[])")
_ITEM = re.compile(r"\s{0,4}[bu]?[\"'](?P<value>[^\"'\s]{1,400})[\"']\s{0,4},?")
_TUPLE = re.compile(
    r"[\[(]\s{0,4}[bu]?[\"'][^\"']{0,200}[\"'],\s{0,4}[bu]?[\"'](?P<value>[^\"']{1,400})[\"']"
)


def find_value(
    text: str, position: int, *, kind: SecretKind, opened: str
) -> Iterator[tuple[int, int]]:
    """Nothing where there is no value that could be a secret; several of a list.

    `opened` is the character before the name: a quote there ends a header's value too.
    """
    if kind is SecretKind.AUTH and (pair := _TUPLE.match(text, position)) is not None:
        yield pair.span("value")
        return
    if kind is SecretKind.AUTH and text[position : position + 1] in {"(", "["}:
        return
    while (prop := _BEFORE_VALUE.match(text, position)) is not None:
        position = prop.end()
    opening = _OPENING.match(text, position)
    if opening is not None:
        end = _closing(text, opening.end(), opening["quote"])
        if end > opening.end():
            yield opening.end(), end
        return
    if text[position : position + 1] == "[":
        yield from _items(text, position + 1)
        return
    call = _CALL.match(text, position)
    if call is not None and kind is not SecretKind.HEADER and _is_code(text, call):
        literal = _OPENING.match(text, call.end())
        if literal is not None and call["callee"][:1].isupper() and call["bracket"] == "(":
            yield literal.end(), _closing(text, literal.end(), literal["quote"])
        return
    end = _bare_end(text, position, kind=kind, opened=opened)
    if end > position:
        yield position, end


def _is_code(text: str, call: re.Match[str]) -> bool:
    """`get_token(request)`, `os.environ["TOKEN"]`: source, as tracebacks show it."""
    close = ")" if call["bracket"] == "(" else "]"
    return close in text[call.end() : call.end() + 400] and not re.search(r"\d", call["callee"])


def _closing(text: str, start: int, quote: str) -> int:
    """Where the same quote comes again, not escaped once more; else the end of the line."""
    position = text.find(quote, start)
    while position > 0 and _is_escaped(text, position, start, quote):
        position = text.find(quote, position + len(quote))
    return position if position >= 0 else len(text)


def _is_escaped(text: str, position: int, start: int, quote: str) -> bool:
    """A quote in JSON in JSON has its own backslashes twice, and one: `\\\\\\"` within `\\"`."""
    own = len(quote) - len(quote.lstrip("\\"))
    count = 0
    while position - count > start and text[position - count - 1] == "\\" and count < 64:
        count += 1
    return count % (2 * (own + 1)) == own + 1


def _items(text: str, position: int) -> Iterator[tuple[int, int]]:
    while (item := _ITEM.match(text, position)) is not None:
        yield item.span("value")
        position = item.end()


def _bare_end(text: str, position: int, *, kind: SecretKind, opened: str) -> int:
    if kind is SecretKind.HEADER:
        rest = _HEADER_REST if opened in {'"', "'", "`"} else re.compile(r".*+")
        found = rest.match(text, position)
        return found.end() if found else position
    scheme = _SCHEME.match(text, position)
    start = scheme.end() if scheme else position
    pattern = _UNQUOTED_PASSWORD if kind is SecretKind.PASSWORD else _BARE
    found = pattern.match(text, start)
    if found is None:
        return position
    if kind is SecretKind.PASSWORD:
        return end_of(_SECOND_WORD, text, found.end())
    return found.end()


# --- what may be shown -------------------------------------------------------------------------

_HARMLESS = re.compile(
    r"(?:none|null|nil|true|false|undefined|n/?a|empty|missing|unset|set|required|invalid|expired"
    r"|redacted|hidden|masked|filtered|secret|password|token|yes|no|ok|on|off|valid|present|absent"
    r"|bearer|basic|disabled|enabled|default|optional|unknown|failed|success|str|int|bytes|bool|any"
    r"|string|secretstr|self|cls|env|file|include|omit|same-origin|varchar|text|-+|\.+|…"
    r"|[*x•.]{3,}"
    # A placeholder in brackets, but no random text in them
    r"|[\[<({]{1,2}(?!(?=[a-z+/]{0,60}\d)(?=[\d+/]{0,60}[a-z])[a-z0-9+/=]{10,}[})])"
    r"[^\]>)}]{0,60}[\]>)}]{1,2}"
    r"|\$\{?\{?[\w. ]+\}?\}?|%\(?\w*\)?s|%[srd]"
    # An address in memory, a way to log in, a class, a name as Java and macOS have them
    r"|0x[0-9a-f]{1,20}|simple|kerberos|anonymous|\w{0,40}token\{[0-9a-f]{5,16}"
    r"|(?:com|org|net|io)(?:\.[a-z][\w-]{0,40}){2,8}(?:/\d{1,9})?:?"
    r"|amd64|arm64|i386|x86_64|aarch64|\*{3}.*|arn:.*|https?://\S+|[\W_]{0,3}|\d{1,3})",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)[\w+/~-]{16,400}={0,2}")
_PATH = re.compile(r"~?\.{0,2}/[a-z0-9._*-]+(?:/[A-Za-z0-9._*-]+)*/?")
_SECRET_NAME = re.compile(r"[a-z][a-z0-9_.-]*(?:/[a-z][a-z_.-]*)+(?:-[A-Za-z]{6})?")
_CODE = re.compile(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]+)+\)*,?|[a-z_]+_[a-z_]+[):]*|self\.\w+")
_NUMBERS = re.compile(r"-?[\d.,:/%-]+(?:ms|s|m|h|d|kb|mb|k)?", re.IGNORECASE)
_TELLING = frozenset(
    """
    a an and are at be been but by can cannot contains did does doesn't don't exceeded expired field
    for found from has have in incorrect invalid is isn't it length may mismatch missing must no not
    of on or provided rejected required reset should than that the this to too unknown was were
    will with wrong your yes required. invalid. denied failed changed updated using
    """.split()  # noqa: SIM905  # forty quoted words read worse
)
_WORDLIKE = re.compile(r"[\W_]*(?:[A-Za-z][a-z'’]*|[A-Z]+|\d{1,4}|[a-z]+[-/][a-z]+)?[\W_]*")


def is_ordinary(value: str, *, kind: SecretKind, name: str, sign: str) -> bool:
    """Whether it is a word about a secret, source code, a path or a count, and not the secret."""
    if kind is not SecretKind.CODE and _begins_ordinary(value[:400], kind, sign):
        return True
    if name.lower() in {"pass", "cookies", "tokens"} and re.match(r"\d+(?!\S)", value):
        return True
    if len(value) > 400:
        return False
    bare = value.strip()
    if kind is SecretKind.RANDOM:
        return not _RANDOM.fullmatch(bare)
    if kind is SecretKind.CODE:
        return not re.fullmatch(r"[\w-]{3,40}", bare) or bool(re.fullmatch(r"[A-Za-z_]+", bare))
    if _HARMLESS.fullmatch(bare) or _PATH.fullmatch(bare):
        return not (kind is SecretKind.PASSWORD and re.fullmatch(r"\d{3}", bare))
    if kind is SecretKind.HEADER:
        return bool(_NUMBERS.fullmatch(bare)) or _is_prose(bare)
    if _NUMBERS.fullmatch(bare):
        return _is_count(bare, kind, name.lower().rstrip("_"))
    if kind is SecretKind.PASSWORD:
        return _is_prose(bare) or (sign.strip() == "=" and bool(_CODE.fullmatch(bare)))
    return _is_word(bare, sign.strip()) or _is_prose(bare)


def _is_count(number: str, kind: SecretKind, name: str) -> bool:
    if kind is SecretKind.PASSWORD:
        return name == "pass"
    return name.endswith("s") or len(number) < 6


def _is_word(text: str, sign: str) -> bool:
    """Another name, or one word of a message."""
    if _CODE.fullmatch(text) or _SECRET_NAME.fullmatch(text):
        return True
    if text.lower().replace("-", "").replace("_", "") in {"accesstoken", "apikey", "secretkey"}:
        return True
    return sign == ":" and bool(re.fullmatch(r"[A-Za-z][a-z]{0,14}\W?", text))


def _begins_ordinary(value: str, kind: SecretKind, sign: str) -> bool:
    """Where the first word is none, what follows is about something else."""
    first = next(iter(value.split()), "").rstrip("),.;:]}")
    if not first or _SCHEME_WORD.fullmatch(first) or first.isdigit():
        return False
    if kind is not SecretKind.HEADER and sign.endswith(" ") and _NEXT_NAME.match(first):
        return True
    if _HARMLESS.fullmatch(first) or (_PATH.fullmatch(first) and not first[1:].isdigit()):
        return True
    is_source = sign.startswith(" ") and sign.endswith(" ") and sign.strip() == "="
    if is_source and kind is SecretKind.HEADER:
        return bool(_SOURCE.match(value.strip()))
    return sign.strip() in {"=", ":"} and bool(_CODE.fullmatch(first)) and first != value.strip()


_NEXT_NAME = re.compile(r"[a-z_]{2,40}=[^=]")
_SCHEME_WORD = re.compile(
    r"bearer|basic|token|digest|apikey|negotiate|secret|password", re.IGNORECASE
)
_SOURCE = re.compile(r"[A-Za-z_][A-Za-z_.]*(?:$|[\[(\s])")


def _is_prose(text: str) -> bool:
    words = text.split()
    if not words or not all(_WORDLIKE.fullmatch(word) for word in words):
        return False
    return words[0].lower() in _TELLING or (
        len(words) > 2 and any(word.lower() in _TELLING for word in words)
    )


def end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
