"""A page with ComfyUI's canvas, and what a test does there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from .page_log import Watch

READY_MS = 60_000
RUN_MS = 60_000
TASKS_BUTTON = ".side-bar-button[aria-label^=Seedream]"

# Some frontends log an error when the graph is asked for too early. The first workflow comes last:
# it would take the place of what a test has put there, and only then is a selection heard of.
_READY = """() => {
  if (!window.app?.vueAppReady || !app.extensionManager) return false;
  const { spinner, workflow } = app.extensionManager;
  const isOld = app.isGraphReady === undefined;  // its first workflow may never become active
  return (isOld ? !!app.graph : app.isGraphReady && !spinner && !!workflow?.activeWorkflow)
    && app.extensions.some((each) => each.name.startsWith("Seedream"));
}"""
_LISTEN = """() => {
  window.endings = [];
  for (const type of ["execution_success", "execution_error", "execution_interrupted"])
    app.api.addEventListener(type, (event) => window.endings.push({ type, ...event.detail }));
}"""
_PICTURES = """(id) => {
  const node = app.graph.getNodeById(id);
  const drawn = [...(node.imgs ?? [])].filter((image) => image.naturalWidth > 0);
  const inNode = document.querySelectorAll(`[data-node-id="${id}"] img`);
  const shown = [...inNode].filter((image) => image.naturalWidth > 0);
  return (shown.length ? shown : drawn).map((image) => [image.naturalWidth, image.naturalHeight]);
}"""


@dataclass
class Canvas:
    """A browser page on a server of :class:`Site`."""

    page: Page
    url: str
    screenshots: Path
    frontend: str
    watch: Watch = field(repr=False)

    def open(self) -> None:
        """Load the page, and wait until ComfyUI and this pack's scripts are ready."""
        self.page.goto(self.url)
        self.page.wait_for_function(_READY, timeout=READY_MS)
        self.page.evaluate(_LISTEN)

    def run_command(self, name: str) -> None:
        """One of ComfyUI's own commands, as its menus and key bindings run it."""
        self.page.evaluate("(name) => app.extensionManager.command.execute(name)", name)

    def open_settings(self) -> Locator:
        """This pack's part of ComfyUI's settings dialog, once it shows what is set."""
        settings = self.open_settings_dialog()
        settings.locator("h3").first.wait_for()
        return settings

    def open_settings_dialog(self) -> Locator:
        """The same, whatever it shows."""
        self.run_command("Comfy.ShowSettingsDialog")
        self.page.get_by_role("dialog").get_by_text("Seedream", exact=True).first.click()
        return self.page.locator("#seedream-settings")

    def close_settings(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.locator("#seedream-settings").wait_for(state="detached")

    def open_tasks(self) -> Locator:
        """This pack's sidebar tab."""
        self.page.locator(TASKS_BUTTON).click()
        panel = self.page.locator("#seedream-tasks")
        panel.locator("#seedream-search").wait_for()
        return panel

    def close_tasks(self) -> None:
        self.page.locator(TASKS_BUTTON).click()
        self.page.locator("#seedream-tasks").wait_for(state="detached")

    def find_template(self, pack: str, name: str) -> Locator:
        """A template's card in ComfyUI's template browser, under the pack's title there."""
        self.run_command("Comfy.BrowseTemplates")
        self.page.get_by_role("button", name=pack).or_(self.page.get_by_text(pack)).first.click()
        return self.page.get_by_test_id(f"template-workflow-{name}")

    def nodes(self, kind: str) -> list[int]:
        """The ids of all nodes of a kind."""
        found = "(kind) => app.graph.nodes.filter((n) => n.type === kind).map((n) => n.id)"
        return self.page.evaluate(found, kind)

    def wait_for_nodes(self, kinds: Sequence[str]) -> None:
        """Until the graph holds nodes of exactly these kinds."""
        same = "(kinds) => app.graph.nodes.map((node) => node.type).sort().join() === kinds"
        self.page.wait_for_function(same, arg=",".join(sorted(kinds)))

    def load(self, workflow: Mapping[str, Any]) -> None:
        self.page.evaluate("(graph) => app.loadGraphData(graph)", workflow)

    def clear(self) -> None:
        self.page.evaluate("app.graph.clear()")

    def add(self, kind: str, x: int = 0, y: int = 0, **widgets: Any) -> int:
        """Put a new node on the canvas; gives its id."""
        return self.page.evaluate(
            """([kind, at, values]) => {
              const node = LiteGraph.createNode(kind);
              node.pos = at;
              app.graph.add(node);
              for (const widget of node.widgets ?? [])
                if (widget.name in values) widget.value = values[widget.name];
              return node.id;
            }""",
            [kind, [x, y], widgets],
        )

    def link(self, source: int, output: str, target: int, input: str) -> None:
        self.page.evaluate(
            """([source, output, target, input]) => {
              const [from, to] = [source, target].map((id) => app.graph.getNodeById(id));
              const link = from.connect(from.findOutputSlot(output), to, to.findInputSlot(input));
              if (!link) throw new Error(`${output} does not go into ${input}`);
            }""",
            [source, output, target, input],
        )

    def widgets(self, node: int) -> dict[str, Any]:
        """The values that a workflow saves, by widget; the seed's control is named ``control``."""
        return self.page.evaluate(
            """(id) => {
              const widgets = app.graph.getNodeById(id).widgets ?? [];
              const seed = widgets.find((widget) => widget.name === "seed");
              const name = (w) => (seed?.linkedWidgets?.includes(w) ? "control" : w.name);
              const saved = widgets.filter((w) => w.serialize !== false);
              return Object.fromEntries(saved.map((w) => [name(w), w.value]));
            }""",
            node,
        )

    def labels(self, node: int) -> list[str]:
        """Title, inputs, widgets and outputs as the node shows them; not the seed's control, which
        is ComfyUI's."""
        return self.page.evaluate(
            """(id) => {
              const node = app.graph.getNodeById(id);
              const controls = (node.widgets ?? []).flatMap((each) => each.linkedWidgets ?? []);
              const widgets = (node.widgets ?? []).filter((each) => !controls.includes(each));
              const parts = [...node.inputs, ...widgets, ...node.outputs];
              const label = (part) => part.label ?? part.localized_name ?? part.name;
              return [node.title, ...parts.map(label)];
            }""",
            node,
        )

    def place_of(self, node: int, widget: str) -> tuple[float, float]:
        """Where on the page the middle of a widget is that the canvas draws."""
        x, y = self.page.evaluate(
            """([id, name]) => {
              const node = app.graph.getNodeById(id);
              const widget = node.widgets.find((each) => each.name === name);
              app.canvas.draw(true, true); // which lays a new node's widgets out
              const { scale, offset } = app.canvas.ds;
              const { left, top } = app.canvas.canvas.getBoundingClientRect();
              const at = [node.pos[0] + node.size[0] / 2, node.pos[1] + widget.last_y + 10];
              return [left + (at[0] + offset[0]) * scale, top + (at[1] + offset[1]) * scale];
            }""",
            [node, widget],
        )
        return x, y

    def hover(self, node: int, widget: str) -> None:
        """Rest the pointer on a widget that the canvas draws."""
        x, y = self.place_of(node, widget)
        self.page.mouse.move(x - 20, y)
        self.page.mouse.move(x, y)

    def open_menu(self, node: int, widget: str) -> Locator:
        """The entries of a combo that the canvas draws."""
        self.page.mouse.click(*self.place_of(node, widget))
        entries = self.page.locator(".litecontextmenu .litemenu-entry")
        entries.first.wait_for()
        return entries

    def drawn(self) -> list[str]:
        """Every text that the canvas draws now."""
        return self.page.evaluate(
            """() => {
              const texts = [];
              const { ctx } = app.canvas;
              ctx.fillText = (text) => texts.push(text);
              app.canvas.draw(true, true);
              delete ctx.fillText;
              app.canvas.draw(true, true);
              return texts;
            }"""
        )

    def bypass(self, node: int) -> None:
        self.page.evaluate("(id) => { app.graph.getNodeById(id).mode = 4; }", node)

    def select(self, node: int) -> None:
        """Select the node alone, with its title and toolbox well inside of the window."""
        self.page.evaluate(
            """(id) => {
              const node = app.graph.getNodeById(id);
              app.canvas.ds.scale = 0.8;
              app.canvas.ds.offset = [600 - node.pos[0], 280 - node.pos[1]];
              app.canvas.selectNode(node);
              app.canvas.setDirty(true, true);
            }""",
            node,
        )

    def into_subgraph(self, node: int) -> int:
        """Put the node into a new subgraph and return the id of the node that holds it."""
        return self.page.evaluate(
            """(id) => {
              const node = app.graph.getNodeById(id);
              return app.graph.convertToSubgraph(new Set([node])).node.id;
            }""",
            node,
        )

    def saved(self) -> dict[str, Any]:
        """The workflow as *Save* would write it."""
        return json.loads(self.page.evaluate("JSON.stringify(app.graph.serialize())"))

    def prompt(self) -> dict[str, Any]:
        """The API form that *Queue* would send."""
        return self.page.evaluate("app.graphToPrompt().then((made) => made.output)")

    def inputs(self) -> dict[str, Any]:
        """The inputs of each node in that form; titles are in no request."""
        return {node: content["inputs"] for node, content in self.prompt().items()}

    def queue(self, count: int = 1) -> list[dict[str, Any]]:
        """Queue the graph ``count`` times and wait for the ends; gives them in order."""
        self.page.evaluate("window.endings.length = 0")
        self.page.evaluate("(count) => app.queuePrompt(0, count)", count)
        self.page.wait_for_function(
            "(count) => window.endings.length >= count", arg=count, timeout=RUN_MS
        )
        return self.page.evaluate("window.endings")

    def run(self, count: int = 1) -> None:
        """Queue a graph that must succeed."""
        endings = self.queue(count)
        assert [each["type"] for each in endings] == ["execution_success"] * count, endings

    def pictures(self, node: int, count: int = 1) -> list[Sequence[int]]:
        """Sizes of the images that the node shows, once there are as many."""
        enough = f"([id, count]) => ({_PICTURES})(id).length >= count"
        self.page.wait_for_function(enough, arg=[node, count], timeout=RUN_MS)
        return self.page.evaluate(_PICTURES, node)

    def asked(self, path: str) -> list[str]:
        """The addresses with ``path`` in them that the page has asked for so far."""
        return [request.url for request in self.watch.requests if path in request.url]

    def shoot(self, name: str) -> None:
        """A screenshot for people to look at."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.screenshots / f"{name}-{self.frontend}.png")


def place_generator(canvas: Canvas, prompt: str, x: int = 0) -> tuple[int, int]:
    """Place the cheapest generator with a preview behind it and return both ids."""
    widgets = {"prompt": prompt, "model": "Seedream-4.0", "quality": "1K"}
    generator = canvas.add("SeedreamEvolink", x, **widgets)
    preview = canvas.add("PreviewImage", x + 500)
    canvas.link(generator, "images", preview, "images")
    return generator, preview
