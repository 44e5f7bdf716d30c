"""docs/licences.md lists what an install and its extras bring, with the licence each states."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.paths import PACK_ROOT

SPELLINGS = {
    "MIT": r"\bMIT\b",
    "BSD-3-Clause": r"BSD",
    "PSF-2.0": r"PSF|Python Software Foundation",
    "MIT-CMU": r"MIT-CMU|HPND",
    "MPL-2.0": r"MPL|Mozilla Public License 2\.0",
    "BSD-2-Clause": r"BSD",
    "LGPL-3.0": r"LGPL|Lesser General Public",
    "Apache-2.0": r"Apache",
}
"""How metadata of older and newer forms spell each."""
ONLY_SOMETIMES = {"exceptiongroup", "sniffio"}
"""Asked for on old Pythons or by old versions; both under MIT or Apache-2.0."""


def listed() -> dict[str, str]:
    rows = re.findall(
        r"^\| ([\w.-]+) \| .+? \| (.+?) \|$",
        (PACK_ROOT / "docs" / "licences.md").read_text("utf-8"),
        re.M,
    )
    return {canonicalize_name(name): licence for name, licence in rows if name != "package"}


def installed_with(lines: list[str], *, may_lack: bool = False) -> set[str]:
    """These requirements and all that they need in turn, on this Python."""
    found: set[str] = set()
    while lines:
        requirement = Requirement(lines.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            lines += requires(name) or []
        except PackageNotFoundError:
            if not may_lack:
                pytest.fail(f"{name} is not installed beside the tests")
        found.add(name)
    return found


def test_all_that_a_users_install_brings_is_listed() -> None:
    lines = (PACK_ROOT / "requirements.txt").read_text("utf-8").split("\n")
    needed = installed_with([line for line in lines if line])
    assert len(needed) > 10
    assert needed - ONLY_SOMETIMES <= set(listed())
    on_newest = sys.version_info >= (3, 11)
    assert not on_newest or set(listed()) - needed == optional()


def optional() -> set[str]:
    """What the extras of the distribution bring beside the rest, as far as it is listed."""
    project = (PACK_ROOT / "pyproject.toml").read_text("utf-8")
    section = project.partition("[project.optional-dependencies]")[2].partition("[project.")[0]
    lines = re.findall(r'"([^"]+)"', section)
    assert len(lines) > 4
    needed = installed_with((PACK_ROOT / "requirements.txt").read_text("utf-8").split())
    return installed_with(lines, may_lack=True) - needed


@pytest.mark.parametrize("name", sorted(listed()))
def test_licence_is_what_the_package_states(name: str) -> None:
    licence = listed()[name].split(",")[0].split(" (")[0]
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        assert name in optional(), name
        pytest.skip(f"{name} is optional and not installed")
    texts = [stated.get("License-Expression"), (stated.get("License") or "")[:200]]
    said = " ".join(filter(None, [*texts, *(stated.get_all("Classifier") or [])]))
    assert re.search(SPELLINGS[licence], said), f"{name}: {said[:200]}"
