"""Submit now and fetch the images in another run: ``submit``, then ``collect``.

The ledger in the data folder knows every task, so that no id needs to be written down.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from seedream_api import Request
from seedream_api.sync import Session, generate


def submit(session: Session) -> None:
    result = generate(Request(model="Seedream-4.5", prompt="A cat at sea"), session, wait=False)
    print(f"submitted: {result.task_id}")


def collect(session: Session) -> None:
    for job in session.jobs(state=("accepted", "answered"), since=timedelta(days=1)):
        result = session.resume(job)
        for image in result.images:
            print(image.save("out", name="{job}-{n}"))


def main(steps: list[str]) -> None:
    with Session() as session:
        if "submit" in steps:
            submit(session)
        if "collect" in steps:
            collect(session)


if __name__ == "__main__":
    main(sys.argv[1:] or ["submit", "collect"])
