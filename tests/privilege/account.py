"""An account that `fsd bootstrap` set up, where IAM is enforced, and who works in it: its roles."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.local.cli import ROOT, Fsd
from tests.local.conftest import commit, own_aws
from tests.local.server.enforced import Account, opened
from tests.local.test_bootstrap import REPO, token

EXAMPLES = ROOT / "examples" / "services"
DEV, PROD = "dev", "prod"
Edit = Callable[[str], str]  # of a manifest
_BORDER = "\n# .github"


@contextmanager
def embedded_aws(place: Path, *, kind: type[Fsd] = Fsd) -> Iterator[Fsd]:
    """Where every account enforces IAM; the caller is the root user of one."""
    with own_aws(kind(state=place / "state", cwd=place), "--enforce-iam") as fsd:
        yield fsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A checkout of one example, and the account that it is deployed to."""

    owner: Fsd  # who set the account up: its root user
    root: Account
    service: str
    is_job: bool

    def workflow(self, kind: str, environment: str = DEV) -> Fsd:
        """The checkout in a workflow's job, with nothing but what the role gives.

        `kind` is deploy or plan.
        """
        context = f"environment:{environment}" if kind == "deploy" else "pull_request"
        answer = self.root.client("sts").assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{self.root.id}:role/fsd-{kind}-{environment}-org.offers",
            RoleSessionName="workflow",
            WebIdentityToken=token(f"repo:{REPO}:{context}"),
        )
        keys = answer["Credentials"]
        environ = {
            **self.owner.extra,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        return replace(self.owner, extra=environ)


@contextmanager
def bootstrapped(
    cloud: Fsd, example: str, *, folder: Path, account: str, edit: Edit = str
) -> Iterator[Site]:
    """The example in a repository of its own, and `dev` and `prod` in an account of its own."""
    shutil.copytree(EXAMPLES / example, folder)
    manifest = folder / "service.yml"
    manifest.write_text(edit(manifest.read_text()))
    commit(folder, "first")
    owner = Fsd(state=cloud.state, cwd=folder, extra={**cloud.extra, "AWS_ACCESS_KEY_ID": account})
    endpoint, secret = cloud.extra["AWS_ENDPOINT_URL"], cloud.extra["AWS_SECRET_ACCESS_KEY"]
    text = (folder / "service.yml").read_text()
    with opened(endpoint, account, secret) as root:
        entry = _entry(owner.ok("bootstrap", "--env", DEV, "--repo", REPO, "--yes").out)
        after_it = f"{entry.replace(DEV, PROD).rstrip()}\n  promoteFrom: {DEV}\n"
        (folder / ".fsd").mkdir()
        (folder / ".fsd" / "environments.yml").write_text(f"{entry.rstrip()}\n---\n{after_it}")
        owner.ok("bootstrap", "--env", PROD, "--repo", REPO, "--yes")
        commit(folder, "where it goes")
        name = text.partition("  name: ")[2].partition("\n")[0]
        yield Site(owner=owner, root=root, service=name, is_job="kind: Job" in text)


def _entry(printed: str) -> str:
    """What bootstrap printed for the environments file."""
    return printed.partition("# .fsd/environments.yml\n---\n")[2].partition(_BORDER)[0]
