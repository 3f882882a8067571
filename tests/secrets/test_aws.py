"""AWS Secrets Manager by a server that checks signatures, with credentials from each place that AWS's tools know."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import boto3
import pytest

from gateway.policy.credentials import AwsStore, SecretMissing, SecretRef, SecretUnavailable
from gateway.secrets.aws import Aws
from tests.ports import free_port
from tests.secrets import stores

ORDERS = SecretRef(source="aws", name="orders/prod", key="password")


@pytest.fixture
def at_home(aws, monkeypatch, tmp_path):
    """The variables of a process beside the server, and no credentials yet."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def administrator(aws, service):
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


@pytest.fixture
def orders(aws, at_home):
    """The secret is `first`; returns what changes it."""
    manager = administrator(aws, "secretsmanager")

    def put(text):
        try:
            manager.create_secret(Name=ORDERS.name, SecretString=text)
        except manager.exceptions.ResourceExistsException:
            manager.put_secret_value(SecretId=ORDERS.name, SecretString=text)

    put(json.dumps({"user": "gateway", "password": "first", "port": 5432}))
    return put


async def fetched(ref=ORDERS, **store):
    place = Aws(AwsStore(**store))
    try:
        return (await place.fetch(ref)).value
    finally:
        await place.close()


def key(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")


async def test_a_key_of_json_or_the_whole_text(orders, monkeypatch):
    key(monkeypatch)
    assert await fetched() == "first"
    assert json.loads(await fetched(SecretRef(source="aws", name=ORDERS.name)))["user"] == "gateway"
    orders("only text")
    assert await fetched(SecretRef(source="aws", name=ORDERS.name)) == "only text"
    for other, said in [
        (ORDERS, "is not JSON"),
        (SecretRef(source="aws", name="nothing"), "AWS has no"),
    ]:
        with pytest.raises(SecretMissing, match=said) as failure:
            await fetched(other)
        assert not isinstance(failure.value, SecretUnavailable)
    orders('{"port": 5432}')
    for missing in ("password", "port"):
        with pytest.raises(SecretMissing, match="no text under that key"):
            await fetched(SecretRef(source="aws", name=ORDERS.name, key=missing))


async def test_a_secret_is_found_by_its_arn(orders, aws, monkeypatch):
    key(monkeypatch)
    arn = administrator(aws, "secretsmanager").describe_secret(SecretId=ORDERS.name)["ARN"]
    assert await fetched(SecretRef(source="aws", name=arn, key="password")) == "first"


async def test_one_that_is_deleted_is_missing(orders, aws, monkeypatch):
    key(monkeypatch)
    manager = administrator(aws, "secretsmanager")
    manager.delete_secret(SecretId=ORDERS.name)
    try:
        with pytest.raises(SecretMissing) as failure:
            await fetched()
        assert not isinstance(failure.value, SecretUnavailable)
    finally:
        manager.restore_secret(SecretId=ORDERS.name)


async def test_without_credentials_nothing_is_asked(orders):
    with pytest.raises(SecretUnavailable, match="no AWS credentials"):
        await fetched()


async def test_without_a_region_nothing_is_asked(orders, monkeypatch):
    key(monkeypatch)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SecretUnavailable, match="region"):
        await fetched()
    assert await fetched(region="eu-central-1") == "first"


async def test_credentials_of_a_shared_file_and_a_profile(orders, at_home):
    Path(at_home / "credentials").write_text("[prod]\naws_access_key_id = any\naws_secret_access_key = any\n")
    assert await fetched(profile="prod") == "first"


async def test_credentials_of_a_web_identity(orders, at_home, monkeypatch):
    Path(at_home / "identity").write_text("a token of the cluster")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(at_home / "identity"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway")
    assert await fetched() == "first"


ACCOUNT = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "AccessKeyId": "any",
    "SecretAccessKey": "any",
    "Token": "any",
    "LastUpdated": "2026-01-01T00:00:00Z",
    "Expiration": "2099-01-01T00:00:00Z",
}


async def test_credentials_of_the_machine_by_its_metadata_with_a_token(orders, monkeypatch):
    with stores.metadata(ACCOUNT) as told:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", told.url)
        assert await fetched() == "first"
    assert told.asked


async def test_credentials_of_the_container(orders, monkeypatch):
    with stores.metadata(ACCOUNT) as told:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{told.url}/container")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-container")
        assert await fetched() == "first"
    assert told.asked == ["/container"]


async def test_nothing_of_it_is_logged(orders, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    key(monkeypatch)
    assert await fetched() == "first"
    assert "first" not in caplog.text


async def test_a_server_that_is_not_there(orders, monkeypatch):
    key(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SecretUnavailable, match="cannot be asked"):
        await fetched()
