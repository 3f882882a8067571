"""The composition root: everything is built once, here, and ends in reverse order."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway import chores
from gateway.admission import Admission
from gateway.api import app as api
from gateway.api import replay
from gateway.api import tokens as token_api
from gateway.api.access import Credentials
from gateway.api.elevating import elevation_routes
from gateway.api.identities import Identities
from gateway.api.links import Links
from gateway.approvals import Approvals
from gateway.changes import Feed
from gateway.chores import Tasks
from gateway.contract import Announcement, Approval
from gateway.doors import DoorFailed, Doors
from gateway.elevations import Grants
from gateway.elevations import house as elevations
from gateway.elevations.showing import grant_view
from gateway.gate import Gate
from gateway.hosting import authorities, certifying, hosts
from gateway.identity.failures import Failures
from gateway.identity.keys import KeyRing, public_keys
from gateway.identity.lineages import Lineages, Revocation
from gateway.identity.links import SlackLinks
from gateway.identity.members import Members
from gateway.identity.minted import Minted
from gateway.identity.origins import Origins
from gateway.identity.possession import Possession
from gateway.identity.private_files import KeysUnsafe
from gateway.identity.tokens import Issuer
from gateway.journal import Journal, JournalFailed
from gateway.policy.credentials import SecretMissing
from gateway.policy.live import LivePolicy
from gateway.policy.model import Policy
from gateway.protocols import served, shape
from gateway.recorder import Recorder
from gateway.recorder.transcript import Transcripts
from gateway.running import Gateway
from gateway.search import Index
from gateway.sessions import Sessions
from gateway.store import StoreFailed
from gateway.store.embedded import EmbeddedStore
from gateway.upstream.reaching import Reaching
from gateway.vocabulary import known

log = logging.getLogger("countersign.serve")

DRAIN_WITHIN = 10.0
"""Seconds that open sessions get to end by themselves when the gateway stops."""
UNHEARD_FOR = 600.0
"""Seconds within which a session that ended may be one that no follower had heard of."""


class StartFailed(Exception):
    """The gateway cannot begin; the message says what to mend."""


async def serve(policy_file: Path, state: Path, *, as_json: bool) -> None:
    """Run until SIGTERM or SIGINT, and say on stdout when ready.

    Raises `PolicyFileError` or `StartFailed` where it cannot begin.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(policy_file, state) as gateway:
            loop.add_signal_handler(signal.SIGHUP, gateway.reload)
            gc.collect()
            gc.freeze()  # what is built once is not looked through again and again
            sys.stdout.write(f"{gateway.ready_line(as_json=as_json)}\n")
            sys.stdout.flush()
            await stop.wait()
            log.info("stopping")
        await chores.end_rest()
    except (StoreFailed, JournalFailed, SecretMissing, KeysUnsafe, DoorFailed, OSError) as failure:
        raise StartFailed(f"countersign serve cannot go on: {failure}") from failure


@asynccontextmanager
async def running(policy_file: Path, state: Path) -> AsyncIterator[Gateway]:
    """One gateway, from its state directory to its open doors."""
    clock = time.time
    async with AsyncExitStack() as parts:
        feed: Feed

        def announce(level: str, text: str) -> None:
            log.log(logging.ERROR if level == "error" else logging.WARNING, text)
            feed.publish(
                announcement=Announcement(
                    id=secrets.token_hex(4),
                    at=clock(),
                    level=level,
                    text=text,
                    channel=live_policy.current.slack.approvals,
                )
            )

        live_policy = LivePolicy(
            policy_file,
            vocabulary=known(),
            on_error=lambda message: announce(
                "error",
                f"The policy file was changed but does not hold; the old one stays in force. {message}",
            ),
        )

        operator_credential = api.operator_credential(state)

        store = EmbeddedStore.open(state)
        parts.push_async_callback(store.close)
        members = Members(store, clock=clock)

        def policy() -> Policy:
            return members.applied(live_policy.current)

        journal = Journal(state / "journal", clock=clock)
        parts.push_async_callback(journal.close)
        feed = Feed(store)
        await feed.start()
        reaching = Reaching(store, policy, announce=announce, clock=clock)
        parts.push_async_callback(reaching.close)
        bot_credential = await reaching.secrets.get(policy().bot_credential)
        await reaching.secrets.renew()
        keys = KeyRing.open(state / "keys", clock=clock)
        recorder = Recorder(
            state / "recordings",
            clock=clock,
            sign=keys.sign_bytes,
            key_id=lambda: keys.key_id,
            answer_limit=policy().limits.answer_recorded,
        )
        for session_id in recorder.recover("the gateway ended while this session was open"):
            log.warning("sealed a recording that was left open", extra={"session": session_id})

        tasks = Tasks()
        parts.push_async_callback(tasks.cancel)
        lineages = Lineages(store, clock=clock)
        issuer = Issuer(keys, policy, lineages, clock=clock, secret=reaching.secrets.current)
        minted = Minted(store, issuer, key=keys.secret("minted"), clock=clock)
        links = Links(keys.secret("replay"), public_url=lambda: policy().api.public_url, clock=clock)
        sessions = Sessions(feed, link=links.link, clock=clock)
        origins = Origins(
            store,
            issuer,
            policy,
            live=lambda session_id: sessions.get(session_id) is not None,
            announce=announce,
            spawn=tasks.spawn,
            clock=clock,
        )
        admission = Admission(issuer, minted, policy, origins, clock=clock)
        possession = Possession(issuer, origins, policy, clock=clock, steady=time.monotonic)

        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.start()
        parts.callback(scheduler.shutdown, wait=False)

        async def kill(approval: Approval) -> None:
            """A killing vote: revoke the asking agent's token, and with it everything below."""
            vote = approval.votes[-1]
            asking = approval.lineage.chain[-1].token_id
            lineages.revoke(
                asking, by=vote.person, reason=vote.reason or f"killed with approval {approval.id}"
            )
            await store.commit()

        grants = Grants(
            store,
            journal,
            policy=policy,
            clock=clock,
            steady=time.monotonic,
            scheduler=scheduler,
            spawn=tasks.spawn,
        )
        approvals = Approvals(
            store,
            journal,
            feed,
            clock=clock,
            scheduler=scheduler,
            policy=policy,
            proof_key=keys.secret("opened"),
            on_kill=kill,
            grants=grants,
            rejoin=policy().limits.rejoin,
        )
        parts.push_async_callback(approvals.stop)

        def revoked(revocation: Revocation) -> None:
            reason = f"revoked by {revocation.by}" + (
                f": {revocation.reason.rstrip('.')}" if revocation.reason else ""
            )
            sessions.kill_tokens(revocation.token_ids, f"This session was {reason}.")
            grants.end_tokens(revocation.token_ids, f"its agent was {reason}")
            tasks.spawn(chores.withdraw(approvals, journal, revocation, reason))

        lineages.on_revoked(revoked)
        elevation = elevations.build(
            grants=grants,
            approvals=approvals,
            sessions=sessions,
            issuer=issuer,
            minted=minted,
            lineages=lineages,
            feed=feed,
            store=store,
            journal=journal,
            policy=policy,
            schema=reaching.surveys.schema,
            announce=announce,
            spawn=tasks.spawn,
            clock=clock,
        )
        budgets = chores.recalled(store)
        parts.callback(chores.keep, budgets, store)
        meters = api.Meters()
        gate = Gate(
            policy(),
            mask_key=keys.secret("masks"),
            approvals=approvals,
            recorder=recorder,
            sessions=sessions,
            still_valid=admission.still_valid,
            estimate=reaching.estimate,
            shaper=shape,
            grants=grants,
            budgets=budgets,
            announce=announce,
            meters=meters,
            clock=clock,
        )
        await approvals.start()
        await elevation.start()
        feed.recall(
            chores.ended(recorder.directory, gate.audit_channel, links.link),
            unheard_since=clock() - UNHEARD_FOR,
        )

        def transcripts() -> Transcripts:
            return Transcripts(recorder.directory, lambda protocol: served(protocol).render)

        index = Index(state / "search.sqlite", recorder.directory, lambda protocol: served(protocol).render)
        parts.push_async_callback(index.close)
        tasks.spawn(index.follow())
        failures = Failures(clock=clock)
        identities = Identities(
            issuer,
            members,
            failures,
            store,
            policy,
            clock=clock,
            spawn=tasks.spawn,
            secret=reaching.secrets.current,
        )
        slack_links = SlackLinks(store, journal, policy=policy, clock=clock)
        application = api.build(
            policy=policy,
            approvals=approvals,
            feed=feed,
            store=store,
            journal=journal,
            sessions=sessions,
            lineages=lineages,
            transcripts=transcripts(),
            link=links.link,
            grants=lambda: map(grant_view, grants.all()),
            index=index,
            bot_credential=bot_credential,
            operator_credential=operator_credential,
            meters=meters,
            logins=identities.logins,
            slack_links=slack_links,
            clock=clock,
            routes=[
                *token_api.routes(
                    issuer=issuer,
                    possession=possession,
                    minted=minted,
                    keys=keys,
                    lineages=lineages,
                    members=members,
                    workloads=identities.workloads,
                    devices=identities.devices,
                    failures=failures,
                    store=store,
                    policy=policy,
                    part=slack_links.part,
                    is_operator=lambda credential: _same(credential, operator_credential),
                    certify=certifying(keys.secret),
                    authorities=authorities(keys.secret),
                    hosts=hosts(keys.secret),
                ),
                *identities.routes(),
                *elevation_routes(
                    elevation,
                    approvals,
                    issuer=issuer,
                    possession=possession,
                    links=lineages.links,
                    policy=policy,
                    store=store,
                    addresses=lambda: doors.addresses,
                    credentials=Credentials(bot=bot_credential, operator=operator_credential),
                    clock=clock,
                ),
                *replay.routes(
                    replay.Replay(
                        links,
                        transcripts(),
                        live=sessions.get,
                        keys=lambda: public_keys(state / "keys"),
                    )
                ),
            ],
        )
        listen = policy().api.listen
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        parts.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, listen.host, listen.port)
        try:
            await site.start()
        except OSError as error:
            raise DoorFailed(f"the API cannot listen there, see api.listen: {error.strerror}") from None

        # The doors are opened last and closed first: while they drain, what is held can still be decided.
        doors = Doors(
            gate,
            admission,
            spawn=tasks.spawn,
            secret=keys.secret,
            clock=clock,
            known=reaching.surveys.known,
            logins=reaching.logins,
        )
        parts.push_async_callback(doors.close, drain=DRAIN_WITHIN)
        await doors.follow(policy())

        gateway = Gateway(
            policy=live_policy,
            doors=doors,
            api_address="{}:{}".format(*runner.addresses[0][:2]),
            sessions=sessions,
            gate=gate,
            announce=announce,
            reload_asked=asyncio.Event(),
        )
        reaching.keep_up(scheduler, datetime.now(tz=UTC))
        tasks.spawn(gateway.keep_up(journal))
        tasks.spawn(chores.count(budgets, store))
        tasks.spawn(chores.retain(policy, recorder.directory, journal, announce))
        yield gateway


def _same(credential: str, wanted: str) -> bool:
    return secrets.compare_digest(credential.encode("utf-8", "surrogateescape"), wanted.encode())
