"""curl and wget: what comes in and what goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.facts.shell.call import Call, Handler, options
from gateway.facts.shell.values import WILD, leaks
from gateway.model import Effect

_URL_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:?#]+)", re.IGNORECASE)
_CURL_TAKES = "AbcCdDeEFHhKmoPQrtTuUwxXyYz"
_CURL_LONG = """
        data data-ascii data-binary data-raw data-urlencode json form form-string upload-file output
        output-dir header user-agent cookie cookie-jar config request url user proxy referer max-time
        connect-timeout retry retry-delay retry-max-time resolve connect-to cacert capath cert key key-type
        cert-type ciphers dump-header interface limit-rate max-redirs netrc-file noproxy oauth2-bearer pass
        proxy-user range stderr trace trace-ascii unix-socket abstract-unix-socket write-out quote ftp-port
        mail-from mail-rcpt time-cond aws-sigv4 libcurl socks5 socks5-hostname doh-url dns-servers local-port
        max-filesize tls-max tlsv1 continue-at proto proto-default engine hsts alt-svc etag-save etag-compare
        egd-file random-file url-query variable expand-data request-target telnet-option
    """
_LOCAL = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)\Z")
_METADATA = re.compile(
    r"(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata(?:\.google\.internal)?|\[?fd00:ec2::254\]?)\Z"
)
_PLAIN_METADATA = re.compile(
    r"/(?:instance-(?:id|type)|ami-id|(?:local-|public-)?hostname|(?:local|public)-ipv[46]|zone|region|availability-zone|mac|id|name"
    r"|machine-type|project-id|numeric-project-id|placement/[\w-]+|spot/[\w-]+|vmId|location)/?\Z"
)
_OTHER_PROTOCOLS = re.compile(r"(?!https?:|ftps?:|file:|wss?:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
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
            call.host(host_of(url), Effect.READ)
            _asked(call, url)
            if _OTHER_PROTOCOLS.match(url):
                call.add(Effect.EXFIL)  # what is sent there stands in the address, or comes from elsewhere
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
    if files or any(leaks(value) for value in (*bodies, *forms)):
        call.add(Effect.EXFIL)
    if bodies or forms or uploads or method not in {"", "GET", "HEAD", "OPTIONS"}:
        if not given.has("G", "get") or method not in {"", "GET"}:
            call.add(Effect.DESTRUCTIVE if method == "DELETE" else Effect.WRITE)
        elif any(leaks(value) for value in bodies):
            call.add(Effect.EXFIL)
    for value in given.values("w", "write-out"):
        if value.startswith("@"):
            call.read(value[1:])
        for path in re.findall(r"%output\{>{0,2}([^}]*)", value):
            call.write(path)
    for value in given.values("variable"):
        call.read(value.partition("@")[2])
    for path in given.values("netrc-file"):
        call.read(path)
    for value in given.values("b", "cookie"):
        if "=" not in value:
            call.read(value)
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
        elif (
            leaks(header)
            and not _SENSITIVE_HEADER.search(header)
            and not all(_LOCAL.match(host_of(u)) for u in urls)
        ):
            call.add(Effect.EXFIL)
    return None


def _asked(call: Call, url: str) -> None:
    """What an address itself carries or brings, besides what is sent there."""
    host = host_of(url)
    if leaks(host) and host != WILD:
        call.add(Effect.EXFIL)
    if leaks(url) and not _LOCAL.match(host):
        call.add(Effect.EXFIL)  # a value of the target rides in the address
    if _METADATA.match(host) and not _PLAIN_METADATA.search(url):
        call.resource("host", host, Effect.EXFIL)  # the cloud hands out the machine's credentials there


def host_of(address: str) -> str:
    found = _URL_HOST.match(address)
    return found[1].lower() if found else address


def _wget(call: Call) -> str | None:
    given = options(
        call.args,
        takes="oaieBtOTwQPUlADIXR",
        long="""
            post-file post-data body-file body-data method header output-document directory-prefix user
            password use-askpass input-file output-file append-output execute tries timeout user-agent referer
            load-cookies save-cookies ca-certificate certificate private-key config limit-rate
        """,
    )
    call.add(Effect.READ)
    for url in given.operands:
        call.host(host_of(url), Effect.READ)
        _asked(call, url)
    for path in given.values("post-file", "body-file"):
        call.read(path)
        call.add(Effect.EXFIL)
    if given.has("post-data", "body-data", "post-file", "body-file") or given.has("method"):
        call.add(Effect.WRITE)
    if any(
        leaks(value)
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


HANDLERS: Mapping[str, Handler] = {
    "curl": _curl,
    "wget": _wget,
}
