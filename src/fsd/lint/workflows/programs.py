"""Which program a command runs, behind `sudo`, `xargs` and the like, and the scripts in its words.

`bash -c "…"`, `parallel "…"`, `ssh host "…"` and `eval "…"` run text that is a script itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from fsd.lint.workflows.shell import Command, Word, parse_script

SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "ash"})
_PREFIXES = frozenset(
    {"sudo", "env", "exec", "command", "uv", "uvx", "poetry", "pipx", "run", "time", "nohup"}
    | {"xargs", "parallel", "npx", "pnpm", "bunx", "bundle", "nice", "doppler", "dotenv", "mise"}
    | {"aws-vault", "chamber", "yarn", "dlx", "pipenv", "hatch", "pdm", "then", "do", "--", "aqua"}
)
# Prefixes with a word of their own before the program: `timeout 10m fsd …`.
_PREFIXES_WITH_WORD = frozenset({"timeout", "retry", "chronic", "op", "infisical", "aws-vault"})
_FLAGS_WITH_VALUE = re.compile(
    r"-(?:I|n|P|L|d|s|E|a|u|g|j|k|C|N)|--(?:max-args|max-procs|delimiter|jobs|user|with|from"
    r"|package|python|directory|project|signal|kill-after|env-file|cwd)"
)
_IMAGE_OF_PROGRAM = {
    "amazon/aws-cli": "aws",
    "public.ecr.aws/aws-cli/aws-cli": "aws",
    "silintl/ecs-deploy": "ecs-deploy",
    "fabfuel/ecs-deploy": "",
    "hashicorp/terraform": "terraform",
}
_COMMAND_FLAG = re.compile(r"-[a-z]*c")
_MOST = 50  # scripts in one command


def from_program(words: Sequence[Word]) -> Sequence[Word]:
    """Without what only starts the program, and its options."""
    position = 0
    while position < len(words):
        text = words[position].text
        name = text.rpartition("/")[2]
        if name in _PREFIXES_WITH_WORD:
            position = _behind_flags(words, position + 1) + 1
        elif name in _PREFIXES:
            position = _behind_flags(words, position + 1)
        elif re.match(r"[A-Za-z_]\w*=", text):
            position += 1
        elif name == "docker" and (inside := _in_container(words, position)):
            return inside
        else:
            return words[position:]
    return ()


def program(command: Command) -> str:
    """The name of what runs; empty for nothing."""
    words = from_program(command.words)
    return words[0].text.rpartition("/")[2] if words else ""


def _behind_flags(words: Sequence[Word], position: int) -> int:
    while position < len(words) and words[position].text.startswith("-"):
        text = words[position].text
        position += 2 if _FLAGS_WITH_VALUE.fullmatch(text) else 1
    return position


def _in_container(words: Sequence[Word], start: int) -> Sequence[Word]:
    """`docker run amazon/aws-cli ecs …` runs `aws ecs …`."""
    texts = [word.text for word in words[start:]]
    if "run" not in texts[1:3]:
        return ()
    for index, text in enumerate(texts):
        program = _IMAGE_OF_PROGRAM.get(text.partition("@")[0].rpartition(":")[0] or text)
        program = program if program is not None else _IMAGE_OF_PROGRAM.get(text)
        if program is None:
            continue
        rest = words[start + index + 1 :]
        if not program:
            return rest
        image = words[start + index]
        return (Word(text=program, offset=image.offset, width=image.width), *rest)
    return ()


def scripts_in(command: Command) -> Iterator[Command]:
    """The commands of every word that is a script."""
    found = 0
    for index, word in enumerate(command.words):
        name = word.text.rpartition("/")[2]
        following = command.words[index + 1 :]
        if name in SHELLS:
            chosen = _behind_command_flag(following)
        elif name in ("eval", "parallel") and index == 0:
            chosen = [each for each in following if " " in each.text][:1]
        elif name == "ssh" and index == 0:
            chosen = [each for each in following[1:] if " " in each.text][-1:]
        else:
            continue
        for script in chosen:
            found += 1
            if found > _MOST:
                return
            quote = 1 if script.width > len(script.text) else 0
            yield from parse_script(script.text, base=script.offset + quote)


def _behind_command_flag(words: Sequence[Word]) -> list[Word]:
    for flag, script in pairwise(words):
        if not flag.text.startswith("-"):
            return []
        if _COMMAND_FLAG.fullmatch(flag.text):
            return [script]
    return []


def subcommand(words: Sequence[Word], wanted: Sequence[str]) -> tuple[Word, ...]:
    """The words of `aws --region x ecs deploy` that are `aws ecs deploy`; () for another one.

    A word behind a flag may be the flag's value: `--config a.yml deploy`.
    """
    found = [words[0]] if words else []
    is_behind_flag = False
    position = 1
    for key in wanted:
        while position < len(words) and words[position].text != key:
            text = words[position].text
            is_flag = text.startswith("-")
            if not is_flag and not is_behind_flag:
                return ()
            is_behind_flag = is_flag and "=" not in text
            position += 1
        if position >= len(words):
            return ()
        found.append(words[position])
        is_behind_flag = False
        position += 1
    return tuple(found)
