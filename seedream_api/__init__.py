"""Seedream through DeepSpaceAPI: a client that pays once and loses nothing. Works without ComfyUI.

    import asyncio
    from seedream_api import Request, generate

    result = asyncio.run(generate(Request(model="Seedream-4.5", prompt="A cat on the grass")))
    print([image.path for image in result.images])

A name's module is imported when the name is first used: ComfyUI imports the pack at its start, and
most of its users' time there needs no HTTP library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .catalog import Family as Family, MODELS as MODELS, Model as Model
    from .client import SeedreamClient as SeedreamClient
    from .collecting import collect as collect, collect_all as collect_all
    from .config import Settings as Settings, load_settings as load_settings
    from .errors import ApiRefused as ApiRefused, AuthenticationFailed as AuthenticationFailed, Charge as Charge, CompletedWithoutImages as CompletedWithoutImages, ConfigurationError as ConfigurationError, ContentRejected as ContentRejected, InsufficientBalance as InsufficientBalance, Interrupted as Interrupted, InvalidRequest as InvalidRequest, LedgerFailed as LedgerFailed, NotFound as NotFound, NotSent as NotSent, OutcomeUnknown as OutcomeUnknown, PartialResult as PartialResult, RateLimited as RateLimited, ReadFailed as ReadFailed, ResultUnavailable as ResultUnavailable, SeedreamError as SeedreamError, ServiceBusy as ServiceBusy, TaskFailed as TaskFailed, TaskNotFound as TaskNotFound, TransportFailed as TransportFailed, UnsafeURL as UnsafeURL, UploadFailed as UploadFailed, WaitTimedOut as WaitTimedOut
    from .generation import generate as generate
    from .models import Request as Request, Task as Task, TaskStatus as TaskStatus
    from .references import PictureReference as PictureReference, UrlReference as UrlReference, file_reference as file_reference, pixels_reference as pixels_reference
    from .results import Failure as Failure, Origin as Origin, Phase as Phase, Progress as Progress, Result as Result, StoredImage as StoredImage
    from .session import Session as Session

__all__ = [
    "ApiRefused",
    "AuthenticationFailed",
    "Charge",
    "CompletedWithoutImages",
    "ConfigurationError",
    "ContentRejected",
    "Failure",
    "Family",
    "InsufficientBalance",
    "Interrupted",
    "InvalidRequest",
    "LedgerFailed",
    "MODELS",
    "Model",
    "NotFound",
    "NotSent",
    "Origin",
    "OutcomeUnknown",
    "PartialResult",
    "Phase",
    "PictureReference",
    "Progress",
    "RateLimited",
    "ReadFailed",
    "Request",
    "Result",
    "ResultUnavailable",
    "SeedreamClient",
    "SeedreamError",
    "ServiceBusy",
    "Session",
    "Settings",
    "StoredImage",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "TaskStatus",
    "TransportFailed",
    "UnsafeURL",
    "UploadFailed",
    "UrlReference",
    "WaitTimedOut",
    "__version__",
    "collect",
    "collect_all",
    "file_reference",
    "generate",
    "load_settings",
    "pixels_reference",
]

_MODULES = {
    "ApiRefused": "errors",
    "AuthenticationFailed": "errors",
    "Charge": "errors",
    "CompletedWithoutImages": "errors",
    "ConfigurationError": "errors",
    "ContentRejected": "errors",
    "Failure": "results",
    "Family": "catalog",
    "InsufficientBalance": "errors",
    "Interrupted": "errors",
    "InvalidRequest": "errors",
    "LedgerFailed": "errors",
    "MODELS": "catalog",
    "Model": "catalog",
    "NotFound": "errors",
    "NotSent": "errors",
    "Origin": "results",
    "OutcomeUnknown": "errors",
    "PartialResult": "errors",
    "Phase": "results",
    "PictureReference": "references",
    "Progress": "results",
    "RateLimited": "errors",
    "ReadFailed": "errors",
    "Request": "models",
    "Result": "results",
    "ResultUnavailable": "errors",
    "SeedreamClient": "client",
    "SeedreamError": "errors",
    "ServiceBusy": "errors",
    "Session": "session",
    "Settings": "config",
    "StoredImage": "results",
    "Task": "models",
    "TaskFailed": "errors",
    "TaskNotFound": "errors",
    "TaskStatus": "models",
    "TransportFailed": "errors",
    "UnsafeURL": "errors",
    "UploadFailed": "errors",
    "UrlReference": "references",
    "WaitTimedOut": "errors",
    "collect": "collecting",
    "collect_all": "collecting",
    "file_reference": "references",
    "generate": "generation",
    "load_settings": "config",
    "pixels_reference": "references",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value
