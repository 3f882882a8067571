"""Which files may be opened on a yes to another, and that the rest of what SSH does stays what it is."""

from __future__ import annotations

import struct

import pytest

from gateway.model import Command, Shape
from gateway.protocols.ssh import asking, packets
from gateway.protocols.ssh.shapes import shape
from gateway.shaping import shape_key

READING, PUTTING, APPENDING = 0x01, 0x1A, 0x06


def opening(path: str, flags: int = PUTTING, *attributes: int) -> Command:
    text = path.encode()
    fields = (
        struct.pack(">I", len(text))
        + text
        + struct.pack(f">I{len(attributes) or 1}I", flags, *(attributes or (0,)))
    )
    data = bytes([packets.Kind.OPEN]) + struct.pack(">I", 7) + fields
    (packet,) = packets.Packets().feed(struct.pack(">I", len(data)) + data)
    asked = packets.asked(packet, {})
    assert asked is not None
    return asking.operation(packet, asked)


def key(command: Command) -> str:
    return shape_key(found(command), command, command.facts)


def found(command: Command) -> Shape | None:
    return shape(command, command.facts) if command.facts.complete else None


@pytest.mark.parametrize("name", ["b.css", "a b.css", "site.min.css", "B-2_(x).css"])
def test_a_file_of_the_same_kind_beside_it_is_alike(name: str) -> None:
    assert key(opening("/srv/site/a.css")) == key(opening(f"/srv/site/{name}")) != ""


@pytest.mark.parametrize(
    "other",
    [
        opening("/srv/site/below/a.css"),
        opening("/srv/a.css"),
        opening("/srv/other/a.css"),
        opening("/srv/site/../other/a.css"),
        opening("/srv/site/a.php"),
        opening("/srv/site/a.css.php"),
        opening("/srv/site/.a.css"),
        opening("/srv/site/css"),
        opening("/srv/site/a\n.css"),
        opening("/srv/site/*.css"),
        opening("/srv/site/$(id).css"),
        opening("a.css"),
        opening("/srv/site/a.css", READING),
        opening("/srv/site/a.css", APPENDING),
        opening("/srv/site/a.css", READING | PUTTING),
        opening("/srv/site/a.css", PUTTING, 4, 0o4755),
        opening("/srv/site/a.css", PUTTING, 4, 0o777),
        opening("/srv/site/a.css", PUTTING, 2, 0, 0),
        asking.run("open /srv/site/a.css for writing", {}),
    ],
    ids=lambda command: command.text,
)
def test_anything_else_is_of_another_shape(other: Command) -> None:
    assert key(other) != key(opening("/srv/site/a.css"))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/cron.d/job.txt",
        "/root/.ssh/key.txt",
        "/usr/bin/tool.py",
        "/etc/ssl/private/a.pem",
        "/srv/site/Makefile",
    ],
)
def test_guards_secrets_and_files_of_no_kind_have_no_shape(path: str) -> None:
    assert found(opening(path)) is None


def test_a_card_says_which_files() -> None:
    told = found(opening("/srv/site/a.css"))
    assert told is not None
    assert told.words == "open /srv/site/*.css for writing"
    assert told.passes == "open /srv/site/another.css for writing"
    assert told.stops == "open /srv/site/below/another.css for writing"


def test_what_a_client_sets_beforehand_is_part_of_the_shape() -> None:
    plain = key(asking.run("systemctl stop nginx", {}))
    assert plain == key(asking.run("systemctl   stop 'nginx'", {})) != ""
    assert plain != key(asking.run("systemctl stop nginx", {"LD_PRELOAD": "/tmp/x.so"}))


def test_a_line_of_a_shell_is_not_a_command_and_knows_what_went_before() -> None:
    lines, other = asking.Lines(), asking.Lines()
    other.ran("unit=nginx")
    keys = {
        key(asking.run("systemctl stop nginx", {})),
        key(asking.line("systemctl stop nginx", lines)),
        key(asking.line("systemctl stop nginx", other)),
    }
    assert len(keys - {""}) == 3


@pytest.mark.parametrize("command", [asking.shell(), asking.sftp(), asking.forward("db", 5432)])
def test_what_is_no_text_has_no_shape(command: Command) -> None:
    assert key(command) == ""
