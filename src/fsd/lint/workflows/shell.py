"""The commands of a `run:` script, each word with its offset.

Not a shell: no expansion, no grammar of `if` and `case`. It knows quotes, comments, continued
lines, here-documents, pipes, redirections, `$( )` and `${{ }}`, which is what it takes to see that
`curl … | tar x` is one thing and `echo "curl | sh"` another. Linear in the text; never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MAX_DEPTH = 8
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_OPERATOR = re.compile(r"\|\||&&|;;|\|&|[|;&\n(){}]")
_REDIRECT = re.compile(r"\d*(?:<<<|<<-?|>>|&>>|&>|>\||[<>]&|[<>])")
_HEREDOC = re.compile(r"<<-?")
_EXPRESSION = re.compile(r"\$\{\{.{0,300}?\}\}", re.DOTALL)
_RUN_THEIR_INPUT = frozenset({"bash", "sh", "zsh", "dash", "ksh", "ash", "ssh"})
# Words that come before a command, not with it.
_KEYWORDS = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "time", "esac"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """`text` is without quotes; `inner` are the commands of `$( )`, `<( )` and backticks in it."""

    text: str
    offset: int
    width: int
    inner: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`pipe` counts the pipelines of a script: commands with one number are joined by `|`."""

    words: tuple[Word, ...]
    targets: tuple[Word, ...]  # of `>` and `>>`
    pipe: int
    after: str  # the operator that follows

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)


@dataclass(slots=True)
class _ShellReader:
    text: str
    base: int
    depth: int
    at: int = 0
    pipe: int = 0
    commands: list[Command] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    targets: list[Word] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)  # of here-documents that begin on this line

    def read(self) -> tuple[Command, ...]:
        while self.at < len(self.text):
            self._next()
        self._end("")
        return tuple(self.commands)

    def _next(self) -> None:
        if blank := _BLANK.match(self.text, self.at):
            self.at = blank.end()
        elif self.text[self.at] == "#":
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
        elif redirect := _REDIRECT.match(self.text, self.at):
            self._redirect(redirect)
        elif self._is_operator() and (operator := _OPERATOR.match(self.text, self.at)):
            self.at = operator.end()
            self._end(operator[0])
            if operator[0] == "\n":
                self._skip_heredocs()
        else:
            self._add(self._word())

    def _is_operator(self) -> bool:
        """A brace is one only where it stands alone."""
        following = self.text[self.at + 1 : self.at + 2]
        return self.text[self.at] not in "{}" or following in ("", " ", "\n", ";")

    def _add(self, word: Word) -> None:
        if not self.words and (word.text in _KEYWORDS or _ASSIGNMENT.match(word.text)):
            if word.inner:
                self.commands += word.inner
            return
        self.words.append(word)

    def _end(self, operator: str) -> None:
        if self.words or self.targets:
            self.commands.append(
                Command(
                    words=tuple(self.words),
                    targets=tuple(self.targets),
                    pipe=self.base + self.pipe,
                    after=operator,
                )
            )
        self.words, self.targets = [], []
        if operator not in ("|", "|&"):
            self.pipe = self.at

    def _redirect(self, redirect: re.Match[str]) -> None:
        if self.text.startswith("(", redirect.end()):  # <( ) is a word
            self._add(self._word())
            return
        self.at = redirect.end()
        if blank := _BLANK.match(self.text, self.at):
            self.at = blank.end()
        if self.at >= len(self.text) or self.text[self.at] == "\n":
            return
        start = self.at
        word = self._word()
        self.at = max(self.at, start + 1)
        if _HEREDOC.fullmatch(redirect[0]):
            self.ends.append(word.text)
        elif ">" in redirect[0] and not redirect[0].endswith("&"):
            self.targets.append(word)
        elif word.inner:
            self.commands += word.inner

    def _skip_heredocs(self) -> None:
        start = self.at
        for end in self.ends:
            while self.at < len(self.text):
                stop = self.text.find("\n", self.at)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[self.at : stop].strip()
                self.at = stop + 1
                if line == end:
                    break
        if self.ends and self.commands and _is_given_a_script(self.commands[-1]):
            self._inside(start, self.at)
        self.ends = []

    def _inside(self, start: int, end: int) -> None:
        """A here-document that a shell runs."""
        if self.depth < _MAX_DEPTH:
            body = self.text[start:end]
            inner = _ShellReader(body, base=self.base + start, depth=self.depth + 1)
            self.commands += inner.read()

    def _word(self) -> Word:
        start, parts = self.at, list[str]()
        inner: list[Command] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if expression := _EXPRESSION.match(self.text, self.at):
                parts.append(expression[0])
                self.at = expression.end()
            elif self.text.startswith(("$(", "<(", ">("), self.at):
                inner += self._substitution(parts, ")", 2)
            elif character == "`":
                inner += self._substitution(parts, "`", 1)
            elif character == "'":
                parts.append(self._single())
            elif character == '"':
                inner += self._double(parts)
            elif character == "\\":
                if not self.text.startswith("\n", self.at + 1):
                    parts.append(self.text[self.at + 1 : self.at + 2])
                self.at += 2
            elif character in " \t\r\n|&;()<>":
                break
            else:
                parts.append(character)
                self.at += 1
        self.at = max(self.at, start + 1)
        return Word(
            text="".join(parts),
            offset=self.base + start,
            width=min(self.at, len(self.text)) - start,
            inner=tuple(inner),
        )

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        end = len(self.text) if end < 0 else end
        quoted = self.text[self.at + 1 : end]
        self.at = end + 1
        return quoted

    def _double(self, parts: list[str]) -> list[Command]:
        inner: list[Command] = []
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if expression := _EXPRESSION.match(self.text, self.at):
                parts.append(expression[0])
                self.at = expression.end()
            elif self.text.startswith("$(", self.at):
                inner += self._substitution(parts, ")", 2)
            elif self.text[self.at] == "`":
                inner += self._substitution(parts, "`", 1)
            elif self.text[self.at] == "\\":
                parts.append(self.text[self.at + 1 : self.at + 2])
                self.at += 2
            else:
                parts.append(self.text[self.at])
                self.at += 1
        self.at += 1
        return inner

    def _substitution(self, parts: list[str], close: str, skip: int) -> tuple[Command, ...]:
        begin = self.at + skip
        end = _closing(self.text, begin) if close == ")" else self.text.find("`", begin)
        end = len(self.text) if end < 0 else end
        parts.append(self.text[self.at : end + 1])
        self.at = end + 1
        if self.depth >= _MAX_DEPTH:
            return ()
        inner = _ShellReader(self.text[begin:end], base=self.base + begin, depth=self.depth + 1)
        return inner.read()


def parse_script(text: str, *, base: int = 0) -> tuple[Command, ...]:
    """`base` is where the text begins in a longer one: offsets are that one's."""
    return _ShellReader(text, base=base, depth=0).read()


def _is_given_a_script(command: Command) -> bool:
    """`bash <<EOF`, `ssh host <<EOF`, but not `cat <<EOF`."""
    words = [text for text in command.texts if text not in ("sudo", "env", "exec")]
    return bool(words) and words[0].rpartition("/")[2] in _RUN_THEIR_INPUT


def _closing(text: str, at: int) -> int:
    """Where the `)` is that belongs to a `(` before `at`; -1 where there is none."""
    depth = 0
    while at < len(text):
        character = text[at]
        if character == ")":
            if depth == 0:
                return at
            depth -= 1
        elif character == "(":
            depth += 1
        elif character in "'\"":
            end = text.find(character, at + 1)
            at = len(text) if end < 0 else end
        elif character == "\\":
            at += 1
        at += 1
    return -1
