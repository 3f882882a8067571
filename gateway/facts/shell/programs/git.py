"""git, and what a client's git starts on the target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.facts.shell.call import Call, Handler, Options, each, options
from gateway.facts.shell.paths import secret
from gateway.facts.shell.programs.content import HUNTED
from gateway.facts.shell.programs.subcommands import D, E, R, U, W, X, judge, table
from gateway.facts.shell.values import DEEP, static, words

_GIT = table(
    (
        """
        log diff status show blame shortlog describe rev-parse rev-list ls-files ls-tree ls-remote cat-file
        name-rev merge-base for-each-ref show-ref count-objects whatchanged cherry diff-tree diff-index
        diff-files var version help check-ignore check-attr grep range-diff fsck verify-commit verify-tag
        show-branch reflog annotate remote/show remote/get-url stash/list stash/show
        submodule/status worktree/list notes/show notes/list bundle/verify bisect/log ls get-tar-commit-id
        interpret-trailers stripspace symbolic-ref lfs/ls-files lfs/status lfs/env
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
        worktree/remove filter-branch filter-repo
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
_LISTING = {
    "branch": words(
        """
        -a -r -v -vv --list -l --all --show-current --contains --no-contains --merged --no-merged --remotes --sort
        --format --points-at --color --no-color --column -i --ignore-case
        """
    ),
    "tag": words("-l --list -n --contains --no-contains --merged --no-merged --points-at --sort --format"),
    "remote": words("-v --verbose"),
}
"""Subcommands that only list where nothing but these options stands behind them."""
_FILTERING = words("-l --list -n --show-current --contains --no-contains --merged --no-merged --points-at")
"""Options that make of a name a pattern to list by; with any other, the name is one to create."""
LONG_OWN = "config-env git-dir work-tree namespace super-prefix attr-source"
_RUNNING_OPTIONS = words(
    "--upload-pack --receive-pack --exec --ext-diff --open-files-in-pager --extcmd --template --web"
)
_RUNNING_LETTERS = {"clone": "u", "grep": "O", "rebase": "x"}
_TAKES = {
    "archive": "o", "branch": "u", "checkout": "bB", "clone": "bcjou", "format-patch": "o", "push": "o", "restore": "s", "switch": "cC", "tag": "mFu",
}  # fmt: skip
_SERVER_OPTIONS = words("--strict --timeout --stateless-rpc --advertise-refs --http-backend-info-refs")
_LOSES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("branch", "tag", "update-ref"), ("d", "D", "delete")),
    **dict.fromkeys(("checkout", "restore", "switch"), ("f", "force", "discard-changes")),
    "push": ("f", "d", "force", "force-with-lease", "mirror", "delete", "prune"),
    "reset": ("hard",),
}
"""Options by which a subcommand drops what nothing else may hold."""


def _shows_secrets(verb: str, rest: Sequence[str]) -> bool:
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
    args = _subcommand(call)
    if not args:
        call.add(R)
        return None
    verb, rest = args[0], args[1:]
    if not static(verb):
        call.doubt("a subcommand is not known")
        return None
    flags = [arg for arg in rest if arg.startswith("-")]
    operands = [arg for arg in rest if not arg.startswith("-")]
    if any(_runs(verb, flag) for flag in flags) or any(arg.startswith(("ext::", "fd::")) for arg in rest):
        call.execute("git runs a program of its options")
    given = options(rest, takes=_TAKES.get(verb, ""), long="output sort format config")
    if verb == "clone" and not all(map(_HARMLESS_SETTING.match, given.values("c", "config"))):
        call.execute("git runs a program of its settings")
    _files(call, verb, given)
    if verb == "config":
        _config(call, rest, operands)
    elif _lists(verb, flags, given):
        call.add(R)
    else:
        _judged(call, verb, rest, given)
    return f"{DEEP}\n" if verb in {"ls-files", "ls-tree"} else None


def _subcommand(call: Call) -> tuple[str, ...]:
    """What stands behind git's own options, which are read here."""
    own = options(call.args, takes="cC", long=LONG_OWN, until_operand=True)
    if own.has("config-env") or not all(map(_HARMLESS_SETTING.match, own.values("c"))):
        call.execute("git runs a program of its settings")
    if any(own.values("exec-path")) or any(place != ".git" for place in own.values("git-dir")):
        call.execute("git reads settings of another folder")
    return own.operands


def _runs(verb: str, flag: str) -> bool:
    """Whether git runs what the option names. It takes the beginning of a long option for the whole."""
    name = flag.partition("=")[0]
    if len(name) > 3 and any(option.startswith(name) for option in _RUNNING_OPTIONS):
        return True
    return not flag.startswith("--") and _RUNNING_LETTERS.get(verb, "-") in flag[1:]


def _files(call: Call, verb: str, given: Options) -> None:
    """Files outside the history that are written, or compared and searched as they lie there."""
    for path in given.values(*("output", "o") if verb in {"archive", "format-patch"} else ("output",)):
        call.write(path, truncates=True)
    for path in given.operands:
        if given.has("no-index") or (verb in {"diff", "grep"} and path.startswith(("/", "~", ".."))):
            call.read(path, deep=True)


def _config(call: Call, rest: Sequence[str], operands: Sequence[str]) -> None:
    for path in options(rest, takes="f", long="file blob default type").values("f", "file"):
        call.read(path)
    shows = {"--get", "--list", "-l", "--get-all", "--get-regexp"}.intersection(rest)
    if shows or operands[:1] in (["get"], ["list"]) or (len(rest) == 1 and operands and static(rest[0])):
        call.add(R)
        return
    call.add(W)
    # A file or a type may stand before the setting: whatever has a setting's form may be it.
    named = any(_RUNNING_SETTING.match(word) for word in operands if "." in word)
    if named or not all(map(static, operands[:-1] or operands)):
        call.execute("git will run a program of its settings")


def _lists(verb: str, flags: Sequence[str], given: Options) -> bool:
    known = _LISTING.get(verb)
    if known is None:
        return False
    names = {flag.partition("=")[0] for flag in flags}
    return names <= known and (not given.operands or bool(names & _FILTERING))


def _judged(call: Call, verb: str, rest: Sequence[str], given: Options) -> None:
    """A subcommand by its table, and what its options make worse."""
    named = [arg for arg in rest if not arg.startswith("-")]
    found = judge(call, _GIT, verb, *named[:1])
    if U in found:
        call.execute("git runs a program")
    if verb == "help" and given.has("w", "web", "i", "info", "m", "man"):
        call.execute("git runs a viewer of its settings")
    if verb == "push":
        for remote in named[:1]:
            call.resource("remote", remote, E)
        if any(name.startswith((":", "+")) for name in named[1:]):
            call.add(D)
    if given.has(*_LOSES.get(verb, ())) or (verb in {"checkout", "restore"} and "." in rest):
        call.add(D)
    if _shows_secrets(verb, rest):
        call.add(E)


def _git_server(call: Call) -> str | None:
    """git-upload-pack and git-receive-pack: what a client's git starts on the target."""
    effect = R if call.name.endswith(("upload-pack", "upload-archive")) else W
    call.add(effect)
    operands = [arg for arg in call.args if not arg.startswith("-")]
    if len(operands) != 1 or not _SERVER_OPTIONS.issuperset(set(call.args) - set(operands)):
        call.doubt("a transfer's command line is not the one that git sends")
    for path in operands:
        call.resource("file", path, effect)
    return None


HANDLERS: Mapping[str, Handler] = {
    "git": _git,
    **each("git-upload-pack git-receive-pack git-upload-archive", _git_server),
}
