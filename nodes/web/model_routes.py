"""HTTP routes of the model entries in the settings panel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from ...seedream_api.catalog import (
    MODELS,
    EntryError,
    Model,
    list_missing,
    match_offered,
    parse_models,
)
from ...seedream_api.catalog.entry_rules import KEYS
from ...seedream_api.config.documents import MODELS_FILE
from ...seedream_api.config.private_file import write_private_text
from ...seedream_api.config.settings import Settings, load_settings
from ...seedream_api.errors import ConfigurationError, InvalidRequest, LedgerFailed, SeedreamError
from ...seedream_api.messages import Text, text_of
from ..host import background
from . import settings

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session

Json = dict[str, Any]
_SETTING = "SEEDREAM_MODELS"
_NOT_TAKEN = ("like", "prices", "doubted")
"""What no other entry takes from a model, or not as it is."""


def list_entries() -> Json:
    """Return the text of the models file and what is wrong with it. Reads the disk."""
    loaded = load_settings(settings.find_home_folder())
    found = loaded.documents.get(MODELS_FILE)
    error: SeedreamError | None = None
    try:
        models = loaded.models
    except ConfigurationError as fault:
        error, models = fault, MODELS
    fixed = _locked_error(loaded)
    return {
        "path": str(found.path if found else loaded.home / MODELS_FILE),
        "text": found.text if found else "",
        "added": [model for model in models if model not in MODELS],
        **settings.lock_json(fixed, error),
        "fields": _describe_fields(),
        "models": _describe_models(models),
    }


def check_entries(text: str) -> Json:
    """Check a text without saving it: its first mistake, and every model that it gives."""
    if not text.strip():
        return {"problem": None, "models": _describe_models(MODELS)}
    try:
        return {"problem": None, "models": _describe_models(parse_models(text, MODELS))}
    except EntryError as error:
        place = {
            "entry": error.index,
            "key": error.key,
            "allowed": settings.text_json(error.allowed),
        }
        return {"problem": {**settings.text_json(text_of(error)), **place}, "models": None}
    except (ValueError, RecursionError) as error:
        return {"problem": settings.text_json(text_of(error)), "models": None}


def _describe_fields() -> list[Json]:
    """Describe every key of an entry for a form."""
    return [
        {
            "key": key,
            "kind": rule.kind,
            **rule.control,
            "is_required": rule.is_required,
            "only": rule.only.value if rule.only else None,
            "allowed": settings.text_json(rule.allowed),
        }
        for key, rule in KEYS.items()
    ]


def _describe_models(models: Mapping[str, Model]) -> list[Json]:
    """Describe every model by the keys of an entry, which another entry may take from it."""
    keys = [key for key in KEYS if key not in _NOT_TAKEN]
    return [{key: _to_json(getattr(model, key)) for key in keys} for model in models.values()]


def _to_json(value: Any) -> Any:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def save_entries(text: str) -> None:
    """Check a models file and save it in the data folder; an empty text removes it. Blocks.

    Raises:
        ConfigurationError: an entry has a mistake, or the setting names another file.
        LedgerFailed: the file cannot be written.
    """
    loaded = load_settings(settings.find_home_folder())
    if fixed := _locked_error(loaded):
        raise fixed
    path = loaded.home / MODELS_FILE
    if not text.strip():
        _remove(path)
        return
    reason: str | None = None
    try:
        parse_models(text, MODELS)
    except (ValueError, RecursionError) as error:
        reason = text_of(error)
    if reason is not None:
        raise ConfigurationError("bad_models_file", path=path, reason=reason)
    write_private_text(path, text)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerFailed("settings_unwritable", path=path, reason=text_of(error)) from None


def _locked_error(loaded: Settings) -> ConfigurationError | None:
    """Build the error why a browser may not change the file; ``None`` if it may."""
    if loaded.text(_SETTING):
        return ConfigurationError("models_elsewhere", path=loaded.text(_SETTING))
    return None


async def _list(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(list_entries)


async def _save(request: web.Request, body: Json) -> Json:
    await asyncio.to_thread(save_entries, _read_text(body))
    return await asyncio.to_thread(list_entries)


async def _check(request: web.Request, body: Json) -> Json:
    return await asyncio.to_thread(check_entries, _read_text(body))


def _read_text(body: Json) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise InvalidRequest("panel_malformed", reason=Text("inputs_not_texts"))
    return text


async def _list_offered(request: web.Request, body: Json) -> Json:
    async def ask(session: Session) -> Json:
        from ...seedream_api.service.model_list import list_offered_models

        listed = await list_offered_models(session.client)
        offered = match_offered(listed or (), session.settings.models)
        return {
            "is_open": bool(listed),
            "missing": list_missing(listed, session.settings.models) if listed else [],
            "offered": [
                {"id": one.id, "known_as": list(one.known_as), "suggestion": one.suggestion}
                for one in offered
            ],
        }

    return await background.run_in_session(ask)


ROUTES = (
    ("GET", "/models", _list),
    ("POST", "/models", _save),
    ("POST", "/models/check", _check),
    ("POST", "/models/live", _list_offered),
)
