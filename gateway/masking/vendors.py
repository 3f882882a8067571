"""Keys and tokens that services hand out, by the marks their makers put on them.

Lengths are lower bounds, and a token is hidden to its end however long it is: makers lengthen their tokens
without telling anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.masking.shapes import LOOK_BEHIND, Check, Shape, Span, word

_REST = re.compile(rb"[A-Za-z0-9_-]{0,65536}")
_REST_BASE64 = re.compile(rb"[A-Za-z0-9+/=_-]{0,65536}")
_REST_DOTTED = re.compile(rb"[A-Za-z0-9_.~=-]{0,65536}")
_REST_PATH = re.compile(rb"[A-Za-z0-9/_-]{0,512}")
_REST_FLY = re.compile(rb"[A-Za-z0-9+/=_,-]{0,65536}")


def _to_end(rest: re.Pattern[bytes], data: bytes, start: int, end: int) -> Span:
    match = rest.match(data, end)
    assert match is not None
    return start, match.end()


_SAMPLE = re.compile(rb"(?i)([x0a*.])\1{7}|(?:\A|[_-])(?:your|my|example|placeholder|replace|insert)[_-]")
"""What stands for a token in a manual: no generator draws one sign eight times over."""


def _token(pattern: bytes, rest: re.Pattern[bytes] = _REST) -> Shape:
    def drawn(data: bytes, start: int, end: int) -> Span | None:
        span = _to_end(rest, data, start, end)
        return None if _SAMPLE.search(data, start, min(span[1], end + 64)) else span

    return word(pattern, drawn)


def _valued(pattern: bytes, rest: re.Pattern[bytes]) -> Shape:
    """A value behind a name that its maker fixed (`AccountKey=...`): the name stays."""

    def value(data: bytes, start: int, end: int) -> Span:
        start = data.index(b"=", start, end) + 1
        return _to_end(rest, data, start, end)

    return word(pattern, value)


# Where the mark stands inside a token, the scan looks for the mark, and the token's beginning is found from there.


def _client_secret(data: bytes, start: int, end: int) -> Span | None:
    """Microsoft Entra ID: three signs stand before the mark."""
    first = start - 3
    if first < 0 or re.fullmatch(rb"[A-Za-z0-9_~.]{3}", data[first:start]) is None:
        return None
    return _to_end(re.compile(rb"[A-Za-z0-9_~.-]{0,64}"), data, first, end)


def _last_forty(_data: bytes, _start: int, end: int) -> Iterator[Span]:
    """`AKIA...:secret`, as s3fs and people write the two."""
    yield end - 40, end


def _of_an_account(data: bytes, start: int, end: int) -> Span | None:
    """What `az storage account keys list` prints."""
    return (end - 88, end) if b'"keyName"' in data[max(0, start - LOOK_BEHIND) : start] else None


def _telegram(data: bytes, start: int, end: int) -> Span | None:
    """The token begins with the bot's id, before the colon; in a path `bot` leads it."""
    known = _BOT.search(data, max(0, start - 14), start)
    return (known.start(1), end) if known is not None else None


_BOT = re.compile(rb"(?<![0-9A-Za-z])(?:bot)?([0-9]{8,10})\Z")


def _behind(before: bytes, rest: re.Pattern[bytes] = _REST) -> Check:
    """A token of which so much stands before its mark; `before` ends where the mark begins."""
    led = re.compile(rb"(?<![A-Za-z0-9])" + before + rb"\Z")

    def judged(data: bytes, start: int, end: int) -> Span | None:
        match = led.search(data, max(0, start - LOOK_BEHIND), start)
        return _to_end(rest, data, match.start(), end) if match is not None else None

    return judged


def _mixed(data: bytes, start: int, end: int) -> Span | None:
    """A run of letters and digits that no name has: capitals, small letters and digits."""
    value = data[start:end]
    return (start, end) if all(re.search(kind, value) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]")) else None


_SECRET_KEY = re.compile(rb"(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_.-])")


def _beside_id(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The secret access key in the line of its id, in columns or in prose; a digest of 40 signs is none."""
    for found in _SECRET_KEY.finditer(data, start + 20, min(len(data), end + 1)):
        if _mixed(data, *found.span()) is not None:
            yield found.span()


def _address(pattern: bytes) -> Shape:
    """Where messages are posted to: who knows the address needs no other secret, so all of it is one."""
    return word(rb"(?:https?://)?" + pattern, lambda *at: _to_end(_REST_PATH, *at))


_LIVE = re.compile(
    rb"(?:live|test)_(?:[a-f0-9]{35}|(?=[a-zA-Z]*[0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[A-Za-z0-9]{30,48})(?![A-Za-z0-9_])"
)


def _live(data: bytes, start: int, _end: int) -> Span | None:
    match = _LIVE.match(data, start)
    return match.span() if match is not None else None


VENDORS: Mapping[str, tuple[Shape, ...]] = {
    "aws_key": (
        word(
            rb"A[KS]IA[A-Z0-9]{16}[\"']?[^A-Za-z0-9+/=_\r\n\0-][^\r\n\0]{0,80}[^A-Za-z0-9+/=_\r\n\0.-][A-Za-z0-9+/]{40}",
            spans=_beside_id,
        ),
        word(rb"AKIA[A-Z0-9]{16},[A-Za-z0-9+/]{40}\b"),  # credentials.csv
        word(rb"A[KS]IA[A-Z0-9]{16}[\"']?[ \t]{0,2}[:;/|\t][ \t]{0,2}[A-Za-z0-9+/]{40}\b", spans=_last_forty),
        word(rb"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b"),
        _token(rb"(?:bedrock-api-key-|ABSK)[A-Za-z0-9+/=]{40}", _REST_BASE64),
        _token(
            rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=%]{40}", _REST_BASE64
        ),  # session token
    ),
    "gcp_key": (
        _token(rb"AIza[A-Za-z0-9_-]{30}|AQ\.Ab8RN6[A-Za-z0-9_-]{30}"),
        _token(rb"ya29\.(?:[a-z0-9]\.)?[A-Za-z0-9_-]{20}", _REST_DOTTED),
        _token(rb"GOCSPX-[A-Za-z0-9_-]{20}"),
        _token(rb"1//0[A-Za-z0-9_-]{30}"),
        _token(rb"GOOG1[A-Z0-9]{40}"),  # storage HMAC
    ),
    "azure_key": (
        _valued(
            rb"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/%]{20}",
            re.compile(rb"[A-Za-z0-9+/=%]{0,512}"),
        ),
        _valued(
            rb"SharedAccessSignature=s[a-z]{1,2}=[A-Za-z0-9%]",
            re.compile(rb"[A-Za-z0-9+/=%&:._-]{0,512}"),
        ),
        _valued(rb"sig=[A-Za-z0-9+/%_-]{40}", re.compile(rb"[A-Za-z0-9+/=%_-]{0,512}")),
        Shape(pattern=rb"\"value\"\s{0,4}:\s{0,4}\"[A-Za-z0-9+/]{86}==", check=_of_an_account),
        Shape(pattern=rb"[0-9]Q~[A-Za-z0-9_~.-]{31}", check=_client_secret),
    ),
    "github_token": (_token(rb"gh[pousr]_[A-Za-z0-9]{30}"), _token(rb"github_pat_[A-Za-z0-9_]{30}")),
    "gitlab_token": (
        _token(
            rb"gl(?:pat|ptt|dt|rt|rtr|cbt|ft|soat|agent|imt|oas|ffct|wt)-[A-Za-z0-9_-]{16}|GR1348941[A-Za-z0-9_-]{20}",
            _REST_DOTTED,
        ),
    ),
    "slack_token": (
        _token(rb"xox[a-z]-[A-Za-z0-9-]{10}"),
        _token(rb"xox[a-z]\.xox[a-z]-[A-Za-z0-9-]{10}"),
        _token(rb"(?:xapp-[0-9]|xwfp)-[A-Za-z0-9-]{10}"),
        _address(rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/]{20}"),
    ),
    "stripe_key": (
        _token(rb"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10}"),
        _token(rb"whsec_[A-Za-z0-9+/=]{20}", _REST_BASE64),
    ),
    "anthropic_key": (_token(rb"sk-ant-[A-Za-z0-9_-]{20}"),),
    "openai_key": (
        _token(rb"sk-(?:proj|svcacct|admin|None|or-v1|lf)-[A-Za-z0-9_-]{20}"),
        _token(rb"sk-[A-Za-z0-9]{32}"),
        _token(rb"sk-[A-Za-z0-9_-]{4,80}T3BlbkFJ[A-Za-z0-9_-]{10}"),
    ),
    "npm_token": (_token(rb"npm_[A-Za-z0-9]{30}"),),
    "pypi_token": (_token(rb"pypi-[A-Za-z0-9_-]{16}"),),
    "vendor_key": (
        _token(rb"A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),  # 1Password secret key
        _token(rb"ops_eyJ[A-Za-z0-9+/=_-]{40}", _REST_BASE64),  # 1Password service account
        _token(rb"p8e-[a-z0-9]{32}"),  # Adobe
        _token(rb"AGE-SECRET-KEY-1[A-Z0-9]{50}"),  # age
        word(rb"(?:1|2/[0-9]{13,19})/[0-9]{13,19}:[0-9a-f]{32}\b"),  # Asana
        Shape(pattern=rb"\.[a-f0-9]{64}\b", check=_behind(rb"pat[A-Za-z0-9]{14}")),  # Airtable
        _token(rb"LTAI[A-Za-z0-9]{16}"),  # Alibaba Cloud
        _token(
            rb"AT(?:ATT3|CTT3)[A-Za-z0-9_=-]{40}|ATBB[A-Za-z0-9]{30}", _REST_BASE64
        ),  # Atlassian, Bitbucket
        _token(rb"bk(?:ua|aa|at|ct)_[A-Za-z0-9]{32}"),  # Buildkite
        word(rb"cio[A-Za-z0-9]{32}\b", _mixed),  # crates.io
        _token(rb"CCI(?:PAT|PRJ)_[A-Za-z0-9]{20}"),  # CircleCI
        _token(rb"CLOJARS_[a-z0-9]{50}"),
        _token(rb"v1\.0-[a-f0-9]{24}-[a-f0-9]{100}|cf(?:ut|at|k)_[A-Za-z0-9]{30}"),  # Cloudflare
        _token(rb"CFPAT-[A-Za-z0-9_-]{40}"),  # Contentful
        _token(rb"cflt[A-Za-z0-9+/]{50}", _REST_BASE64),  # Confluent
        _token(rb"CCDB1_[A-Za-z0-9_-]{20}"),  # CockroachDB
        _token(rb"(?:dapi|dkea|dose|ddbr)[a-f0-9]{32}"),  # Databricks
        _token(rb"do[opr]_v1_[a-f0-9]{40}"),  # DigitalOcean
        Shape(
            pattern=rb"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}", check=_behind(rb"[MNO][A-Za-z0-9_-]{22,27}")
        ),  # Discord
        _address(rb"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{16,20}/[A-Za-z0-9_-]{60}"),
        _address(
            rb"outlook\.office(?:365)?\.com/webhook/[A-Za-z0-9@-]{20,128}/IncomingWebhook/[A-Za-z0-9/-]{32}"
        ),
        word(
            rb"(?:https?://[a-z0-9-]{1,48}\.)?webhook\.office\.com/webhookb2/[A-Za-z0-9@-]{20,128}/IncomingWebhook/[A-Za-z0-9/-]{32}",
            lambda *at: _to_end(_REST_PATH, *at),
        ),
        _address(rb"hooks\.zapier\.com/hooks/catch/[0-9]{4,12}/[A-Za-z0-9]{6}"),
        _address(rb"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[0-9a-f-]{36}"),
        _address(rb"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[0-9a-f-]{36}"),
        _token(rb"dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20}"),  # Docker
        _token(rb"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{20}", _REST_DOTTED),  # Doppler
        _token(rb"sl\.(?:u\.)?[A-Za-z0-9_-]{100}"),  # Dropbox
        _token(rb"duffel_(?:test|live)_[A-Za-z0-9_-]{40}"),
        _token(rb"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{40}"),  # Dynatrace
        _token(rb"EZ[AT]K[A-Za-z0-9]{50}"),  # EasyPost
        _token(rb"fig[dour]_[A-Za-z0-9_-]{36}"),  # Figma
        _token(rb"FLW(?:PUB|SEC)K(?:_TEST)?-[A-Za-z0-9]{20}"),  # Flutterwave
        word(rb"fm[12][a-z]?_[A-Za-z0-9+/=_,-]{40}", lambda *at: _to_end(_REST_FLY, *at)),  # Fly.io
        _token(rb"fo1_[A-Za-z0-9_-]{40}"),
        _token(rb"fio-u-[A-Za-z0-9_=-]{60}"),  # Frame.io
        _token(rb"glsa_[A-Za-z0-9]{20}"),  # Grafana
        _token(
            rb"glc_eyJ[A-Za-z0-9+/=]{30}|eyJrIjoi[A-Za-z0-9]{40}", _REST_BASE64
        ),  # Grafana Cloud, Grafana before 9
        _token(rb"gsk_[A-Za-z0-9]{32}"),  # Groq
        _token(rb"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.[a-z0-9]{24}\.[A-Za-z0-9]{20}"),  # Harness
        _token(rb"HRKU-[A-Za-z0-9_-]{36}"),  # Heroku
        _token(rb"(?:hf|api_org)_[A-Za-z0-9]{30}"),  # Hugging Face
        _token(rb"pat-(?:na|eu|ap)[0-9]-[a-f0-9]{8}-[a-f0-9-]{27}"),  # HubSpot
        _token(rb"ico-[A-Za-z0-9]{32}"),  # Infracost
        _token(rb"AKC[Pp][A-Za-z0-9]{60}|cmVmdGtu[A-Za-z0-9]{50}"),  # JFrog
        _token(rb"lsv2_(?:pt|sk)_[a-f0-9]{32}"),  # LangSmith
        _token(
            rb"(?:api|sdk|mob)-[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[a-f0-9]{4}-[a-f0-9]{12}"
        ),  # LaunchDarkly
        _token(rb"lin_(?:api|oauth)_[A-Za-z0-9]{20}"),  # Linear
        _token(rb"AQ[A-Za-z0-9_-]{80}"),  # LinkedIn
        Shape(pattern=rb"-us[0-9]{1,2}\b", check=_behind(rb"[a-f0-9]{32}")),  # Mailchimp
        word(rb"key-[0-9a-f]{32}\b"),  # Mailgun
        _token(rb"sk\.eyJ[A-Za-z0-9_-]{40}", _REST_DOTTED),  # Mapbox
        _token(rb"EAA[A-Za-z0-9]{80}"),  # Meta
        _token(rb"napi_[A-Za-z0-9]{40}"),  # Neon
        _token(rb"nf[pcoub]_[A-Za-z0-9]{36}"),  # Netlify
        _token(rb"NR(?:AK|II|JS|IQ|RA)-[A-Za-z0-9_-]{19}"),  # New Relic
        Shape(
            pattern=rb"NRAL\b", check=_behind(rb"(?:eu01xx|us01xx)?[A-Fa-f0-9]{30,36}")
        ),  # New Relic licence
        _token(rb"ntn_[A-Za-z0-9]{40}|secret_[A-Za-z0-9]{43}"),  # Notion
        _token(rb"nvapi-[A-Za-z0-9_-]{50}"),  # NVIDIA
        word(rb"oy2[a-z0-9]{43}\b"),  # NuGet
        _token(rb"API-[A-Z0-9]{26,32}"),  # Octopus Deploy
        _token(rb"sha256~[A-Za-z0-9_-]{43}"),  # OpenShift
        word(rb"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}\b"),  # Braintree
        _token(rb"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{40}"),  # Pinecone
        _token(rb"pplx-[A-Za-z0-9]{32}"),  # Perplexity
        _token(rb"access-(?:sandbox|development|production)-[a-f0-9]{8}-[a-f0-9-]{27}"),  # Plaid
        _token(rb"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{30}", _REST_DOTTED),  # PlanetScale
        _token(rb"phx_[A-Za-z0-9]{40}"),  # PostHog
        _token(rb"PMA[KT]-[A-Za-z0-9-]{24}"),  # Postman
        _token(rb"pn[ub]_[A-Za-z0-9]{36}"),  # Prefect
        _token(rb"pul-[a-f0-9]{40}"),  # Pulumi
        _token(rb"rdme_[a-z0-9]{60}"),  # ReadMe
        _token(rb"r8_[A-Za-z0-9]{30}"),  # Replicate
        _token(rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20}"),  # Resend
        _token(rb"rnd_[A-Za-z0-9]{28}"),  # Render
        _token(rb"rpa_[A-Z0-9]{40}"),  # RunPod
        _token(rb"rubygems_[a-f0-9]{40}"),
        word(rb"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,128}"),  # Salesforce
        _token(rb"xkeysib-[a-f0-9]{64}|xsmtpsib-[a-f0-9]{64}"),  # Brevo
        _token(rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}"),  # SendGrid
        _token(rb"sntrys_eyJ[A-Za-z0-9+/=_-]{20}|sntry[ua]_[a-f0-9]{40}", _REST_BASE64),  # Sentry
        _token(rb"shippo_(?:live|test)_[a-f0-9]{40}"),
        _token(rb"shp(?:at|ca|pa|ss|tka|ua)_[A-Fa-f0-9]{32}"),  # Shopify
        _token(rb"sq[upa]_[a-f0-9]{40}"),  # SonarQube
        _token(rb"sgp_[A-Za-z0-9_]{40}"),  # Sourcegraph
        _token(rb"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20}|EAAA[A-Za-z0-9_-]{58}"),  # Square
        _token(rb"sb[pt]_[A-Za-z0-9]{30}|sb_secret_[A-Za-z0-9_-]{20}"),  # Supabase
        _token(rb"tskey-[a-z]{3,8}-[A-Za-z0-9-]{16}"),  # Tailscale
        _token(rb"tvly-(?:dev-|prod-)?[A-Za-z0-9]{24}"),  # Tavily
        Shape(pattern=rb":AA[A-Za-z0-9_-]{33}", check=_telegram),
        Shape(
            pattern=rb"\.atlasv1\.[A-Za-z0-9_=-]{40}", check=_behind(rb"[A-Za-z0-9]{14}", _REST_BASE64)
        ),  # Terraform
        _token(rb"tfp_[A-Za-z0-9_-]{30}"),  # Typeform
        word(rb"SK[0-9a-f]{32}\b"),  # Twilio
        _token(rb"hv[sbr]\.[A-Za-z0-9_-]{20}"),  # Vault
        word(rb"s\.[A-Za-z0-9]{24}\b", _mixed),  # Vault before 1.10
        _token(rb"vc[pikar]_[A-Za-z0-9]{24}|vercel_blob_rw_[A-Za-z0-9]{16}_"),  # Vercel
        _token(rb"xai-[A-Za-z0-9]{40}"),
        _token(rb"AQVN[A-Za-z0-9_-]{35}|y0_[A-Za-z0-9_-]{50}"),  # Yandex
        _token(rb"SWMTKN-1-[a-z0-9]{40}"),  # Docker Swarm
        _token(rb"snyk_(?:uat|sat)\.[A-Za-z0-9]{8}\.[A-Za-z0-9_-]{20}", _REST_DOTTED),  # Snyk
        _token(
            rb"(?:e2b_[a-f0-9]{40}|jina_[A-Za-z0-9]{40}|fw_[A-Za-z0-9]{22}|fc-[a-f0-9]{32}|sess-[A-Za-z0-9]{36})"
        ),  # E2B, Jina, Fireworks, Firecrawl, OpenAI
        _token(rb"mlsn\.[a-f0-9]{60}"),  # MailerSend
        _token(rb"pdl_(?:live|sdbx)_apikey_[a-z0-9]{20}"),  # Paddle
        _token(rb"mfa\.[A-Za-z0-9_-]{80}"),  # Discord
        _token(rb"IGQV[A-Za-z0-9]{80}"),  # Instagram
        word(rb"AKID[A-Za-z0-9]{32}\b"),  # Tencent Cloud
        _token(rb"sk_[a-f0-9]{48}"),  # ElevenLabs
        _token(rb"rzp_(?:live|test)_[A-Za-z0-9]{14}"),  # Razorpay
        _token(rb"eyJhIjoi[A-Za-z0-9+/=]{80}", _REST_BASE64),  # Cloudflare Tunnel
        _token(rb"APA91b[A-Za-z0-9_-]{100}"),  # Firebase Cloud Messaging
        _token(rb"zpka_[A-Za-z0-9_]{32}"),  # Zuplo
        _token(rb"bb_live_[A-Za-z0-9_-]{24}|pk_[0-9]{6,9}_[A-Z0-9]{32}"),  # Browserbase, ClickUp
        _token(rb"dbt[cu]_[A-Za-z0-9_=-]{30}|essu_[A-Za-z0-9+/=_-]{30}", _REST_BASE64),  # dbt, Elastic Cloud
        _token(rb"mdb_sa_sk_[A-Za-z0-9_-]{30}|n8n_api_[A-Za-z0-9]{30}"),  # MongoDB Atlas, n8n
        _token(rb"os_v2_(?:app|org)_[a-z0-9]{50}|sec-c-[A-Za-z0-9]{40}"),  # OneSignal, PubNub
        _token(rb"KEY01[A-F0-9]{28,32}_[A-Za-z0-9]{20}|ATTA[0-9a-f]{64}"),  # Telnyx, Trello
        _token(rb"wandb_v1_[A-Za-z0-9_]{40}|xau_[A-Za-z0-9]{36}"),  # Weights & Biases, Xata
        _token(
            rb"aio_[A-Za-z0-9]{28}|amzn\.mws\.[a-f0-9-]{36}|amzn1\.oa2-cs\.v1\.[a-f0-9]{64}"
        ),  # Adafruit, Amazon
        _token(rb"Atz[ar]\|[A-Za-z0-9/+_=-]{40}", _REST_BASE64),  # Login with Amazon
        _token(rb"apify_api_[A-Za-z0-9]{30}|xa[ap]t-[a-f0-9]{8}-[a-f0-9-]{27}"),  # Apify, Axiom
        word(rb"K00[0-9][A-Za-z0-9+/]{27}\b", _mixed),  # Backblaze
        _token(rb"csk-[a-z0-9]{48}|4b1d[A-Za-z0-9]{38}"),  # Cerebras, ClickHouse Cloud
        _token(
            rb"dd(?:app|pat)_[A-Za-z0-9]{30}|dnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}"
        ),  # Datadog, Defined Networking
        _token(rb"hc[a-z]{1,2}ik_[a-z0-9]{50}|sk-helicone-[a-z0-9-]{20}"),  # Honeycomb, Helicone
        _token(rb"signkey-[a-z]{2,12}-[a-f0-9]{64}|s-s4t2(?:ud|af)-[a-f0-9]{64}"),  # Inngest, 42
        word(rb"(?:live|test)_[A-Za-z0-9]{30}", _live),  # Lob, Mollie
        Shape(pattern=rb"_mmk\b", check=_behind(rb"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}")),  # MaxMind
        _token(rb"(?:SB-)?Mid-server-[A-Za-z0-9_-]{20}"),  # Midtrans
        _token(rb"tk-us-[A-Za-z0-9_-]{40}|SCW[A-Z0-9]{17}\b|EXO[a-f0-9]{24}"),  # Scalingo, Scaleway, Exoscale
        _token(
            rb"sm_(?:pat|aat|sat)_[A-Za-z0-9]{16}|secret-(?:live|test)-[A-Za-z0-9_-]{30}", _REST_BASE64
        ),  # SettleMint, Stytch
        _token(rb"tgp_v1_[A-Za-z0-9_-]{40}|tr_(?:dev|prod|stg)_[A-Za-z0-9]{20}"),  # Together, Trigger.dev
        _token(rb"ucat_[A-Za-z0-9]{24}|unkey_[A-Za-z0-9]{20}"),  # UpCloud, Unkey
        _token(rb"xnd_(?:production|development)_[A-Za-z0-9]{40}"),  # Xendit
        _token(rb"t1\.[A-Za-z0-9_-]{20,160}={0,2}\.[A-Za-z0-9_-]{86}|YCM[A-Za-z0-9_-]{37}"),  # Yandex Cloud
    ),
}
