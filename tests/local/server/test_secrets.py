from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ministack.services import s3, secretsmanager, ssm

from fsd_local.patches.scope import scope
from fsd_local.placeholders import create_placeholders, remove_placeholders
from fsd_local.ports import RegistryLogin, SecretError
from fsd_local.secrets import MiniStackSecrets

REGION = "us-east-1"
_accounts = itertools.count(1)


@pytest.fixture
def account() -> str:
    """One that no other test of this process has."""
    return f"9{next(_accounts):011}"


def arn(account: str, name: str, region: str = REGION) -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}"


def store(account: str, name: str, value: str, region: str = REGION) -> str:
    """Create a secret; its ARN."""
    with scope(account, region):
        return str(secretsmanager._store_new_secret(name, secret_string=value)[0])


def resolve(value_from: str, account: str) -> str:
    return MiniStackSecrets().resolve(value_from, account=account, region=REGION)


def test_resolve__full_arn__is_the_value(account: str) -> None:
    assert resolve(store(account, "db", "hunter2"), account) == "hunter2"


def test_resolve__another_random_suffix__is_found_by_name(account: str) -> None:
    store(account, "db", "hunter2")
    assert resolve(arn(account, "db-XyZ123"), account) == "hunter2"


def test_resolve__name_that_looks_like_a_suffix__is_found(account: str) -> None:
    store(account, "my-secret", "a")
    store(account, "my", "b")
    assert resolve(arn(account, "my-secret"), account) == "a"


def test_resolve__name_is_the_start_of_another__is_not_found(account: str) -> None:
    store(account, "db-two", "x")
    with pytest.raises(SecretError, match="can't find the specified secret"):
        resolve(arn(account, "db"), account)


def test_resolve__arn_of_another_region__is_read_there(account: str) -> None:
    found = store(account, "db", "far", region="eu-west-1")
    assert resolve(found, account) == "far"


@pytest.mark.parametrize(("key", "expected"), [("user", "me"), ("port", "5432")])
def test_resolve__json_key__is_one_field(account: str, key: str, expected: str) -> None:
    found = store(account, "db", json.dumps({"user": "me", "port": 5432}))
    assert resolve(f"{found}:{key}::", account) == expected


def test_resolve__missing_json_key__says_it_in_the_words_of_ecs(account: str) -> None:
    found = store(account, "db", "{}")
    with pytest.raises(
        SecretError,
        match=r"retrieved secret from Secrets Manager did not contain json key user$",
    ):
        resolve(f"{found}:user::", account)


def test_resolve__secret_is_no_json__says_so_without_the_secret(account: str) -> None:
    found = store(account, "db", "hunter2")
    with pytest.raises(SecretError) as caught:
        resolve(f"{found}:user::", account)
    assert str(caught.value).endswith("invalid character 'h' looking for beginning of value")


def test_resolve__previous_stage__is_the_older_value(account: str) -> None:
    found = store(account, "db", "old")
    with scope(account, REGION):
        secretsmanager.put_secret_value_in_process(found, "new")
    assert resolve(found, account) == "new"
    assert resolve(f"{found}::AWSPREVIOUS:", account) == "old"


@pytest.mark.parametrize("given", ["db-AbCdEf", "db"])
def test_resolve__missing_secret__names_the_arn_and_the_exception(account: str, given: str) -> None:
    with pytest.raises(
        SecretError,
        match=f"^unable to pull secrets or registry auth: .*secret:{given} from secrets manager: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.$",
    ):
        resolve(arn(account, given), account)


@pytest.mark.parametrize("kind", ["String", "SecureString"])
@pytest.mark.parametrize("by", ["arn:aws:ssm:us-east-1:{}:parameter/app/key", "/app/key"])
def test_resolve__parameter__is_decrypted(account: str, kind: str, by: str) -> None:
    with scope(account, REGION):
        ssm._put_parameter({"Name": "/app/key", "Value": "v", "Type": kind})
    assert resolve(by.format(account), account) == "v"


def test_resolve__missing_parameter__is_named(account: str) -> None:
    with pytest.raises(SecretError, match=r"from ssm: .*invalid parameters: /app/none$"):
        resolve("/app/none", account)


# ---- placeholders


def create(values: list[str], account: str, service: str = "a") -> list[str]:
    return create_placeholders(values, service=service, account=account, region=REGION)


def remove(values: list[str], account: str, service: str = "a") -> list[str]:
    return remove_placeholders(values, service=service, account=account, region=REGION)


def test_create_placeholders__missing_ones__can_be_resolved(account: str) -> None:
    secret = arn(account, "db-AbCdEf", region="eu-west-1")
    wanted = [f"{secret}:user::", f"{secret}:pw::", arn(account, "plain"), "/app/key"]
    assert create(wanted, account) == wanted
    assert [resolve(value, account) for value in wanted] == ["placeholder"] * 4
    assert create(wanted, account) == []


def test_create_placeholders__secret_made_by_hand__is_left_alone(account: str) -> None:
    found = store(account, "db", json.dumps({"user": "me"}))
    assert create([f"{found}:pw::"], account) == []
    with pytest.raises(SecretError):
        resolve(f"{found}:pw::", account)


def test_remove_placeholders__of_a_service__leaves_what_another_one_uses(account: str) -> None:
    shared, own = arn(account, "shared-AbCdEf"), arn(account, "own-AbCdEf")
    create([shared, own], account, service=f"a-{account}")
    create([shared], account, service=f"b-{account}")
    assert remove([], account, service=f"a-{account}") == [own]
    assert remove([], account, service=f"b-{account}") == [shared]


def test_remove_placeholders__made_by_hand__stay(account: str) -> None:
    found = store(account, "db", "hunter2")
    with scope(account, REGION):
        ssm._put_parameter({"Name": "/app/key", "Value": "v", "Type": "String"})
    assert remove([found, "/app/key"], account) == []
    assert resolve(found, account) == "hunter2"


def count(account: str) -> tuple[int, int]:
    def mine(store: Any) -> int:
        return sum(key[0] == account for key, _ in store.all_items())

    return mine(secretsmanager._secrets), mine(ssm._parameters)


def test_remove_placeholders__named__are_gone(account: str) -> None:
    wanted = [arn(account, "db-AbCdEf"), "/app/key"]
    create(wanted, account)
    remove(wanted, account)
    assert count(account) == (0, 0)


def test_read_file__environment_file_of_a_bucket__its_text(account: str) -> None:
    file = "arn:aws:s3:::settings-of-tests/team/app.env"
    with pytest.raises(SecretError, match="failed to download env files"):
        MiniStackSecrets().read_file(file, account=account, region=REGION)

    made = create_placeholders([file, file], service="app", account=account, region=REGION)

    assert made == [file]
    with scope(account, REGION):
        s3._put_object("settings-of-tests", "team/app.env", b"A=1", {})
    assert MiniStackSecrets().read_file(file, account=account, region=REGION) == "A=1"
    assert create_placeholders([file], service="app", account=account, region=REGION) == []


def log_in(secret: str, account: str) -> RegistryLogin | None:
    return MiniStackSecrets().log_in(secret, account=account, region=REGION)


def test_log_in__by_arn_or_name__user_and_password(account: str) -> None:
    found = store(account, "ghcr", '{"username": "bot", "password": "hunter2"}')

    for secret in (found, "ghcr"):
        login = log_in(secret, account)
        assert login == RegistryLogin(user="bot", password="hunter2")
        assert "hunter2" not in repr(login)


def test_log_in__placeholder__none(account: str) -> None:
    wanted = arn(account, "ghcr-AbCdEf")
    create([wanted], account)

    assert log_in(wanted, account) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("hunter2", "unable to unmarshal secret value, invalid schema"),
        ('{"password": "hunter2"}', "asm fetching username: AuthorizationData is malformed"),
        ('{"username": "bot"}', "asm fetching password: AuthorizationData is malformed"),
    ],
)
def test_log_in__secret_of_another_form__agents_words_without_the_value(
    account: str, value: str, said: str
) -> None:
    found = store(account, "ghcr", value)

    with pytest.raises(SecretError, match=said) as raised:
        log_in(found, account)

    assert "hunter2" not in str(raised.value)


def test_log_in__no_such_secret__names_it(account: str) -> None:
    with pytest.raises(SecretError, match="fetching secret from the service for ghcr: Resource"):
        log_in("ghcr", account)
