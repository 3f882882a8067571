"""Programs that talk to other hosts: what comes in, what goes out, and what runs over there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import DEEP, WILD, static
from gateway.model import Effect

_URL_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:?#]+)", re.IGNORECASE)
_LOCAL = re.compile(r"(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)\Z")
_REMOTE = re.compile(r"(?:[^/:]+@)?[^/:]+:|[a-z]+://")
_CURL_TAKES = "AbcCdDeEFHhKmoPQrtTuUwxXyYz"
_CURL_LONG = (
    "data data-ascii data-binary data-raw data-urlencode json form form-string upload-file output output-dir header user-agent cookie cookie-jar config request url user proxy"
    " referer max-time connect-timeout retry retry-delay retry-max-time resolve connect-to cacert capath cert key key-type cert-type ciphers dump-header interface limit-rate max-redirs netrc-file"
    " noproxy oauth2-bearer pass proxy-user range stderr trace trace-ascii unix-socket abstract-unix-socket write-out quote ftp-port mail-from mail-rcpt time-cond aws-sigv4 libcurl socks5 socks5-hostname doh-url"
    " dns-servers local-port max-filesize tls-max tlsv1 continue-at proto proto-default engine hsts alt-svc etag-save etag-compare egd-file random-file url-query variable expand-data request-target telnet-option"
)
_SENSITIVE_HEADER = re.compile(r"authorization|token|key|cookie|secret", re.IGNORECASE)


def _curl(call: Call) -> str | None:
    given = options(call.args, takes=_CURL_TAKES, long=_CURL_LONG)
    call.add(Effect.READ)
    urls = [*given.operands, *given.values("url")]
    method = (given.values("X", "request") or ("",))[-1].upper()
    bodies = given.values(
        "d",
        "data",
        "data-ascii",
        "data-binary",
        "data-raw",
        "data-urlencode",
        "json",
        "form-string",
        "url-query",
        "expand-data",
    )
    forms = given.values("F", "form")
    uploads = given.values("T", "upload-file")
    for url in urls:
        if url.lower().startswith("file:"):
            call.read(url[5:].lstrip("/") and "/" + url[5:].lstrip("/"))
        else:
            call.host(_host(url), Effect.READ)
            if "\ue000" in url.partition("?")[2] or _carries(url):
                call.add(Effect.EXFIL)  # a value of the target rides in the address
        if url.startswith(WILD):
            call.doubt("which address is asked is not known")
    files = [
        value.partition("@")[2]
        for value in bodies
        if "@" in value[:64]
        and not given.has("data-raw")
        and (value[:1] == "@" or re.match(r"[\w-]*@", value))
    ]
    files += [
        value.partition("=")[2].lstrip("@<").partition(";")[0]
        for value in forms
        if re.search(r"=[@<]", value)
    ]
    files += list(uploads)
    for path in files:
        call.read(path)
    if files or any("\ue000" in value for value in (*bodies, *forms)):
        call.add(Effect.EXFIL)
    if bodies or forms or uploads or method not in {"", "GET", "HEAD", "OPTIONS"}:
        if not given.has("G", "get") or method not in {"", "GET"}:
            call.add(Effect.DESTRUCTIVE if method == "DELETE" else Effect.WRITE)
        elif any("\ue000" in value for value in bodies):
            call.add(Effect.EXFIL)
    for path in given.values("K", "config"):
        call.read(path)
        call.doubt("curl reads options from a file")
    for path in given.values(
        "o",
        "output",
        "D",
        "dump-header",
        "c",
        "cookie-jar",
        "trace",
        "trace-ascii",
        "stderr",
        "libcurl",
        "hsts",
        "alt-svc",
        "etag-save",
    ):
        call.write(path, truncates=True)
    if given.has("O", "remote-name", "remote-name-all", "J", "remote-header-name"):
        call.add(Effect.WRITE)
    if given.has("unix-socket", "abstract-unix-socket"):
        call.add(Effect.PRIVILEGE)
    if given.has("Q", "quote", "engine", "telnet-option", "mail-from"):
        call.add(Effect.EXFIL)
    if given.has("n", "netrc", "netrc-file", "E", "cert", "key"):
        call.add(Effect.READ)
    for header in given.values("H", "header", "A", "user-agent", "b", "cookie", "u", "user", "e", "referer"):
        if header.startswith("@"):
            call.read(header[1:])
            call.add(Effect.EXFIL)
        elif WILD in header and not _SENSITIVE_HEADER.search(header):
            call.add(Effect.EXFIL)
    return None


def _carries(url: str) -> bool:
    """Whether the host of an address is made of a value that only the target knows."""
    return "\ue000" in _host(url) and not url.startswith("\ue000")


def _host(address: str) -> str:
    found = _URL_HOST.match(address)
    return found[1].lower() if found else address


def _wget(call: Call) -> str | None:
    given = options(
        call.args,
        takes="oaieBtOTwQPUlADIXR",
        long="post-file post-data body-file body-data method header output-document directory-prefix user password use-askpass input-file output-file append-output execute tries timeout user-agent referer load-cookies save-cookies ca-certificate certificate private-key config limit-rate",
    )
    call.add(Effect.READ)
    for url in given.operands:
        call.host(_host(url), Effect.READ)
        if "\ue000" in url.partition("?")[2] or _carries(url):
            call.add(Effect.EXFIL)
    for path in given.values("post-file", "body-file"):
        call.read(path)
        call.add(Effect.EXFIL)
    if given.has("post-data", "body-data", "post-file", "body-file") or given.has("method"):
        call.add(Effect.WRITE)
    if any(
        "\ue000" in value
        for value in given.values("post-data", "body-data", "header", "user-agent", "U", "referer")
    ):
        call.add(Effect.EXFIL)
    if given.has("use-askpass", "e", "execute", "config"):
        call.execute()
    for path in given.values("i", "input-file"):
        call.read(path)
        call.doubt("wget reads addresses from a file")
    outputs = given.values("O", "output-document")
    for path in (
        *outputs,
        *given.values("o", "output-file", "a", "append-output", "save-cookies", "P", "directory-prefix"),
    ):
        call.write(path, truncates=True)
    if not outputs and not given.has("spider"):
        call.add(Effect.WRITE)
    return None


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


def _openssl(call: Call) -> str | None:
    verb = call.args[0] if call.args else ""
    given = options(
        call.args[1:],
        long="in out inkey key keyform passin pass k connect servername CAfile cert engine provider config kfile rand CApath host port starttls days subj newkey keyout inform outform extfile CA CAkey verify_return_error showcerts",
    )
    call.add(Effect.READ)
    if given.has("engine", "provider", "provider-path", "config") or verb in {"engine", ""}:
        call.execute()
    for path in given.values("in", "inkey", "key", "kfile", "CAkey", "cert", "CAfile"):
        call.read(path)
    for path in given.values("out", "keyout", "writerand"):
        call.write(path, truncates=True)
    if verb == "s_client":
        for host in given.values("connect", "host"):
            call.host(
                _host(host),
                Effect.READ if call.stdin in {"", "\n", "Q\n"} or call.stdin is None else Effect.EXFIL,
            )
        if (call.stdin is not None and call.stdin.strip() not in {"", "Q", "q", WILD}) or (
            call.stdin == WILD and not given.has("showcerts", "servername")
        ):
            call.add(Effect.EXFIL)
    elif verb in {"s_server", "s_time", "ocsp"}:
        call.add(Effect.EXFIL)
    elif verb in {"ca", "req"} and given.has("newkey", "new", "out"):
        call.add(Effect.WRITE)
    elif verb not in {
        "x509",
        "version",
        "dgst",
        "rand",
        "enc",
        "base64",
        "verify",
        "req",
        "rsa",
        "pkey",
        "crl",
        "list",
        "ciphers",
        "pkcs12",
        "pkcs8",
        "ec",
        "asn1parse",
        "genrsa",
        "genpkey",
        "passwd",
        "prime",
        "md5",
        "sha256",
        "pkcs7",
        "help",
        "speed",
        "ecparam",
        "dhparam",
        "cms",
        "smime",
        "pkeyutl",
        "rsautl",
    }:
        call.doubt("a subcommand of openssl is not known")
    return None


def _ssh(call: Call) -> str | None:
    given = options(call.args, takes="BbcDEeFIiJLlmOopQRSWw", until_operand=True)
    if given.has("V", "Q", "G"):
        call.add(Effect.READ)
        return None
    for option in (*given.values("o"), *given.values("J")):
        if re.match(
            r"\s*(?:proxycommand|localcommand|permitlocalcommand|knownhostscommand|match|pkcs11provider|securitykeyprovider|include|remotecommand|sendenv|proxyusefdpass|setenv|xauthlocation)\b",
            option,
            re.IGNORECASE,
        ):
            call.execute("ssh runs a command of its options")
    if given.has("F", "I"):
        call.execute("ssh reads options from a file")
    if given.has("L", "R", "D", "w", "W", "A", "X", "Y", "N"):
        call.add(Effect.EXFIL)
    if given.has("E"):
        for path in given.values("E"):
            call.write(path)
    if not given.operands:
        call.execute()
        return None
    host = given.operands[0]
    if host.startswith("-") or not static(host):
        call.doubt("which host is meant is not known")
    call.host(host.rsplit("@", 1)[-1], Effect.EXEC)
    if len(given.operands) > 1:
        return call.script(" ".join(given.operands[1:]))
    if call.stdin is not None and static(call.stdin):
        return call.script(call.stdin)
    return call.execute("a shell on another host reads what the text does not show")


def _scp(call: Call) -> str | None:
    given = options(call.args, takes="cDFiJloPSX")
    if given.has("S", "F", "D") or any(
        re.match(r"\s*(?:proxy|local|permitlocal|knownhosts)command", o, re.IGNORECASE)
        for o in given.values("o")
    ):
        call.execute()
    if given.has("t", "f"):
        return _scp_server(call)
    return _transfer(call, given.operands, deep=True)


def _scp_server(call: Call) -> str | None:
    """`scp -t path` and `scp -f path`: what a client's scp starts on the target."""
    given = options(call.args)
    if set(given.flags) - set("tfrpdvq") or len(given.operands) != 1 or given.has("t") == given.has("f"):
        call.doubt("a transfer's command line is not the one that scp sends")
    for path in given.operands:
        if given.has("t"):
            call.write(path, truncates=True)
        if given.has("f"):
            call.read(path, deep=given.has("r"))
    return None


def _transfer(call: Call, operands: tuple[str, ...], *, deep: bool) -> str | None:
    if len(operands) < 2:
        call.add(Effect.READ)
        return None
    *sources, target = operands
    if target.startswith(WILD) or any(source.startswith(WILD) for source in sources):
        call.doubt("where a transfer goes is not known")
    if _REMOTE.match(target):
        address = _host(target) if "://" in target else target.split(":", 1)[0].rsplit("@", 1)[-1]
        call.host(address, Effect.EXFIL)
    else:
        call.write(target, truncates=True)
    for source in sources:
        if _REMOTE.match(source):
            call.host(source.split(":", 1)[0].rsplit("@", 1)[-1], Effect.READ)
        else:
            call.read(source, deep=deep and not source.endswith(DEEP))
    return None


def _rsync(call: Call) -> str | None:
    given = options(
        call.args,
        takes="efBTM@",
        long="rsh rsync-path exclude include exclude-from include-from files-from filter password-file log-file temp-dir partial-dir backup-dir compare-dest copy-dest link-dest chmod chown bwlimit timeout port max-size min-size block-size out-format remote-option suffix info debug",
    )
    if given.has("server"):
        return _rsync_server(call)
    for shell in given.values("e", "rsh"):
        if not re.fullmatch(
            r"ssh(?:\s+(?:-p\s*\d+|-i\s*[\w./~-]+|-[46Cqv]+|-o\s*(?:StrictHostKeyChecking|UserKnownHostsFile|ConnectTimeout|BatchMode)=[\w./]+))*",
            shell,
        ):
            call.execute("rsync runs a program of its options")
    if given.has("rsync-path", "M", "remote-option", "daemon", "config"):
        call.execute("rsync runs a program of its options")
    for path in given.values("files-from", "exclude-from", "include-from", "password-file"):
        call.read(path)
    for path in given.values("log-file"):
        call.write(path)
    if given.has("remove-source-files") or any(flag.startswith("del") for flag in given.flags):
        call.add(Effect.DESTRUCTIVE)
    return _transfer(call, given.operands, deep=True)


def _rsync_server(call: Call) -> str | None:
    """`rsync --server [--sender] -flags . path`: what a client's rsync starts on the target."""
    if call.args[:1] != ("--server",):
        call.doubt("a transfer's command line is not the one that rsync sends")
    operands = [arg for arg in call.args if not arg.startswith("-")]
    if any(
        arg.startswith(("--rsh", "--rsync-path", "--log-file", "--config", "--daemon", "--files-from"))
        for arg in call.args
    ):
        call.execute()
    for path in operands[1:]:
        if "--sender" in call.args:
            call.read(path, deep=True)
            if "--remove-source-files" in call.args:
                call.remove(path, deep=True)
        else:
            call.write(path, truncates=True)
    if any(arg.startswith("--del") for arg in call.args):
        call.add(Effect.DESTRUCTIVE)
    if len(operands) < 2:
        call.doubt("a transfer's command line is not the one that rsync sends")
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
    return None


def _dns(call: Call) -> str | None:
    """A name that holds a value of the target carries it to whoever answers for the zone."""
    call.add(Effect.READ)
    for arg in call.args:
        if WILD in arg and "." in arg:
            call.add(Effect.EXFIL)
        if arg == "-f" and call.name == "dig":
            call.doubt("dig reads names from a file")
            for path in call.args[call.args.index("-f") + 1 :][:1]:
                call.read(path)
        if (
            not arg.startswith(("-", "+", "@"))
            and arg.upper()
            not in {"A", "AAAA", "MX", "TXT", "NS", "SOA", "ANY", "CNAME", "PTR", "SRV", "CAA"}
            and not arg.isdigit()
        ):
            call.resource("host", arg, Effect.READ)
    return None


def _ip(call: Call) -> str | None:
    given = options(call.args, takes="fn", long="family batch netns b")
    words = given.operands
    if given.has("batch") or "-b" in call.args or "exec" in words or given.has("force"):
        call.execute()
    if any(
        word in {"add", "del", "delete", "set", "flush", "change", "replace", "append", "prepend", "a", "d"}
        and n
        for n, word in enumerate(words)
    ) and not (len(words) < 2):
        call.add(Effect.PRIVILEGE)
        if any(word in {"del", "delete", "flush", "down"} for word in words):
            call.add(Effect.DESTRUCTIVE)
    elif any(WILD in word for word in words[1:2]):
        call.doubt("a subcommand is not known")
    call.add(Effect.READ)
    return None


def _interface(call: Call) -> str | None:
    call.add(Effect.READ)
    if len([arg for arg in call.args if not arg.startswith("-")]) > 1 or (
        call.name in {"route", "arp"} and any(a in {"add", "del", "-s", "-d", "flush"} for a in call.args)
    ):
        call.add(Effect.PRIVILEGE)
    return None


def _capture(call: Call) -> str | None:
    given = options(call.args, takes="wrziFCGWBcEjMsTVyZ")
    call.add(Effect.READ, Effect.EXFIL)
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
    "curl": _curl, "wget": _wget, "nc": _netcat, "ncat": _netcat, "netcat": _netcat, "nc.openbsd": _netcat, "nc.traditional": _netcat, "socat": _socat,
    "openssl": _openssl, "ssh": _ssh, "sshpass": _sending, "scp": _scp, "rsync": _rsync, "dig": _dns, "host": _dns, "nslookup": _dns, "drill": _dns, "kdig": _dns,
    "ping": _dns, "ping6": _dns, "traceroute": _dns, "tracepath": _dns, "mtr": _dns, "whois": _dns, "ip": _ip, "ifconfig": _interface, "route": _interface, "arp": _interface, "bridge": _ip,
    **dict.fromkeys(("mail", "mailx", "mutt", "sendmail", "s-nail", "telnet", "ftp", "sftp", "lftp", "tftp", "rclone", "smbclient", "rcp", "rsh", "rlogin", "cu", "magic-wormhole", "wormhole", "croc", "ngrok", "cloudflared", "chisel", "aria2c", "http", "https", "httpie", "xh", "websocat", "wscat", "msmtp", "swaks", "logger-net", "bore", "autossh", "mosh", "cadaver", "axel"), _sending),
    "tcpdump": _capture, "tshark": _capture, "dumpcap": _capture, "ngrep": _capture, "nmap": _nmap, "masscan": _nmap,
}  # fmt: skip
