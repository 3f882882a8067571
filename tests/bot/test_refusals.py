"""One sentence for each kind of refusal, with the gateway's own words where they say more."""

from __future__ import annotations

from bot import refusals
from bot.gateway_client import GatewayUnreachable, NotEligible, NotFound, Stale, WishRefused


def test_the_gateways_words_go_on_with_the_sentence_or_follow_it() -> None:
    assert (
        refusals.sentence(NotFound("there is no session a<b"))
        == "The gateway knows nothing by that id: there is no session a<b"
    )
    assert refusals.sentence(WishRefused("it is offered no longer.")) == (
        "That was not asked for: it is offered no longer."
    )
    assert refusals.sentence(NotEligible("Ask a DBA.")) == "You cannot decide this. Ask a DBA."
    assert refusals.sentence(NotFound("")) == "The gateway knows nothing by that id."
    assert refusals.sentence(Stale("approval is at 3")).endswith("then decide.")


def test_nobody_who_cannot_log_in_is_told_of_a_decision() -> None:
    assert refusals.no_login(NotEligible("Nobody can log in here.")) == "Nobody can log in here."
    assert "cannot be reached" in refusals.no_login(GatewayUnreachable(""))
