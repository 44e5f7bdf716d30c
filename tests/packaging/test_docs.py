"""Papers for people: Chinese twins are whole, issue templates ask for what helps and for no key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from support.paths import PACK_ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TWINS = [
    ("README.md", "README.zh-CN.md"),
    *(
        (f"docs/{page}.md", f"docs/{page}.zh-CN.md")
        for page in (
            "install", "nodes", "costs", "settings", "uploads", "models", "command-line", "python",
            "fleet", "shared-ledger", "comparison", "privacy", "refusals", "task-panel",
            "troubleshooting",
        )
    ),
]  # fmt: skip
REPOSITORY = "seedream-deepspace/comfyui-seedream-deepspace"
OWN_URL = re.compile(
    rf"https://(?:github\.com/{REPOSITORY}/blob|raw\.githubusercontent\.com/{REPOSITORY})/main/"
)
TEMPLATES = sorted((PACK_ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read(name: str) -> str:
    return (PACK_ROOT / name).read_text("utf-8")


def outline(text: str) -> list[str]:
    """Headings by level, table rows by their cells, list items, code blocks, in order."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
            found += ["code"] if inside else []
        elif inside:
            continue
        elif heading := re.match(r"#+ ", line):
            found.append(heading[0].strip())
        elif line.startswith("|"):
            found.append(f"row of {line.count('|') - 1}")
        elif item := re.match(r"(\* |\d+\. )", line):
            found.append(item[0].strip())
    return found


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.M | re.S)


def plain_code(text: str) -> str:
    """A block without its layout, its comments and the words of people in quotes."""
    text = re.sub(r"  # .*", "", text)
    return re.sub(
        r"\s+|,(?=\s*\))", "", re.sub(r'"[^"]*[^\x00-\x7f][^"]*"|"A cat[^"]*"', '"…"', text)
    )


def names(text: str) -> set[str]:
    """What stands between backticks outside of blocks."""
    without = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    return set(re.findall(r"`([^`]+)`", without))


def links(text: str) -> list[str]:
    """Where links lead, but for those from one language to the other."""
    found = re.findall(r"(?<!\[English)(?<!\[中文)(?<!\[中文说明)\]\((.+?)\)", text)
    return sorted(target.replace(".zh-CN", "") for target in found)


@pytest.mark.parametrize(("english", "chinese"), TWINS)
def test_chinese_page_is_the_whole_twin(english: str, chinese: str) -> None:
    first, second = read(english), read(chinese)
    assert outline(first) == outline(second)
    assert [plain_code(one) for one in code_blocks(first)] == [
        plain_code(one) for one in code_blocks(second)
    ]
    assert names(first) == names(second)
    assert links(first) == links(second)


@pytest.mark.parametrize(("english", "chinese"), TWINS)
def test_chinese_page_has_chinese_in_every_section(english: str, chinese: str) -> None:
    assert not CHINESE.search(re.sub(r"\[中文.*?\]\(.*?\)", "", read(english)))
    sections = re.split(r"^#+ .*$", read(chinese), flags=re.M)[1:]
    assert len(sections) > 4
    assert [text for text in sections if len(text) > 60 and not CHINESE.search(text)] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)
def test_issue_template_speaks_both_languages(file: Path) -> None:
    form: Any = yaml.safe_load(file.read_text("utf-8"))
    shown = [form[name] for name in ("name", "description") if name in form]
    for field in [*form.get("body", []), *form.get("contact_links", [])]:
        known = field.get("attributes", field)
        shown += [known[name] for name in ("value", "about") if name in known]
        label = known.get("label")
        shown += [] if label in (None, "doctor --json") else [label]
    assert shown and [text for text in shown if not CHINESE.search(text)] == []


def test_bug_report_asks_for_doctor_and_for_no_key() -> None:
    form: Any = yaml.safe_load(read(".github/ISSUE_TEMPLATE/bug.yml"))
    fields = {field.get("id"): field for field in form["body"]}
    assert fields["doctor"]["validations"]["required"] is True
    assert "python -m seedream_api doctor --json" in fields["doctor"]["attributes"]["description"]
    assert "Never put a key here" in form["body"][0]["attributes"]["value"]


def test_github_workflow_runs_ci_on_pushes_and_pull_requests() -> None:
    # PyYAML reads the key "on" as true.
    workflow: Any = yaml.safe_load(read(".github/workflows/ci.yml"))
    assert {"push", "pull_request"} <= set(workflow[True])
    assert ".ci/run" in [step.get("run") for step in workflow["jobs"]["test"]["steps"]]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_image_of_the_canvas_is_small(name: str) -> None:
    (url,) = re.findall(r"!\[.+?\]\((.+?)\)", read(name))
    picture = OWN_URL.sub("", url)
    assert picture.startswith("docs/")
    with Image.open(PACK_ROOT / picture) as shown:
        assert shown.format == "PNG" and shown.width > 1200
    assert (PACK_ROOT / picture).stat().st_size < 400 * 1024


def test_links_between_the_papers_lead_somewhere() -> None:
    papers = [*PACK_ROOT.glob("*.md"), *(PACK_ROOT / "docs").glob("*.md")]
    for paper in papers:
        for target in re.findall(r"\]\((?!#)([^)#]+)", paper.read_text("utf-8")):
            base = PACK_ROOT if OWN_URL.match(target) else paper.parent
            file = OWN_URL.sub("", target)
            assert file.startswith("https://") or (base / file).exists(), f"{paper.name}: {target}"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_links_work_in_published_archive(name: str) -> None:
    """The archive leaves out docs/ and SECURITY.md, so the README names them by their URLs."""
    relative = {target for target in links(read(name)) if not target.startswith("https://")}
    assert relative == set()


def test_paths_named_in_documents_exist() -> None:
    """The changelog may name former ones."""
    pattern = re.compile(
        r"(?<![\w/.])(?:seedream_api|nodes|tests|benchmarks|tools|docs)/[\w./*-]*\w"
    )
    documents = [*PACK_ROOT.glob("*.md"), *(PACK_ROOT / "docs").glob("*.md")]
    named = {
        (file.name, path)
        for file in documents
        if file.name != "CHANGELOG.md"
        for path in pattern.findall(file.read_text("utf-8"))
    }
    assert len(named) > 40
    assert {one for one in named if not list(PACK_ROOT.glob(one[1]))} == set()


def the_map() -> dict[str, set[str]]:
    """By folder, what the map of the packages names in it."""
    table = read("CONTRIBUTING.md").partition("## Map of the packages")[2].partition("\n## ")[0]
    folder, found = "", {"": set[str]()}
    for where in re.findall(r"^\| (.+?) \|", table, re.M):
        names = re.findall(r"`([^`]+)`", where)
        if where.startswith("**"):
            folder = names[0].rstrip("/")
            found[folder] = set()
        else:
            found[folder].update(names)
    return found


def test_what_the_map_names_exists() -> None:
    for folder, names in the_map().items():
        for name in names:
            assert (PACK_ROOT / folder / name).exists() or (PACK_ROOT / name).exists(), name


@pytest.mark.parametrize("folder", ["seedream_api", "nodes"])
def test_every_module_is_on_the_map(folder: str) -> None:
    files = {path.name for path in (PACK_ROOT / folder).glob("[!_]*.py")}
    packages = {f"{path.parent.name}/" for path in (PACK_ROOT / folder).glob("*/__init__.py")}
    # The map speaks of the nodes together: one file each.
    nodes = {
        path.name
        for path in (PACK_ROOT / "nodes").glob("*.py")
        if "(io.ComfyNode)" in path.read_text("utf-8")
    }
    assert (files | packages) - nodes == the_map()[folder] & (files | packages)
