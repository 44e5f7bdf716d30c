"""A throwaway pack whose node makes child processes by fork in every usual way."""

from __future__ import annotations

from pathlib import Path

FOLDER = "Forking-Neighbour"
_SOURCE = '''
import atexit
import concurrent.futures
import json
import multiprocessing
import os
import sys
import threading
import time

import torch

CONTEXT = multiprocessing.get_context("fork")


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.tensor(index)


def double(number):
    return number * 2


def by_data_loader():
    loader = torch.utils.data.DataLoader(Numbers(), num_workers=2, multiprocessing_context=CONTEXT)
    batches = iter(loader)
    found = [int(one) for one in batches]
    workers = list(batches._workers)
    del batches
    for worker in workers:
        worker.join(20)
    assert found == list(range(8)), found
    return [worker.exitcode for worker in workers]


def by_process():
    one = CONTEXT.Process(target=double, args=(1,))
    one.start()
    one.join(20)
    return [one.exitcode]


def by_pool():
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=CONTEXT) as pool:
        assert list(pool.map(double, range(4))) == [0, 2, 4, 6]
        workers = list(pool._processes.values())
    return [worker.exitcode for worker in workers]


def by_fork():
    child = os.fork()
    if child == 0:
        try:  # the end of an interpreter, with all that is registered for it
            threading._shutdown()
            atexit._run_exitfuncs()
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


class Forks:
    """Tells how long each way took, and how its children ended."""
    INPUT_TYPES = classmethod(lambda cls: {"required": {"nonce": ("STRING", {})}})
    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True

    def run(self, nonce):
        told = {}
        for make in (by_data_loader, by_process, by_pool, by_fork):
            begun = time.monotonic()
            codes = make()
            told[make.__name__] = {"codes": codes, "seconds": time.monotonic() - begun}
        return {"ui": {"seen": [json.dumps(told)]}, "result": ()}


NODE_CLASS_MAPPINGS = {"Forks": Forks}
'''


def write_forking(folder: Path) -> Path:
    """Write the throwaway pack into ``folder``; gives it back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(_SOURCE, "utf-8")
    return folder
