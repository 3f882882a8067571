"""How each verb is called: shown below its `--help`, and tried against its own parser by a test."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "serve": (
        "countersign serve",
        "countersign serve --policy policies.yaml --state /var/lib/countersign --json",
    ),
    "bot": ("countersign bot", "countersign bot -- --help"),
    "demo": ("countersign demo", "countersign demo --auto"),
    "check": (
        "countersign check",
        "countersign check policies.yaml --strict",
        "countersign check --json | jq .coverage",
        "countersign check --format github",
        "countersign check --schema > policies.schema.json",
    ),
    "explain": (
        "countersign explain \"UPDATE orders SET status = 'paid' WHERE id = 7\"",
        'countersign explain --connection web-1 "rm -rf /var/log"',
        'countersign explain --connection orders-api --agent release-pipeline --agent fixer "PATCH /orders/7"',
        'countersign explain --at 2026-03-29T23:30+02:00 --rows 12 "DELETE FROM carts WHERE id = 13"',
        "countersign explain --jsonl < commands.jsonl > verdicts.jsonl",
    ),
    "policy": (
        "countersign policy test",
        "countersign policy diff policies.yaml edited.yaml",
        "countersign policy diff policies.yaml edited.yaml --recordings var/recordings",
        "countersign policy diff --json policies.yaml edited.yaml | jq .differences",
    ),
    "blast-radius": (
        "countersign blast-radius",
        "countersign blast-radius release-pipeline --svg reach.svg",
        "countersign blast-radius - < token.txt",
        "countersign blast-radius --json | jq '.chains[].connections[]'",
    ),
    "mask": ("countersign mask --mask pii < report.txt", "countersign mask --jsonl < texts.jsonl"),
    "login": ("countersign login", 'countersign login --scope orders:read --task "look at order 7"'),
    "logout": (
        "countersign logout",
        'countersign logout --person eve@example.com --reason "left the company"',
    ),
    "whoami": ("countersign whoami", "countersign whoami --json | jq .connections"),
    "links": ("countersign links list", "countersign links remove U012AB3CD --reason 'left the company'"),
    "token": (
        "countersign token mint release-pipeline > token.txt",
        "countersign token workload --github --task 'release 7' > token.txt",
        "countersign token workload --assertion-file /var/run/secrets/tokens/countersign > token.txt",
        "countersign token derive --as helper --scope orders:read --ttl 10m < token.txt",
        "countersign token mint release-pipeline --dpop-key key.pem > token.txt",
        "countersign token proof GET https://gate.example.com/v1/connections --dpop-key key.pem",
        "countersign token inspect < token.txt",
        'countersign token revoke --reason "the job is over" 4f1c2d',
    ),
    "run": (
        "countersign run --as helper --scope orders:read -- psql -c 'SELECT 1'",
        "countersign run --as migrator --ttl 30m --task 'release 7' -- ./migrate.sh",
    ),
    "connect": (
        "countersign connect orders",
        "countersign connect orders --format url",
        "countersign connect orders --format env --out orders.env",
    ),
    "elevate": (
        'countersign elevate ask orders write --for 30m --reason "order 7 is stuck" --wait',
        "countersign elevate grants",
        "countersign elevate end 1a2b3c",
    ),
    "sessions": (
        "countersign sessions list",
        "countersign sessions show 1a2b3c",
        'countersign sessions kill 1a2b3c --reason "it reads too much"',
    ),
    "approvals": (
        "countersign approvals list pending",
        "countersign approvals show 1a2b3c",
        "countersign approvals approve 1a2b3c --words agate-fern-lion-plum",
        'countersign approvals deny 1a2b3c --reason "not before Monday"',
    ),
    "replay": (
        "countersign replay 1a2b3c --speed 4",
        "countersign replay --no-wait var/recordings/2026-03-29/1a2b3c.rec",
    ),
    "verify": ("countersign verify 1a2b3c", "countersign verify --all"),
    "host-keys": (
        "countersign host-keys show",
        "countersign host-keys announce --state /var/lib/countersign",
        "countersign host-keys switch --state /var/lib/countersign",
    ),
    "doctor": ("countersign doctor", "countersign doctor --json | jq ."),
}


def epilog(verb: str) -> str:
    """What stands below a verb's options."""
    return "\n".join(["examples:", *(f"  {each}" for each in EXAMPLES[verb])])
