"""Each rule for workflows alone: where it finds something, and the common ones that it must not."""

from __future__ import annotations

import textwrap

import pytest

from fsd.errors import Location
from fsd.lint.workflows import lint_workflows
from fsd.lint.workflows.registry import WORKFLOW_RULES
from fsd.spec.finding import Finding

HEAD = "on:\n  push:\n    branches: [main]\njobs:\n"


def find(rule: str, text: str, **known: str) -> tuple[Finding, ...]:
    rules = [each for each in WORKFLOW_RULES if each.id == rule]
    assert rules, rule
    others = {f".github/workflows/{name}.yml": other for name, other in known.items()}
    (checked,) = lint_workflows({".github/workflows/a.yml": text}, known=others, rules=rules)
    return checked.findings


def pointed(text: str, finding: Finding) -> str:
    """What the finding underlines."""
    assert isinstance(finding.where, Location)
    line = text.splitlines()[finding.where.line - 1]
    return line[finding.where.column - 1 :][: finding.width]


def steps(*given: str) -> str:
    """A workflow of one job with these steps."""
    listed = "".join(
        textwrap.indent("- " + textwrap.indent(step.strip("\n"), "  ")[2:] + "\n", " " * 6)
        for step in given
    )
    return f"{HEAD}  deploy:\n    runs-on: ubuntu-latest\n    steps:\n{listed}"


def run(*lines: str) -> str:
    return "run: |\n" + textwrap.indent("\n".join(lines), "  ")


URL = "https://example.com/tool.tar.gz"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "script",
    [
        [f"curl -L {URL} | tar xz"],
        [f"curl -fsSL {URL} | sudo bash -s -- --yes"],
        [f"wget -qO- {URL} | sh"],
        [f"curl {URL} \\", "  | python3 -"],
        [f'bash -c "$(curl -fsSL {URL})"'],
        [f"bash <(curl -s {URL})"],
        [f'eval "$(curl -s {URL})"'],
        [f"source <(curl -s {URL})"],
        [f"curl -L {URL} -o /tmp/x", "chmod +x /tmp/x", "/tmp/x"],
        [f"curl -Lo x {URL}", "sudo install x /usr/local/bin/x"],
        [f"curl -LO {URL}", "tar -xzf tool.tar.gz"],
        [f"wget {URL}", "tar xf tool.tar.gz"],
        [f"curl {URL} > x", "sudo mv x /usr/local/bin/"],
        [f"curl {URL} | sudo tee /usr/local/bin/x > /dev/null"],
        [f"curl -sL {URL} | gunzip > x"],
        [f"wget -O a.deb {URL}", "sudo dpkg -i ./a.deb"],
        [f"if ! command -v x; then curl {URL} | sh; fi"],
    ],
    ids=lambda script: script[0][:40],
)
def test_unverified_download__run_or_unpacked__found_at_the_address(script: list[str]) -> None:
    text = steps(run(*script))

    (finding,) = find("workflow-unverified-download", text)

    assert pointed(text, finding).startswith(URL)
    assert URL in finding.message


@pytest.mark.parametrize(
    "script",
    [
        [f"curl -fsSL {URL} -o x", f"echo '{'a' * 64}  x' | sha256sum --check", "tar xf x"],
        [f"curl -fsSL {URL} -o x", 'test "$(sha256sum x)" = "$SUM"', "tar xf x"],
        [f"curl -LO {URL}", "gpg --verify tool.tar.gz.sig tool.tar.gz", "tar xf tool.tar.gz"],
        [f"curl -LO {URL}", "gh attestation verify tool.tar.gz -R o/r", "tar xf tool.tar.gz"],
        [f"curl -f {URL}"],
        ["curl -sSf https://api.example.com/health | jq .status"],
        ["curl -s https://api.example.com | python3 -m json.tool"],
        ["curl -s https://api.example.com | python3 -c 'import sys'"],
        ["curl -X POST -d @x https://hooks.example.com | sh"],
        ["curl http://localhost:8080/x | sh"],
        [f"curl https://raw.githubusercontent.com/o/r/{COMMIT}/install.sh | sh"],
        [f"echo 'curl {URL} | sh'"],
        [f"# curl {URL} | sh"],
        ["cat > README <<EOF", f"curl {URL} | sh", "EOF"],
        [f"curl -o data.json {URL}", "python report.py"],
        [f"curl {URL} | gpg --dearmor -o /usr/share/keyrings/x.gpg"],
        ["pip install -r requirements.txt | tee log"],
    ],
    ids=lambda script: script[0][:40],
)
def test_unverified_download__verified_or_not_run__nothing(script: list[str]) -> None:
    assert find("workflow-unverified-download", steps(run(*script))) == ()


def test_unverified_download__checksum_in_the_next_step__nothing() -> None:
    text = steps(run(f"curl -o x {URL}"), run("sha256sum -c sums"), run("tar xf x"))

    assert find("workflow-unverified-download", text) == ()


def test_unverified_download__used_in_a_later_step__found() -> None:
    text = steps(run(f"curl -o x {URL}"), "uses: a/b@v1", run("tar xf x"))

    assert len(find("workflow-unverified-download", text)) == 1


@pytest.mark.parametrize("shell", ["pwsh", "python", "cmd", "node {0}"])
def test_unverified_download__not_a_shell__not_read(shell: str) -> None:
    text = steps(f"shell: {shell}\nrun: curl {URL} | sh")

    assert find("workflow-unverified-download", text) == ()


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (f"run: curl {URL} | sh", 8),
        (f"run: 'curl {URL} | sh'", 8),
        (f'run: "curl {URL} | sh"', 8),
        (f"run: >-\n  set -e;\n  curl\n  {URL}\n  | sh", 11),
        (f"run: |2-\n    set -e\n    curl {URL} | sh", 10),
        (f"run: &install |\n  curl {URL} | sh", 9),
    ],
)
def test_unverified_download__every_style_of_text__at_its_place(step: str, line: int) -> None:
    text = steps(step)

    (finding,) = find("workflow-unverified-download", text)

    assert isinstance(finding.where, Location)
    assert finding.where.line == line
    assert pointed(text, finding) == URL


def test_unverified_download__composite_action__found() -> None:
    text = f"runs:\n  using: composite\n  steps:\n    - {{shell: bash, run: 'curl {URL} | sh'}}\n"

    (finding,) = find("workflow-unverified-download", text)

    assert pointed(text, finding) == URL


KEY = "${{ secrets.AWS_ACCESS_KEY_ID }}"
SECRET = "${{ secrets.AWS_SECRET_ACCESS_KEY }}"
LOGIN = "uses: aws-actions/configure-aws-credentials@v4\nwith:\n  "
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "text",
    [
        steps(f"{LOGIN}aws-access-key-id: {KEY}\n  aws-secret-access-key: {SECRET}"),
        steps(f"env:\n  AWS_SECRET_ACCESS_KEY: {SECRET}\n  AWS_ACCESS_KEY_ID: {KEY}\nrun: x"),
        f"env: {{AWS_ACCESS_KEY_ID: '{KEY}'}}\n" + steps("run: x"),
        HEAD + f"  a:\n    env: {{AWS_ACCESS_KEY_ID: '{KEY}'}}\n    steps: []\n",
        HEAD + f"  a:\n    uses: ./.github/workflows/b.yml\n    secrets:\n"
        f"      AWS_ACCESS_KEY_ID: {KEY}\n",
        steps(run(f"aws configure set aws_access_key_id {KEY}")),
        steps(
            f"uses: docker/login-action@v3\nwith:\n  registry: {REGISTRY}\n  username: {KEY}\n"
            f"  password: {SECRET}"
        ),
    ],
)
def test_long_lived_keys__stored_key__found_once_at_its_value(text: str) -> None:
    (finding,) = find("workflow-long-lived-keys", text)

    assert pointed(text, finding).strip("'") == KEY
    assert "role-to-assume" in finding.fix


def test_long_lived_keys__literal_key__found_without_repeating_it() -> None:
    text = steps("env:\n  AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE\nrun: x")

    (finding,) = find("workflow-long-lived-keys", text)

    assert pointed(text, finding) == "AKIAIOSFODNN7EXAMPLE"
    assert "AKIA" not in finding.message


@pytest.mark.parametrize(
    "text",
    [
        steps(f"{LOGIN}role-to-assume: ${{{{ vars.ROLE }}}}\n  aws-region: us-east-1"),
        steps("env:\n  AWS_ACCESS_KEY_ID: test\n  AWS_SECRET_ACCESS_KEY: test\nrun: pytest"),
        steps("env:\n  AWS_ACCESS_KEY_ID: ${{ steps.sts.outputs.key }}\nrun: x"),
        steps(
            f"env:\n  AWS_ACCESS_KEY_ID: {KEY}\n  AWS_SESSION_TOKEN: ${{{{ secrets.T }}}}\nrun: x"
        ),
        steps("env:\n  AWS_ACCESS_KEY_ID: ${{ secrets.R2_ACCESS_KEY_ID }}\nrun: x"),
        steps(f"env:\n  AWS_ACCESS_KEY_ID: {KEY}\n  AWS_ENDPOINT_URL: https://r2\nrun: x"),
        steps("uses: docker/login-action@v3\nwith:\n  username: ${{ secrets.HUB_USER }}"),
        "on: {workflow_call: {secrets: {AWS_ACCESS_KEY_ID: {required: true}}}}\njobs: {}\n",
    ],
)
def test_long_lived_keys__oidc_or_not_aws__nothing(text: str) -> None:
    assert find("workflow-long-lived-keys", text) == ()
