"""The parts of docs/ that are made from the code, so that they can't say something else.

`python -m tests.docs.pages` writes them; a test compares. A part stands between
`<!-- made: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import functools
import importlib
import re
import shlex
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import yaml

from fsd.cli.main import COMMANDS
from fsd.error_codes import DEPLOY_EXITS, ErrorCode, ExitCode
from fsd.lint.pages import MANIFEST, Example, Page, page_ids, read_page
from fsd.manifest.environments import EnvironmentDocument
from fsd.manifest.models import Manifest
from fsd.manifest.section import Key, alternatives, is_section, unwrap
from fsd.manifest.section import keys as keys_of
from fsd.release.result import Outcome
from fsd.report.explanations import ROWS, ends_the_wait
from fsd_local import members

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
HELP_WIDTH = 90
MADE_PAGES = (*sorted(DOCS.glob("*.md")), ROOT / "README.md")
PAGES = tuple(read_page(id_) for id_ in page_ids())
PART = re.compile(r"<!-- made: (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)


def make_page(text: str) -> str:
    """The page with every made part as the code has it now."""

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- made: {name} -->\n{PARTS[name]()}\n<!-- end -->"

    return PART.sub(replace, text)


# --- the Service YAML --------------------------------------------------------------------------


def manifest_keys() -> str:
    return keys_table(Manifest)


def environment_keys() -> str:
    return keys_table(EnvironmentDocument)


def keys_table(model: type) -> str:
    rows = [
        f"| `{path}` | {kind} | {default} | {text} |" for path, kind, default, text in keys(model)
    ]
    return "\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows])


def keys(model: type, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """(path, type, default, meaning) of every key that holds a value."""
    for key in keys_of(model):
        path = f"{prefix}{key.written}"
        inner, is_list = nested(key.type)
        if inner is None:
            yield path, kind_text(key), default_text(key), cell(key.description)
        else:
            yield from keys(inner, f"{path}{'[]' if is_list else ''}.")


def nested(annotation: Any) -> tuple[type | None, bool]:
    """The model inside `X`, `X | None` or `tuple[X, ...]`."""
    is_list = get_origin(annotation) is tuple
    for part in (annotation, *get_args(annotation)):
        if is_section(part):
            return part, is_list
    return None, False


def kind_text(key: Key) -> str:
    limits = unwrap(alternatives(key.type)[0][0])[1]
    kind = type_name(key.type)
    low = limits.ge if limits.gt is None else limits.gt + 1
    high = limits.le
    if low is not None and high is not None and high < 2**31 - 1:
        return f"{kind}, {low} to {high}"
    return f"{kind}, at least {low}" if low else kind


def type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return f"map to {type_name(arguments[1])}"
    if origin in {types.UnionType, typing.Union}:
        parts = [type_name(part) for part in arguments if part is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    names = {object: "values", str: "text", int: "whole number", bool: "boolean", float: "number"}
    return names[annotation]


def default_text(key: Key) -> str:
    if key.default is MISSING:
        return "required"
    default = key.default
    if default is None or default in ((), {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


# --- the command line --------------------------------------------------------------------------


def command_help() -> str:
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in every_help())


def every_help() -> Iterator[tuple[str, str]]:
    """(fsd local up, its --help), in the order of `fsd --help`."""
    for name in COMMANDS:
        module = importlib.import_module(f"fsd.cli.{COMMANDS[name][0]}")
        yield from help_of(module.command, f"fsd {name}")


def help_of(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=HELP_WIDTH,
        max_content_width=HELP_WIDTH,
        help_option_names=["-h", "--help"],
    )
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    yield path, "\n".join(lines)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from help_of(inner, f"{path} {name}")


# --- the Action --------------------------------------------------------------------------------


def action_inputs() -> str:
    inputs = load_action()["inputs"]
    rows = [
        f"| `{name}` | {f'`{value}`' if (value := entry.get('default', '')) else ''} "
        f"| {cell(entry['description'])} |"
        for name, entry in inputs.items()
    ]
    return "\n".join(["| input | default | meaning |", "| --- | --- | --- |", *rows])


def action_outputs() -> str:
    outputs = load_action()["outputs"]
    rows = [f"| `{name}` | {cell(entry['description'])} |" for name, entry in outputs.items()]
    return "\n".join(["| output | meaning |", "| --- | --- |", *rows])


def outcome_table() -> str:
    """What the Action can end with; it always waits, so nothing is just `started`."""
    outcomes = [outcome for outcome in Outcome if outcome is not Outcome.STARTED]
    rows = [f"| `{outcome}` | {int(outcome.exit_code)} |" for outcome in outcomes]
    return "\n".join(["| outcome | exit code |", "| --- | --- |", *rows])


def load_action() -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return action


# --- failures and findings ---------------------------------------------------------------------


def failure_table() -> str:
    rows = dict.fromkeys(
        f"| `{row.code}` | {cell(row.summary)} | {ends_the_wait(row)} | {cell(row.advice)} |"
        for row in ROWS
    )
    head = ["| code | meaning | FSD stops waiting | what to do |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def exit_codes() -> str:
    return exit_code_table(ExitCode)


def deploy_exit_codes() -> str:
    return exit_code_table(DEPLOY_EXITS)


def exit_code_table(codes: Iterable[ExitCode]) -> str:
    rows = [f"| {int(code)} | {cell(code.meaning)} |" for code in codes]
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows])


def error_table() -> str:
    rows = [
        f"| `{row}` | {', '.join(str(int(code)) for code in row.exits)} "
        f"| {cell(row.meaning)} | {cell(row.advice)} |"
        for row in ErrorCode
        if row.meaning
    ]
    head = ["| code | exit | meaning | what to do |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def finding_table() -> str:
    rows = [
        f"| [{page.id}](#{page.id}) | {page.severity} | {cell(page.summary)} |" for page in PAGES
    ]
    return "\n".join(["| id | severity | found when |", "| --- | --- | --- |", *rows])


def finding_sections() -> str:
    return "\n\n".join(finding_section(page) for page in PAGES)


def finding_section(page: Page) -> str:
    before, after = flags_of(page.before), flags_of(page.after)
    place = f"found at `{page.place}`" + ("" if page.place.where else before)
    return "\n\n".join(
        [
            f"### {page.id}",
            f"*{page.severity}*: {page.what}",
            page.why,
            *page.sources,
            f"Before, {place}:",
            *example_blocks(page.before),
            f"After{after if after != before else ''}:",
            *example_blocks(page.after),
        ]
    )


def flags_of(example: Example) -> str:
    return f", with `{shlex.join(example.arguments)}`" if example.arguments else ""


def example_blocks(example: Example) -> Iterator[str]:
    for name, text in example.files.items():
        if name != MANIFEST:
            yield f"`{name}`"
        yield f"```yaml\n{text}```"


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def members_table(service: str, class_: str) -> str:
    rows = [
        f"| `{shape}` | {', '.join(f'`{name}`' for name in names)} |"
        for shape, names in members.load(service)[class_].items()
    ]
    return "\n".join(["| type in the API | members |", "| --- | --- |", *rows])


def properties_table(class_: str) -> str:
    rows = [
        f"| `{kind}` | {', '.join(f'`{path}`' for path in known[class_])} |"
        for kind, known in members.load_resource_types().items()
        if class_ in known
    ]
    return "\n".join(["| type | properties |", "| --- | --- |", *rows])


PARTS: dict[str, Callable[[], str]] = {
    "manifest-keys": manifest_keys,
    "environment-keys": environment_keys,
    "command-help": command_help,
    "action-inputs": action_inputs,
    "action-outputs": action_outputs,
    "outcome-table": outcome_table,
    "failure-table": failure_table,
    "error-table": error_table,
    "exit-codes": exit_codes,
    "deploy-exit-codes": deploy_exit_codes,
    "finding-table": finding_table,
    "finding-sections": finding_sections,
    **{
        f"local-{service}-{class_}": functools.partial(members_table, service, class_)
        for service in ("ecs", "elbv2", "ecr", "application-autoscaling")
        for class_ in ("inert", "refused")
    },
    **{
        f"local-cloudformation-{class_}": functools.partial(properties_table, class_)
        for class_ in ("inert", "refused")
    },
}


def main() -> None:
    for page in MADE_PAGES:
        made = make_page(page.read_text(encoding="utf-8"))
        page.write_text(made, encoding="utf-8")
        sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
