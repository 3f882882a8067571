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


EXIT_CODES: Mapping[str, tuple[str, ...]] = {
    "check": (
        "0  in order, warnings or not",
        "1  an error, or an example that does not hold; with --strict, a warning",
        "2  there is no such file",
    ),
    "explain": (
        "0  explained, whatever the verdict",
        "1  the policy is not in order; with --jsonl, a row was not",
        "2  there is no command or no such connection",
    ),
    "policy test": (
        "0  every example holds",
        "1  one does not",
        "2  there is no policy",
    ),
    "policy diff": (
        "0  no verdict differs",
        "1  one does",
        "2  there is nothing to compare",
    ),
    "token inspect": ("0  it holds", "1  it does not", "2  it cannot be read, or there is none"),
    "run": (
        "CMD's own; 128 + N where signal N ended it; 127 where there is no such program, 126 where it cannot be started",
        "1  the gateway refused the token",
        "2  there is no token, or no gateway",
    ),
    "elevate ask": (
        "0  asked; with --wait, granted",
        "1  refused; with --wait, denied or not decided in time",
        "2  the gateway could not be asked",
    ),
    "replay": (
        "0  played to its end",
        "1  the recording does not hold from there on",
        "2  there is no such recording",
    ),
    "verify": (
        "0  all of them hold",
        "1  one was changed, cut or made up",
        "2  there is no such recording, or no key to check it by",
    ),
    "doctor": ("0  nothing stands in the way, warnings or not", "1  something does"),
}
"""Where a verb or an action says more by its status than that it was done (0), not done (1) or misunderstood (2)."""


def epilog(called: str) -> str:
    """What stands below the options of a verb (`token`) or of one of its actions (`token mint`)."""
    verb, _, action = called.partition(" ")
    examples = [each for each in EXAMPLES[verb] if not action or each.split()[2] == action]
    parts = [
        "\n".join([head, *(f"  {line}" for line in lines)])
        for head, lines in (("exit codes:", EXIT_CODES.get(called, ())), ("examples:", examples))
        if lines
    ]
    return "\n\n".join(parts)
