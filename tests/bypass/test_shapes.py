"""What somebody may try to get through on a yes to the shape of another command, and what they may well want."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest
import sqlglot

from gateway import protocols
from gateway.model import Command, Facts, Shape
from gateway.shaping import shape_key

MYSQL = {
    "UPDATE orders SET status = 'paid' WHERE id = 7": (
        [
            "update  orders set status='o''pen' where ID = 8 -- done",
            "UPDATE orders SET status = 'paid, or not' WHERE id = 8 # done",
            "UPDATE orders SET status = '' WHERE id = -7",
            "/* nightly */ UPDATE orders SET status = 'x' WHERE id = 7.5",
        ],
        [
            "UPDATE orders SET status = 'paid' WHERE id > 7",
            "UPDATE orders SET status = 'paid' WHERE id = 7 OR 1 = 1",
            "UPDATE orders SET status = 'paid' WHERE id = 7 || 1",
            "UPDATE orders SET status = 'paid' WHERE id = 7 OR id",
            "UPDATE orders SET status = 'paid' WHERE id = id",
            "UPDATE orders SET status = 'paid' WHERE NOT id = 7",
            "UPDATE orders SET status = 'paid' WHERE id = 7 = 0",
            "UPDATE orders SET status = 'paid'",
            "UPDATE orders SET status = 'paid' -- WHERE id = 7",
            "UPDATE orders SET status = 'paid' # WHERE id = 7",
            "UPDATE orders SET status = 'paid' /* WHERE id = 7 */",
            "UPDATE orders SET status = 'paid' /*! , role = 'admin' */ WHERE id = 7",
            "UPDATE orders SET status = 'paid' /*!50000 , role = 'admin' */ WHERE id = 7",
            "UPDATE orders SET status = 'paid' /*!999999 WHERE id = 7 */",
            "UPDATE orders SET status = 'paid' /*M! , role = 'admin' */ WHERE id = 7",
            "UPDATE /*!1 users */ orders SET status = 'paid' WHERE id = 7",
            "UPDATE /*+ SET_VAR(sql_mode='') */ orders SET status = 'paid' WHERE id = 7",
            "UPDATE orders SET status = 'paid' WHERE id = 7; DROP TABLE orders",
            "UPDATE orders SET status = 'paid' WHERE id = 7; UPDATE orders SET status = 'paid' WHERE id = 8",
            "UPDATE users SET status = 'paid' WHERE id = 7",
            "UPDATE shop.orders SET status = 'paid' WHERE id = 7",
            "UPDATE orders, users SET status = 'paid' WHERE id = 7",
            "UPDATE orders SET role = 'paid' WHERE id = 7",
            "UPDATE orders SET status = 'paid', role = 'admin' WHERE id = 7",
            "UPDATE orders SET status = 'paid' WHERE name = 7",
            "UPDATE orders SET status = (SELECT password FROM users LIMIT 1) WHERE id = 7",
            "UPDATE orders SET status = password WHERE id = 7",
            "UPDATE orders SET status = LOAD_FILE('/etc/passwd') WHERE id = 7",
            "UPDATE orders SET status = SLEEP(100) WHERE id = 7",
            "UPDATE orders SET status = @secret WHERE id = 7",
            "UPDATE orders SET status = @@version WHERE id = 7",
            "UPDATE orders SET status = NULL WHERE id = 7",
            "UPDATE orders SET status = DEFAULT WHERE id = 7",
            "UPDATE orders SET status = _utf8mb4'paid' WHERE id = 7",
            "UPDATE orders SET status = _binary 'paid' WHERE id = 7",
            "UPDATE orders SET status = _gbk'\u5555' WHERE id = 7",
            "UPDATE orders SET status = N'paid' WHERE id = 7",
            "UPDATE orders SET status = x'70616964' WHERE id = 7",
            "UPDATE orders SET status = 0x70616964 WHERE id = 7",
            "UPDATE orders SET status = b'1' WHERE id = 7",
            "UPDATE orders SET status = 'paid' 'more' WHERE id = 7",
            "UPDATE orders SET status = 'paid' COLLATE utf8mb4_bin WHERE id = 7",
            "UPDATE orders SET status = BINARY 'paid' WHERE id = 7",
            "UPDATE orders SET status = DATE '2026-01-01' WHERE id = 7",
            'UPDATE orders SET status = "paid" WHERE id = 7',
            "UPDATE orders SET status = \"x\\\", role = 'admin' WHERE id = 7",
            "UPDATE orders SET status = `paid` WHERE id = 7",
            "UPDATE orders SET status = 'paid\\' WHERE id = 7 -- '",
            "UPDATE orders SET status = 0 WHERE id = 7",
            "UPDATE orders SET status = 'paid' WHERE id = '7'",
            "UPDATE orders SET status = 'paid' WHERE id = 7e",
            "UPDATE orders SET status = 'paid' WHERE id = 7 LIMIT 1",
            "UPDATE orders SET status = 'paid' WHERE id = 7 ORDER BY id",
            "UPDATE LOW_PRIORITY orders SET status = 'paid' WHERE id = 7",
            "UPDATE IGNORE orders SET status = 'paid' WHERE id = 7",
            "UPDATE orders SET status = ? WHERE id = ?",
            "REPLACE orders SET status = 'paid' WHERE id = 7",
            "EXPLAIN UPDATE orders SET status = 'paid' WHERE id = 7",
            "DELETE FROM orders WHERE id = 7",
        ],
    ),
    "DELETE FROM sessions WHERE user = 'ana' AND at < 5 - 3 LIMIT 10": (
        ["DELETE FROM sessions WHERE user = 'ben' AND at < 6 - 4 LIMIT 10"],
        [
            "DELETE FROM sessions WHERE user = -'ana' AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = +'ana' AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = !'ana' AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = 'ana' + 0 AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = 'ana' XOR at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = 0 AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = 'ana' AND at < 5 + 3 LIMIT 10",
            "DELETE FROM sessions WHERE user = 'ana' AND at < 5 - 3 LIMIT 10000",
            "DELETE FROM sessions WHERE user = 'ana' OR at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user LIKE 'ana' AND at < 5 - 3 LIMIT 10",
            "DELETE FROM sessions WHERE user != 'ana' AND at < 5 - 3 LIMIT 10",
        ],
    ),
    "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 2) AND d -> '$.a' = 'x'": (
        ["SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (9) AND d -> '$.a' = 'y'"],
        [
            "SELECT name FROM orders WHERE at > now() - INTERVAL 500 DAY AND id IN (1, 2) AND d -> '$.a' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL - 5 DAY AND id IN (1, 2) AND d -> '$.a' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 2) AND d -> '$.ssn' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 'a') AND d -> '$.a' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id NOT IN (1, 2) AND d -> '$.a' = 'x'",
            "SELECT ssn FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 2) AND d -> '$.a' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 2) AND d -> '$.a' = 'x' INTO OUTFILE '/tmp/x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (SELECT 1) AND d -> '$.a' = 'x'",
            "SELECT name FROM orders WHERE at > now() - INTERVAL 5 DAY AND id IN (1, 2) AND d -> '$.a' = 'x' UNION SELECT pw FROM u WHERE a = 'x'",
        ],
    ),
    "DELETE FROM t WHERE id = 1 AND 1 = 2": (
        ["delete from t where id = 3 and 1 = 2"],
        ["DELETE FROM t WHERE id = 1 AND 1 = 1", "DELETE FROM t WHERE id = 1 AND 2 = 2"],
    ),
    "INSERT INTO t (a, b) VALUES (1, 'x')": (
        ["insert into t (a, b) values (-2, 'y')"],
        [
            "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
            "INSERT INTO t (b, a) VALUES (1, 'x')",
            "INSERT INTO t (a, b) VALUES (1, f('x'))",
            "INSERT INTO t (a, b) VALUES (1, 'x') ON DUPLICATE KEY UPDATE a = 1",
            "INSERT INTO t (a, b) VALUES (1, (SELECT 'x'))",
            "REPLACE INTO t (a, b) VALUES (1, 'x')",
            "INSERT INTO t (a, b) SELECT 1, 'x'",
        ],
    ),
}  # fmt: skip
SHELL = {
    "systemctl restart nginx": (
        ["systemctl  restart nginx", "systemctl restart 'nginx'", ' systemctl "restart" nginx\n'],
        [
            "systemctl restart sshd",
            "systemctl restart nginx sshd",
            "systemctl stop nginx",
            "systemctl restart nginx.service",
            "systemctl restart 'nginx*'",
            "systemctl restart ngin?",
            "systemctl --user restart nginx",
            "systemctl -H db restart nginx",
            "systemctl restart --now nginx",
            "sudo systemctl restart nginx",
            "/tmp/systemctl restart nginx",
            "./systemctl restart nginx",
            "systemctl restart nginx; id",
            "systemctl restart nginx && id",
            "systemctl restart nginx || id",
            "systemctl restart nginx | sh",
            "systemctl restart nginx & id",
            "systemctl restart nginx\nid",
            "systemctl restart nginx &",
            "systemctl restart nginx > /etc/cron.d/x",
            "systemctl restart nginx 2>/dev/null",
            "systemctl restart nginx < /etc/shadow",
            "systemctl restart $(echo nginx)",
            "systemctl restart `echo nginx`",
            "systemctl restart $SERVICE",
            "systemctl restart ${x:-nginx}",
            "systemctl restart {nginx,sshd}",
            "systemctl restart ~nginx",
            "PATH=/tmp systemctl restart nginx",
            "LD_PRELOAD=/tmp/x.so systemctl restart nginx",
            "! systemctl restart nginx",
            "(systemctl restart nginx)",
            "{ systemctl restart nginx; }",
            "time systemctl restart nginx",
            "if true; then systemctl restart nginx; fi",
            "while true; do systemctl restart nginx; done",
            "for x in 1; do systemctl restart nginx; done",
            "systemctl() { id; }; systemctl restart nginx",
            "alias systemctl=id; systemctl restart nginx",
            "eval systemctl restart nginx",
            "sh -c 'systemctl restart nginx'",
            "xargs systemctl restart nginx",
            "systemctl restart nginx <<< x",
            "systemctl restart nginx <<E\nx\nE",
            "systemctl restart <(echo nginx)",
            "systemctl restart nginx#x",
            "systemctl restart nginx # id",
            "systemctl restart $'nginx\\nid'",
            "systemctl 'restart nginx'",
            "'systemctl restart nginx'",
            "systemctl restart ''nginx ''",
        ],
    ),
    "grep -n ERROR /var/log/app.log": (
        ["grep -n 'connection reset' /var/log/app.log", "grep -n '$(id)' /var/log/app.log", "grep  -n ';id' /var/log/app.log"],
        [
            "grep -n ERROR /var/log/other.log",
            "grep -n ERROR /var/log/app.log /etc/shadow",
            "grep -n ERROR /etc/shadow",
            "grep -r ERROR /var/log/app.log",
            "grep -n -f /etc/shadow /var/log/app.log",
            "grep -f /var/log/app.log -n",
            "grep -nf /var/log/app.log ERROR",
            "grep -n -- ERROR /var/log/app.log",
            "grep -n $(id) /var/log/app.log",
            'grep -n "$(id)" /var/log/app.log',
            "grep -n $SECRET /var/log/app.log",
            "grep -n ERROR /var/log/app.log; id",
            "grep -n ERROR /var/log/*",
            "grep -n ERR* /var/log/app.log",
            "grep -n ERROR > /var/log/app.log",
            "grep -n -e ERROR /var/log/app.log",
            "egrep -n ERROR /var/log/app.log",
            "rm -n ERROR /var/log/app.log",
            "grep -n $'a\\nb' /var/log/app.log",
            "grep -n --file=/etc/shadow /var/log/app.log",
        ],
    ),
    "tail -n 50 /var/log/app.log": (
        ["tail -n 100 /var/log/app.log", "tail  -n 1 '/var/log/app.log'"],
        [
            "tail -n 50 /etc/shadow",
            "tail -n +1 /var/log/app.log",
            "tail -c 50 /var/log/app.log",
            "tail -n 50 -f /var/log/app.log",
            "tail -n 50 /var/log/app.log | sh",
            "tail -n 5k /var/log/app.log",
            "tail -n -50 /var/log/app.log",
            "tail -n50 /var/log/app.log",
            "tail -50 /var/log/app.log",
            "head -n 50 /var/log/app.log",
        ],
    ),
    "git commit -m 'fix it'": (
        ["git commit -m 'fix that, too; rm -rf /'"],
        [
            "git commit -m $(id)",
            "git commit --amend -m 'fix it'",
            "git commit -a -m 'fix it'",
            "git commit -m 'fix it' && git push",
            "git -c core.hooksPath=/tmp commit -m 'fix it'",
            "git commit -m 'fix it' > .git/hooks/pre-push",
            "git commit -F /etc/shadow",
            "git commit --no-verify -m 'fix it'",
            "git push -m 'fix it'",
        ],
    ),
    "rm /srv/app/cache/x.tmp": (
        ["rm '/srv/app/cache/x.tmp'"],
        [
            "rm /srv/app/cache/y.tmp",
            "rm -f /srv/app/cache/x.tmp",
            "rm -- /srv/app/cache/x.tmp",
            "rm /srv/app/cache/*.tmp",
            "rm /srv/app/cache/../../x.tmp",
            "rm /srv/app/cache//x.tmp",
            "rm /srv/app/cache/x.tmp /etc/passwd",
            "cd /etc; rm /srv/app/cache/x.tmp",
        ],
    ),
    "kill -TERM 4711": (["kill  -TERM '4711'"], ["kill -TERM 1", "kill -KILL 4711", "kill -TERM -1", "kill -TERM $(pgrep x)"]),
    "kubectl scale deployment web --replicas=3": (
        ["kubectl scale deployment 'web' --replicas=3"],
        [
            "kubectl scale deployment web --replicas=0",
            "kubectl scale deployment api --replicas=3",
            "kubectl scale -n prod deployment web --replicas=3",
            "kubectl delete deployment web --replicas=3",
        ],
    ),
    "grep x a.log | wc -l && uptime": (
        ["grep 'another word' a.log  |  wc -l && uptime"],
        [
            "grep x a.log |& wc -l && uptime",
            "grep x a.log | wc -l || uptime",
            "grep x a.log | wc -c && uptime",
            "grep x a.log && wc -l && uptime",
            "! grep x a.log | wc -l && uptime",
            "grep x a.log | sh && uptime",
        ],
    ),
}  # fmt: skip
HTTP = {
    "DELETE /v1/orders/7?notify=1": (
        ["DELETE /v1/orders/12345?notify=1", "DELETE /v1/orders/%37?notify=1"],
        [
            "DELETE /v1/orders?notify=1",
            "DELETE /v1/orders/all?notify=1",
            "DELETE /v1/orders/7?notify=0",
            "DELETE /v1/orders/7?notify=1&force=true",
            "DELETE /v1/orders/7?force=1",
            "DELETE /v1/orders/7",
            "DELETE /v1/users/7?notify=1",
            "DELETE /v2/orders/7?notify=1",
            "DELETE /v1/orders/7/items?notify=1",
            "DELETE /v1/orders/7/8?notify=1",
            "DELETE /v1/orders/*?notify=1",
            "DELETE /v1/orders/-1?notify=1",
            "DELETE /v1/orders/7,8?notify=1",
            "DELETE /v1/orders/../users/7?notify=1",
            "DELETE /v1/orders/db-1?notify=1",
            "DELETE /v1/orders/6f1c2d3e-0a1b-4c2d-8e3f-001122334455?notify=1",
            "DELETE /v1/orders/7/?notify=1",
            "POST /v1/orders/7?notify=1",
            "GET /v1/orders/7?notify=1",
            "DELETE /v1/orders/7?notify=1\nX-HTTP-Method-Override: PUT",
            "DELETE /v1/orders/7?notify=1\nHost: elsewhere",
            'DELETE /v1/orders/7?notify=1 {"cascade": true}',
        ],
    ),
    'PATCH /orders/6f1c2d3e-0a1b-4c2d-8e3f-001122334455 {"status": "paid"}': (
        ['PATCH /orders/00112233-0a1b-4c2d-8e3f-6f1c2d3e4455 {"status": "paid"}'],
        [
            'PATCH /orders/6f1c2d3e-0a1b-4c2d-8e3f-001122334455 {"status": "void"}',
            'PATCH /orders/6f1c2d3e-0a1b-4c2d-8e3f-001122334455 {"status": "paid", "role": "admin"}',
            'PATCH /orders/7 {"status": "paid"}',
            'PUT /orders/6f1c2d3e-0a1b-4c2d-8e3f-001122334455 {"status": "paid"}',
        ],
    ),
    "GET /secrets/7": ([], ["GET /secrets/8"]),
    "POST /servers/db-1/restart": ([], ["POST /servers/db-2/restart", "POST /servers/7/restart"]),
    "GET /users?user_id=7": (["GET /users?user_id=8"], ["GET /users?user_id=*", "GET /users?user_id=7&user_id=8", "GET /users?id=7"]),
}  # fmt: skip
NS = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop/deployments"
SCALE = 'Content-Type: application/merge-patch+json\n\n{"spec": {"replicas": 3}}'
KUBERNETES = {
    f"DELETE {NS}/pods/web-1": (
        [f"DELETE {NS}/pods/web-2", f"DELETE {NS}/pods/api"],
        [
            f"DELETE {NS}/pods",
            "DELETE /api/v1/namespaces/prod/pods/web-1",
            "DELETE /api/v1/namespaces/kube-system/pods/web-1",
            f"DELETE {NS}/services/web-1",
            f"DELETE {NS}/secrets/web-1",
            f"GET {NS}/pods/web-1",
            f"DELETE {NS}/pods/web-1?gracePeriodSeconds=0",
            f"DELETE {NS}/pods/web-1/eviction",
            f'DELETE {NS}/pods/web-1 {{"gracePeriodSeconds": 0}}',
            f"DELETE {NS}/pods/Web_1",
            "DELETE /api/v1/namespaces/shop",
            f"DELETE {NS}/pods/web-1\nImpersonate-User: root",
        ],
    ),
    f"PATCH {APPS}/web\n{SCALE}": (
        [f"PATCH {APPS}/api\n{SCALE}"],
        [
            f"PATCH {APPS}/web\n{SCALE.replace('3', '0')}",
            f"PATCH {APPS}/web/scale\n{SCALE}",
            f"PATCH {APPS}/web?force=true\n{SCALE}",
            f"PATCH {APPS}/web\n{SCALE.replace('merge-patch', 'strategic-merge-patch')}",
            f"PATCH {APPS.replace('deployments', 'statefulsets')}/web\n{SCALE}",
            f"PUT {APPS}/web\n{SCALE}",
        ],
    ),
    f"GET {NS}/secrets/db": ([], [f"GET {NS}/secrets/other"]),
    "DELETE /api/v1/nodes/n1": ([], ["DELETE /api/v1/nodes/n2"]),
    "DELETE /api/v1/namespaces/shop": ([], ["DELETE /api/v1/namespaces/prod"]),
    f"POST {NS}/pods/web-7d4b9c8f6d-x2x4z/exec?command=ls": (
        [f"POST {NS}/pods/web-7d4b9c8f6d-zz7kq/exec?command=ls", f"POST {NS}/pods/web-5c6d7f8b9b-x2x4z/exec?command=ls"],
        [
            f"POST {NS}/pods/api-7d4b9c8f6d-x2x4z/exec?command=ls",
            f"POST {NS}/pods/web-7d4b9c8f6d-x2x4z/exec?command=sh",
            f"POST {NS}/pods/web-7d4b9c8f6d-x2x4z/exec?command=ls&command=-a",
            f"POST {NS}/pods/web-7d4b9c8f6d-x2x4z/exec?command=ls&stdin=true",
            f"POST {NS}/pods/web-7d4b9c8f6d-x2x4z/exec?command=ls&container=side",
            f"POST {NS}/pods/web-db-0/exec?command=ls",
        ],
    ),
}  # fmt: skip
CORPUS = {"mysql": MYSQL, "ssh": SHELL, "http": HTTP, "kubernetes": KUBERNETES}


def rows(which: int) -> list[Any]:
    return [
        pytest.param(protocol, approved, text, id=f"{protocol}: {text}")
        for protocol, table in CORPUS.items()
        for approved, row in table.items()
        for text in row[which]
    ]


@pytest.mark.parametrize(("protocol", "approved", "twin"), rows(0))
def test_twins_are_let_go(protocol: str, approved: str, twin: str) -> None:
    assert key(protocol, twin) == key(protocol, approved) != ""


@pytest.mark.parametrize(("protocol", "approved", "attempt"), rows(1))
def test_nothing_else_is(protocol: str, approved: str, attempt: str) -> None:
    assert key(protocol, approved) != ""
    assert key(protocol, attempt) != key(protocol, approved)


@pytest.mark.parametrize(
    ("protocol", "approved"),
    [(protocol, approved) for protocol, table in CORPUS.items() for approved in table],
)
def test_what_a_card_says_is_so(protocol: str, approved: str) -> None:
    told = shape_of(protocol, approved)
    assert told is not None
    if protocol in {"mysql", "ssh"}:
        assert key(protocol, told.stops) != key(protocol, approved)
        if told.passes:
            assert key(protocol, told.passes) == key(protocol, approved)
    assert bool(told.passes) == ("…" in told.words or "{" in told.words or "*" in told.words)


STATEMENTS = (
    ("UPDATE t SET a = ", "update  T set a = "),
    ("1", "-7", "'x'", "'o''k'", "x'41'", "NULL"),
    (" WHERE id", " WHERE id + 1", " WHERE f(id, 1)"),
    (" = ", " > ", " BETWEEN 1 AND ", " = (1) - "),
    ("3", "'y'", "b"),
    ("", " LIMIT 1", " LIMIT 2", " AND b IN (1)", " AND b IN (1, 2)"),
)


def alike(protocol: str, parts: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    """All the texts that can be put together, by what is one shape."""
    found: dict[str, list[str]] = {}
    for text in map("".join, itertools.product(*parts)):
        found.setdefault(key(protocol, text) or text, []).append(text)
    return [texts for texts in found.values() if len(texts) > 1]


def test_another_parser_finds_nothing_but_values_between_mysql_twins() -> None:
    groups = alike("mysql", STATEMENTS)
    assert sum(map(len, groups)) > 300
    for texts in groups:
        assert len(set(map(skeleton, texts))) == 1, texts
        assert len({deeds("mysql", text) for text in texts}) == 1


def skeleton(text: str) -> str:
    """By sqlglot: what is left without literals that are compared or assigned; a list of IN has one."""
    found = []
    for tree in sqlglot.parse(text, dialect="mysql"):
        assert tree is not None
        for each in list(tree.find_all(sqlglot.exp.In)):
            each.set("expressions", each.expressions[:1])
        for each in list(tree.find_all(sqlglot.exp.Neg)):
            each.replace(each.this)
        for literal in list(tree.find_all(sqlglot.exp.Literal)):
            if not isinstance(literal.parent, sqlglot.exp.Limit | sqlglot.exp.Anonymous):
                literal.replace(sqlglot.exp.Placeholder())
        found.append(tree.sql(dialect="mysql", comments=False).lower())
    return "; ".join(found)


COMMANDS = (
    ("tail -n", "grep", "grep -n", "logger", "git commit -m", "rm"),
    (" 50", "  '7'", " error", " 'a b'", " -5", " -c", " *", " $x", " --", " '-v'"),
    ("", " x", ' "y"', " -n"),
    (" /var/log/x", " /etc/shadow"),
    ("", " | wc -l", " >x", "; id"),
)


def test_another_reader_finds_nothing_but_plain_words_between_shell_twins() -> None:
    groups = alike("ssh", COMMANDS)
    assert sum(map(len, groups)) > 200
    for texts in groups:
        said = [shlex.split(text) for text in texts]
        for words in zip(*said, strict=True):
            assert len(set(words)) == 1 or not set("-*$") & {word[0] for word in words}, texts
        assert len({deeds("ssh", text) for text in texts}) == 1


def deeds(protocol: str, text: str) -> tuple[object, ...]:
    facts = facts_of(protocol, text)
    return (facts.effects, frozenset(facts.resources))


def facts_of(protocol: str, text: str) -> Facts:
    return protocols.reader(protocol).read_facts({"command": text})


def key(protocol: str, text: str) -> str:
    """As the gate has it; around a shell text stands what a client set, here nothing."""
    facts = facts_of(protocol, text)
    command = command_of(protocol, text, facts)
    return shape_key(protocols.shape(protocol, command, facts), command, facts)


def shape_of(protocol: str, text: str) -> Shape | None:
    facts = facts_of(protocol, text)
    return protocols.shape(protocol, command_of(protocol, text, facts), facts)


def command_of(protocol: str, text: str, facts: Facts) -> Command:
    del protocol
    return Command(id="c", text=text, facts=facts, exact=(text.encode("utf-8", "surrogatepass"),))
