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
    from .catalog import MODELS as MODELS, Family as Family, Model as Model
    from .config.settings import Settings as Settings, load_settings as load_settings
    from .errors import (
        ApiRefused as ApiRefused,
        AuthenticationFailed as AuthenticationFailed,
        Charge as Charge,
        CompletedWithoutImages as CompletedWithoutImages,
        ConfigurationError as ConfigurationError,
        ContentRejected as ContentRejected,
        InsufficientBalance as InsufficientBalance,
        Interrupted as Interrupted,
        InvalidRequest as InvalidRequest,
        LedgerFailed as LedgerFailed,
        LimitReached as LimitReached,
        NotFound as NotFound,
        NotSent as NotSent,
        OutcomeUnknown as OutcomeUnknown,
        PartialResult as PartialResult,
        RateLimited as RateLimited,
        ReadFailed as ReadFailed,
        ResultUnavailable as ResultUnavailable,
        SeedreamError as SeedreamError,
        ServiceBusy as ServiceBusy,
        TaskFailed as TaskFailed,
        TaskNotFound as TaskNotFound,
        TransportFailed as TransportFailed,
        UnsafeURL as UnsafeURL,
        UploadFailed as UploadFailed,
        WaitTimedOut as WaitTimedOut,
    )
    from .jobs.batch import (
        BatchItem as BatchItem,
        BatchPlan as BatchPlan,
        generate_all as generate_all,
        plan_batch as plan_batch,
    )
    from .jobs.collect import collect as collect, collect_all as collect_all
    from .jobs.generate import generate as generate
    from .jobs.load_urls import LoadedUrl as LoadedUrl
    from .jobs.results import (
        Failure as Failure,
        Origin as Origin,
        Phase as Phase,
        Progress as Progress,
        Result as Result,
        StoredImage as StoredImage,
    )
    from .jobs.session import Session as Session
    from .ledger.browsing import JobView as JobView
    from .ledger.records import ImageRecord as ImageRecord, JobRecord as JobRecord
    from .ledger.states import State as State
    from .service.balance import Balance as Balance
    from .service.client import SeedreamClient as SeedreamClient
    from .service.references import (
        PictureReference as PictureReference,
        UrlReference as UrlReference,
        file_reference as file_reference,
        pixels_reference as pixels_reference,
    )
    from .service.request import Request as Request
    from .service.statuses import TaskStatus as TaskStatus
    from .service.task import Task as Task

__all__ = [
    "MODELS",
    "ApiRefused",
    "AuthenticationFailed",
    "Balance",
    "BatchItem",
    "BatchPlan",
    "Charge",
    "CompletedWithoutImages",
    "ConfigurationError",
    "ContentRejected",
    "Failure",
    "Family",
    "ImageRecord",
    "InsufficientBalance",
    "Interrupted",
    "InvalidRequest",
    "JobRecord",
    "JobView",
    "LedgerFailed",
    "LimitReached",
    "LoadedUrl",
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
    "State",
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
    "generate_all",
    "load_settings",
    "pixels_reference",
    "plan_batch",
]

_HOMES = (
    "errors",
    "catalog",
    "jobs.results",
    "config.settings",
    "service.statuses",
    "service.references",
    "service.request",
    "service.task",
    "service.client",
    "service.balance",
    "ledger.states",
    "ledger.records",
    "ledger.browsing",
    "jobs.session",
    "jobs.generate",
    "jobs.collect",
    "jobs.load_urls",
    "jobs.batch",
)
"""Where the names live, from the lightest module to the heaviest."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f".{home}", __name__)
            if name in vars(module):
                globals()[name] = vars(module)[name]
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
