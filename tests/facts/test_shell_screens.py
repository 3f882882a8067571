"""Which programs are of no use without a terminal."""

from __future__ import annotations

import pytest

from gateway.facts.shell import Lines


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("vi x", "vi"), ("sudo vim x", "vim"), ("/usr/bin/nano", "nano"), ("sh -c 'vi x'", "vi"), ("ls; emacs x", "emacs"), ("top", "top"),
        ("f() { vi x; }; f", "vi"), ("htop", "htop"), ("screen", "screen"), ("screen -r", "screen"), ("tmux", "tmux"),
        ("tmux new -s x", "tmux"), ("tmux attach", "tmux"), ("crontab -e", "crontab"), ("systemctl edit x", "systemctl"), ("visudo", "visudo"),
        ("watch ls", "watch"), ("mc", "mc"), ("iotop", "iotop"), ("v=vi; $v x", "vi"), ("v\\im x", "vim"),
    ],
)  # fmt: skip
def test_a_program_that_draws_on_the_screen_is_found(line: str, program: str) -> None:
    assert Lines().takes_screen(line) == program


@pytest.mark.parametrize(
    "line",
    [
        "vim -es x", "nvim --headless x", "emacs --batch -l x", "top -bn1", "top -b -n 1", "iotop -b", "less x", "man ls", "screen -dmS x y",
        "screen -ls", "tmux ls", "tmux new -d -s x", "crontab -l", "systemctl status x", "visudo -c", "alias v=vi", "f() { vi x; }",
        "echo vi", "vim --version", "ncdu -o x", "slabtop -o", "cat <<vi", "python3",
    ],
)  # fmt: skip
def test_what_does_without_is_not(line: str) -> None:
    assert Lines().takes_screen(line) == ""


def test_what_lines_before_defined_counts() -> None:
    lines = Lines()
    lines.ran("e=vim; show() { top; }")
    assert (lines.takes_screen("$e x"), lines.takes_screen("show"), lines.takes_screen("vi")) == (
        "vim",
        "top",
        "vi",
    )
