"""Secrets that a command has printed: the line below a command that fetches, draws or decodes one.

The name stands in the command and not beside the value, so the line has to be one word that no message is: `OK`,
`Success!` and the name of what was made are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.masking.shapes import Shape, Span, word
from gateway.masking.values import is_random, is_strong, is_value, looks_secret, value_at

_NAME = rb"(?i:passw(?:or)?d|passphrase|secret|token|api[._-]?key|private[._-]?key|secret[._-]?key|access[._-]?key|credential)"
_FETCHES_ONE = re.compile(_NAME)
_COMMAND_ENDS = re.compile(rb"[^\r\n\0]{0,240}\r?\n(?:/[^\r\n\0]{1,80}\r?\n)?")
"""The rest of the command's line, and the key that `etcdctl` repeats."""
_LINE = re.compile(rb"[ \t]*([^\s\0]{6,4096})[ \t]*(?=[\r\n\0]|\Z)")
_NO_VALUE = re.compile(rb"[$#%>{\[<(\"'-]|[A-Za-z_./:-]{1,64}=[^=]")
"""A prompt, a document, or a pair, in which the value is found by its own name."""


def _below(data: bytes, _start: int, end: int) -> Iterator[Span]:
    if (command := _COMMAND_ENDS.match(data, end)) is None:
        return
    line = _LINE.match(data, command.end())
    if line is None or not is_value(data, line.span(1), quoted=True):
        return
    begin, finish = line.span(1)
    if data[begin] == data[finish - 1] and data[begin] in b"\"'":
        begin, finish = begin + 1, finish - 1
    value = data[begin:finish]
    if _NO_VALUE.match(value) or b"://" in value or value[-1:] in b":.!),":
        return
    if _is_drawn(value) and looks_secret(value, least=6):
        yield begin + 7 * value.startswith(b"base64:"), finish


def _named_below(data: bytes, start: int, end: int) -> Iterator[Span]:
    """`$ echo $DB_PASSWORD`, `$ cat /run/secrets/db_password`, `... -o jsonpath='{.data.password}' | base64 -d`"""
    command = _COMMAND_ENDS.match(data, end)
    if command is not None and _FETCHES_ONE.search(data, end - 1, command.end()):
        yield from _below(data, start, end)


def _is_drawn(value: bytes) -> bool:
    return is_strong(value) or is_random(value, least=16)


def _in_json(data: bytes, _start: int, end: int) -> Span | None:
    span = value_at(data, end - 1)
    return span if span is not None and is_value(data, span, quoted=True) else None


_ACCOUNT_KEY = re.compile(rb"[A-Za-z0-9+/]{86}==")


def _of_account(data: bytes, _start: int, end: int) -> Span | None:
    """A table of `Get-AzStorageAccountKey`."""
    match = _ACCOUNT_KEY.match(data, end - 40)
    return match.span() if match is not None else None


_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,128}={0,2}")


def _listed(data: bytes, _start: int, end: int) -> Span | None:
    """A key in the JSON of `az storage account keys list`."""
    match = _BASE64.match(data, end - 40)
    return match.span() if match is not None else None


PRINTED = (
    word(
        rb"(?:"
        # stores of secrets
        rb"op (?:item get|read) |vault (?:kv get|read|print) |gopass show |pass show |bw get |lpass show |secret-tool lookup |security find-(?:generic|internet)-password "
        rb"|chamber read |doppler secrets get |infisical secrets get |teller |ansible-vault (?:view|decrypt) |sops (?:-d|decrypt) "
        # clouds
        rb"|gcloud (?:secrets versions access|auth (?:application-default )?print-)|aws ecr get-login-password|aws codeartifact get-authorization-token"
        rb"|az (?:account get-access-token|acr (?:login|credential)|keyvault secret show)|gh auth token|glab auth token|heroku (?:auth:token|config:get)|flyctl auth token|fly auth token"
        rb"|kubectl (?:[^\r\n\0]{0,40} )?create token|oc whoami -t|argocd admin initial-password|argocd account generate-token"
        # what draws one
        rb"|php artisan key:generate|(?:bin/)?rails secret|rake secret|openssl rand |pwgen|apg |makepasswd|mkpasswd|head -c ?[0-9]{1,4} /dev/u?random"
        rb")",
        spans=_below,
    ),
    word(
        rb"(?:echo|printenv|cat|printf|jq|yq|kubectl|oc|aws|consul|etcdctl|redis-cli|grep)[ ][^\s\0]",
        spans=_named_below,
    ),
    # aws ssm get-parameter
    Shape(
        pattern=rb"\"Type\"\s{0,4}:\s{0,4}\"SecureString\",\s{0,24}\"Value\"\s{0,4}:\s{0,4}\"",
        check=_in_json,
    ),
    # az keyvault secret show
    Shape(
        pattern=rb"\.vault\.azure\.net/secrets/[^\s\"\0]{1,120}\"[^{}\0]{0,240}\"value\"\s{0,4}:\s{0,4}\"",
        check=_in_json,
    ),
    word(rb"key[12][ \t]{1,8}[A-Za-z0-9+/]{40}", _of_account),
    Shape(
        pattern=rb"\"permissions\"\s{0,4}:\s{0,4}\"(?i:full|read)\",\s{0,16}\"value\"\s{0,4}:\s{0,4}\"[A-Za-z0-9+/]{40}",
        check=_listed,
    ),
)
