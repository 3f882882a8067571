"""Package managers: what looks, by manager; everything else installs, removes or runs what packages bring."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import static, words
from gateway.model import Effect

_APT = "list search show policy depends rdepends changelog madison showsrc help moo pkgnames stats dump check"
_YUM = """
    list info search repolist provides whatprovides check-update check deplist repoquery updateinfo help grouplist
    group/list groups/list module/list history/ history/list history/info
"""
_NPM = """
    ls list la ll outdated view info show search root prefix bin ping whoami doctor explain why fund help audit
    config/get config/list config/ls pkg/get versions
"""
_READS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), words(_APT)),
    "apt-cache": words(_APT),
    "apt-file": words("search list show find"),
    "apt-mark": words("showhold showmanual showauto showinstall showremove showpurge help"),
    "apt-key": words("list finger"),
    **dict.fromkeys(("yum", "dnf", "microdnf"), words(_YUM)),
    "zypper": words(
        """
        search se info if repos lr list-updates lu list-patches lp patches packages pa what-provides wp ps
        services ls patch-check pchk locks ll targetos
        """
    ),
    "apk": words("list info search policy version stats dot"),
    "brew": words(
        "list ls info search outdated deps uses leaves config doctor desc cat log services/list tap-info"
    ),
    "port": words("list installed search info deps dependents outdated contents provides variants"),
    "snap": words("list info find search version services changes tasks connections known model interfaces"),
    "flatpak": words("list info search remotes history ps remote-ls remote-info"),
    **dict.fromkeys(
        ("pip", "pip3"),
        words("list show freeze check search help debug index/versions config/list cache/list"),
    ),
    "pipenv": words("graph check verify"),
    "poetry": words("show check env/info env/list about version config/--list search"),
    "uv": words("version tree help python/list pip/list pip/show pip/freeze pip/tree pip/check tool/list"),
    **dict.fromkeys(("conda", "mamba"), words("list info search env/list config/--show compare")),
    **dict.fromkeys(("npm", "pnpm", "yarn"), words(_NPM)),
    "gem": words(
        "list search query info environment env outdated which dependency contents specification help"
    ),
    "cargo": words("tree search metadata version locate-project help pkgid"),
    "composer": words(
        "show info outdated validate diagnose licenses depends why prohibits search about status"
    ),
    "nix": words("search show-config path-info store/ls flake/show flake/metadata profile/list"),
    "guix": words("search show describe size weather"),
    "opkg": words("list list-installed list-upgradable info status search files depends whatdepends"),
    "luarocks": words("list show search doc config path"),
    "update-alternatives": words("--display --list --query --get-selections"),
}
_MANAGERS = words(
    """
    cpanm emerge nix-env add-apt-repository dpkg-reconfigure alien
    """
)
_FLAG_READS: Mapping[str, re.Pattern[str]] = {
    "dpkg": re.compile(
        r"-[lLsSpCcIV]\Z|--(?:list|listfiles|status|search|print-avail|audit|contents|info|verify|compare-versions"
        r"|get-selections|print-architecture|print-foreign-architectures|version|help|field|show)\Z|-f\Z|-W\Z"
    ),
    "rpm": re.compile(
        r"-q\w*\Z|-[VK]\w*\Z|--(?:query|verify|checksig|showrc|version|help|querytags|eval)\Z|-E\Z"
    ),
    "pacman": re.compile(r"-Q\w*\Z|-S[sigl]+\Z|-[TV]\Z|-F[lsxq]*\Z|--(?:query|version|help)\Z"),
    "emerge": re.compile(r"--(?:search|info|pretend)|-[psS]\w*\Z"),
    "nix-env": re.compile(r"-q\w*\Z|--query\Z"),
}
"""Managers whose first option is the verb."""
_REMOVES = words(
    """
    remove purge autoremove uninstall erase rm del delete un unlink dist-upgrade full-upgrade autopurge
    """
)
_FLAG_REMOVES = re.compile(r"-[rPRe]\w*\Z|--(?:remove|purge|erase|unmerge|depclean|uninstall)")
_RUNS = words("run run-script exec start test x dlx explore stop restart shell")
LONG = (
    "option config-file target-release root prefix enablerepo disablerepo repo index-url extra-index-url cwd"
)
_TOKEN = re.compile(r"auth|token|passw|secret|key", re.IGNORECASE)
_MACRO = re.compile(r"%\(|%\{[^}]*(?:lua|\()")


def _packages(call: Call) -> str | None:
    apt = call.name.startswith("apt")
    given = options(
        call.args,
        takes="oct" if apt else "C" if call.name in {"npm", "pnpm"} else "",
        long=LONG,
    )
    if not call.args and call.name != "yarn":
        call.add(Effect.READ)
        return None
    if any(not static(arg) for arg in (call.args[:1] + given.operands[:1])):
        call.doubt("a subcommand is not known")
        return None
    if apt and given.has("o", "option", "c", "config-file"):
        call.execute("a package manager runs a hook of its options")
    if call.name in _FLAG_READS:
        return _flagged(call)
    verb = given.operands[0] if given.operands else next(iter(call.args), "")
    reads = _READS.get(call.name, frozenset())
    looks = bool(
        reads.intersection(
            (
                verb,
                "/".join(given.operands[:2]),
                verb + "/" * (len(given.operands) == 1),
                *(f"{verb}/{arg}" for arg in call.args[1:2]),
            )
        )
    )
    if verb in {"-v", "-V", "--version", "version", "-h", "--help"} and len(given.operands) <= 1:
        looks = True
    if verb in {"audit", "doctor"} and (given.has("fix") or "fix" in given.operands):
        looks = False
    if apt and given.has("s", "simulate", "just-print", "dry-run", "recon", "no-act"):
        looks = True
    if looks:
        call.add(Effect.READ)
        if given.operands[:1] == ("config",) and any(_TOKEN.search(word) for word in given.operands[1:]):
            call.add(Effect.EXFIL)
    elif (
        call.name in {"npm", "yarn", "pnpm", "composer", "poetry", "uv", "pipenv", "cargo"} and verb in _RUNS
    ):
        call.execute("a package's own program is run")
        if verb == "run" and call.name in {"poetry", "uv", "pipenv"}:
            _behind(call)
    elif verb == "run" and call.name in {"conda", "mamba"}:
        call.add(Effect.EXEC)
        _behind(call)
    else:
        _change(call, given.operands[1:], removes=verb in _REMOVES)
    return None


def _behind(call: Call) -> None:
    """What stands behind `run`, with the environment's programs found first."""
    behind = call.args[call.args.index("run") + 1 :]
    given = options(
        behind, takes="np", long="name prefix cwd with python package extra group", until_operand=True
    )
    call.run(given.operands)


def _flagged(call: Call) -> str | None:
    verb = next((arg for arg in call.args if arg.startswith("-")), "")
    macros = call.name == "rpm" and (
        any(
            arg.startswith(("--pipe", "--define", "--load", "--rcfile", "--macros", "-D"))
            for arg in call.args
        )
        or any(_MACRO.search(arg) or not static(arg) for arg in call.args if verb in {"--eval", "-E"})
    )
    if macros:
        call.execute("rpm runs a program of its options")
    if _FLAG_READS[call.name].match(verb):
        call.add(Effect.READ)
    else:
        packages = tuple(arg for arg in call.args if not arg.startswith("-"))
        _change(call, packages, removes=_FLAG_REMOVES.match(verb) is not None)
    return None


def _change(call: Call, packages: tuple[str, ...], *, removes: bool) -> None:
    call.add(Effect.WRITE, Effect.EXEC)
    if removes:
        call.add(Effect.DESTRUCTIVE)
    if call.name in {"apt-key", "add-apt-repository", "rpm-key"}:
        call.add(Effect.PRIVILEGE)
    for name in packages:
        call.resource("package", name, Effect.EXEC)


HANDLERS: Mapping[str, Handler] = {
    **each({*_READS, *_FLAG_READS, *_MANAGERS}, _packages),
}
