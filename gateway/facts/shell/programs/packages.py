"""Package managers."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.values import static, words
from gateway.model import Effect

_MANAGERS = """
    apt apt-get aptitude dpkg rpm yum dnf zypper pacman apk brew port snap flatpak pip pip3 pipenv poetry uv conda
    mamba npm yarn pnpm gem cargo composer cpanm luarocks emerge nix nix-env guix apt-key add-apt-repository
    dpkg-reconfigure update-alternatives apt-mark apt-file microdnf alien opkg
"""
_PACKAGE_READS = words(
    """
    list search show info policy depends rdepends check-update repolist provides history changelog outdated
    deps why ls view help version -v --version freeze check config-list whatprovides repoquery updateinfo -l
    -L -S -s -Q -Qi -Ql -Qs -Ss -Si -qa -q -qi -ql -qf -qR -V --list --listfiles --status --search
    --get-selections -p --print-architecture audit madison pkgnames dotty stats --audit -C -W --show
    list-installed explain root bin fund home
    """
)
_PACKAGE_REMOVES = words(
    """
    remove purge autoremove uninstall erase rm del delete -R -Rs -Rns -r -P -e --remove --purge dist-upgrade
    full-upgrade un unlink
    """
)


def _packages(call: Call) -> str | None:
    given = options(
        call.args, takes="otca" if call.name.startswith("apt") else "", long="option config-file root prefix"
    )
    verb = next((a for a in call.args if not a.startswith("-")), "")
    first = call.args[0] if call.args else ""
    if any(
        a.startswith(("-o", "--option", "-c=")) or a in {"-c", "-c="} for a in call.args
    ) and call.name.startswith("apt"):
        call.execute("a package manager runs a hook of its options")
    if (
        call.name in {"npm", "yarn", "pnpm"}
        and verb in {"run", "exec", "start", "test", "x", "dlx", "explore"}
    ) or (call.name in {"pip", "pip3"} and verb == "config" and "edit" in call.args):
        return call.execute()
    if not call.args:
        call.add(Effect.READ)
    elif not static(first):
        call.doubt("a subcommand is not known")
    elif (
        verb in _PACKAGE_READS
        or (call.name in {"dpkg", "rpm", "pacman", "apt-file", "snap-n"} and first in _PACKAGE_READS)
        or (call.name == "rpm" and first.startswith("-q"))
        or (call.name == "dpkg" and first in {"-l", "-L", "-s", "-S"})
    ):
        call.add(Effect.READ)
    else:
        call.add(Effect.WRITE, Effect.EXEC)
        if verb in _PACKAGE_REMOVES or first in _PACKAGE_REMOVES:
            call.add(Effect.DESTRUCTIVE)
        for name in given.operands[1:]:
            call.resource("package", name, Effect.EXEC)
        if call.name in {"apt-key", "add-apt-repository", "rpm-key"}:
            call.add(Effect.PRIVILEGE)
    return None


HANDLERS: Mapping[str, Handler] = {
    **each(_MANAGERS, _packages),
}
