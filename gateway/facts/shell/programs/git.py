"""git, and what a client's git starts on the target."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each
from gateway.facts.shell.paths import secret
from gateway.facts.shell.programs.content import HUNTED
from gateway.facts.shell.programs.subcommands import D, E, P, R, U, W, X, judge, table
from gateway.facts.shell.values import static, words

_GIT = table(
    (
        """
        log diff status show blame shortlog describe rev-parse rev-list ls-files ls-tree ls-remote cat-file
        name-rev merge-base for-each-ref show-ref count-objects whatchanged cherry diff-tree diff-index
        diff-files var version help check-ignore check-attr grep range-diff fsck verify-commit verify-tag
        show-branch reflog annotate remote/show remote/get-url remote/-v stash/list stash/show
        submodule/status worktree/list notes/show notes/list bundle/verify bisect/log config/--get
        config/--list config/-l config/--get-all config/--get-regexp config/get config/list ls
        get-tar-commit-id interpret-trailers stripspace symbolic-ref lfs/ls-files lfs/status lfs/env
        sparse-checkout/list maintenance/run diff-pairs fetch-pack upload-pack
        """,
        (R,),
    ),
    (
        """
        add commit mv restore checkout switch merge rebase cherry-pick revert am apply stash stash/push
        stash/pop stash/apply tag branch init pull clone fetch submodule submodule/update submodule/init
        submodule/add worktree worktree/add notes notes/add bisect gc repack pack-refs prune-packed read-tree
        update-index write-tree commit-tree hash-object mktag format-patch archive bundle sparse-checkout
        rerere remote remote/add remote/rename remote/set-url remote/update replace lfs lfs/pull lfs/fetch
        update-ref fast-import rm
        """,
        (R, W),
    ),
    (
        """
        reset clean stash/drop stash/clear prune remote/remove remote/rm reflog/expire reflog/delete
        worktree/remove branch/-D filter-branch filter-repo update-ref/-d
        """,
        (W, D),
    ),
    ("push send-email request-pull svn p4 lfs/push receive-pack", (W, E)),
    (
        """
        difftool mergetool instaweb daemon credential credential-store credential-cache http-backend shell
        web--browse gui citool gitk remote-ext remote-http submodule/foreach bisect/run
        """,
        (X, U),
    ),
    ("config", (W, P)),
)
_HARMLESS_SETTING = re.compile(
    r"""color\.\w+|user\.(?:name|email)|core\.(?:quotepath|abbrev)|log\.\w+|diff\.(?:renames|noprefix)|advice\.\w+
    |safe\.directory|http\.sslVerify|core\.pager=(?:cat|less|)\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_RUNNING_SETTING = re.compile(
    r"""core\.(?:pager|editor|fsmonitor|sshcommand|hookspath|gitproxy|askpass|attributesfile|worktree)
    |.*\.(?:cmd|textconv|command|helper|process|clean|smudge|driver|program)|remote\..*\.(?:vcs|uploadpack|receivepack)
    |alias\.|credential|include|url|protocol|http\.proxy|gpg|uploadpack""",
    re.VERBOSE | re.IGNORECASE,
)
"""Settings that name a program which git runs, or where to find others."""
_SHOWING = words("show log diff cat-file blame annotate whatchanged archive diff-tree difftool")
_GIT_READ_LISTS = {
    "branch": {
        "-a",
        "-r",
        "-v",
        "-vv",
        "--list",
        "-l",
        "--all",
        "--show-current",
        "--contains",
        "--merged",
        "--no-merged",
        "--remotes",
        "--sort",
        "--format",
        "--points-at",
        "--color",
        "--no-color",
        "--column",
        "-i",
        "--ignore-case",
    },
    "tag": {"-l", "--list", "-n", "--contains", "--points-at", "--sort"},
    "remote": {"-v", "--verbose"},
    "stash": set(),
    "notes": set(),
    "worktree": set(),
    "submodule": set(),
}


def _shows_secrets(verb: str, rest: list[str]) -> bool:
    """Whether what is shown of the history is named like a credential, or is looked for as one."""
    searched = verb == "grep" or any(arg.startswith(("-S", "-G")) for arg in rest)
    if searched and any(HUNTED.search(arg) for arg in rest):
        return True
    named = [arg.rsplit(":", 1)[1] for arg in rest if ":" in arg and not arg.startswith("-")]
    behind = rest[rest.index("--") + 1 :] if "--" in rest else []
    if verb in {"blame", "annotate"}:
        behind = [arg for arg in rest if not arg.startswith("-")]
    return verb in _SHOWING and any(secret(path) for path in (*named, *behind) if path)


def _git(call: Call) -> str | None:
    args = list(call.args)
    while args and args[0].startswith("-"):
        option = args.pop(0)
        if option in {"-c", "--config-env"} or option.startswith("--config-env"):
            setting = args.pop(0) if args else ""
            if not _HARMLESS_SETTING.match(setting):
                call.execute("git runs a program of its settings")
        elif option == "-C" and args:
            args.pop(0)
        elif option.startswith(("--exec-path=", "--git-dir", "--work-tree")) or option in {
            "--git-dir",
            "--work-tree",
        }:
            if "=" not in option and args:
                args.pop(0)
            if option.startswith(("--exec-path=", "--git-dir")) and option != "--git-dir=.git":
                call.execute("git reads settings of another folder")
        elif option in {"-p", "--paginate"}:
            continue
    if not args:
        call.add(R)
        return None
    verb, rest = args[0], args[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
        return None
    options_only = [a for a in rest if a.startswith("-")]
    operands = [a for a in rest if not a.startswith("-")]
    if (
        any(
            re.match(
                r"--(?:upload-pack|receive-pack|exec|ext-diff|open-files-in-pager|extcmd|tool-cmd|template|textconv-cmd|web)\b",
                a,
            )
            for a in options_only
        )
        or any(
            a.startswith(("-u", "-O")) and verb in {"clone", "fetch", "ls-remote", "grep"}
            for a in options_only
        )
        or any(a.startswith(("ext::", "fd::")) for a in rest)
    ):
        call.execute("git runs a program of its options")
    for option in options_only:
        if option.startswith("--output="):
            call.write(option.partition("=")[2], truncates=True)
        if option.startswith(("--no-index",)):
            for path in operands:
                call.read(path)
    if (
        verb == "config"
        and not ({"--get", "--list", "-l", "--get-all", "--get-regexp"} & set(rest))
        and not (len(operands) == 1 and not options_only)
        and operands[:1] not in (["get"], ["list"])
    ):
        key = operands[0] if operands else ""
        call.add(W)
        if _RUNNING_SETTING.match(key) or not static(key):
            call.execute("git will run a program of its settings")
        return None
    if verb == "config":
        call.add(R)
        return None
    if (
        verb in _GIT_READ_LISTS
        and (
            not rest
            or (
                verb in {"branch", "tag", "remote"}
                and all(
                    a in _GIT_READ_LISTS[verb] or a.partition("=")[0] in _GIT_READ_LISTS[verb]
                    for a in options_only
                )
                and (not operands or options_only)
            )
        )
        and (rest or verb in {"branch", "tag", "remote"})
    ):
        call.add(R)
        return None
    if (verb == "rebase" and any(a in {"-x", "--exec"} or a.startswith(("-x", "--exec")) for a in rest)) or (
        verb == "bisect" and operands[:1] == ["run"]
    ):
        call.execute("git runs a command")
    found = judge(call, _GIT, verb, *operands[:1]) if operands else judge(call, _GIT, verb, *options_only[:1])
    if U in found:
        call.execute("git runs a program")
    if verb == "help" and {"-w", "--web", "-i", "--info", "-m", "--man"} & set(rest):
        call.execute("git runs a viewer of its settings")
    if verb == "push":
        for remote in operands[:1]:
            call.resource("remote", remote, E)
        if any(
            a in {"-f", "--force", "--mirror", "-d", "--delete", "--force-with-lease", "--prune"}
            or a.startswith("--force")
            for a in rest
        ) or any(o.startswith((":", "+")) for o in operands[1:]):
            call.add(D)
    if (
        (verb in {"branch", "tag"} and any(a in {"-d", "-D", "--delete"} for a in rest))
        or (verb in {"checkout", "restore"} and any(a in {"-f", "--force", "."} for a in rest))
        or (verb == "reset" and "--hard" in rest)
    ):
        call.add(D)
    if _shows_secrets(verb, rest):
        call.add(E)
    return "\ue013\n" if verb in {"ls-files", "ls-tree"} else None


def _git_server(call: Call) -> str | None:
    """git-upload-pack and git-receive-pack: what a client's git starts on the target."""
    call.add(R if call.name.endswith(("upload-pack", "upload-archive")) else W)
    operands = [arg for arg in call.args if not arg.startswith("-")]
    if len(operands) != 1 or any(
        a.startswith("-")
        and a
        not in {"--strict", "--timeout", "--stateless-rpc", "--advertise-refs", "--http-backend-info-refs"}
        for a in call.args
    ):
        call.doubt("a transfer's command line is not the one that git sends")
    for path in operands:
        call.resource("file", path, R if call.name.endswith(("upload-pack", "upload-archive")) else W)
    return None


HANDLERS: Mapping[str, Handler] = {
    "git": _git,
    **each("git-upload-pack git-receive-pack git-upload-archive", _git_server),
}
