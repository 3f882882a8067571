"""Sockets, names, addresses: what talks to other hosts or decides how this one does."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, each, options
from gateway.facts.shell.programs.web import host_of
from gateway.facts.shell.values import leaks, static, words
from gateway.model import Effect

_SENDERS = """
    mail mailx mutt sendmail s-nail telnet ftp sftp lftp tftp rclone smbclient rcp rlogin cu magic-wormhole
    wormhole croc ngrok cloudflared chisel aria2c http https httpie xh websocat wscat msmtp swaks bore cadaver axel
"""
_TRANSFERRING = words("ftp sftp lftp tftp smbclient cadaver cu")
"""They take commands from standard input, and run those behind a `!` here."""
_RCLONE_LOSES = words("bisync cleanup dedupe delete deletefile move moveto purge rmdir rmdirs sync")


def _netcat(call: Call) -> str | None:
    given = options(
        call.args,
        takes="eciIkmoOpPqsTVwXxg",
        long="exec sh-exec lua-exec source source-port proxy proxy-type wait output",
    )
    if given.has("z") and not given.has("e", "c", "exec", "sh-exec"):
        call.add(Effect.READ)
        for host in given.operands[:1]:
            call.host(host, Effect.READ)
        return None
    for host in given.operands[:1]:
        call.host(host, Effect.EXFIL)
    call.add(Effect.EXFIL)
    if given.has("e", "c", "exec", "sh-exec", "lua-exec", "l", "listen"):
        call.execute("a program is given to whoever connects")
    return None


def _socat(call: Call) -> str | None:
    call.add(Effect.EXFIL)
    call.execute("socat joins what it is told to, programs and hosts among it")
    return None


_OPENSSL = words(
    """
    x509 verify crl req ca pkcs7 pkcs8 pkcs12 rsa ec ecparam dhparam pkey pkeyutl rsautl asn1parse cms smime
    genrsa genpkey dgst md5 sha256 enc base64 rand prime passwd speed ciphers list version help
    """
)


def _openssl(call: Call) -> str | None:
    verb = call.args[0] if call.args else ""
    given = options(
        call.args[1:],
        long="""
            in out inkey key keyform passin passout pass k connect servername CAfile cert engine provider config kfile
            rand CApath host port starttls days subj newkey keyout inform outform extfile CA CAkey
            verify_return_error showcerts
        """,
    )
    call.add(Effect.READ)
    if given.has("engine", "provider", "provider-path", "config") or verb in {"engine", ""}:
        call.execute()
    for path in given.values("in", "inkey", "key", "kfile", "CAkey", "cert", "CAfile"):
        call.read(path)
    for source in given.values("pass", "passin", "k", "passout"):
        if source.startswith("file:"):
            call.read(source.removeprefix("file:"))
    if verb in {"dgst", "md5", "sha256", "verify", "crl", "cms"}:
        for path in given.operands:
            call.read(path)
    for path in given.values("out", "keyout", "writerand"):
        call.write(path, truncates=True)
    if verb == "s_client":
        asks_only = call.stdin is None or call.stdin.strip() in {"", "Q", "q"}
        for host in given.values("connect", "host"):
            call.host(host_of(host), Effect.READ if asks_only else Effect.EXFIL)
        if not asks_only:
            call.add(Effect.EXFIL)
    elif verb in {"s_server", "s_time", "ocsp"}:
        call.add(Effect.EXFIL)
    elif verb in {"ca", "req"} and given.has("newkey", "new", "out"):
        call.add(Effect.WRITE)
    elif verb not in _OPENSSL:
        call.doubt("a subcommand of openssl is not known")
    return None


def _sending(call: Call) -> str | None:
    call.add(Effect.EXFIL)
    if call.name in {"mail", "mailx", "mutt", "sendmail", "s-nail", "telnet", "ftp", "sftp", "lftp", "tftp"}:
        given = options(call.args, takes="abcrsSfoXFP", until_operand=True)
        for path in given.values("a"):
            call.read(path)
    if call.name in {"ftp", "lftp", "telnet", "sftp", "mutt", "mailx", "mail"} and any(
        "!" in arg or arg in {"-e", "-c", "-D", "-S", "-b"} or arg.startswith("-o") for arg in call.args
    ):
        call.execute()
    if call.name in _TRANSFERRING and call.stdin is not None:
        call.execute("commands are read that transfer, remove and run")
    if call.name == "smbclient" and options(call.args, takes="cUpWLIDk").has("c", "command"):
        call.execute()
    if call.name == "rclone":
        if _RCLONE_LOSES.intersection(call.args):
            call.add(Effect.DESTRUCTIVE)
        if any(arg.startswith("--password-command") for arg in call.args):
            call.execute()
    if call.name == "aria2c" and any(arg.startswith(("--on-", "--conf-path")) for arg in call.args):
        call.execute()
    return None


def _dns(call: Call) -> str | None:
    """A name that holds a value of the target carries it to whoever answers for the zone."""
    call.add(Effect.READ)
    asked = [arg for arg in call.args if not arg.startswith(("-", "+", "@"))]
    elsewhere = any(arg.startswith("@") for arg in call.args) or (
        call.name in {"nslookup", "host"} and len(asked) > 1
    )
    carried = (
        [at + 1 for at, arg in enumerate(call.args) if arg == "-p"] if call.name.startswith("ping") else []
    )
    if call.name == "nslookup" and call.stdin is not None and leaks(call.stdin):
        call.add(Effect.EXFIL)
    if call.name == "dig":
        for path in options(call.args, takes="bcfkpqtxy").values("f"):
            call.read(path)
            call.doubt("dig reads names from a file")
    if call.name == "mtr":
        for path in options(call.args, takes="F", long="filename").values("F", "filename"):
            call.read(path)
    for at, arg in enumerate(call.args):
        if leaks(arg) and ("." in arg or at in carried or elsewhere or call.name == "whois"):
            call.add(Effect.EXFIL)
        if (
            not arg.startswith(("-", "+", "@"))
            and arg.upper()
            not in {"A", "AAAA", "MX", "TXT", "NS", "SOA", "ANY", "CNAME", "PTR", "SRV", "CAA"}
            and not arg.isdigit()
        ):
            call.resource("host", arg, Effect.READ)
    return None


_IP_CHANGES = words("add append attach change delete detach flush prepend replace restore set")
_IP_DEEPER = words("xfrm mptcp l2tp")
"""Objects of ip that have objects of their own, before the verb."""


def _ip(call: Call) -> str | None:
    """It takes the beginning of an option, object or verb for the whole: `ip l s eth0 down`."""
    named = options(call.args, takes="fn", long="family batch netns").operands
    flags = [arg.lstrip("-") for arg in call.args if arg.startswith("-")]
    # -f alone is the family.
    forced = any(len(flag) > 1 and "force".startswith(flag) for flag in flags)
    within = bool(named) and any(whole.startswith(named[0]) for whole in ("netns", "vrf"))
    runs = "exec" in named or (within and any("exec".startswith(verb) for verb in named[1:2]))
    if runs or forced or any(flag and "batch".startswith(flag) for flag in flags):
        call.execute()
    kind = named[0] if named else ""
    deeper = not "link".startswith(kind) and any(whole.startswith(kind) for whole in _IP_DEEPER)
    verbs = named[1 : 3 if deeper else 2]
    if any(_ip_changes(kind, verb) for verb in verbs) or any(
        word in {*_IP_CHANGES, "del"} for word in named[1:]
    ):
        call.add(Effect.PRIVILEGE)
        if any(whole.startswith(verb) for verb in verbs for whole in ("delete", "flush")) or "down" in named:
            call.add(Effect.DESTRUCTIVE)
    elif not all(map(static, named[:2])):
        call.doubt("a subcommand is not known")
    call.add(Effect.READ)
    if kind.startswith("x"):
        call.add(Effect.EXFIL)  # keys of tunnels
    return None


def _ip_changes(kind: str, verb: str) -> bool:
    """`s` is `set` of a link, and `show` of everything else."""
    if verb == "s" and not "link".startswith(kind):
        return False
    return any(change.startswith(verb) for change in _IP_CHANGES)


def _interface(call: Call) -> str | None:
    call.add(Effect.READ)
    if call.name == "arp":
        for path in options(call.args, takes="fiAHt").values("f"):
            call.read(path)
    if len([arg for arg in call.args if not arg.startswith("-")]) > 1 or (
        call.name in {"route", "arp"} and any(a in {"add", "del", "-s", "-d", "flush"} for a in call.args)
    ):
        call.add(Effect.PRIVILEGE)
    return None


def _capture(call: Call) -> str | None:
    given = options(call.args, takes="wrziFCGWBcEjMsTVyZ")
    call.add(Effect.READ)
    if call.args in {("-D",), ("--list-interfaces",), ("--version",), ("-h",), ("-v",)}:
        return None
    call.add(Effect.EXFIL)
    if given.has("z", "Z"):
        call.execute()
    for path in given.values("w"):
        call.write(path, truncates=True)
    return None


def _nmap(call: Call) -> str | None:
    if any(arg.startswith(("--script", "-sC", "-A", "--interactive", "--datadir")) for arg in call.args):
        call.execute()
    call.add(Effect.EXFIL if "-iL" in call.args else Effect.READ)
    given = options(call.args, takes="p", long="oN oX oG oA iL")
    for path in given.values("oN", "oX", "oG", "oA"):
        call.write(path, truncates=True)
    for path in given.values("iL"):
        call.read(path)
    call.doubt("a scan is judged by people")
    return None


HANDLERS: Mapping[str, Handler] = {
    **each("nc ncat netcat nc.openbsd nc.traditional", _netcat),
    "socat": _socat,
    "openssl": _openssl,
    **each(_SENDERS, _sending),
    **each("dig host nslookup drill kdig ping ping6 traceroute tracepath mtr whois", _dns),
    **each("ip bridge", _ip),
    **each("ifconfig route arp", _interface),
    **each("tcpdump tshark dumpcap ngrep", _capture),
    **each("nmap masscan", _nmap),
}
