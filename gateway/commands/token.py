"""`countersign token`: mint for a root agent or a workload, derive for a child, inspect, revoke, rotate the signing key."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from gateway.commands.options import Actions, state_option
from gateway.commands.proving import KEY, Key, bound, own_key
from gateway.commands.token_client import (
    JWT_BEARER,
    OPERATOR_TOKEN,
    TOKEN,
    Credentials,
    Misused,
    Refused,
    TokenClient,
    Unreachable,
    client,
    duration,
    left,
    operator_credential,
    own_token,
    readable,
    run_verb,
    spoken_of,
    url_option,
)

_PIPED = "- for the token on standard input"
HELP = "Mint, derive, inspect and revoke tokens; rotate the key that signs them."


def options(parser: argparse.ArgumentParser) -> None:
    actions = Actions(parser)

    mint = actions.add("mint", "a root agent's token, by its secret")
    mint.add_argument("agent", metavar="AGENT", help="an agent of policies.yaml")
    secret = mint.add_mutually_exclusive_group()
    secret.add_argument(
        "--secret-env", metavar="NAME", help="where the secret is; default: AGENT_SECRET, in capitals"
    )
    secret.add_argument("--secret-file", metavar="FILE", type=Path, help="read the secret from there")
    secret.add_argument("--secret-stdin", action="store_true", help="read the secret from standard input")
    mint.add_argument(
        "--person", default="", metavar="EMAIL", help="who answers for it, where the agent may name them"
    )
    _wishes(mint)

    workload = actions.add(
        "workload", "a root agent's token, by the one that a trusted issuer gave this program"
    )
    assertion = workload.add_mutually_exclusive_group()
    assertion.add_argument(
        "--assertion-file", metavar="FILE", type=Path, help="where it is; default: standard input"
    )
    assertion.add_argument("--github", action="store_true", help="ask the runner of GitHub Actions for it")
    workload.add_argument(
        "--audience",
        default="countersign",
        metavar="NAME",
        help="what the issuer is asked to make it for; default: %(default)s",
    )
    workload.add_argument(
        "--agent", default="", metavar="NAME", help="which agent, where the token may be several"
    )
    _wishes(workload)

    derive = actions.add("derive", f"a narrower token for a child, from ${TOKEN} or standard input")
    derive.add_argument("--as", dest="name", required=True, metavar="NAME", help="what the child is called")
    _wishes(
        derive, whose="the child's key, to which its token is then bound (DPoP); made where there is none"
    )

    proof = actions.add(
        "proof", "the header by which a request proves the key of a token (DPoP), as for curl -H"
    )
    proof.add_argument("method", metavar="METHOD", help="the request's, as GET")
    proof.add_argument("address", metavar="URL", help="where it goes")
    proof.add_argument(
        "--nonce", default="", metavar="NONCE", help="what the gateway last said in its DPoP-Nonce header"
    )
    _key(proof, f"the key; default: the file that ${KEY} names")
    _ways(proof)

    inspect = actions.add("inspect", f"what a token says, and whether it holds: ${TOKEN} or standard input")
    inspect.add_argument("token", nargs="?", default="", choices=["", "-"], metavar="-", help=_PIPED)
    _ways(inspect)

    revoke = actions.add("revoke", "end a token and everything derived from it")
    revoke.add_argument(
        "token_id",
        nargs="?",
        default="",
        metavar="TOKEN_ID",
        help=f"one below ${TOKEN}, or any for an operator; {_PIPED}; default: the token in ${TOKEN}",
    )
    revoke.add_argument("--reason", default="", metavar="TEXT", help="why; it is recorded")
    _ways(revoke)
    _state(revoke)

    rotate = actions.add("rotate", "a new key signs from now on; needs the operators' credential")
    rotate.add_argument(
        "--disown", action="store_true", help="end every token there is: after a key has leaked"
    )
    _ways(rotate)
    _state(rotate)


def run(arguments: argparse.Namespace) -> int:
    verbs = {
        "mint": _mint,
        "workload": _workload,
        "derive": _derive,
        "inspect": _inspect,
        "proof": _proof,
        "revoke": _revoke,
        "rotate": _rotate,
    }
    return run_verb(verbs[arguments.action], arguments)


def _wishes(
    parser: argparse.ArgumentParser,
    *,
    whose: str = f"a key to which the token is then bound (DPoP), made where there is none; default: ${KEY}",
) -> None:
    _key(parser, whose)
    parser.add_argument(
        "--scope", default="", metavar="SCOPE", help='"orders:read,write shop:read"; default: all there is'
    )
    parser.add_argument(
        "--ttl",
        type=duration,
        metavar="TIME",
        help="90s, 15m, 2h; default: what the policy or the parent leaves",
    )
    parser.add_argument(
        "--task", default="", metavar="TEXT", help="what it is for, in one line; people read it on cards"
    )
    _ways(parser)


def _key(parser: argparse.ArgumentParser, told: str) -> None:
    parser.add_argument("--dpop-key", metavar="FILE", type=Path, help=told)


def _ways(parser: argparse.ArgumentParser) -> None:
    url_option(parser)
    parser.add_argument("--json", action="store_true", help="the whole answer as one JSON object")


def _state(parser: argparse.ArgumentParser) -> None:
    state_option(parser, f"where the operators' credential is, unless ${OPERATOR_TOKEN} is set")


def _mint(arguments: argparse.Namespace) -> int:
    agent = Credentials(name=arguments.agent, secret=_secret(arguments))
    wishes = {
        "scope": arguments.scope,
        "expires_in": arguments.ttl,
        "task": arguments.task,
        "person": arguments.person,
    }
    form = {"grant_type": "client_credentials", **{key: value for key, value in wishes.items() if value}}
    answer = _bound_client(arguments).post("/oauth/token", form, agent=agent, proved=True)
    return _print_token(answer, arguments)


def _bound_client(arguments: argparse.Namespace) -> TokenClient:
    """The gateway, asked for a token that is bound to the key of the options or of our own, if there is one."""
    gateway = client(arguments)
    gateway.key = arguments.dpop_key or gateway.key
    if gateway.key is not None:
        Key(gateway.key, make=True)
    return gateway


def _workload(arguments: argparse.Namespace) -> int:
    from gateway.commands import assertions

    if arguments.github:
        assertion = assertions.of_github(arguments.audience)
    elif arguments.assertion_file is not None:
        assertion = assertions.of_file(arguments.assertion_file)
    else:
        assertion = assertions.of_standard_input()
    if not assertion:
        raise Misused("no token of an issuer: use --assertion-file or --github, or pipe one in")
    wishes = {
        "client_id": arguments.agent,
        "scope": arguments.scope,
        "expires_in": arguments.ttl,
        "task": arguments.task,
    }
    form = {
        "grant_type": JWT_BEARER,
        "assertion": assertion,
        **{key: value for key, value in wishes.items() if value},
    }
    answer = _bound_client(arguments).post("/oauth/token", form, proved=True)
    return _print_token(answer, arguments)


def _derive(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    answer = gateway.derive(
        own_token(gateway.url),
        name=arguments.name,
        scope=arguments.scope,
        ttl=arguments.ttl or "",
        task=arguments.task,
        bound_to=Key(arguments.dpop_key, make=True).thumbprint if arguments.dpop_key else "",
    )
    return _print_token(answer, arguments)


def _proof(arguments: argparse.Namespace) -> int:
    from gateway.commands import kept_login

    path = arguments.dpop_key or own_key()
    if path is None:
        raise Misused(f"no key: name its file in {KEY}, or with --dpop-key")
    token = os.environ.get(TOKEN, "").strip() or kept_login.token(client(arguments).url)
    key = Key(path)
    proof = key.proof(
        arguments.method, arguments.address, token=token if bound(token) else "", nonce=arguments.nonce
    )
    print(json.dumps({"proof": proof, "jkt": key.thumbprint}) if arguments.json else f"DPoP: {proof}")
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from gateway.commands.token_reading import TokenUnreadable, decode, tree

    gateway = client(arguments)
    token = spoken_of(gateway.url, arguments.token)
    try:
        said = decode(token)
    except TokenUnreadable as unreadable:
        raise Misused(str(unreadable)) from None
    ends = said.get("exp")
    remaining = float(ends) - time.time() if isinstance(ends, int | float) else 0.0
    signature, objection = _judged(gateway, token)
    holds = remaining > 0 and (not objection or signature == "not checked")
    if arguments.json:
        report = {
            "claims": said,
            "signature": signature,
            "holds": holds,
            "left": remaining,
            "note": objection,
        }
        print(json.dumps(report))
    else:
        print(tree(said))
        print(f"left       {left(remaining)}")
        print(f"signature  {signature}")
        print(f"holds      {'yes' if holds else 'no'}" + (f": {objection}" if objection else ""))
    return 0 if holds else 1


def _judged(gateway: TokenClient, token: str) -> tuple[str, str]:
    """What the gateway says of a token: its signature is `good`, `bad` or `not checked`; and what stands against it."""
    from gateway.commands.token_reading import check

    try:
        if check(token, gateway.get("/.well-known/jwks.json")) == "bad":
            return "bad", f"none of the keys of {gateway.url} has signed it"
    except (Unreachable, Refused) as failure:
        return "not checked", str(failure)
    try:
        gateway.get("/v1/connections", bearer=token)
    except (Refused, Unreachable) as refused:
        return "good", str(refused)
    return "good", ""


def _revoke(arguments: argparse.Namespace) -> int:
    gateway = client(arguments)
    form = {"token": arguments.token_id, "reason": arguments.reason}
    bearer = ""
    if arguments.token_id in {"", "-"}:
        form["token"] = spoken_of(gateway.url, arguments.token_id, undecided="none")
    elif "." in arguments.token_id:
        raise Misused(
            f"an argument is seen by every process here: put the token into {TOKEN}, or name its id"
        )
    else:
        # Whoever has a token acts by it, so that an agent on the gateway's own machine does not act as operator.
        bearer = os.environ.get(TOKEN, "").strip() or operator_credential(arguments.state)
        if not bearer:
            raise Misused(f"set {TOKEN} to a token above that one, or {OPERATOR_TOKEN}")
    answer = gateway.post("/oauth/revoke", form, bearer=bearer)
    revoked = answer.get("revoked", [])
    if arguments.json:
        print(json.dumps(answer))
    elif revoked:
        print(f"revoked {len(revoked)}: {' '.join(map(readable, revoked))}")
    else:
        print("revoked nothing: nobody has such a token")
    return 0 if revoked else 1


def _rotate(arguments: argparse.Namespace) -> int:
    bearer = operator_credential(arguments.state)
    if not bearer:
        raise Misused(f"set {OPERATOR_TOKEN}, or --state to the gateway's state directory")
    form = {"disown": "true"} if arguments.disown else {}
    answer = client(arguments).post("/v1/keys/rotate", form, bearer=bearer)
    if arguments.json:
        print(json.dumps(answer))
    else:
        print(
            f"key {readable(str(answer.get('key_id')))} signs from now on; {len(answer.get('revoked', []))} tokens ended"
        )
    return 0


def _secret(arguments: argparse.Namespace) -> str:
    if arguments.secret_stdin:
        secret = sys.stdin.readline(65_536).removesuffix("\n")
        where = "standard input"
    elif arguments.secret_file is not None:
        where = str(arguments.secret_file)
        try:
            secret = arguments.secret_file.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(
                f"{where} cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
            ) from None
    else:
        name = arguments.agent.upper().replace("-", "_").replace(".", "_") + "_SECRET"
        where = arguments.secret_env or name
        secret = os.environ.get(where, "")
    if not secret:
        raise Misused(f"no secret in {where}: set it, or use --secret-env, --secret-file or --secret-stdin")
    return str(secret)


def _print_token(answer: dict[str, Any], arguments: argparse.Namespace) -> int:
    print(json.dumps(answer) if arguments.json else answer.get("access_token", ""))
    return 0
