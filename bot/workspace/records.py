"""The things of a workspace: people, groups, channels, messages, views, files.

Plain mutable records with the JSON form that Slack's Web API gives them. They hold no rules;
those are in `state.py` and the methods.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Blocks = list[Json]


@dataclass(slots=True, kw_only=True)
class Person:
    """A member, or the app's bot user."""

    id: str
    name: str
    real_name: str
    email: str = ""
    title: str = ""
    bot_id: str = ""
    deleted: bool = False
    guest: bool = False
    stranger: bool = False
    email_confirmed: bool = True

    @property
    def is_bot(self) -> bool:
        return bool(self.bot_id)

    def to_slack(self, team_id: str, *, with_email: bool) -> Json:
        """The `user` object of users.info; the e-mail only for tokens with users:read.email."""
        profile: Json = {
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "title": self.title,
            "team": team_id,
        }
        if self.bot_id:
            profile["bot_id"] = self.bot_id
        elif with_email:
            profile["email"] = self.email
        return {
            "id": self.id,
            "team_id": team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_stranger": self.stranger,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_email_confirmed": self.email_confirmed,
            "updated": 0,
        }


@dataclass(slots=True, kw_only=True)
class Group:
    """A user group such as @dba."""

    id: str
    handle: str
    name: str
    users: list[str]

    def to_slack(self, team_id: str) -> Json:
        return {
            "id": self.id,
            "team_id": team_id,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "description": "",
            "is_external": False,
            "date_create": 0,
            "date_update": 0,
            "date_delete": 0,
            "user_count": len(self.users),
        }


@dataclass(slots=True, kw_only=True)
class Message:
    """A message in a channel, or (with `ephemeral_to`) one that a single person sees."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: Blocks = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    bot_id: str = ""
    app_id: str = ""
    subtype: str = ""
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    ephemeral_to: str = ""
    extra: Json = field(default_factory=dict)

    def to_slack(self, team_id: str) -> Json:
        """The message object of conversations.history, without what depends on its thread."""
        body: Json = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text, "team": team_id}
        if self.subtype:
            body["subtype"] = self.subtype
        if self.bot_id:
            body |= {"bot_id": self.bot_id, "app_id": self.app_id}
        if self.blocks:
            body["blocks"] = copy.deepcopy(self.blocks)
        if self.attachments:
            body["attachments"] = copy.deepcopy(self.attachments)
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        if self.edited:
            body["edited"] = dict(self.edited)
        if self.reactions:
            body["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
        if self.files:
            body["files"] = copy.deepcopy(self.files)
        if self.ephemeral_to:
            body["is_ephemeral"] = True
        return body | self.extra


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation: public or private channel, or direct messages."""

    id: str
    name: str
    kind: Literal["public", "private", "im", "mpim"]
    members: list[str]
    creator: str
    created: int
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)
    pins: dict[str, Json] = field(default_factory=dict)
    bookmarks: list[Json] = field(default_factory=list)

    def thread(self, root_ts: str) -> list[Message]:
        """The replies under a root, oldest first, without the root."""
        return [m for m in self.messages.values() if m.thread_ts == root_ts and m.ts != root_ts]

    def to_slack(self, *, seen_by: str) -> Json:
        """The `channel` object of conversations.info as the member `seen_by` gets it."""
        if self.kind == "im":
            other = next((m for m in self.members if m != seen_by), seen_by)
            return {
                "id": self.id,
                "created": self.created,
                "is_im": True,
                "is_org_shared": False,
                "is_archived": False,
                "user": other,
                "is_user_deleted": False,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "creator": self.creator,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "public",
            "is_archived": self.archived,
            "is_general": self.name == "general",
            "is_shared": False,
            "is_member": seen_by in self.members,
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }


@dataclass(slots=True, kw_only=True)
class View:
    """An open modal or a published Home tab; `body` is what the app gave."""

    id: str
    kind: Literal["modal", "home"]
    owner: str
    body: Json
    hash: str
    root_id: str
    previous_id: str = ""
    state: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> Blocks:
        blocks: Blocks = self.body["blocks"]
        return blocks

    def to_slack(self, *, team_id: str, app_id: str, bot_id: str) -> Json:
        """The `view` object of an interaction payload or a views.* answer."""
        body = self.body
        return {
            "id": self.id,
            "team_id": team_id,
            "type": self.kind,
            "blocks": copy.deepcopy(self.blocks),
            "private_metadata": body.get("private_metadata", ""),
            "callback_id": body.get("callback_id", ""),
            "external_id": body.get("external_id", ""),
            "state": {"values": copy.deepcopy(self.state)},
            "hash": self.hash,
            "title": body.get("title"),
            "submit": body.get("submit"),
            "close": body.get("close"),
            "clear_on_close": body.get("clear_on_close", False),
            "notify_on_close": body.get("notify_on_close", False),
            "previous_view_id": self.previous_id or None,
            "root_view_id": self.root_id,
            "app_id": app_id,
            "app_installed_team_id": team_id,
            "bot_id": bot_id,
        }


@dataclass(slots=True, kw_only=True)
class File:
    """An uploaded file; `content` is None until its bytes have arrived."""

    id: str
    name: str
    owner: str
    length: int
    created: int
    snippet_type: str = ""
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    shares: dict[str, list[str]] = field(default_factory=dict)

    def to_slack(self, base_url: str) -> Json:
        text = bool(self.snippet_type) or self.name.endswith((".txt", ".log", ".sql", ".json", ".md", ".csv"))
        body: Json = {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": "text/plain" if text else "application/octet-stream",
            "filetype": self.snippet_type or ("text" if text else "binary"),
            "pretty_type": "Plain Text" if text else "Binary",
            "user": self.owner,
            "mode": "snippet" if text else "hosted",
            "size": self.length,
            "is_external": False,
            "is_public": bool(self.shares),
            "url_private": f"{base_url}/files/{self.id}/{self.name}",
            "url_private_download": f"{base_url}/files/{self.id}/download/{self.name}",
            "permalink": f"{base_url}/files/{self.id}/{self.name}",
            "channels": list(self.shares),
        }
        if text and self.content is not None:
            shown = self.content[:2000].decode("utf-8", "replace")
            body |= {
                "preview": shown,
                "preview_is_truncated": len(self.content) > 2000,
                "lines": shown.count("\n") + 1,
            }
        return body
