"""What the checks found, said with the value, the place and the fix.

pydantic-core's words speak of Python ("Input should be a valid integer"); the reader wrote YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsd.errors import Location
from fsd.manifest import section
from fsd.manifest.finding import Finding, FindingId, Severity
from fsd.manifest.foreign_keys import find_foreign, plain
from fsd.manifest.key_path import KeyPath, dotted
from fsd.manifest.models import Manifest
from fsd.manifest.schema import Shape, places, shape_at
from fsd.manifest.spelling import nearest
from fsd.manifest.units import number_meant, unit_text
from fsd.manifest.yaml_tree import Branch, Items, Node, Scalar, describe, find, locate

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Every pattern of the models, said in words: what it asks for, and how to get there.
PATTERNS: Mapping[str, tuple[str, str]] = {
    r"^[a-z][a-z0-9-]*[a-z0-9]$": (
        "a name of two or more lower case letters, digits and hyphens",
        "start with a letter and end with a letter or a digit, like `offer-api`",
    ),
    r"^[\w .:/=+@-]+$": (
        "a value that an AWS tag can have",
        "use letters, digits, spaces and . : / = + - _ @",
    ),
    r"^[\w .:/=+@-]*$": (
        "a value that an AWS tag can have",
        "use letters, digits, spaces and . : / = + - _ @",
    ),
    r"^[^/\\]": ("a path relative to the Service YAML", "start it with a name or `..`"),
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": (
        "the name of a stage",
        "write the name behind AS in the Dockerfile",
    ),
    r"^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]+/.*\.env$": (
        "the ARN of an environment file in S3",
        "write arn:aws:s3:::BUCKET/PATH.env; ECS takes no file without `.env` at its end",
    ),
    r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$": (
        "the ARN of a whole secret in Secrets Manager",
        "write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX, without a JSON key",
    ),
    r"^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)"
    r"|fs\.mqueue\.[a-z0-9_]+|net\.[A-Za-z0-9_./-]+)$": (
        "a kernel setting that Fargate allows",
        "name one of net.…, fs.mqueue.…, kernel.msgmax, msgmnb, msgmni, sem, shmall, shmmax, "
        "shmmni or shm_rmid_forced; Fargate has no others",
    ),
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$": (
        "the ARN of a role",
        "write arn:aws:iam::ACCOUNT:role/NAME",
    ),
    r"^arn:aws[a-z-]*:(events:[a-z0-9-]+:[0-9]{12}:rule|scheduler:[a-z0-9-]+:[0-9]{12}:schedule"
    r"/[A-Za-z0-9_.-]{1,64})/[A-Za-z0-9_.-]{1,64}$": (
        "the ARN of a rule or of a schedule",
        "write arn:aws:events:REGION:ACCOUNT:rule/NAME, or "
        "arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME",
    ),
    r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$": (
        "the ARN of a policy",
        "write arn:aws:iam::ACCOUNT:policy/NAME",
    ),
    r"^[a-z0-9_][a-z0-9_-]*$": (
        "the name of a port",
        "use lower case letters, digits, hyphens and underscores, with no hyphen in front",
    ),
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$": (
        "a name in DNS",
        "use lower case letters, digits and hyphens, with a letter or a digit at both ends",
    ),
    r"^[1-9][0-9]{0,4}[smh]$": ("a duration", "write it with a unit, such as 90s, 10m or 1h"),
    r"^/[!-~]+$": ("a folder", "start it with `/`, followed by a name"),
    r"^fs-[0-9a-f]{8,40}$": ("the ID of a file system", "it looks like fs-0a1b2c3d4e5f67890"),
    r"^fsap-[0-9a-f]{8,40}$": ("the ID of an access point", "it looks like fsap-0a1b2c3d4e5f67890"),
    r"^[A-Za-z0-9_-]{1,80}(\.fifo)?$": (
        "the name of an SQS queue",
        "write its name, not its URL or ARN",
    ),
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/"
    r"[A-Za-z0-9-]+/[0-9A-Za-z]+$": (
        "the ARN of a target group",
        "write arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID",
    ),
    r"^[A-Za-z0-9_-]+$": (
        "letters, digits, hyphens and underscores",
        "`aws ecs list-services --cluster CLUSTER` lists the names",
    ),
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener/app/[A-Za-z0-9-]+/"
    r"[0-9a-f]+/[0-9a-f]+$": (
        "the ARN of a listener of an application load balancer",
        "write arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID",
    ),
    r"^[A-Za-z0-9.*?-]+$": (
        "a host name",
        "use letters, digits, dots and hyphens; * and ? are wildcards",
    ),
    r"^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$": (
        "a range of addresses",
        "write it like 203.0.113.0/24",
    ),
    r"^[a-z]+=": (
        "a secret as `docker build --secret` takes it",
        "write `id=NAME,env=VARIABLE` or `id=NAME,src=FILE`",
    ),
    r"^@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$": (
        "a GitHub handle",
        'write "@user" or "@org/team", in quotes',
    ),
    r"^/[!-~]*$": (
        "a path",
        "start it with `/`, and percent-encode spaces and non-ASCII characters",
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*$": (
        "the name of an environment variable",
        "use letters, digits and underscores, and no digit at the start",
    ),
    r"^arn:aws[a-z-]*:(acm|iam):[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9/+=,.@_-]+$": (
        "the ARN of a certificate",
        "write arn:aws:acm:REGION:ACCOUNT:certificate/ID",
    ),
    r"^([2-4][0-9]{2}|[0-9]{1,2})(-([2-4][0-9]{2}|[0-9]{1,2}))?"
    r"(,([2-4][0-9]{2}|[0-9]{1,2})(-([2-4][0-9]{2}|[0-9]{1,2}))?)*$": (
        "a list of status codes between 200 and 499",
        'write "200", "200-399" or "200,204", in quotes; of gRPC, "0" or "0-99"',
    ),
    r"^(rate\([1-9][0-9]* (minute|hour|day)s?\)|cron\([^()]+\))$": (
        "a schedule",
        "write it like `rate(1 hour)` or `cron(0 6 * * ? *)`",
    ),
    r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$": (
        "a time zone",
        "write its name in the IANA database, like Europe/Berlin",
    ),
    r"^(cron\([^()]+\)|[^()]+)$": (
        "a cron expression",
        "write its six fields, like `0 8 ? * MON-FRI *`",
    ),
    r"^https?://": ("a URL", "start it with http:// or https://"),
    r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*$": (
        "the name of a domain",
        "write it in lower case without a dot at its end, like `offers.example.com`",
    ),
    r"^[A-Za-z0-9_/.#-]+$": (
        "the name of a log group",
        "use letters, digits and . - _ / #; no ARN",
    ),
    r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$": (
        "the ARN of a key",
        "write arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not allowed",
    ),
    r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$": (
        "the name of a bucket",
        "use lower case letters, digits, dots and hyphens; no `s3://` and no ARN",
    ),
    r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$": (
        "a folder in a bucket",
        "write it without a slash at the start or the end, like `alb/offers`",
    ),
    r"^Z[A-Z0-9]{1,31}$": (
        "the ID of a hosted zone",
        "`aws route53 list-hosted-zones` shows it; without `/hostedzone/`",
    ),
    r"^sg-[0-9a-f]{8,17}$": ("the ID of a security group", "write IDs like `sg-0a1b2c3d`"),
    r"^subnet-[0-9a-f]{8,17}$": ("the ID of a subnet", "write IDs like `subnet-0a1b2c3d`"),
    r"^vpc-": ("the ID of a VPC", "it starts with `vpc-`"),
    r"^[0-9]{12}$": ("an AWS account id", 'write its 12 digits in quotes: "123456789012"'),
    r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$": (
        "the name of an environment",
        "use up to 31 lower case letters, digits and hyphens, with a letter first",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    id: FindingId
    message: str
    fix: str
    path: KeyPath  # what the finding points at
    key: bool = False  # at the key instead of the value


def findings_of(errors: list[ErrorDetails], *, model: type, tree: Node) -> tuple[Finding, ...]:
    """One finding per error, each at its own place in the tree."""
    return tuple(_finding(error, model, tree) for error in errors)


def _finding(error: ErrorDetails, model: type, tree: Node) -> Finding:
    path = tuple(error["loc"])
    sentence = _sentence(error["type"], path, model=model, tree=tree)
    where, width = locate(tree, sentence.path, key=sentence.key)
    return Finding(
        id=sentence.id,
        severity=Severity.ERROR,
        where=where,
        message=sentence.message,
        fix=sentence.fix,
        key_path=sentence.path,
        width=width,
    )


def _sentence(type_: str, path: KeyPath, *, model: type, tree: Node) -> _Fault:
    if type_ == "missing":
        return _missing(path, model)
    if type_ == "unexpected_keyword_argument":
        return _unknown_key(path, model)
    if path and path[-1] == "[key]":
        return _wrong_key(path[:-1])
    shape = shape_at(model, path) or Shape(model=model, schema={})
    node = find(tree, path)
    match type_:
        case "literal_error" | "enum":
            return _not_a_choice(path, shape, node)
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return _out_of_range(path, shape, node)
        case "string_pattern_mismatch":
            return _wrong_pattern(path, shape, node)
        case section.NO_ALTERNATIVE:
            return _neither(path, shape, node)
        case "string_too_short" | "too_short":
            return _empty(path, shape)
        case "string_too_long" | "too_long":
            return _too_long(path, shape)
    return _wrong_type(path, shape, node)


def _missing(path: KeyPath, model: type) -> _Fault:
    parent, key = path[:-1], path[-1]
    shape = shape_at(model, path)
    where = f"{_name(parent)} has no" if parent else "there is no"
    if shape and len(shape.choices) == 1:
        fix = f"add `{key}: {shape.choices[0]}`"
    else:
        meaning = f" ({_lower(shape.description)})" if shape and shape.description else ""
        fix = f"add `{key}: …`{meaning}"
    return _Fault(
        id=FindingId.MISSING_KEY, message=f"{where} `{key}`", fix=fix, path=parent, key=True
    )


def _unknown_key(path: KeyPath, model: type) -> _Fault:
    parent, key = path[:-1], str(path[-1])
    message = f"`{key}` is not a key of {_name(parent)}" if parent else f"`{key}` is not a key here"
    fix = advise_key(path, model)
    return _Fault(id=FindingId.UNKNOWN_KEY, message=message, fix=fix, path=path, key=True)


def advise_key(path: KeyPath, model: type) -> str:
    """What to write for a key that is not there.

    In this order: another spelling of a key of this section, what other tools call so, a slip of
    the fingers, the one place of the language that has a key of this name.
    """
    parent, key = path[:-1], str(path[-1])
    near = near_key(path, model)
    if near is not None:
        return f"did you mean `{near}`?"
    foreign = find_foreign(key, under=_last_key(parent)) if model is Manifest else None
    if foreign is not None:
        return foreign.fix
    above = shape_at(model, parent)
    known = above.keys if above else ()
    elsewhere = [place for place in places(model) if plain(str(place[-1])) == plain(key)]
    elsewhere = [
        place for place in elsewhere if _is_near(place[:-1], parent) and place[:2] != _SHORT_FORM
    ]
    shortest = min(map(len, elsewhere), default=0)
    highest = [place for place in elsewhere if len(place) == shortest]
    if len(highest) == 1:
        return f"did you mean {_name(highest[0])}?"
    return f"known here: {', '.join(known)}"


def near_key(path: KeyPath, model: type) -> str | None:
    """The key of the same section that the last one of `path` is another spelling or a slip of;
    None also where it is what other tools call something else."""
    parent, key = path[:-1], str(path[-1])
    above = shape_at(model, parent)
    known = above.keys if above else ()
    spelt = {plain(name): name for name in known}
    if plain(key) in spelt:
        return spelt[plain(key)]
    if model is Manifest and find_foreign(key, under=_last_key(parent)) is not None:
        return None
    return nearest(key, known)


_SHORT_FORM = ("service", "logs")  # of `observability.logs`


def _is_near(one: KeyPath, two: KeyPath) -> bool:
    """Whether one section is within the other; `autoScaling.metrics` means no observability."""
    shared = min(len(one), len(two))
    return one[:shared] == two[:shared]


def _last_key(path: KeyPath) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _wrong_key(path: KeyPath) -> _Fault:
    wanted, fix = PATTERNS[r"^[A-Za-z_][A-Za-z0-9_]*$"]
    message = f"`{path[-1]}` is not {wanted}"
    return _Fault(id=FindingId.WRONG_VALUE, message=message, fix=fix, path=path, key=True)


def _not_a_choice(path: KeyPath, shape: Shape, node: Node | None) -> _Fault:
    choices = " or ".join(f"`{choice}`" for choice in shape.choices)
    message = f"{_name(path)} is {_shown(node)}; it can be {choices}"
    written = node.text if isinstance(node, Scalar) else ""
    lower = {choice.lower(): choice for choice in shape.choices}
    from difflib import get_close_matches

    close = get_close_matches(written[:100].lower(), lower, n=1, cutoff=0)
    best = lower[close[0]] if close else shape.choices[0]
    return _Fault(id=FindingId.WRONG_VALUE, message=message, fix=f"write `{best}`", path=path)


def _out_of_range(path: KeyPath, shape: Shape, node: Node | None) -> _Fault:
    fix = f"use a value {_range(*shape.bounds)}"
    unit = f" ({_lower(shape.description)})" if shape.description else ""
    written = node.text if isinstance(node, Scalar) else _shown(node)
    message = f"{_name(path)} is {written}, which is out of range"
    return _Fault(id=FindingId.OUT_OF_RANGE, message=message, fix=f"{fix}{unit}", path=path)


def _wrong_pattern(path: KeyPath, shape: Shape, node: Node | None) -> _Fault:
    wanted, fix = PATTERNS.get(
        shape.pattern, (f"a value of the form {shape.pattern}", "change it to that form")
    )
    message = f"{_name(path)} is {_shown(node)}, which is not {wanted}"
    return _Fault(id=FindingId.WRONG_VALUE, message=message, fix=fix, path=path)


def _neither(path: KeyPath, shape: Shape, node: Node | None) -> _Fault:
    """The language has unions of a text and a list of texts, of a list and a section, and of a
    switch and a section."""
    key = _last_key(path)
    if shape.keys and not shape.takes_boolean:
        what, fix = PATTERNS[shape.item_pattern]
        keys = " and ".join(f"`{name}`" for name in shape.keys)
        message = (
            f"{_name(path)} takes a list whose items are each {what}, or a section with {keys}"
        )
        return _Fault(id=FindingId.WRONG_TYPE, message=message, fix=fix, path=path)
    if shape.takes_boolean:
        message = f"{_name(path)} is {_shown(node)}; it takes true, or a section with keys"
        fix = f"write `{key}: true`, or {' and '.join(f'`{name}`' for name in shape.keys)} below it"
        return _Fault(id=FindingId.WRONG_TYPE, message=message, fix=fix, path=path)
    return _Fault(
        id=FindingId.WRONG_TYPE,
        message=f"{_name(path)} is {_shown(node)}; it takes a string, or a non-empty list of "
        "strings",
        fix=f'write `{_last_key(path)}: "…"`, or a list of words with each number in quotes',
        path=path,
    )


def _too_long(path: KeyPath, shape: Shape) -> _Fault:
    if shape.type == "array":
        most = shape.schema.get("maxItems")
        message, fix = f"{_name(path)} has more than {most} items", f"list {most} at most"
    else:
        limit = shape.schema.get("maxLength")
        message, fix = f"{_name(path)} is longer than {limit} characters", "use a shorter text"
    return _Fault(id=FindingId.OUT_OF_RANGE, message=message, fix=fix, path=path)


def _empty(path: KeyPath, shape: Shape) -> _Fault:
    meaning = f": {_lower(shape.description)}" if shape.description else ""
    what = "list at least one item" if shape.type == "array" else "write a value"
    return _Fault(
        id=FindingId.WRONG_VALUE,
        message=f"{_name(path)} is empty",
        fix=f"{what}{meaning}",
        path=path,
    )


_WANTED = {
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a section with keys",
}


def _wrong_type(path: KeyPath, shape: Shape, node: Node | None) -> _Fault:
    wanted = _WANTED.get(shape.type, "of the expected type")
    key = _last_key(path)
    if isinstance(node, Scalar) and node.value is None:
        message = f"{_name(path)} has no value"
        fix = f"give it {wanted}, or remove the key"
        if shape.type == "string":
            fix = f'write `{key}: ""` for an empty one'
        return _Fault(id=FindingId.WRONG_TYPE, message=message, fix=fix, path=path)
    is_quoted = isinstance(node, Scalar) and not node.plain and isinstance(node.where, Location)
    shown = f"the text {_shown(node)}" if is_quoted else _shown(node)
    message = f"{_name(path)} is {shown}, not {wanted}"
    return _Fault(
        id=FindingId.WRONG_TYPE, message=message, fix=_type_fix(key, shape, node), path=path
    )


def _type_fix(key: str, shape: Shape, node: Node | None) -> str:
    text = node.text if isinstance(node, Scalar) else ""
    match shape.type:
        case "string" if isinstance(node, Scalar):
            return f'put it in quotes: "{text}"'
        case "integer" if text.isdecimal() and isinstance(node, Scalar) and not node.plain:
            return f"remove the quotes: `{key}: {text}`"
        case "integer" if text.startswith("0") and text.lstrip("0").isdecimal():
            return f"write it without leading zeros: `{key}: {text.lstrip('0')}`"
        case "boolean" if text.lower() in ("true", "false", "yes", "no", "on", "off"):
            return f"remove the quotes: `{key}: {text}`"
        case "array":
            return f"write each item as `- …` below `{key}:`"
        case "object":
            return f"indent its keys below `{key}:`" + (
                f"; known: {', '.join(shape.keys)}" if shape.keys else ""
            )
        case "boolean":
            return f"write `{key}: true` or `{key}: false`"
        case "integer":
            return _number_fix(key, text, shape)
    return f"write {_WANTED.get(shape.type, 'another value')}"


def _number_fix(key: str, text: str, shape: Shape) -> str:
    """The number of what was written with a unit, if it is one that the key takes."""
    said, meant = unit_text(key), number_meant(key, text)
    low, high = shape.bounds
    if meant is None:
        return f"write a whole number{said}"
    if (low is not None and meant < low) or (high is not None and meant > high):
        return f"use a value {_range(low, high)}{said}"
    return f"write `{key}: {meant}`{said}"


def _range(low: int | None, high: int | None) -> str:
    match low, high:
        case int(), int():
            return f"from {low} to {high}"
        case int(), None:
            return f"of {low} or more"
    return f"of {high} or less"


def _shown(node: Node | None) -> str:
    """The value as the reader wrote it."""
    match node:
        case Scalar(value=str(), text=text):
            line = text.partition("\n")[0]
            return f"`{text}`" if line == text and len(text) <= 80 else f"`{line[:77]}…`"
        case Scalar(value=bool() as value, text=text) if text not in ("true", "false"):
            return f"`{text}` ({describe(value)} to YAML)"
        case Scalar(value=value):
            return describe(value)
        case Branch():
            return "a section with keys"
        case Items():
            return "a list"
    return "nothing"


def _name(path: KeyPath) -> str:
    return f"`{dotted(path)}`" if path else "the file"


def _lower(text: str) -> str:
    """The first sentence, to continue another with."""
    text = text.partition(". ")[0].removesuffix(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
