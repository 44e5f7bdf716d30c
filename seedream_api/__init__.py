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
    from .catalog import MODELS as MODELS
    from .catalog import Family as Family
    from .catalog import Model as Model
    from .config.settings import Settings as Settings
    from .config.settings import load_settings as load_settings
    from .errors import (
        ApiRefused as ApiRefused,
    )
    from .errors import (
        AuthenticationFailed as AuthenticationFailed,
    )
    from .errors import (
        Charge as Charge,
    )
    from .errors import (
        CompletedWithoutImages as CompletedWithoutImages,
    )
    from .errors import (
        ConfigurationError as ConfigurationError,
    )
    from .errors import (
        ContentRejected as ContentRejected,
    )
    from .errors import (
        InsufficientBalance as InsufficientBalance,
    )
    from .errors import (
        Interrupted as Interrupted,
    )
    from .errors import (
        InvalidRequest as InvalidRequest,
    )
    from .errors import (
        LedgerFailed as LedgerFailed,
    )
    from .errors import (
        NotFound as NotFound,
    )
    from .errors import (
        NotSent as NotSent,
    )
    from .errors import (
        OutcomeUnknown as OutcomeUnknown,
    )
    from .errors import (
        PartialResult as PartialResult,
    )
    from .errors import (
        RateLimited as RateLimited,
    )
    from .errors import (
        ReadFailed as ReadFailed,
    )
    from .errors import (
        ResultUnavailable as ResultUnavailable,
    )
    from .errors import (
        SeedreamError as SeedreamError,
    )
    from .errors import (
        ServiceBusy as ServiceBusy,
    )
    from .errors import (
        TaskFailed as TaskFailed,
    )
    from .errors import (
        TaskNotFound as TaskNotFound,
    )
    from .errors import (
        TransportFailed as TransportFailed,
    )
    from .errors import (
        UnsafeURL as UnsafeURL,
    )
    from .errors import (
        UploadFailed as UploadFailed,
    )
    from .errors import (
        WaitTimedOut as WaitTimedOut,
    )
    from .jobs.collect import collect as collect
    from .jobs.collect import collect_all as collect_all
    from .jobs.generate import generate as generate
    from .jobs.results import Failure as Failure
    from .jobs.results import Origin as Origin
    from .jobs.results import Phase as Phase
    from .jobs.results import Progress as Progress
    from .jobs.results import Result as Result
    from .jobs.results import StoredImage as StoredImage
    from .jobs.session import Session as Session
    from .service.client import SeedreamClient as SeedreamClient
    from .service.models import Request as Request
    from .service.models import Task as Task
    from .service.models import TaskStatus as TaskStatus
    from .service.references import PictureReference as PictureReference
    from .service.references import UrlReference as UrlReference
    from .service.references import file_reference as file_reference
    from .service.references import pixels_reference as pixels_reference

__all__ = [
    "MODELS",
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
