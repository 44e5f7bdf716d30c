"""Collect the websocket messages of a ComfyUI server, by prompt."""

from __future__ import annotations

import asyncio
import itertools
import json
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from . import canary

# protocol.py of ComfyUI: the first four bytes of a binary message.
PREVIEW_IMAGE, TEXT, PREVIEW_IMAGE_WITH_METADATA = 1, 3, 4


@dataclass(frozen=True)
class Event:
    """One message. Binary ones are named ``progress_text`` and ``preview_image`` here."""

    type: str
    data: dict[str, Any]
    at: float  # seconds on time.monotonic's clock


@dataclass
class Outcome:
    """How a prompt went: its messages in order, and how it ended."""

    prompt_id: str
    status: str = "running"  # running | success | error | interrupted
    events: list[Event] = field(default_factory=list[Event])
    # node id -> what its output in /history holds, e.g. {"images": [...]}, {"text": [...]}
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def of_type(self, type: str, node: str | None = None) -> list[Event]:
        return [
            event
            for event in self.events
            if event.type == type and node in (None, event.data.get("node"))
        ]

    def texts(self, node: str | None = None) -> list[str]:
        """The status lines that were shown under the node (or under any)."""
        return [event.data["text"] for event in self.of_type("progress_text", node)]

    def progress(self, node: str) -> list[tuple[float, float]]:
        """The node's bar, (value, max) at each change; ComfyUI adds (0, 1) and a full bar."""
        states = [e.data["nodes"].get(node) for e in self.of_type("progress_state")]
        bars = [(state["value"], state["max"]) for state in states if state]
        return [bar for bar, _ in itertools.groupby(bars)]

    @property
    def executed(self) -> set[str]:
        """The nodes that ran, as opposed to those taken from ComfyUI's cache."""
        cached = {n for event in self.of_type("execution_cached") for n in event.data["nodes"]}
        return {e.data["node"] for e in self.of_type("executing") if e.data["node"]} - cached

    @property
    def error(self) -> dict[str, Any]:
        """The ``execution_error`` message: node_id, exception_type, exception_message, ..."""
        errors = self.of_type("execution_error")
        return errors[0].data if errors else {}


class EventStream:
    """Read the websocket in a thread until the server closes it."""

    def __init__(self, url: str, client_id: str) -> None:
        self.client_id = client_id
        self._url = f"{url}/ws?clientId={client_id}"
        self._events: dict[str, list[Event]] = defaultdict(list)
        self._running = ""  # the prompt that messages without an id belong to
        self._news = threading.Condition()
        self._connected = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._listen(),), daemon=True)
        self._thread.start()
        if not self._connected.wait(30):
            raise ConnectionError(f"no websocket at {url}")

    def next(self, prompt_id: str, index: int, within: float) -> Event | None:
        """The prompt's event number ``index``, waiting for it a while."""
        with self._news:
            self._news.wait_for(lambda: len(self._events[prompt_id]) > index, within)
            events = self._events[prompt_id]
            return events[index] if len(events) > index else None

    def of_type(self, type: str) -> list[Event]:
        """Every event of this type so far, whichever prompt ran."""
        with self._news:
            events = [event for one in self._events.values() for event in one]
        return sorted((e for e in events if e.type == type), key=lambda event: event.at)

    def join(self) -> None:
        """Wait for the thread to end, as it does once the server has."""
        self._thread.join(30)

    async def _listen(self) -> None:
        # A killed server drops the connection: for a listener that is an end like any other.
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(self._url, max_msg_size=0) as socket,
            ):
                # As a browser does: else no previews are sent.
                await socket.send_json(
                    {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
                )
                self._connected.set()
                async for message in socket:
                    self._record(message.type, message.data)
        except aiohttp.ClientError:
            return

    def _record(self, kind: aiohttp.WSMsgType, message: Any) -> None:
        if kind in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            canary.WATCH.look_at("a websocket's message", message)
        if kind is aiohttp.WSMsgType.TEXT:
            content = json.loads(message)
            event = Event(content["type"], content.get("data") or {}, time.monotonic())
        elif kind is aiohttp.WSMsgType.BINARY:
            event = decode(message)
        else:
            return
        with self._news:
            if event.type == "execution_start":
                self._running = event.data["prompt_id"]
            self._events[event.data.get("prompt_id") or self._running].append(event)
            self._news.notify_all()


def decode(message: bytes) -> Event:
    (kind,) = struct.unpack_from(">I", message)
    if kind == TEXT:
        (length,) = struct.unpack_from(">I", message, 4)
        node, text = message[8 : 8 + length].decode(), message[8 + length :].decode()
        return Event("progress_text", {"node": node, "text": text}, time.monotonic())
    known = kind in (PREVIEW_IMAGE, PREVIEW_IMAGE_WITH_METADATA)
    name = "preview_image" if known else f"binary_{kind}"
    return Event(name, {"bytes": message[4:]}, time.monotonic())
