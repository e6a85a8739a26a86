"""Environments: where a service goes. `.fsd/environments.yml`, or its defaults without the file.

Pure: the file's text is handed in.
"""

from dataclasses import replace
from typing import Annotated, Literal

from fsd.errors import Location
from fsd.manifest.finding import Finding, FindingId, Severity, order
from fsd.manifest.model_check import check
from fsd.manifest.ref_patterns import find_problem, matches
from fsd.manifest.section import Limits, fill, key, keys, section
from fsd.manifest.yaml_tree import Branch, Document, Entry, Node, Scalar, find, locate, parse

LOCAL = "local"

EnvironmentId = Annotated[str, Limits(pattern=r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$")]
OverrideValue = str | int | float | bool | None


@section
class Vpc:
    id: Annotated[str, Limits(pattern=r"^vpc-")] = key(description="The ID of the VPC.")
    private_subnets: tuple[str, ...] = key(
        default=(), description="Subnets for tasks and internal load balancers."
    )
    public_subnets: tuple[str, ...] = key(
        default=(), description="Subnets for internet-facing load balancers."
    )


@section
class ImageScan:
    block: Literal["critical", "high"] = key(
        description="The lowest severity in ECR's scan of the image that stops a deployment."
    )


@section
class Provenance:
    repository: Annotated[str, Limits(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")] = key(
        description="The GitHub repository whose workflow must have built the image, as ORG/REPO."
    )
    workflow: Annotated[str, Limits(pattern=r"^\.github/workflows/[^@]+\.ya?ml$")] | None = key(
        default=None,
        description="The file of that workflow. By default, any workflow of the repository.",
    )


@section
class EnvironmentSpec:
    """The keys below `spec:`."""

    account: Annotated[str, Limits(pattern=r"^[0-9]{12}$")] | None = key(
        default=None, description="The AWS account ID. FSD refuses to deploy to any other account."
    )
    region: str | None = key(
        default=None, description="The AWS Region. By default, that of your credentials."
    )
    role_arn: str | None = key(default=None, description="The role that a deployment assumes.")
    github_environment: Annotated[str, Limits(pattern=r"^[^*?$:%]{1,255}$")] | None = key(
        default=None,
        description="The GitHub environment of the jobs that deploy here. `fsd bootstrap` of the "
        "environment in `promoteFrom` needs it if that is in another account.",
    )
    cloud_formation_role_arn: str | None = key(
        default=None, description="The role that CloudFormation uses."
    )
    permissions_boundary_arn: str | None = key(
        default=None, description="The permissions boundary of the roles that a stack creates."
    )
    cluster: str | None = key(
        default=None,
        description="The ECS cluster. By default, the cluster with the environment's name.",
    )
    vpc: Vpc | None = key(default=None, description="The VPC. By default, FSD finds it by its tag.")
    plan_role_arn: str | None = key(
        default=None, description="The role that a plan assumes. By default, `roleArn`."
    )
    branches: tuple[str, ...] = key(
        default=(),
        description="Branches that deploy to this environment, as names or as "
        "GitHub's filter patterns.",
    )
    tags: tuple[str, ...] = key(
        default=(),
        description="Tags that deploy to this environment, as names or as GitHub's "
        "filter patterns.",
    )
    promote_from: str | None = key(
        default=None,
        description="An environment in which an image must have succeeded before "
        "this one accepts it.",
    )
    image_scan: ImageScan | None = key(
        default=None,
        description="Deploy only an image that ECR has scanned, without severe findings.",
    )
    require_provenance: Provenance | None = key(
        default=None,
        description="Deploy only an image that a workflow of this repository attests to have built "
        "from the commit. Needs the extra `provenance`.",
    )
    overrides: dict[str, OverrideValue] = key(
        default={},
        description="Values for keys of the manifest, with the same paths as `--override`.",
    )
    protected: bool = key(
        default=False,
        description="Whether FSD refuses commits that are not on one of the "
        "environment's branches or tags.",
    )


@section
class Environment(EnvironmentSpec):
    """One document of `.fsd/environments.yml`, as the rest of FSD sees it."""

    name: EnvironmentId = key(
        description="The environment's name, such as dev or prod. `local` is built in."
    )

    @property
    def cluster_name(self) -> str:
        return self.cluster or self.name

    @property
    def role_for_plans(self) -> str | None:
        """One that may only look, where there is one."""
        return self.plan_role_arn or self.role_arn

    def takes(self, *, branch: str = "", tag: str = "") -> bool:
        """Whether a branch or a tag is one of its own."""
        return matches(self.branches, branch) or matches(self.tags, tag)


@section
class EnvironmentMetadata:
    name: EnvironmentId = key(
        description="The environment's name, such as dev or prod. `local` is built in."
    )


@section
class EnvironmentDocument:
    """One document, as it is written."""

    api_version: Literal["fsd/v1"] = key(description="The version of this format.")
    kind: Literal["Environment"] = key(description="Always `Environment`.")
    metadata: EnvironmentMetadata = key(description="The environment's name.")
    spec: EnvironmentSpec = key(default=EnvironmentSpec(), description="The environment's keys.")


def default_environment(name: str) -> Environment:
    """What an environment is without a file; raises ValidationError for a bad name."""
    return fill(Environment, {"name": name})


def load_environments(
    text: str, *, path: str
) -> tuple[dict[str, Environment], tuple[Finding, ...]]:
    """Environments by name, in the file's order; never raises. `local` is there only if written.

    Override values come as the text that was written, like those of a command line; a nested
    mapping means the path that it spells.
    """
    parsed = parse(text, path=path)
    findings = list(parsed.findings)
    environments: dict[str, Environment] = {}
    documents: dict[str, Document] = {}
    for document in parsed.documents:
        environment, wrong = _load(document)
        findings += wrong
        if environment is None:
            continue
        if environment.name in environments:
            findings.append(_duplicate(environment.name, document, documents[environment.name]))
            continue
        environments[environment.name] = environment
        documents[environment.name] = document
    if not findings:  # else the environment that is meant may be one that could not be read
        findings += _unknown_sources(environments, documents)
    return environments, tuple(sorted(dict.fromkeys(findings), key=order))


def find_document(text: str, *, path: str, name: str) -> Document | None:
    """Where an environment is written; None where it is not in this file."""
    for document in parse(text, path=path).documents:
        node = find(document.root, ("metadata", "name"))
        if isinstance(node, Scalar) and node.value == name:
            return document
    return None


def override_places(document: Document) -> dict[str, tuple[Location | str, int]]:
    """Place and width of every value below `spec.overrides`, by its path."""
    section = find(document.root, ("spec", "overrides"))
    if not isinstance(section, Branch):
        return {}
    entries = _flatten(section, "", [])
    return {path: locate(Branch(entries=entries, where=""), (path,)) for path in entries}


def _load(document: Document) -> tuple[Environment | None, tuple[Finding, ...]]:
    if not isinstance(document.root, Branch):
        where, width = locate(document.root, ())
        return None, (
            _error(
                FindingId.NOT_AN_ENVIRONMENT,
                "an environment must be a mapping, and this is not one",
                "start with `apiVersion: fsd/v1` and `kind: Environment`",
                place=(where, width),
            ),
        )
    tree, findings = _as_meant(document.root)
    checked, wrong = check(EnvironmentDocument, tree)
    findings += wrong
    if checked is None or findings:
        return None, findings
    values = {item.name: getattr(checked.spec, item.name) for item in keys(EnvironmentSpec)}
    return Environment(name=checked.metadata.name, **values), _bad_patterns(checked.spec, document)


def _bad_patterns(spec: EnvironmentSpec, document: Document) -> tuple[Finding, ...]:
    """A pattern that matches nothing would be a push that silently deploys nowhere."""
    return tuple(
        _error(
            FindingId.WRONG_PATTERN,
            f"`{name}`: {wrong[1]}",
            "write a name or GitHub's filter pattern, such as `main`, 'release/*' or 'v[0-9]*'",
            place=locate(document.root, ("spec", name, wrong[0])),
        )
        for name, patterns in (("branches", spec.branches), ("tags", spec.tags))
        if (wrong := find_problem(patterns))
    )


def _as_meant(root: Branch) -> tuple[Branch, tuple[Finding, ...]]:
    """`spec.overrides` flattened to paths with text values, an account's number as its text."""
    spec = root.entries.get("spec")
    if spec is None or not isinstance(spec.value, Branch):
        return root, ()
    findings: list[Finding] = []
    keys = dict(spec.value.entries)
    match keys.get("overrides"):
        case Entry(value=Branch() as section) as entry:
            flat = _flatten(section, "", findings)
            keys["overrides"] = replace(entry, value=replace(section, entries=flat))
    match keys.get("account"):
        case Entry(value=Scalar(value=int(), text=text) as account) as entry:
            keys["account"] = replace(entry, value=replace(account, value=text))
    changed = replace(spec, value=replace(spec.value, entries=keys))
    return replace(root, entries={**root.entries, "spec": changed}), tuple(findings)


def _flatten(branch: Branch, prefix: str, findings: list[Finding]) -> dict[str, Entry]:
    flat: dict[str, Entry] = {}
    for name, entry in branch.entries.items():
        path = f"{prefix}.{name}" if prefix else name
        node: Node = entry.value
        match node:
            case Branch():
                flat.update(_flatten(node, path, findings))
            case Scalar():
                value = None if node.value is None else node.text
                flat[path] = replace(entry, value=replace(node, value=value))
            case _:
                findings.append(
                    _error(
                        FindingId.WRONG_TYPE,
                        f"the override `{path}` is a list",
                        'write it as text: \'["a", "b"]\'',
                        place=(entry.where, entry.width),
                    )
                )
    return flat


def _duplicate(name: str, document: Document, first: Document) -> Finding:
    path = ("metadata", "name")
    return _error(
        FindingId.DUPLICATE_ENVIRONMENT,
        f"the environment `{name}` is here a second time; "
        f"the first is at {locate(first.root, path)[0]}",
        "keep one of the two",
        place=locate(document.root, path),
    )


def _unknown_sources(
    environments: dict[str, Environment], documents: dict[str, Document]
) -> list[Finding]:
    """promoteFrom must name an environment that is there."""
    return [
        _error(
            FindingId.UNKNOWN_ENVIRONMENT,
            f"`promoteFrom` names `{environment.promote_from}`, "
            "which is not an environment of this file",
            f"known: {', '.join(environments)}",
            place=locate(documents[name].root, ("spec", "promoteFrom")),
        )
        for name, environment in environments.items()
        if environment.promote_from and environment.promote_from not in environments
    ]


def _error(id_: FindingId, message: str, fix: str, *, place: tuple[Location | str, int]) -> Finding:
    where, width = place
    return Finding(
        id=id_, severity=Severity.ERROR, where=where, message=message, fix=fix, width=width
    )
