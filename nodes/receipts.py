"""Receipts in the metadata that ComfyUI's Save Image writes.

ComfyUI gives every node that saves images the same ``extra_pnginfo`` of the prompt, and each writes
one text chunk per entry. A prompt with nodes of this pack gets an ``extra_pnginfo`` with one more
entry, which only the nodes downstream of them see.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, cast

from comfy_execution.utils import get_executing_context
from server import PromptServer

from ..seedream_api.config.settings import load_settings
from ..seedream_api.errors import LedgerFailed, SeedreamError
from .node_values import is_link
from .web.settings import find_home_folder, log

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Result
    from ..seedream_api.jobs.session import Session
    from .host.runtime import NodeProgress

KEYWORD = "seedream"
"""The same as in ``jobs/receipts.py``, which is imported when a job runs."""
_PREFIX = "Seedream"
_REMEMBERED = 512

Prompt = Mapping[str, Any]
Receipts = list[dict[str, Any]]

_latest: OrderedDict[str, dict[int, Receipts]] = OrderedDict()
"""Receipts of the latest run by node and upstream graph, because later prompts may have its images
from ComfyUI's cache; each by the index of the call."""


class PromptMetadata(dict[str, Any]):
    """The ``extra_pnginfo`` of a prompt, with receipts for the node that reads it.

    Args:
        known: what the page sent.
        prompt: in the API format.
    """

    def __init__(self, known: Mapping[str, Any], prompt: Prompt) -> None:
        super().__init__(known)
        self._prompt = prompt
        self._noted: set[str] = set()
        """The keys of ``_latest`` with receipts of this prompt."""
        self._found: dict[str, Receipts] = {}
        """The receipts for a node that reads them, which it does many times per image."""

    def add(self, node_id: str, index: int, receipts: Receipts) -> None:
        """Add the receipts of a call of a node, before its images are passed on."""
        key = _describe_upstream(self._prompt, node_id)
        former = _latest.pop(key, {})
        calls = former if key in self._noted else {}
        self._noted.add(key)
        self._found.clear()
        _latest[key] = {**calls, index: receipts}
        while len(_latest) > _REMEMBERED:
            _latest.popitem(last=False)

    def _visible(self) -> dict[str, Any]:
        """Return the entries for the node that is executing; outside of one, what the page sent."""
        known = dict(super().items())
        context: Any = get_executing_context()
        if context is None:
            return known
        node_id = str(context.node_id)
        if node_id not in self._found:
            found = self._find_receipts(node_id)
            self._found[node_id] = found if found and _is_on() else []
        receipts = self._found[node_id]
        return {**known, KEYWORD: receipts} if receipts else known

    def _find_receipts(self, node_id: str) -> Receipts:
        found: Receipts = []
        upstream = _find_upstream(self._prompt, node_id) - {node_id}
        for one in sorted(one for one in upstream if _is_ours(self._prompt[one])):
            calls = _latest.get(_describe_upstream(self._prompt, one), {})
            for index in sorted(calls):
                found += [{"node": one, **receipt} for receipt in calls[index]]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._visible())

    def __len__(self) -> int:
        return len(self._visible())

    def __contains__(self, name: object) -> bool:
        return name in self._visible()

    def __getitem__(self, name: str) -> Any:
        return self._visible()[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self._visible().get(name, default)

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        return self._visible().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return self._visible().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        return self._visible().items()

    def copy(self) -> dict[str, Any]:
        return self._visible()

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """Copy as a plain dictionary, as ComfyUI does for its history."""
        return dict, (self._visible(),)


def register() -> None:
    """Make every prompt with nodes of this pack carry receipts, if there is a server."""
    server: Any = getattr(PromptServer, "instance", None)
    if server is not None:
        server.add_on_prompt_handler(add_metadata)


def add_metadata(request: dict[str, Any]) -> dict[str, Any]:
    """Replace the ``extra_pnginfo`` of a ``POST /prompt``; any other request stays as it is."""
    prompt: Any = request.get("prompt")
    extra: Any = request.setdefault("extra_data", {})
    if not isinstance(prompt, dict) or not isinstance(extra, dict):
        return request
    nodes, known = cast("Prompt", prompt), cast("dict[str, Any]", extra)
    metadata: Any = known.get("extra_pnginfo") or {}
    if any(map(_is_ours, nodes.values())) and isinstance(metadata, dict):
        known["extra_pnginfo"] = PromptMetadata(cast("dict[str, Any]", metadata), nodes)
    return request


def _is_ours(node: Any) -> bool:
    return isinstance(node, dict) and str(
        cast("dict[str, Any]", node).get("class_type")
    ).startswith(_PREFIX)


async def note_receipts(caller: NodeProgress, session: Session, result: Result) -> None:
    """Note the receipts of a node's result, for the images that are saved downstream of it."""
    if not isinstance(caller.metadata, PromptMetadata) or caller.viewer.node_id is None:
        return
    from ..seedream_api.jobs.receipts import list_receipts

    try:
        receipts = await list_receipts(result, session.ledger)
    except LedgerFailed as failed:
        log.warning("an image is saved without its receipt: %s", failed.summary("en"))
        return
    caller.metadata.add(str(caller.viewer.node_id), caller.index, receipts)


def _is_on() -> bool:
    try:
        return load_settings(find_home_folder()).is_on("SEEDREAM_RECEIPTS")
    except SeedreamError:  # nodes report it; no receipt is written
        return False


def _find_upstream(prompt: Prompt, node_id: str) -> set[str]:
    """Find the nodes that a node depends on, and the node."""
    found: set[str] = set()
    waiting = [node_id]
    while waiting:
        one = waiting.pop()
        node = prompt.get(one)
        if one in found or not isinstance(node, dict):
            continue
        found.add(one)
        inputs: Any = cast("dict[str, Any]", node).get("inputs")
        if isinstance(inputs, dict):
            values = cast("dict[str, Any]", inputs).values()
            waiting += [str(value[0]) for value in values if is_link(value)]
    return found


def _describe_upstream(prompt: Prompt, node_id: str) -> str:
    """Hash a node's id and everything that it depends on."""
    nodes = {one: prompt[one] for one in _find_upstream(prompt, node_id)}
    text = json.dumps([node_id, nodes], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()
