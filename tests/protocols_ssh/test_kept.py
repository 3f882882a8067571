"""What channels keep in memory is counted once, and given back whatever they did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.hosted import Room
from gateway.protocols.ssh.kept import WINDOW, Kept

STEPS = st.one_of(
    st.integers(-9, 9).map(lambda count: ("more", count)),
    st.tuples(st.sampled_from(["client", "target"]), st.booleans()),
)


@given(st.lists(STEPS, max_size=20))
def test_a_closed_channel_has_given_everything_back(steps: list[tuple[str, int]]) -> None:
    room = Room()
    one = Kept(room)
    for what, value in steps:
        if what == "more":
            one.more(value)
        else:
            one.unread(what, on=bool(value))
    one.close()
    one.more(7)
    assert room.more(0)
    assert not room.more(1)


def test_a_side_that_is_not_read_counts_with_its_window_and_once() -> None:
    room = Room()
    room.limit = WINDOW
    one, other = Kept(room), Kept(room)
    assert one.unread("client", on=True)
    assert one.unread("client", on=True)
    assert not other.more(1)
    assert other.more(-1)
    assert one.unread("client", on=False)
    assert other.unread("target", on=True)
