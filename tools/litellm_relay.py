"""LiteLLM's proxy between the client and an origin: someone else's code re-serialises everything.

    python tools/litellm_relay.py [--environment .dev/litellm] [--only CASE ...]

Installs ``litellm[proxy]`` (750 MB, a minute or more) into a separate environment, starts it,
and runs the same request of the Preferential family three times per case. Prints the POSTs that
reached the origin and what the client said; ends with 1 where that is not what has to come.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from intermediaries import origin as served  # noqa: E402
from intermediaries.paying import KEY, MODEL, Customer, Outcome  # noqa: E402
from intermediaries.programs import free_port  # noqa: E402

STARTS_WITHIN_S = 120.0
RUNS = 3


@dataclass(frozen=True)
class Case:
    """The response of the origin, and how three runs must end.

    Args:
        kinds: the allowed classes.
        is_repeated: whether every run sends the request, or the first one alone. LiteLLM itself
            repeats what failed upstream: a first run may bring the origin several POSTs.
    """

    answer: bytes
    kinds: tuple[str, ...]
    is_repeated: bool = False


def _said(status: int, document: Any) -> bytes:
    return served.response(status, json.dumps(document).encode())


def _error(status: int, message: str, code: str = "") -> bytes:
    error = {"message": message, "type": "new_api_error", "param": "", "code": code}
    return _said(status, {"error": error})


UNKNOWN = ("OutcomeUnknown", "CompletedWithoutImages", "ResultUnavailable")
CASES = {
    "success": Case(served.made(), ("Result",)),
    "null entry": Case(_said(200, {"created": 1, "data": [None]}), UNKNOWN),
    "null url": Case(_said(200, {"created": 1, "data": [{"url": None}]}), UNKNOWN),
    "empty data": Case(_said(200, {"created": 1, "data": []}), UNKNOWN),
    "balance": Case(
        _error(403, "用户额度不足, 剩余额度: ¥0.00 (request id: 2025)", "insufficient_user_quota"),
        ("InsufficientBalance",), True,
    ),
    "moderation": Case(
        _error(400, "The request failed because the input text may contain sensitive information.",
               "InputTextSensitiveContentDetected"),
        ("ContentRejected",), True,
    ),
    "504": Case(_error(504, "upstream timed out"), UNKNOWN),
    "dropped connection": Case(served.DIE, UNKNOWN),
}  # fmt: skip


def install(folder: Path) -> Path:
    """The program of LiteLLM's proxy, installed on the first call."""
    program = folder / "bin" / "litellm"
    if not program.is_file():
        begun = time.monotonic()
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "-q", "litellm[proxy]"], check=True
        )
        print(f"installed in {time.monotonic() - begun:.0f} s")
    return program


@contextlib.contextmanager
def relay(program: Path, origin_port: int, folder: Path) -> Iterator[str]:
    """The address of a started proxy whose only upstream is the origin."""
    port = free_port()
    configuration = {
        "model_list": [{
            "model_name": MODEL,
            "litellm_params": {"model": f"openai/{MODEL}", "api_key": "sk-upstream",
                               "api_base": f"http://127.0.0.1:{origin_port}/v1"},
        }],
        "router_settings": {"num_retries": 0},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "general_settings": {"master_key": KEY},
    }  # fmt: skip
    path = folder / "litellm.json"
    path.write_text(json.dumps(configuration))  # YAML reads it
    environ = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "NO_PROXY": "127.0.0.1",
    }
    command = [program, "--config", path, "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "litellm.log"
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, env=environ, cwd=folder)
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import socket

    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise SystemExit(f"LiteLLM did not start:\n{log.read_text(errors='replace')[-3_000:]}")


def try_case(name: str, case: Case, base: str, origin: served.Origin, folder: Path) -> bool:
    origin.answer = lambda number: case.answer
    posts: list[int] = []
    outcomes: list[Outcome] = []
    for _ in range(RUNS):
        before = origin.posts
        outcomes.append(Customer(base, folder / name).pay())
        posts.append(origin.posts - before)
    kinds = [one.kind for one in outcomes]
    is_sent = [count > 0 for count in posts] == [True, *[case.is_repeated] * (RUNS - 1)]
    is_right = is_sent and all(kind in case.kinds for kind in kinds)
    print(f"{'ok' if is_right else 'WRONG':6}{name:20}POSTs per run {posts}  {', '.join(kinds)}")
    if outcomes[0].error is not None:
        print(f"{'':6}{outcomes[0].error.message('en')[:240]}")
    return is_right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, default=ROOT / ".dev" / "litellm")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="CASE")
    arguments = parser.parse_args()
    program = install(arguments.environment)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        served.Origin() as origin,
        relay(program, origin.port, Path(folder)) as base,
    ):
        good = [
            try_case(name, CASES[name], base, origin, Path(folder))
            for name in arguments.only or CASES
        ]
    print(f"{sum(good)} of {len(good)} as they have to be")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
