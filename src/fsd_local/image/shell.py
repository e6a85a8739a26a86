"""A shell script as RUN has it → its commands. Runs nothing, and knows no command.

What a Dockerfile writes is read: lists by `&&`, `||` and `;`, quotes, variables, redirections. A
pipeline, a loop, a subshell or a command substitution is one command that `is_plain` is not said
of; an `if` whose condition is a test of words is read too.
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_OPERATORS = ("&&", "||", ";;", ";", "|", "&", "(", ")", "\n")
_REDIRECTION = re.compile(r"(\d*)(>>|>&|>|<<<|<|&>)\s*")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_BRACED = re.compile(r"\{([A-Za-z_]\w*)(?:(:?[-+])([^{}]*))?\}")
# opening word → closing word
_BLOCKS = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac", "{": "}"}
_NOT_PLAIN = frozenset({*_BLOCKS, "!", "[[", "function", "eval", "exec", "then", "do"})


class UnreadableScriptError(ValueError):
    """A quote or a block does not end, or a word cannot be known without running something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptWord:
    """A word as it is written, quotes and variables included."""

    text: str

    def expand(self, variables: Mapping[str, str]) -> list[ExpandedWord]:
        """What the shell makes of it, without looking at files."""
        return list(_expand(self.text, variables))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedWord:
    text: str
    is_pattern: bool = False  # `*` and `?` stand for what files there are


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCommand:
    """`before` is what stands between it and the one before it; "" for the first."""

    text: str
    before: str
    words: tuple[ScriptWord, ...] = ()
    output: ScriptWord | None = None  # where its output goes to, where that is a file
    appends: bool = False
    is_plain: bool = True
    # Of an `if`: the condition, and what is done where it holds and where it does not. A group has
    # no condition.
    branches: (
        tuple[tuple[ScriptCommand, ...], tuple[ScriptCommand, ...], tuple[ScriptCommand, ...]]
        | None
    ) = None

    def assignments(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Those that stand before the program's name."""
        found: dict[str, str] = {}
        for word in self.words:
            match = _ASSIGNMENT.fullmatch(word.text)
            if match is None:
                break
            value = _expand_quoted(match[2], {**variables, **found})
            found[match[1]] = value
        return found

    def arguments(self, variables: Mapping[str, str]) -> list[ExpandedWord]:
        """The program's name and what follows it."""
        behind = itertools.dropwhile(lambda w: _ASSIGNMENT.fullmatch(w.text), self.words)
        return [word for written in behind for word in written.expand(variables)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    is_operator: bool
    start: int
    end: int
    redirection: str = ""  # >, >>, 2> … : then the text is its target


def parse_script(script: str) -> tuple[ScriptCommand, ...]:
    """Raises UnreadableScriptError."""
    tokens = list(_tokens(script))
    return tuple(_commands(script, tokens))


# --- characters → tokens -----------------------------------------------------------------------


def _tokens(script: str) -> Iterator[_Token]:
    index = 0
    while index < len(script):
        character = script[index]
        if character in " \t\r":
            index += 1
            continue
        if script.startswith("\\\n", index):
            index += 2
            continue
        if character == "#":
            end = script.find("\n", index)
            index = len(script) if end < 0 else end
            continue
        redirection = _REDIRECTION.match(script, index)
        if redirection is not None:
            end = _word_end(script, redirection.end())
            kind = redirection[1] + redirection[2]
            target = script[redirection.end() : end]
            yield _Token(text=target, is_operator=False, start=index, end=end, redirection=kind)
            index = end
            continue
        operator = next((o for o in _OPERATORS if script.startswith(o, index)), "")
        end = index + len(operator) if operator else _word_end(script, index)
        yield _Token(text=script[index:end], is_operator=bool(operator), start=index, end=end)
        index = end


def _word_end(script: str, index: int) -> int:
    """Behind the word that begins here."""
    quote = ""
    while index < len(script):
        character = script[index]
        if character == "\\" and quote != "'":
            index += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif script.startswith(("$(", "${"), index):
            index = _block_end(script, index + 1)
            continue
        elif character in " \t\r\n;|&()<>":
            return index
        index += 1
    if quote:
        raise UnreadableScriptError(f"the quote {quote} does not end")
    return min(index, len(script))


def _block_end(script: str, index: int) -> int:
    """Behind the parenthesis or brace that closes the one here."""
    depth, opening = 0, script[index]
    closing = {"(": ")", "{": "}"}[opening]
    for position in range(index, len(script)):
        depth += {opening: 1, closing: -1}.get(script[position], 0)
        if depth == 0:
            return position + 1
    raise UnreadableScriptError(f"${opening} does not end")


# --- tokens → commands -------------------------------------------------------------------------


def _commands(script: str, tokens: Sequence[_Token]) -> Iterator[ScriptCommand]:
    before, index = "", 0
    while index < len(tokens):
        token = tokens[index]
        if token.is_operator and token.text not in "(":
            before = ";" if token.text in ("\n", "&") else token.text
            index += 1
            continue
        end = _command_end(tokens, index)
        yield _command(script, tokens[index:end], before)
        index = end


def _command_end(tokens: Sequence[_Token], index: int) -> int:
    """Behind the command, with the whole of a block and of a pipeline."""
    closers: list[str] = []
    is_first = True
    while index < len(tokens):
        token = tokens[index]
        if token.is_operator and token.text == "(":
            closers.append(")")
        elif closers and token.text == closers[-1]:
            closers.pop()
        elif token.is_operator:
            if not closers and token.text != "|":
                return index
            is_first = True
            index += 1
            continue
        elif (is_first or closers) and token.text in _BLOCKS and not token.redirection:
            closers.append(_BLOCKS[token.text])
        is_first = False
        index += 1
    if closers:
        raise UnreadableScriptError(f"there is no {closers[-1]}")
    return index


def _command(script: str, tokens: Sequence[_Token], before: str) -> ScriptCommand:
    text = " ".join(script[tokens[0].start : tokens[-1].end].split())
    words = tuple(
        ScriptWord(text=t.text) for t in tokens if not t.is_operator and not t.redirection
    )
    has_operator = any(token.is_operator for token in tokens)
    reads = any("<" in token.redirection for token in tokens)
    if tokens[0].text == "if":
        branches = _branches(script, tokens[1:-1])
        return ScriptCommand(text=text, before=before, is_plain=False, branches=branches)
    if tokens[0].text in ("(", "{") and tokens[-1].text in (")", "}"):
        inside = tuple(_commands(script, tokens[1:-1]))
        return ScriptCommand(text=text, before=before, is_plain=False, branches=((), inside, ()))
    first = words[0].text if words else ""
    is_plain = not (has_operator or reads or first in _NOT_PLAIN or _substitutes(words))
    output = [t for t in tokens if t.redirection in (">", "1>", ">>", "1>>", "&>")]
    target = ScriptWord(text=output[-1].text) if output else None
    return ScriptCommand(
        text=text,
        before=before,
        words=words,
        output=None if target is None or target.text == "/dev/null" else target,
        appends=bool(output) and ">>" in output[-1].redirection,
        is_plain=is_plain,
    )


def _substitutes(words: Sequence[ScriptWord]) -> bool:
    return any("$(" in word.text or "`" in word.text for word in words)


def _branches(
    script: str, tokens: Sequence[_Token]
) -> tuple[tuple[ScriptCommand, ...], tuple[ScriptCommand, ...], tuple[ScriptCommand, ...]] | None:
    """Of `if … then … else …`; an `elif` is an `if` in the else branch."""
    depth = 0
    places: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.text in _BLOCKS and not token.is_operator:
            depth += 1
        elif token.text in _BLOCKS.values():
            depth -= 1
        elif depth == 0 and token.text in ("then", "elif", "else"):
            places.setdefault(token.text, index)
            if token.text == "elif":
                break
    if "then" not in places:
        return None
    then = places["then"]
    end = min(places.get("elif", len(tokens)), places.get("else", len(tokens)))
    condition = tuple(_commands(script, tokens[:then]))
    yes = tuple(_commands(script, tokens[then + 1 : end]))
    if "elif" in places:
        inner = _branches(script, tokens[places["elif"] + 1 :])
        if inner is None:
            return None
        text = script[tokens[places["elif"]].start : tokens[-1].end]
        otherwise = ScriptCommand(text=text, before="", is_plain=False, branches=inner)
        return condition, yes, (otherwise,)
    return condition, yes, tuple(_commands(script, tokens[end + 1 :]))


# --- words -------------------------------------------------------------------------------------


def _expand(text: str, variables: Mapping[str, str]) -> Iterator[ExpandedWord]:
    """Split at blanks that come out of unquoted variables."""
    pieces = list(_pieces(text, variables))
    word, is_there, is_pattern = "", False, False
    for piece, is_quoted, is_variable in pieces:
        if is_quoted or not is_variable:
            word, is_there = word + piece, True
            is_pattern |= not is_quoted and any(c in piece for c in "*?[")
            continue
        parts = re.split(r"(\s+)", piece)
        for part in parts:
            if part.isspace():
                if is_there:
                    yield ExpandedWord(text=word, is_pattern=is_pattern)
                word, is_there, is_pattern = "", False, False
            elif part:
                word, is_there = word + part, True
    if is_there:
        yield ExpandedWord(text=word, is_pattern=is_pattern)


def _expand_quoted(text: str, variables: Mapping[str, str]) -> str:
    """As in an assignment: nothing is split."""
    return "".join(piece for piece, _, _ in _pieces(text, variables))


def _pieces(text: str, variables: Mapping[str, str]) -> Iterator[tuple[str, bool, bool]]:
    """(text, whether it is quoted, whether it comes from a variable)."""
    index, quote = 0, ""
    while index < len(text):
        character = text[index]
        if character == "\\" and quote != "'":
            following = text[index + 1 : index + 2]
            keeps = quote == '"' and following not in ('"', "\\", "$", "`")
            yield (f"\\{following}" if keeps else following, True, False)
            index += 2
        elif character in "\"'" and (not quote or quote == character):
            if not quote:
                yield ("", True, False)  # an empty pair is a word
            quote = "" if quote else character
            index += 1
        elif character == "$" and quote != "'":
            value, index = _variable(text, index, variables)
            yield (value, bool(quote), True)
        elif character == "`" and quote != "'":
            raise UnreadableScriptError("a command substitution")
        else:
            yield (character, bool(quote), False)
            index += 1


def _variable(text: str, index: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """The value, and where the text goes on."""
    braced = _BRACED.match(text, index + 1)
    if braced is not None:
        return _with_default(braced, variables), braced.end()
    plain = _NAME.match(text, index + 1)
    if plain is not None:
        return variables.get(plain[0], ""), plain.end()
    if text[index + 1 : index + 2] in ("(", "{"):
        raise UnreadableScriptError(f"`{text[index:]}` is not known without a shell")
    return "$", index + 1


def _with_default(braced: re.Match[str], variables: Mapping[str, str]) -> str:
    found, operator = variables.get(braced[1]), braced[2] or ""
    is_set = found is not None and (bool(found) or not operator.startswith(":"))
    if operator.endswith("-") and not is_set:
        return _expand_quoted(braced[3], variables)
    if operator.endswith("+"):
        return _expand_quoted(braced[3], variables) if is_set else ""
    return found or ""
