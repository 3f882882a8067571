"""curl and wget: what comes in and what goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address
from urllib.parse import unquote

from gateway.facts.shell.call import Call, Handler, Options, options
from gateway.facts.shell.values import DEEP, WILD, leaks
from gateway.model import Effect

_URL_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:?#]+)", re.IGNORECASE)
_CURL_TAKES = "AbcCdDeEFHhKmoPQrtTuUwxXyYz"
_CURL_LONG = """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
    continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode
    delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine etag-compare
    etag-save expect100-timeout form form-string ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode
    happy-eyeballs-timeout-ms haproxy-clientip header hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway json
    keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options mail-auth mail-from
    mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir parallel-max pass
    pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type
    proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name
    proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote random-file
    range rate referer request request-target resolve retry retry-delay retry-max-time sasl-authzid service-name
    sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname speed-limit speed-time ssl-sessions stderr
    telnet-option tftp-blksize time-cond tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii
    trace-config unix-socket upload-file url url-query user user-agent variable vlan-priority write-out
"""
"""Every option that takes a value: the value of one that is missed here would be taken for an address."""
_CURL_HEADERS = ("H", "header", "A", "user-agent", "b", "cookie", "u", "user", "e", "referer", "proxy-header")
_CURL_WRITES = (
    "o", "output", "D", "dump-header", "c", "cookie-jar", "trace", "trace-ascii", "stderr", "libcurl", "hsts", "alt-svc", "etag-save", "ssl-sessions",
)  # fmt: skip
_FILE_URL = re.compile(r"file:(?://(?:localhost|127\.0\.0\.1)(?=/))?/*", re.IGNORECASE)
_ENCODED_FILE = re.compile(r"[^@=]*@(.*)", re.DOTALL)
"""`--data-urlencode`: a name may stand before the file's."""
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}")
"""A part of an IPv4 address as inet_aton(3) takes it: the last one may fill several bytes."""
_LOCAL = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)\Z")
_METADATA = re.compile(
    r"(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata(?:\.google\.internal)?|\[?fd00:ec2::254\]?"
    r"|\[::ffff:(?:169\.254\.169\.254|a9fe:a9fe)\])\.?\Z"
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
    for url in urls:
        _reached(call, url, globs=not given.has("g", "globoff"))
    _sent(call, given)
    for header in given.values(*_CURL_HEADERS):
        if header.startswith("@"):
            call.read(header[1:])
            call.add(Effect.EXFIL)
        elif (
            leaks(header)
            and not _SENSITIVE_HEADER.search(header)
            and not all(_LOCAL.match(host_of(url)) for url in urls)
        ):
            call.add(Effect.EXFIL)
    _curl_files(call, given)
    if any(flag.startswith("expand-") for flag in given.flags):
        call.doubt("curl fills variables into its options")
    if given.has("unix-socket", "abstract-unix-socket"):
        call.add(Effect.PRIVILEGE)
    if given.has("Q", "quote", "engine", "telnet-option", "mail-from"):
        call.add(Effect.EXFIL)
    return None


def _reached(call: Call, url: str, *, globs: bool) -> None:
    """One address of curl's, in which braces and brackets stand for several where it `globs`."""
    if url.lower().startswith("file:"):
        path = _FILE_URL.sub("/", url)
        call.read(unquote(path))
        several = path
    else:
        host = host_of(url)
        call.host(host, Effect.READ)
        _asked(call, url)
        if _OTHER_PROTOCOLS.match(url):
            call.add(Effect.EXFIL)  # what is sent there stands in the address, or comes from elsewhere
        several = host.removeprefix("[")
    if url.startswith(WILD) or (globs and ("{" in several or "[" in several)):
        call.doubt("which address is asked is not known")


def _sent(call: Call, given: Options) -> None:
    """The body of curl's request, the files that go out in it, and what the method does."""
    method = (given.values("X", "request") or ("",))[-1].upper()
    literal = given.values("data-raw", "form-string")
    bodies = given.values("d", "data", "data-ascii", "data-binary", "json", "expand-data")
    encoded = given.values("data-urlencode", "url-query")
    forms = given.values("F", "form")
    uploads = given.values("T", "upload-file")
    files = [body[1:] for body in bodies if body.startswith("@")]
    files += [found[1] for found in map(_ENCODED_FILE.match, encoded) if found]
    files += [
        value.partition("=")[2].lstrip("@<").partition(";")[0]
        for value in forms
        if re.search(r"=[@<]", value)
    ]
    files += uploads
    for path in files:
        call.read(path)
    texts = (*literal, *bodies, *encoded, *forms)
    if files or any(map(leaks, texts)):
        call.add(Effect.EXFIL)
    in_address = given.has("G", "get") and method in {"", "GET"}
    if (texts or uploads or method not in {"", "GET", "HEAD", "OPTIONS"}) and not in_address:
        call.add(Effect.DESTRUCTIVE if method == "DELETE" else Effect.WRITE)


def _curl_files(call: Call, given: Options) -> None:
    """Files that curl's options name beside what is sent."""
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
    for path in given.values(*_CURL_WRITES):
        call.write(path, truncates=True)
    if given.has("O", "remote-name", "remote-name-all", "J", "remote-header-name"):
        for directory in given.values("output-dir") or (".",):
            call.write(f"{directory}/{DEEP}")


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
    """The host of a URL, of `user@host` or of a bare name, as a resolver takes it: in lower case, numbers dotted."""
    found = _URL_HOST.match(address)
    if found is None:
        return address
    host = unquote(found[1]).lower()
    parts = host.removesuffix(".").split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return host
    numbers = [int(part, 16 if part[:2] == "0x" else 8 if part[:1] == "0" else 10) for part in parts]
    *first, rest = numbers
    if any(byte > 255 for byte in first) or rest >= 256 ** (4 - len(first)):
        return host
    return str(IPv4Address(bytes(first) + rest.to_bytes(4 - len(first), "big")))


def _wget(call: Call) -> str | None:
    given = options(
        call.args,
        takes="oaieBtOTwQPUlADIXR",
        long="""
            post-file post-data body-file body-data method header output-document directory-prefix user
            password use-askpass input-file output-file append-output execute tries timeout user-agent referer
            load-cookies save-cookies warc-file rejected-log hsts-file ca-certificate certificate private-key config limit-rate
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
    for path in given.values("load-cookies"):
        call.read(path)
    for path in given.values("i", "input-file"):
        call.read(path)
        call.doubt("wget reads addresses from a file")
    outputs = given.values("O", "output-document")
    for path in (
        *outputs,
        *given.values("o", "output-file", "a", "append-output", "save-cookies", "P", "directory-prefix"),
        *given.values("warc-file", "rejected-log", "hsts-file"),
    ):
        call.write(path, truncates=True)
    if not outputs and not given.has("spider"):
        call.add(Effect.WRITE)
    return None


HANDLERS: Mapping[str, Handler] = {
    "curl": _curl,
    "wget": _wget,
}
