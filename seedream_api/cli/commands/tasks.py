"""``tasks``: list the ledger, newest first; fetch, forget, export or prune what it holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidRequest, LedgerFailed
from ...ledger.states import State
from ...messages import Text, localize, text_of
from ..arguments import add_out, add_output, parse_amount, parse_count
from ..output import Outcome, find_width
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...jobs.session import Session
    from ...ledger.ledger import SyncLedger
    from ...ledger.pruning import Pruned

_LISTED = 1_000
"""Entries shown at most, the newest; ``--export`` writes all."""
_ALL = 1_000_000_000


def add_arguments(parser: Parser) -> None:
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--collect", action="store_true", help=help_text("collect"))
    one.add_argument("--resume", metavar="ID", help=help_text("resume"))
    one.add_argument("--forget", metavar="ID", help=help_text("forget"))
    one.add_argument("--export", type=Path, metavar="FILE", help=help_text("export"))
    one.add_argument("--prune", action="store_true", help=help_text("prune"))
    parser.add_argument(
        "--state",
        action="append",
        default=[],
        metavar="STATE",
        choices=[state.value for state in State],
        help=localize(Text("help_state", states=", ".join(state.value for state in State))),
    )
    parser.add_argument(
        "--older-than", type=parse_amount, metavar="DAYS", help=help_text("older_than")
    )
    parser.add_argument("--limit", type=parse_count, metavar="N", help=help_text("limit"))
    parser.add_argument("--keep-gb", type=parse_amount, metavar="GB", help=help_text("keep_gb"))
    add_out(parser)
    add_output(parser)
    parser.add_examples(
        "tasks --state accepted --state answered",
        "tasks --collect --out pictures",
        "tasks --resume 12 --out pictures",
        "tasks --prune --older-than 30",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    from ...ledger.ledger import SyncLedger
    from ..session import open_settings, run_in_session

    settings = open_settings(arguments)
    if arguments.collect:
        from ..collecting import collect_unfinished

        return run_in_session(arguments, collect_unfinished, settings)
    if arguments.resume is not None:
        return run_in_session(arguments, _resume, settings)
    ledger = SyncLedger.open(settings)
    try:
        return _run(arguments, ledger, settings)
    finally:
        ledger.close()


async def _resume(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Fetch the missing images of one entry into ``--out``."""
    import asyncio

    from ...jobs.collect import resume
    from ..delivery import deliver
    from ..files import try_folder

    await asyncio.to_thread(try_folder, arguments.out)
    row = await session.ledger.find_record(arguments.resume)
    if row is None:
        raise InvalidRequest("entry_unknown", given=arguments.resume)
    outcome = await deliver(await resume(row, session), arguments)
    payload = {"tasks": [outcome.payload]}
    return Outcome(payload, outcome.lines, outcome.exit_code, outcome.notes)


def _run(arguments: argparse.Namespace, ledger: SyncLedger, settings: Settings) -> Outcome:
    from ..task_entries import build_entry, format_table

    if arguments.forget is not None:
        return _forget(arguments.forget, ledger)
    states = tuple(State(word) for word in arguments.state)
    if arguments.export is not None:
        return _export(arguments.export, states, ledger)
    payload: dict[str, Any] = {"tasks": []}
    notes: list[str] = []
    if arguments.prune:
        pruned = _prune(arguments, ledger, settings)
        payload["pruned"] = {"images": pruned.images, "bytes": pruned.bytes}
        megabytes = f"{pruned.bytes / 1e6:.1f}"
        notes.append(localize(Text("store_pruned", count=pruned.images, size=megabytes)))
    elif arguments.older_than is not None or arguments.keep_gb is not None:
        raise InvalidRequest("wrong_use", reason=Text("needs_prune"), usage="tasks --prune")
    most = arguments.limit or _LISTED
    rows = ledger.list_records(states, limit=most + 1)
    if len(rows) > most:
        rows = rows[:most]
        notes.append(localize(Text("entries_cut", count=most)))
    tasks = [build_entry(row, ledger) for row in rows]
    size, limit = ledger.sum_stored_bytes(), settings.number("SEEDREAM_STORE_GB")
    payload["tasks"] = tasks
    payload["store"] = {
        "bytes": size, "limit_bytes": int(limit * 1e9), "path": str(settings.home)
    }  # fmt: skip
    lines = format_table(rows, tasks, find_width()) if rows else [localize(Text("no_entries"))]
    store = localize(
        Text("store_size", size=f"{size / 1e6:.1f}", limit=f"{limit:g}", path=settings.home)
    )
    return Outcome(payload, lines, 0, [*notes, store])


def _export(path: Path, states: tuple[State, ...], ledger: SyncLedger) -> Outcome:
    """Write every row as JSON, forgotten ones too unless states are given."""
    from ..task_entries import build_entry, build_response

    rows = [
        {
            **build_entry(row, ledger),
            "responses": list(map(build_response, ledger.list_responses(row.id))),
        }
        for row in ledger.list_records(states or tuple(State), limit=_ALL)
    ]
    try:
        path.write_text(json.dumps({"tasks": rows}, ensure_ascii=False, indent=1), "utf-8")
    except OSError as error:
        raise LedgerFailed("out_unwritable", path=path, reason=text_of(error)) from None
    return Outcome(
        {"tasks": rows}, [localize(Text("entries_written", count=len(rows), path=path))], 0
    )


def _prune(arguments: argparse.Namespace, ledger: SyncLedger, settings: Settings) -> Pruned:
    from ...ledger.image_store import ImageStore

    keep_gb = arguments.keep_gb
    days = arguments.older_than
    return ledger.prune(
        ImageStore(settings.home),
        keep_bytes=int(
            (settings.number("SEEDREAM_STORE_GB") if keep_gb is None else keep_gb) * 1e9
        ),
        older_than_s=None if days is None else days * 86_400,
    )


def _forget(name: str, ledger: SyncLedger) -> Outcome:
    from ..task_entries import build_entry

    row = ledger.find_record(name)
    if row is None:
        raise InvalidRequest("entry_unknown", given=name)
    try:
        ledger.forget(row.id)
    except ValueError:
        raise InvalidRequest("entry_running", given=name) from None
    line = localize(Text("entry_forgotten", entry=row.id))
    return Outcome({"tasks": [{**build_entry(row, ledger), "state": "forgotten"}]}, [line], 0)
