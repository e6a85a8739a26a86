"""`fsd validate` with many files: names, patterns, folders and standard input, as a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.unit.manifest.manifests import KAFKA_CONSUMER

BAD = KAFKA_CONSUMER.replace("type: ecs", "type: lambda")
ENVIRONMENT = "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: dev}\n"
WORKFLOW = "on: push\njobs: {}\n"


@pytest.fixture
def fsd(tmp_path: Path) -> Fsd:
    work = tmp_path / "work"
    (work / ".git").mkdir(parents=True)
    return Fsd(state=tmp_path / "state", cwd=work)


def write(fsd: Fsd, name: str, text: str) -> Path:
    path = fsd.cwd / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def checked(fsd: Fsd, *arguments: str) -> list[tuple[str, bool]]:
    document = fsd.run("validate", "--format", "json", *arguments).json()
    return [(file["file"], file["valid"]) for file in document["files"]]


def test_validate__several_files__all_told_and_exit_3(fsd: Fsd) -> None:
    write(fsd, "a.yml", KAFKA_CONSUMER)
    write(fsd, "b.yml", BAD)
    write(fsd, "c.yml", "a: b: c\n")

    ended = fsd.run("validate", "--file", "a.yml", "--file", "none.yml", "b.yml", "c.yml")

    assert ended.code == 3
    assert "error[manifest-unreadable]: there is no such file\n  --> none.yml\n" in ended.out
    assert "  --> b.yml:12:9\n" in ended.out
    assert "error[yaml-syntax]" in ended.out
    assert "\n4 files: 3 errors, 0 warnings · `fsd explain ID` explains each" in ended.out


def test_validate__several_good_files__exit_0(fsd: Fsd) -> None:
    write(fsd, "a.yml", KAFKA_CONSUMER)
    write(fsd, "b.yml", KAFKA_CONSUMER)

    ended = fsd.run("validate", "a.yml", "b.yml")

    assert (ended.code, ended.out) == (0, "2 files: 0 errors, 0 warnings\n")


SHARED = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: NAME, pack: offers, owners: ["@org/offers"]}
service:
  type: ecs
  port: 8000
  healthCheck: {path: /health}
  observability: {logs: {retention: 30}}
  networking:
    loadBalancer:
      shared: main
      paths: [/NAME]
      domain: {name: api.example.com, hostedZone: Z0123456789ABCDEFGHIJ}
"""


def domain_errors(fsd: Fsd, *files: str) -> list[tuple[str, int]]:
    document = fsd.run("validate", "--format", "json", *files).json()
    return [
        (finding["path"], finding["line"])
        for finding in document["findings"]
        if finding["id"] == "domain-setting"
    ]


def test_validate__two_services_with_one_domain__found_where_both_are_given(fsd: Fsd) -> None:
    write(fsd, "a.yml", SHARED.replace("NAME", "offers"))
    write(fsd, "b.yml", SHARED.replace("NAME", "orders"))

    alone, both = fsd.run("validate", "b.yml"), fsd.run("validate", "a.yml", "b.yml")

    assert alone.code == 0, alone.out
    assert both.code == 3
    assert "error[domain-setting]: `api.example.com` is also the domain of `offers`" in both.out
    assert "  --> b.yml:13:22\n" in both.out
    assert "fix: remove `domain` here: that of `offers` leads to the same load balancer" in both.out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: orders", "name: offers"),
        ("api.example.com", "orders.example.com"),
        ("Z0123456789ABCDEFGHIJ", "Z9876543210ABCDEFGHIJ"),
        (
            "      domain:",
            "      # fsd: ignore[domain-setting] one of both is deployed\n      domain:",
        ),
    ],
    ids=["one service", "another name", "another zone", "ignored"],
)
def test_validate__two_files__no_domain_twice(fsd: Fsd, old: str, new: str) -> None:
    write(fsd, "a.yml", SHARED.replace("NAME", "offers"))
    write(fsd, "b.yml", SHARED.replace("NAME", "orders").replace(old, new))

    assert domain_errors(fsd, "a.yml", "b.yml") == []


PROD = "environments: {prod: {networking: {loadBalancer: {domain: VALUE}}}}\n"


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        ("", "{name: api.example.com}", 15),
        ("{name: www.example.com}", "{name: www.example.com}", 15),
        ("{name: www.example.com}", "{name: api.example.com}", None),
        ("null", "{name: api.example.com}", None),
        ('{name: "${ENV}.example.com"}', "{name: prod.example.com}", 15),
    ],
    ids=["of all and of one", "of one each", "of two environments", "taken away", "a variable"],
)
def test_validate__domain_of_an_environment__compared_with_what_others_have_there(
    fsd: Fsd, first: str, second: str, line: int | None
) -> None:
    other = SHARED.replace("NAME", "orders").replace("api.example", "orders.example")
    more = PROD.replace("VALUE", first) if first else ""
    write(fsd, "a.yml", SHARED.replace("NAME", "offers") + more)
    write(fsd, "b.yml", other + "\n" + PROD.replace("VALUE", second))

    assert domain_errors(fsd, "a.yml", "b.yml") == ([("b.yml", line)] if line else [])


def test_validate__very_many_files__one_domain_found_across_processes(fsd: Fsd) -> None:
    for number in range(120):
        text = SHARED.replace("NAME", f"s{number}")
        text = text if number in (0, 119) else text.replace("api.", f"s{number}.")
        write(fsd, f"all/{number:03}.yml", text)

    assert domain_errors(fsd, "all") == [("all/119.yml", 13)]


def test_validate__own_load_balancers_with_one_domain__another_name_is_asked_for(fsd: Fsd) -> None:
    own = SHARED.replace("      shared: main\n      paths: [/NAME]\n", "")
    write(fsd, "a.yml", own.replace("NAME", "offers"))
    write(fsd, "b.yml", own.replace("NAME", "orders"))

    ended = fsd.run("validate", "--diff", "a.yml", "b.yml")

    assert ended.code == 3
    assert "fix: use another name, or remove it from one of them" in ended.out


def test_validate__folder__only_what_says_that_it_is_a_service_yaml(fsd: Fsd) -> None:
    write(fsd, "services/b/service.yaml", BAD)
    write(fsd, "services/a/service.yml", KAFKA_CONSUMER)
    write(fsd, "services/a/json.yml", '{"apiVersion": "fsd/v1"}')
    write(fsd, "services/a/compose.yml", "services: {}\n")
    write(fsd, "services/a/environments.yml", ENVIRONMENT)
    write(fsd, "services/a/notes.txt", KAFKA_CONSUMER)
    write(fsd, "services/.hidden/service.yml", BAD)
    write(fsd, "services/node_modules/x/service.yml", BAD)
    os.mkfifo(fsd.cwd / "services" / "pipe.yml")
    (fsd.cwd / "services" / ".#service.yml").symlink_to("an-editors-lock")
    (fsd.cwd / "services" / "again").symlink_to(fsd.cwd / "services")

    assert checked(fsd, "--file", "services") == [
        ("services/a/json.yml", False),
        ("services/a/service.yml", True),
        ("services/b/service.yaml", False),
    ]


def test_validate__named_file_that_is_none__an_error(fsd: Fsd) -> None:
    write(fsd, "compose.yml", "services: {}\n")

    ended = fsd.run("validate", "compose.yml")

    assert ended.code == 3
    assert "error[not-a-service-yaml]" in ended.out


def test_validate__pattern__what_the_shell_would_take(fsd: Fsd) -> None:
    write(fsd, "x/one.yml", KAFKA_CONSUMER)
    write(fsd, "x/y/two.yml", BAD)
    write(fsd, "x/[odd].yml", KAFKA_CONSUMER)

    assert checked(fsd, "x/**/*.yml") == [
        ("x/[odd].yml", True),
        ("x/one.yml", True),
        ("x/y/two.yml", False),
    ]
    assert checked(fsd, "x/[odd].yml") == [("x/[odd].yml", True)]
    assert checked(fsd, "x/*") == [
        ("x/[odd].yml", True),
        ("x/one.yml", True),
        ("x/y/two.yml", False),
    ]


def test_validate__empty_name__not_this_folder(fsd: Fsd) -> None:
    write(fsd, "a.yml", KAFKA_CONSUMER)

    ended = fsd.run("validate", "--file", "")

    assert (ended.code, "no file matches" in ended.err) == (3, True)


def test_validate__the_same_file_twice__once(fsd: Fsd) -> None:
    write(fsd, "a.yml", KAFKA_CONSUMER)

    assert checked(fsd, "a.yml", "./a.yml", str(fsd.cwd / "a.yml"), ".") == [("a.yml", True)]


def test_validate__standard_input__read_and_named(fsd: Fsd) -> None:
    good = fsd.run("validate", "--file", "-", given="\ufeff" + KAFKA_CONSUMER)
    bad = fsd.run("validate", "-", given=BAD)
    nothing = fsd.run("validate", "-")

    assert (good.code, good.out) == (0, "<stdin>: 0 errors, 0 warnings\n")
    assert bad.code == 3
    assert "  --> <stdin>:12:9\n12 |   type: lambda\n" in bad.out
    assert "error[yaml-empty]" in nothing.out


def test_validate__unknown_environment__said_once_for_all_files(fsd: Fsd) -> None:
    write(fsd, ".fsd/environments.yml", ENVIRONMENT)
    write(fsd, "a.yml", KAFKA_CONSUMER)
    write(fsd, "b.yml", KAFKA_CONSUMER)

    ended = fsd.run("validate", "a.yml", "b.yml", "--env", "prod")

    assert ended.code == 3
    assert ended.out.count("error[unknown-environment]") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_validate__folder_without_permission__said_beside_the_rest(fsd: Fsd) -> None:
    write(fsd, "s/a.yml", KAFKA_CONSUMER)
    closed = write(fsd, "s/b/b.yml", KAFKA_CONSUMER).parent
    closed.chmod(0)

    ended = fsd.run("validate", "s")
    closed.chmod(0o700)

    assert ended.code == 3
    assert "this folder cannot be read" in ended.out
    assert "2 files: 1 error" in ended.out


def test_validate__a_thousand_files__all_checked(fsd: Fsd) -> None:
    for number in range(1000):
        write(fsd, f"s/{number}.yml", KAFKA_CONSUMER)

    assert fsd.run("validate", "s").out == "1000 files: 0 errors, 0 warnings\n"


def test_validate__sarif__one_run_for_all_files(fsd: Fsd) -> None:
    write(fsd, "a.yml", BAD)

    ended = fsd.run("validate", "--format", "sarif", "a.yml", "none.yml")

    assert ended.code == 3
    (run,) = ended.json()["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["wrong-value", "manifest-unreadable"]


def test_validate__markdown__a_list(fsd: Fsd) -> None:
    ended = fsd.run("validate", "--format", "markdown", "-", given=BAD)

    assert ended.code == 3
    assert "- ❌ `<stdin>:12` " in ended.out
    assert "wrong-value" in ended.out


def test_validate__more_files_than_one_process_takes__each_told_in_its_order(fsd: Fsd) -> None:
    """From a hundred files on they are shared among the cores."""
    for number in range(120):
        write(fsd, f"many/{number:03}.yml", BAD if number % 50 == 7 else KAFKA_CONSUMER)
    (fsd.cwd / "many" / "060.yml").write_bytes(b"apiVersion: fsd/v1\n\xff")

    files = checked(fsd, "--file", "many")
    ended = fsd.run("validate", "--file", "many")

    assert [name for name, _ in files] == [f"many/{number:03}.yml" for number in range(120)]
    wrong = [name for name, is_valid in files if not is_valid]
    assert wrong == [f"many/{number:03}.yml" for number in (7, 57, 60, 107)]
    assert ended.code == 3
    assert ended.out.count("error[") == 4
