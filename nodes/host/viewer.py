"""The viewer of a running node: the page or the program that queued its prompt.

A page of ComfyUI gets facts (the event ``seedream.node``) and puts them into its own language. Any
other program gets a line of text and ComfyUI's own ``progress`` messages. Other clients of the same
server get nothing: they may belong to other people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ...seedream_api.errors import SeedreamError
from ...seedream_api.messages import CHARGE_TEXT, join_sentences, localize

if TYPE_CHECKING:
    from comfy_api.latest import io

EVENT = "seedream.node"


@dataclass(frozen=True)
class Viewer:
    """The client of one running node.

    Args:
        client_id: of the websocket that queued the prompt; without one nothing is sent.
        is_page: whether the prompt brings the workflow that a page saves in images.
    """

    node_id: str | None = None
    prompt_id: str = ""
    client_id: str | None = None
    is_page: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a client waits for what the node has to say."""
        return None not in (self.node_id, self.client_id)

    @classmethod
    def of_node(cls, node: type[io.ComfyNode]) -> Viewer:
        context: Any = get_executing_context()
        server: Any = getattr(PromptServer, "instance", None)
        extra: Any = getattr(node.hidden, "extra_pnginfo", None)
        return cls(
            node_id=getattr(node.hidden, "unique_id", None),
            prompt_id=str(context.prompt_id) if context is not None else "",
            client_id=getattr(server, "client_id", None),
            is_page=isinstance(extra, Mapping) and "workflow" in extra,
        )

    def send_state(self, kind: str, **facts: Any) -> None:
        """Send a page what the node does now: ``progress``, ``done``, ``failed``, ``cancelled``."""
        if self.is_page:
            self._send(EVENT, {"kind": kind, **self._place(), **facts})

    def send_end(self, kind: str, error: SeedreamError | None = None) -> None:
        """Send a page why the node ended, and what was charged; ``None`` if that is not known."""
        self.send_state(kind, error=None if error is None else describe_error(error))

    def show_text(self, text: str) -> None:
        """Show a program a line under the node, in the language of this process.

        The line is a binary message, which a simple program takes for an image. So it is sent only
        to one that has announced features, as ComfyUI's page does.
        """
        server: Any = getattr(PromptServer, "instance", None)
        if server is None or self.is_page or not self.is_open or not self._has_features(server):
            return
        # Browsers cannot show half a surrogate pair, which a prompt may contain.
        line = localize(text).encode("utf-8", "backslashreplace").decode()
        server.send_progress_text(line, self.node_id, self.client_id)

    def _has_features(self, server: Any) -> bool:
        client = getattr(server, "sockets_metadata", {}).get(self.client_id, {})
        return bool(client.get("feature_flags"))

    def show_percent(self, percent: float) -> None:
        """Update the node's progress bar, in the old message too, which some programs read.

        Those expect whole numbers, which ComfyUI's own nodes send.
        """
        if self.node_id is None:
            return
        get_progress_state().update_progress(str(self.node_id), percent, 100.0)
        self._send("progress", {"value": round(percent), "max": 100, **self._place()})

    def _place(self) -> dict[str, str]:
        prompt: Any = get_progress_state().dynprompt
        shown = str(prompt.get_display_node_id(self.node_id))
        return {"node": shown, "prompt_id": self.prompt_id}

    def _send(self, event: str, data: dict[str, Any]) -> None:
        server: Any = getattr(PromptServer, "instance", None)
        if server is not None and self.is_open:
            server.send_sync(event, data, self.client_id)


def describe_error(error: SeedreamError) -> dict[str, Any]:
    """Build the facts of an error that the page shows on the node, in both languages."""
    texts: dict[str, Any] = {}
    for number, language in enumerate(("en", "zh")):
        charge = CHARGE_TEXT[error.charge.value][number]
        reason = join_sentences((error.summary(language), charge), language)
        texts[language] = {"reason": reason, "advice": error.hint(language)}
    kind = {"type": type(error).__name__, "key": error.key, "charge": error.charge.value}
    return {**texts, **kind, "task_id": error.task_id}
