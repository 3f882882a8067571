"""files.*: the three-step upload that slack_sdk's files_upload_v2 uses."""

from __future__ import annotations

from bot.workspace.limits import Tier
from bot.workspace.methods.chat import thread
from bot.workspace.records import Channel, File, Json
from bot.workspace.state import make_id
from bot.workspace.validate import Refused
from bot.workspace.webapi import Call, Method, invalid

MOST_BYTES = 8 << 20
SNIPPET_BYTES = 1 << 20


def get_upload_url(call: Call) -> Json:
    name = call.needed("filename")
    length = call.string("length")
    if not length.isdecimal() or int(length) < 1:
        raise Refused("missing_argument" if not length else "invalid_arguments")
    snippet = call.string("snippet_type")
    if int(length) > MOST_BYTES:
        raise Refused("file_upload_size_restricted")
    if snippet and int(length) > SNIPPET_BYTES:
        raise Refused("snippet_too_large")
    file = File(
        id=make_id("F"),
        name=name.replace("/", "_")[:255],
        owner=call.token.user,
        length=int(length),
        created=int(call.workspace.clock()),
        snippet_type=snippet,
    )
    call.workspace.files[file.id] = file
    return {"upload_url": f"{call.workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    listed = call.structure("files", broken="invalid_arguments")
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise invalid("missing required field: files")
    done: list[File] = []
    for one in listed:
        file = call.workspace.files.get(str(one.get("id")))
        if file is None or file.owner != call.token.user or file.content is None or file.completed:
            raise Refused("file_not_found")
        file.title = str(one.get("title") or file.name)
        done.append(file)
    names = [call.string("channel_id")] if call.string("channel_id") else call.listed("channels")
    channels = [_writable(call, name) for name in names]
    thread_ts = thread(call, channels[0]) if channels else ""
    for file in done:
        file.completed = True
    for channel in channels:
        _share(call, channel, done, thread_ts)
    return {"files": [file.to_slack(call.workspace.base_url) for file in done]}


def _writable(call: Call, name: str) -> Channel:
    channel = call.workspace.channels.get(name)
    if channel is None or not call.workspace.may_see(channel, call.token.user):
        raise Refused("channel_not_found")
    if call.token.user not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _share(call: Call, channel: Channel, files: list[File], thread_ts: str) -> None:
    # The share is known before the post, so that the posted file already says where it is.
    for file in files:
        file.shares.setdefault(channel.id, [])
    message = call.workspace.post(
        channel,
        call.token.user,
        call.string("initial_comment"),
        thread_ts=thread_ts,
        files=[file.to_slack(call.workspace.base_url) for file in files],
        subtype="file_share",
        extra={"upload": True},
    )
    for file in files:
        file.shares[channel.id].append(message.ts)


def info(call: Call) -> Json:
    file = call.workspace.files.get(call.string("file"))
    if file is None or not file.completed:
        raise Refused("file_not_found")
    shown = file.to_slack(call.workspace.base_url)
    shown["shares"] = {
        "public": {channel: [{"ts": ts} for ts in posts] for channel, posts in file.shares.items()}
    }
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = (
    Method(name="files.getUploadURLExternal", run=get_upload_url, tier=Tier.T4, scope="files:write"),
    Method(name="files.completeUploadExternal", run=complete_upload, tier=Tier.T4, scope="files:write"),
    Method(name="files.info", run=info, tier=Tier.T4, scope="files:read"),
)
