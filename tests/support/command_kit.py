"""What tests of the command line share."""

from __future__ import annotations

import os

import pytest

FIELDS = {"status", "task_id", "task_ids", "images", "failures", "references", "reused",
          "may_have_been_charged", "cost",
          "error", "notes", "job_id", "model", "seed", "origin", "charged_images", "seconds",
          "request_id"}  # fmt: skip
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
