"""Secrets of AWS Secrets Manager, by AWS's own library: requests signed, credentials from wherever AWS's tools have them.

These are, in order: variables, a web identity, shared files, the container's or the machine's metadata (IMDSv2).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import orjson

from gateway.policy.credentials import AwsStore, SecretMissing, SecretRef, SecretUnavailable
from gateway.secrets.places import Found

CONNECT_WITHIN, READ_WITHIN, ATTEMPTS = 3.0, 5.0, 2
_GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""It is not there, or is being deleted."""
_NOT_TAKEN = frozenset(
    {
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "AccessDeniedException",
    }
)
"""What the gateway proved itself with may have been replaced."""
for _name in ("aiobotocore", "botocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # what is more detailed tells answers


class Aws:
    """See `gateway.secrets.places.Place`."""

    def __init__(self, store: AwsStore) -> None:
        self._store = store
        self._client: Any = None
        self._open = AsyncExitStack()
        self._entering = asyncio.Lock()

    async def fetch(self, ref: SecretRef) -> Found:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

        try:
            try:
                answer = await self._get(ref)
            except ClientError as error:
                if _code(error) not in _NOT_TAKEN:
                    raise
                await self.close()
                answer = await self._get(ref)
        except ClientError as error:
            code = _code(error)
            if code in _GONE:
                raise SecretMissing(f"AWS has no {ref} ({code})") from None
            raise SecretUnavailable(f"AWS does not give out {ref} ({code})") from None
        except NoCredentialsError:
            raise SecretUnavailable("there are no AWS credentials where its tools look for them") from None
        except NoRegionError:
            raise SecretUnavailable("no AWS region is set: add `secrets.aws.region`") from None
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise SecretUnavailable(f"AWS cannot be asked ({type(error).__name__})") from None
        return Found(value=_value(ref, answer.get("SecretString")))

    async def close(self) -> None:
        async with self._entering:
            self._client = None
            await self._open.aclose()

    async def _get(self, ref: SecretRef) -> Any:
        client = await self._entered()
        return await client.get_secret_value(SecretId=ref.name)

    async def _entered(self) -> Any:
        async with self._entering:
            if self._client is None:
                from aiobotocore.config import AioConfig
                from aiobotocore.session import AioSession

                session = AioSession(profile=self._store.profile or None)
                self._client = await self._open.enter_async_context(
                    session.create_client(
                        "secretsmanager",
                        region_name=self._store.region or None,
                        config=AioConfig(
                            connect_timeout=CONNECT_WITHIN,
                            read_timeout=READ_WITHIN,
                            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                        ),
                    )
                )
            return self._client


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))[:60]


def _value(ref: SecretRef, kept: object) -> str:
    """All of the text, or what its JSON has under the key."""
    if not isinstance(kept, str):
        raise SecretMissing(f"{ref} is not text")
    value: object = kept
    if ref.key:
        try:
            document = orjson.loads(kept)
        except orjson.JSONDecodeError:
            raise SecretMissing(f"{ref} is not JSON, so nothing in it has a key") from None
        value = document.get(ref.key) if isinstance(document, dict) else None
    if not isinstance(value, str) or not value:
        raise SecretMissing(f"{ref} has no text under that key")
    return value
