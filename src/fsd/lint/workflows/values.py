"""What expressions and variables of a workflow stand for, where the workflow itself says it.

An input's default, an output that a step echoes, a variable that a script sets. What has two
values is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.workflows.document import Job, Workflow, WorkflowStep, branch, text
from fsd.manifest.yaml_tree import Branch, find

_EXPRESSION = re.compile(r"\$\{\{\s*(?P<inside>.{0,300}?)\s*\}\}")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>[A-Za-z_]\w*))")
_WRITTEN = re.compile(
    r"""echo\s+["']?(?P<name>\w+)=(?P<value>[^"'\n>]*?)["']?\s*>>\s*["']?"""
    r"""\$\{?(?P<file>GITHUB_OUTPUT|GITHUB_ENV)\b"""
)
_SET_OUTPUT = re.compile(r"::set-output\s+name=(?P<name>\w+)::(?P<value>[^\"'\n]*)")
_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+|readonly[ \t]+)?(?P<name>[A-Za-z_]\w*)="
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]*)",
    re.MULTILINE,
)
_OR_LITERAL = re.compile(r"(?P<first>[\w.\[\]'-]+)\s*\|\|\s*'(?P<literal>[^']*)'")
_DEEPEST = 6
_MOST = 20  # texts that one can be


class Values:
    """The values that one job of a workflow sees."""

    def __init__(self, workflow: Workflow, job: Job) -> None:
        every = _grouped(_every(workflow, job))
        self._known = {name: values[0] for name, values in every.items() if len(values) == 1}
        self._several = {name: values for name, values in every.items() if len(values) > 1}

    def resolve(self, written: str) -> str:
        """With what is known; the rest stays as it was written."""
        for _ in range(_DEEPEST):
            resolved = _EXPRESSION.sub(self._expression, written)
            resolved = _VARIABLE.sub(self._variable, resolved)
            if resolved == written:
                break
            written = resolved[:4000]
        return written

    def every(self, written: str) -> tuple[str, ...]:
        """What a text can be, where a script chooses between a few values."""
        found = [self.resolve(written)]
        for name, values in self._several.items():
            mark = re.compile(rf"\$\{{\{{\s*{re.escape(name)}\s*\}}\}}")
            found = [
                mark.sub(value.replace("\\", r"\\"), text)
                for text in found
                for value in (values if mark.search(text) else values[:1])
            ][:_MOST]
        return tuple(dict.fromkeys(found))

    def _expression(self, match: re.Match[str]) -> str:
        inside = match["inside"]
        either = _OR_LITERAL.fullmatch(inside)
        if either is not None:
            return self._known.get(either["first"], either["literal"])
        return self._known.get(inside, match[0])

    def _variable(self, match: re.Match[str]) -> str:
        return self._known.get(f"env.{match['braced'] or match['bare']}", match[0])


def _grouped(found: Iterator[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    values: dict[str, dict[str, None]] = {}
    for name, value in found:
        values.setdefault(name, {})[value] = None
    return {name: tuple(every) for name, every in values.items()}


def _every(workflow: Workflow, job: Job) -> Iterator[tuple[str, str]]:
    yield from _inputs(workflow)
    for step in job.steps:
        yield from _of_step(step, f"steps.{step.id}.outputs.")
    for needed in workflow.needed(job):
        for name, value in needed.outputs.items():
            inner = Values(workflow, needed) if not needed.needs else None
            known = inner.resolve(value.text) if inner is not None else value.text
            if "${{" not in known:
                yield f"needs.{needed.id}.outputs.{name}", known


def _inputs(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """A default is what a run has that says nothing; a push has none of them."""
    if "push" in workflow.triggers:
        return
    for trigger in ("workflow_dispatch", "workflow_call"):
        inputs = branch(find(branch(workflow.triggers.get(trigger)), ("inputs",)))
        for name, entry in inputs.entries.items():
            default = text(find(entry.value, ("default",)))
            if isinstance(entry.value, Branch) and default:
                yield f"inputs.{name}", default
                yield f"github.event.inputs.{name}", default


def _of_step(step: WorkflowStep, prefix: str) -> Iterator[tuple[str, str]]:
    yield from _of_metadata(step, prefix)
    script = step.run.text if step.run is not None else ""
    for match in _WRITTEN.finditer(script):
        is_output = match["file"] == "GITHUB_OUTPUT"
        name = f"{prefix if is_output else 'env.'}{match['name']}"
        yield name, match["value"].strip()
    for match in _SET_OUTPUT.finditer(script):
        yield f"{prefix}{match['name']}", match["value"].strip()
    for match in _ASSIGNED.finditer(script):
        value = match["value"].strip("'\"")
        if value and "$(" not in value and "`" not in value:
            yield f"env.{match['name']}", value
        else:  # computed: whatever else sets it does not say what it is
            yield f"env.{match['name']}", "${{ computed }}"
            yield f"env.{match['name']}", ""


def _of_metadata(step: WorkflowStep, prefix: str) -> Iterator[tuple[str, str]]:
    """docker/metadata-action: without a kind of tag that stays, only a branch's or a fixed one."""
    if step.action != "docker/metadata-action":
        return
    images, tags = step.input("images"), step.input("tags")
    kinds = [line.strip() for line in tags.text.splitlines() if line.strip()] if tags else []
    image = images.text.split()[0] if images and images.text.split() else "image"
    if all(map(_moves, kinds)):
        value = next((match[1] for kind in kinds if (match := _RAW.search(kind))), "main")
        yield f"{prefix}tags", f"{step.resolve(image)}:{value}"
        yield f"{prefix}version", value


_RAW = re.compile(r"(?:^|type=raw,value=)([\w.-]+)$")


def _moves(kind: str) -> bool:
    """A branch's name, `edge`, or a text that is always the same."""
    return re.match(r"type=(?:ref,event=branch|edge|schedule)", kind) is not None or (
        _RAW.search(kind) is not None and "=" not in kind.removeprefix("type=raw,value=")
    )
