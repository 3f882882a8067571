"""Subcommands behind options that are not known: such an option may take the next word as its value.

`helm --burst-limit list uninstall api` uninstalls. Where a list of options is not complete, and none ever stays so,
a call is read both ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.facts.shell.programs import (
    clouds,
    containers,
    databases,
    firewall,
    git,
    kubernetes,
    packages,
    systemd,
    tools,
)
from gateway.facts.shell.values import words

MOST = 8
"""Ways to read one call; one with more is in doubt."""
_PLAIN = words(
    "-q --quiet -v --verbose --debug --no-color --no-pager -y --yes --json -h --help --version --dry-run"
)
"""What takes no value, whatever program it is given to."""


@dataclass(frozen=True, slots=True)
class Own:
    """The options of a program that may stand before its subcommand."""

    takes: str = ""
    """Letters that take a value."""
    long: frozenset[str] = frozenset()
    """Names, without dashes, that do."""
    flags: frozenset[str] = frozenset()
    """Those that take none, with dashes."""
    depth: int = 2
    """How many words say what is done."""
    groups: frozenset[str] = frozenset()
    """First words that are followed by one more of these."""


def own(takes: str = "", long: str = "", flags: str = "", *, depth: int = 2, groups: str = "") -> Own:
    return Own(takes, words(long), words(flags), depth, words(groups))


OWN: Mapping[str, Own] = {
    name: known
    for names, known in (
        (
            "docker podman nerdctl",
            own(
                containers.OWN_TAKES,
                containers.OWN_LONG,
                "-D --tls --tlsverify -r --remote --syslog --experimental",
                depth=1,
                groups=f"{containers.GROUPS} {containers.MORE_GROUPS}",
            ),
        ),
        (
            "docker-compose",
            own("fp", containers.COMPOSE_LONG, "--all-resources --compatibility --no-ansi", depth=1),
        ),
        (
            "kubectl k oc",
            own(
                kubernetes.TAKES,
                kubernetes.LONG,
                "-A --all-namespaces -w --watch --insecure-skip-tls-verify --match-server-version",
                depth=1,
                groups="auth certificate cluster-info config create plugin rollout set top adm",
            ),
        ),
        (
            "git",
            own(
                "cC",
                git.LONG_OWN,
                """
                -p -P --paginate --no-replace-objects --bare --literal-pathspecs --glob-pathspecs --noglob-pathspecs
                --icase-pathspecs --no-optional-locks --no-advice --no-lazy-fetch
                """,
                depth=1,
            ),
        ),
        (
            clouds.CLOUDS,
            own(
                clouds.TAKES,
                clouds.LONG,
                """
                --no-verify-ssl --no-paginate --no-sign-request --no-cli-pager --only-show-errors --all -l -r -h
                --recursive --human-readable --summarize
                """,
                depth=3,
            ),
        ),
        (
            "systemctl",
            own(
                systemd.TAKES,
                systemd.LONG,
                """
                -a --all -l --full --user --system --global --failed --no-legend --plain --now -f --force --no-block
                --no-wall --no-reload --no-ask-password --runtime --recursive --reverse --with-dependencies --after
                --before -r -T --show-types --value --wait --no-warn -i --legend
                """,
                depth=1,
            ),
        ),
        (
            "hostnamectl timedatectl loginctl localectl networkctl",
            own(
                "pPHMnos",
                "property host machine lines output signal kill-whom",
                "-a --all -l --full --no-legend --no-ask-password --value --static --pretty --transient --stats",
                depth=1,
            ),
        ),
        (
            "resolvectl",
            own("iptc", "interface protocol type class", "-4 -6 --legend --no-legend --raw", depth=1),
        ),
        (
            "bootctl",
            own("", "esp-path boot-path root image entry-token", "--no-variables --graceful", depth=1),
        ),
        ("chronyc", own("hpf", "", "-n -N -a -c -d -m -4 -6 -e", depth=1)),
        ("apt apt-get aptitude apt-cache apt-file apt-mark", own("oct", packages.LONG, "-qq -s -a -n -f")),
        (
            "yum dnf microdnf zypper",
            own("cdR", packages.LONG, "-C --cacheonly -n --non-interactive -s --assumeno"),
        ),
        (
            "npm pnpm yarn",
            own("C", packages.LONG, "-g --global --silent -s --parseable --long -l -p -a --all"),
        ),
        (
            "apk brew port snap flatpak pip pip3 pipenv poetry uv conda mamba gem cargo composer nix guix opkg luarocks",
            own(
                "",
                packages.LONG,
                "--disable-pip-version-check --no-input --isolated --offline -n --user --system",
            ),
        ),
        ("zfs zpool btrfs nvme", own("", "", "-H -p -P -j")),
        ("pm2", own("n", "name namespace", "-m --mini-list --silent", depth=1)),
        ("supervisorctl", own("csuprl", "configuration serverurl username password history-file", depth=1)),
        ("nft", own("fID", "file includepath define", firewall.NFT_FLAGS, depth=1)),
        (
            "redis-cli",
            own(
                databases.REDIS_TAKES,
                databases.REDIS_LONG,
                """
                -2 -3 -c -e --raw --no-raw --csv --tls --insecure --no-auth-warning --askpass --stat --scan --latency
                --latency-history --bigkeys --memkeys --hotkeys --cluster-yes --quoted-input --resp3 -v
                """,
                depth=1,
            ),
        ),
        *((name, own(takes, long)) for name, (takes, long) in tools.TAKES.items()),
    )
    for name in names.split()
}


def readings(args: tuple[str, ...], known: Own) -> Sequence[tuple[str, ...]] | None:
    """The arguments in every way they may be meant, as they stand first of all; None where there are too many."""
    found = [args]
    ahead = [(args, 0)]
    while ahead:
        meant, start = ahead.pop()
        place = _unsure(meant, known, start)
        if place is None:
            continue
        without = meant[:place] + meant[place + 2 :]
        if len(found) == MOST:
            return None
        if any(not arg.startswith("-") for arg in without):
            found.append(without)
        ahead += [(meant, place + 1), (without, place)]
    return found


def _unsure(args: Sequence[str], known: Own, start: int) -> int | None:
    """The first option from `start` on that may take the word behind it, among those before the subcommand."""
    at = 0
    missing = known.depth
    while at < len(args) - 1 and missing > 0:
        arg = args[at]
        if arg == "--":
            return None
        if len(arg) < 2 or not arg.startswith("-"):
            missing -= 0 if missing == known.depth and arg in known.groups else 1
        elif (taken := _takes(arg, known)) is None:
            if at >= start and not args[at + 1].startswith("-"):
                return at
        elif taken:
            at += 1
        at += 1
    return None


def _takes(arg: str, known: Own) -> bool | None:
    """Whether an option takes the next word; None where that is not known."""
    name = arg.lstrip("-")
    if "=" in arg or arg in known.flags:
        return False
    if name in known.long:
        return True
    if not arg.startswith("--"):
        for place, letter in enumerate(name, 1):
            if letter in known.takes:
                return place == len(name)
        if all(f"-{letter}" in known.flags or f"-{letter}" in _PLAIN for letter in name):
            return False
    return False if arg in _PLAIN else None
