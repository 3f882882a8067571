"""Statements that define: schema, stored code, roles, rights and servers. Mostly a table, since the kind alone usually decides."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.facts.postgres import settings
from gateway.facts.postgres.expressions import gather
from gateway.facts.postgres.reading import Reading
from gateway.facts.postgres.renaming import QUERIES, altered, moved, renamed, ruled, viewed
from gateway.facts.postgres.tree import Node, constant, dotted, strings, typed
from gateway.facts.sources import Scope
from gateway.model import Effect, Effects

_DDL = frozenset({Effect.DDL})
_LOSES = frozenset({Effect.DDL, Effect.DESTRUCTIVE})
_GUARDS = frozenset({Effect.PRIVILEGE})
_DDL_GUARDS = _DDL | _GUARDS
_CODE = frozenset({Effect.DDL, Effect.EXEC})
_ABROAD = frozenset({Effect.DDL, Effect.EXFIL})
_UPKEEP = frozenset({Effect.WRITE})

DEFINITIONS: Mapping[str, tuple[str, Effects]] = {
    "AlterCollationStmt": ("alter collation", _DDL),
    "AlterDatabaseRefreshCollStmt": ("alter database", _DDL),
    "AlterDatabaseSetStmt": ("alter database", _DDL_GUARDS),
    "AlterDatabaseStmt": ("alter database", _DDL),
    "AlterDefaultPrivilegesStmt": ("alter default privileges", _GUARDS),
    "AlterDomainStmt": ("alter domain", _DDL),
    "AlterEnumStmt": ("alter type", _DDL),
    "AlterEventTrigStmt": ("alter event trigger", _DDL_GUARDS),
    "AlterExtensionContentsStmt": ("alter extension", _CODE),
    "AlterExtensionStmt": ("alter extension", _CODE),
    "AlterFdwStmt": ("alter foreign data wrapper", _ABROAD | _CODE),
    "AlterForeignServerStmt": ("alter server", _ABROAD),
    "AlterFunctionStmt": ("alter function", _DDL),
    "AlterObjectDependsStmt": ("alter", _DDL),
    "AlterObjectSchemaStmt": ("alter", _DDL),
    "AlterOpFamilyStmt": ("alter operator family", _DDL),
    "AlterOperatorStmt": ("alter operator", _DDL),
    "AlterOwnerStmt": ("alter owner", _DDL_GUARDS),
    "AlterPolicyStmt": ("alter policy", _DDL_GUARDS),
    "AlterPublicationStmt": ("alter publication", _ABROAD),
    "AlterRoleSetStmt": ("alter role", _GUARDS),
    "AlterRoleStmt": ("alter role", _GUARDS),
    "AlterSeqStmt": ("alter sequence", _DDL),
    "AlterStatsStmt": ("alter statistics", _DDL),
    "AlterSubscriptionStmt": ("alter subscription", _ABROAD | _UPKEEP),
    "AlterSystemStmt": ("alter system", _GUARDS),
    "AlterTSConfigurationStmt": ("alter text search configuration", _DDL),
    "AlterTSDictionaryStmt": ("alter text search dictionary", _DDL),
    "AlterTableMoveAllStmt": ("alter table", _DDL),
    "AlterTableSpaceOptionsStmt": ("alter tablespace", _DDL),
    "AlterTableStmt": ("alter table", _DDL),
    "AlterTypeStmt": ("alter type", _DDL),
    "AlterUserMappingStmt": ("alter user mapping", _ABROAD | _GUARDS),
    "CheckPointStmt": ("checkpoint", _UPKEEP),
    "ClusterStmt": ("cluster", _UPKEEP),
    "CommentStmt": ("comment", _DDL),
    "CompositeTypeStmt": ("create type", _DDL),
    "CreateAmStmt": ("create access method", _CODE),
    "CreateCastStmt": ("create cast", _DDL),
    "CreateConversionStmt": ("create conversion", _DDL),
    "CreateDomainStmt": ("create domain", _DDL),
    "CreateEnumStmt": ("create type", _DDL),
    "CreateEventTrigStmt": ("create event trigger", _DDL_GUARDS),
    "CreateExtensionStmt": ("create extension", _CODE),
    "CreateFdwStmt": ("create foreign data wrapper", _ABROAD | _CODE),
    "CreateForeignServerStmt": ("create server", _ABROAD),
    "CreateForeignTableStmt": ("create foreign table", _ABROAD),
    "CreateFunctionStmt": ("create function", _DDL),
    "CreateOpClassStmt": ("create operator class", _DDL),
    "CreateOpFamilyStmt": ("create operator family", _DDL),
    "CreatePLangStmt": ("create language", _CODE),
    "CreatePolicyStmt": ("create policy", _DDL_GUARDS),
    "CreatePublicationStmt": ("create publication", _ABROAD),
    "CreateRangeStmt": ("create type", _DDL),
    "CreateRoleStmt": ("create role", _GUARDS),
    "CreateSchemaStmt": ("create schema", _DDL),
    "CreateSeqStmt": ("create sequence", _DDL),
    "CreateStatsStmt": ("create statistics", _DDL),
    "CreateStmt": ("create table", _DDL),
    "CreateSubscriptionStmt": ("create subscription", _ABROAD | _UPKEEP),
    "CreateTableSpaceStmt": ("create tablespace", _DDL),
    "CreateTransformStmt": ("create transform", _DDL),
    "CreateTrigStmt": ("create trigger", _DDL),
    "CreateUserMappingStmt": ("create user mapping", _ABROAD | _GUARDS),
    "CreatedbStmt": ("create database", _DDL),
    "DefineStmt": ("create", _DDL),
    "DropOwnedStmt": ("drop owned", _LOSES | _GUARDS),
    "DropRoleStmt": ("drop role", _GUARDS | {Effect.DESTRUCTIVE}),
    "DropStmt": ("drop", _LOSES),
    "DropSubscriptionStmt": ("drop subscription", _LOSES),
    "DropTableSpaceStmt": ("drop tablespace", _LOSES),
    "DropUserMappingStmt": ("drop user mapping", _LOSES | _GUARDS),
    "DropdbStmt": ("drop database", _LOSES),
    "GrantRoleStmt": ("grant", _GUARDS),
    "GrantStmt": ("grant", _GUARDS),
    "ImportForeignSchemaStmt": ("import foreign schema", _ABROAD),
    "IndexStmt": ("create index", _DDL),
    "LoadStmt": ("load", frozenset({Effect.EXEC})),
    "ReassignOwnedStmt": ("reassign owned", _DDL_GUARDS),
    "RefreshMatViewStmt": ("refresh materialized view", _UPKEEP | {Effect.READ}),
    "ReindexStmt": ("reindex", _UPKEEP),
    "RenameStmt": ("alter", _DDL),
    "RuleStmt": ("create rule", _DDL),
    "SecLabelStmt": ("security label", _GUARDS),
    "TruncateStmt": ("truncate", _UPKEEP | {Effect.DESTRUCTIVE}),
    "VacuumStmt": ("vacuum", _UPKEEP),
    "ViewStmt": ("create view", _DDL),
}

_SEVEREST = (
    Effect.DESTRUCTIVE,
    Effect.PRIVILEGE,
    Effect.EXEC,
    Effect.EXFIL,
    Effect.DDL,
    Effect.WRITE,
    Effect.SESSION,
    Effect.READ,
)
_ALTER_GUARDS = ("AT_ChangeOwner", "AT_Enable", "AT_Disable", "AT_ForceRow", "AT_NoForceRow")
_OPTIONS = frozenset({"AT_SetRelOptions", "AT_ResetRelOptions"})
_VIEW_GUARDS = frozenset({"security_barrier", "security_invoker"})
"""Options by which a view keeps rows to itself, or reads as who asks."""
_OWN_LANGUAGES = frozenset({"sql", "plpgsql"})
_GUARD_OBJECTS = frozenset({"OBJECT_POLICY", "OBJECT_EVENT_TRIGGER", "OBJECT_ROLE", "OBJECT_USER_MAPPING"})
_KINDS = ("removeType", "renameType", "objtype", "objectType")
_NAMED = {
    "extname": "extension",
    "servername": "server",
    "server_name": "server",
    "dbname": "database",
    "schemaname": "schema",
    "role": "role",
    "subname": "subscription",
    "pubname": "publication",
    "tablespacename": "tablespace",
    "filename": "library",
    "fdwname": "wrapper",
}


def define(reading: Reading, kind: str, body: Node) -> None:
    """Read a statement of `DEFINITIONS`."""
    verb, effects = DEFINITIONS[kind]
    found = set(effects)
    match kind:
        case "AlterTableStmt":
            found |= _altered(body)
            altered(reading, body)
        case "ViewStmt":
            viewed(reading, body)
        case "RuleStmt":
            ruled(reading, body)
            body = {
                **body,
                "whereClause": None,
                "actions": [a for a in body.get("actions", ()) if not QUERIES & a.keys()],
            }
        case "AlterObjectSchemaStmt":
            moved(reading, body)
        case "CreateFunctionStmt" | "AlterFunctionStmt":
            found |= _function(reading, body)
        case "CreateSchemaStmt" if "authrole" in body:
            found.add(Effect.PRIVILEGE)
        case "DropStmt" | "RenameStmt" if (
            body.get("removeType") or body.get("renameType")
        ) in _GUARD_OBJECTS:
            found.add(Effect.PRIVILEGE)
        case "RefreshMatViewStmt" if body.get("skipData"):
            found.add(Effect.DESTRUCTIVE)
        case "AlterSystemStmt":
            name = body.get("setstmt", {}).get("name", "*")
            found |= settings.effects_of(name, None) & {Effect.EXEC}
            reading.touches("setting", name, Effect.PRIVILEGE)
        case "GrantStmt" | "GrantRoleStmt" if not body.get("is_grant"):
            verb = "revoke"
        case "VacuumStmt" if not body.get("is_vacuumcmd"):
            verb = "analyze"
        case _:
            pass
    if kind == "RenameStmt":
        renamed(reading, body)
    reading.does(*found)
    severest = next(effect for effect in _SEVEREST if effect in found)
    what = _objects(reading, body, severest)
    reading.verbs[f"drop {what}" if kind == "DropStmt" else verb] = None
    for key, named in _NAMED.items():
        if isinstance(body.get(key), str) and kind != "RenameStmt":
            reading.touches(named, body[key].lower(), severest)
    told = {"schemaElts", "query"} if kind == "ViewStmt" else {"schemaElts"}
    mention(reading, {key: value for key, value in body.items() if key not in told}, severest)


def mention(reading: Reading, value: object, effect: Effect) -> None:
    """Note the tables and roles that stand anywhere in `value`, and read the queries and calls in it."""
    reading.step()
    if isinstance(value, list):
        for item in value:
            mention(reading, item, effect)
        return
    if not isinstance(value, dict):
        return
    if "relname" in value:
        reading.touches("table", dotted(value), effect)
        return
    if "roletype" in value:
        name = value.get("rolename") or value["roletype"].removeprefix("ROLESPEC_")
        reading.touches("role", name.lower(), effect)
        return
    for key, inner in value.items():
        if key in QUERIES:
            reading.query(reading, {key: inner}, Scope())
        elif key == "FuncCall":
            gather(reading, {key: inner}, Scope())
        elif key == "NotifyStmt":
            reading.does(Effect.WRITE)
        else:
            mention(reading, inner, effect)


def _altered(body: Node) -> set[Effect]:
    found: set[Effect] = set()
    for command in body.get("cmds", ()):
        subtype = command["AlterTableCmd"].get("subtype", "")
        if subtype.startswith(_ALTER_GUARDS):
            found.add(Effect.PRIVILEGE)
        if subtype in _OPTIONS and _lowers_view(command["AlterTableCmd"]):
            found.add(Effect.PRIVILEGE)
        if subtype == "AT_DropColumn":
            found.add(Effect.DESTRUCTIVE)
        if subtype == "AT_AlterColumnType":
            found.add(Effect.WRITE)
        if subtype in {"AT_GenericOptions", "AT_AlterColumnGenericOptions"}:
            found.add(Effect.EXFIL)
    return found


def _lowers_view(command: Node) -> bool:
    """Whether an option of `_VIEW_GUARDS` is taken away, or set to anything but what switches it on."""
    for option in command.get("def", {}).get("List", {}).get("items", ()):
        element = option.get("DefElem", {})
        value = element.get("arg", {"String": {"sval": "on"}})
        on = value.get("String", {}).get("sval", "").lower() in settings.ON or value == {
            "Integer": {"ival": 1}
        }
        reset = command["subtype"] == "AT_ResetRelOptions"
        if element.get("defname", "").lower() in _VIEW_GUARDS and (reset or not on):
            return True
    return False


def _function(reading: Reading, body: Node) -> set[Effect]:
    """Code in a language that is not confined to the database, and code that runs as somebody else."""
    found: set[Effect] = set()
    name = strings(body.get("funcname") or body.get("func", {}).get("objname"))
    reading.touches("function", ".".join(name).lower(), Effect.DDL)
    for option in [*body.get("options", ()), *body.get("actions", ())]:
        element = option["DefElem"]
        arg = element.get("arg", {})
        match element.get("defname"):
            case "language":
                if arg.get("String", {}).get("sval", "").lower() not in _OWN_LANGUAGES:
                    found.add(Effect.EXEC)
            case "security":
                if arg.get("Boolean", {}).get("boolval"):
                    found.add(Effect.PRIVILEGE)
            case "set":
                variable = arg.get("VariableSetStmt", {})
                values = [value for a in variable.get("args", ()) if (value := constant(a)) is not None]
                # A fixed search_path is what a careful author writes.
                if variable.get("name", "").lower() != "search_path":
                    found |= settings.effects_of(variable.get("name", ""), values) - {Effect.SESSION}
            case _:
                pass
    return found


def _objects(reading: Reading, body: Node, effect: Effect) -> str:
    """Note what a statement names by kind and name (DROP, COMMENT, GRANT ON, ALTER OWNER); gives the kind."""
    kind = next((str(body[key]) for key in _KINDS if key in body), "").removeprefix("OBJECT_")
    if body.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        kind = "SCHEMA"
    what = kind.replace("_", " ").lower()
    for item in [*body.get("objects", ()), *([body["object"]] if body.get("object") else [])]:
        name = ".".join(_name(item)).lower()
        if name:
            reading.touches(what, name, effect)
    if "newname" in body and "relation" not in body and "object" not in body:
        reading.touches(what, body.get("subname", "").lower(), effect)
    return what


def _name(node: Node) -> list[str]:
    kind, inner = typed(node)
    match kind:
        case "String":
            return [inner.get("sval", "")]
        case "List":
            return [part for item in inner.get("items", ()) for part in _name(item)]
        case "ObjectWithArgs":
            return strings(inner.get("objname"))
        case "TypeName":
            return strings(inner.get("names"))
        case _:
            return []
