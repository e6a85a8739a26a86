from __future__ import annotations

import pytest

from fsd.lint.workflows.document import every_command
from fsd.lint.workflows.shell import Command, parse_script


def commands(text: str) -> list[list[str]]:
    return [list(command.texts) for command in every_command(parse_script(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b\nc", [["a", "b"], ["c"]]),
        ("a  'b c' \"d $e\" f\\ g", [["a", "b c", "d $e", "f g"]]),
        ("a \\\n  b", [["a", "b"]]),
        ("a # b\nc#d", [["a"], ["c#d"]]),
        ("a && b || c; d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("X=1 Y=$(a b) c", [["a", "b"], ["c"]]),
        ("if a; then b; else c; fi", [["a"], ["b"], ["c"]]),
        ("(a; b) && { c; }", [["a"], ["b"], ["c"]]),
        ("a > b 2>&1 < c", [["a"]]),
        ("a ${{ github.sha || 'x' }} b", [["a", "${{ github.sha || 'x' }}", "b"]]),
        ("a x:${{ a }}-b", [["a", "x:${{ a }}-b"]]),
        ("a ${b} {c,d}", [["a", "${b}", "{c,d}"]]),
        ("a \"$(b 'c)')\" d", [["a", "$(b 'c)')", "d"], ["b", "c)"]]),
        ("a `b c` d", [["a", "`b c`", "d"], ["b", "c"]]),
        ("a <(b c)", [["a", "<(b c)"], ["b", "c"]]),
        ("cat <<EOF > x\na | b\nEOF\nc", [["cat"], ["c"]]),
        ("cat <<-'END'\n\ta\n\tEND\nc", [["cat"], ["c"]]),
        ("a <<< b\nc", [["a"], ["c"]]),
        ("a 'b\nc", [["a", "b\nc"]]),
        ("a $(b", [["a", "$(b"], ["b"]]),
        ("a \\", [["a", ""]]),
    ],
)
def test_parse_script__words_and_commands__as_a_shell_sees_them(
    text: str, expected: list[list[str]]
) -> None:
    assert commands(text) == expected


def test_parse_script__pipes__one_number_a_pipeline() -> None:
    first, second, third = parse_script("a | b\nc")

    assert first.pipe == second.pipe != third.pipe
    assert [first.after, second.after, third.after] == ["|", "\n", ""]


def test_parse_script__offsets__where_each_word_stands() -> None:
    text = "x\nfoo 'bar baz' $(qux --q)"
    words = [word for command in every_command(parse_script(text)) for word in command.words]

    assert [text[word.offset : word.offset + word.width] for word in words] == [
        "x",
        "foo",
        "'bar baz'",
        "$(qux --q)",
        "qux",
        "--q",
    ]


def test_parse_script__targets__of_redirections() -> None:
    (command,) = parse_script("a >b 2>>c &>d 2>&1")

    assert [word.text for word in command.targets] == ["b", "c", "d"]


@pytest.mark.parametrize(
    "text", ["$(" * 20_000, "`" * 20_001, "'" * 20_001, "(" * 20_000, "${{" * 20_000, "<<a\n" * 999]
)
def test_parse_script__hostile_text__ends(text: str) -> None:
    assert all(isinstance(command, Command) for command in parse_script(text))
