"""Scripts of this pack in the page, one function at a time."""

from __future__ import annotations

from typing import Any

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas

FOLDER = """() => performance.getEntriesByType("resource").map((one) => one.name)
    .find((name) => name.endsWith("/charge_line.js")).replace("/charge_line.js", "")"""
COST = {"estimated": None, "charged": None, "currency": None}


def call(canvas: Canvas, script: str, body: str, given: Any = None) -> Any:
    """Import a script as ``script`` and evaluate ``body``, which has ``given`` and ``folder``."""
    folder = canvas.page.evaluate(FOLDER)
    function = f"async ([folder, given]) => {{ const script = await import(folder + {script!r}); "
    return canvas.page.evaluate(function + body + "}", [folder, given])


def describe_quote(canvas: Canvas, **quote: Any) -> dict[str, str]:
    given = {"images": 2, "linked": False, "cost": COST, "limit": None, **quote}
    return call(canvas, "/charge_line.js", "return script.describeQuote(given)", given)


@ON_NEWEST
def test_estimate_of_partly_priced_batch_is_unknown(site: Site, canvas: Canvas) -> None:
    found = describe_quote(canvas, cost={**COST, "currency": "CNY"})
    assert found["text"] == "Next run: may charge up to 2 images · price unknown"
    assert found["badge"] == "up to 2 images charged"


@ON_NEWEST
def test_estimate_of_linked_list_is_per_item(site: Site, canvas: Canvas) -> None:
    priced = describe_quote(
        canvas, linked=True, cost={**COST, "estimated": "0.40", "currency": "CNY"}
    )
    assert priced["text"].endswith("for each item of a linked list · at most 0.40 CNY per item")
    assert priced["badge"] == "at most 0.40 CNY per item"
    unpriced = describe_quote(canvas, linked=True)
    assert unpriced["badge"] == "up to 2 images charged per item"


@ON_NEWEST
def test_batch_line_names_rows_that_may_have_been_charged(site: Site, canvas: Canvas) -> None:
    result = {"status": "partial", "origin": "stored", "images": 1, "failed": 1, "charged": 0}
    run = "script.describeRun({ kind: 'done', done: new Map([[0, given]]) })"
    found = call(canvas, "/charge_line.js", f"return {run}", {**result, "unclear": 1})
    assert found["text"].endswith(" · 1 failed row may have been charged · 1 failed, see report")


LATE_QUOTES = """
  const status = script.statusOf(app.graph.getNodeById(given));
  const { fetchApi } = app.api;
  const answers = [];
  app.api.fetchApi = (path, ...rest) => path.endsWith("/quote")
    ? new Promise((resolve) => answers.push(resolve))
    : fetchApi.call(app.api, path, ...rest);
  const ask = async () => {
    const before = answers.length;
    const done = status.refresh();
    for (let frame = 0; answers.length === before; frame += 1) {
      if (frame > 3000) throw new Error("the node asks for no estimate");
      await new Promise(requestAnimationFrame);
    }
    return async (images) => {
      answers[before](new Response(JSON.stringify({ images, sandbox: true })));
      await done;
      return status.quote?.text;
    };
  };
  try {
    clearTimeout(status.waiting);
    const ofOldSettings = await ask();
    status.scheduleRefresh();
    clearTimeout(status.waiting);
    const ofNewSettings = await ask();
    const texts = [await ofNewSettings(2), await ofOldSettings(3)];
    const ofBeforeTheRun = await ask();
    status.showEvent({ kind: "progress", prompt_id: "a", call: 0, phase: "sending", seconds: 0 });
    return [...texts, await ofBeforeTheRun(4) ?? null];
  } finally {
    app.api.fetchApi = fetchApi;
  }
"""


@ON_NEWEST
def test_late_estimates_of_a_node_are_dropped(site: Site, canvas: Canvas) -> None:
    canvas.clear()
    node = canvas.add("SeedreamEvolink")
    current = "Next run: sandbox, free (up to 2 images)"
    assert call(canvas, "/node_status.js", LATE_QUOTES, node) == [current, current, None]


OVERVIEWS = """
  const { fetchApi } = app.api;
  const asked = { overview: 0, tasks: 0 };
  app.api.fetchApi = (path, ...rest) => {
    const [, name] = path.match(/^\\/seedream\\/(overview|tasks)/) ?? [];
    if (!name) return fetchApi.call(app.api, path, ...rest);
    asked[name] += 1;
    const changes = Math.min(asked.overview, 5); // so that an endless loop ends
    return new Response(JSON.stringify({ outside_changes: changes, total: 0, tasks: [] }));
  };
  const store = new script.TaskStore(() => {}, () => {});
  try {
    await store.refresh();
    await store.readOverview();
    await store.pages.get(0);
    return asked;
  } finally {
    store.destroy();
    app.api.fetchApi = fetchApi;
  }
"""


@ON_NEWEST
def test_change_of_the_ledger_reloads_tasks_without_a_loop(site: Site, canvas: Canvas) -> None:
    assert call(canvas, "/task_store.js", OVERVIEWS) == {"overview": 2, "tasks": 2}


REFUSED = """
  const { fetchApi } = app.api;
  const error = { en: "No key." };
  app.api.fetchApi = () => new Response(JSON.stringify({ error }), { status: 400 });
  const reports = [];
  try {
    await script.collectAll((...report) => reports.push(report));
    return reports;
  } finally {
    app.api.fetchApi = fetchApi;
  }
"""


@ON_NEWEST
def test_refused_recovery_is_reported_once_as_an_error(site: Site, canvas: Canvas) -> None:
    assert call(canvas, "/recovery.js", REFUSED) == [["No key.", "error"]]


TWO_CHECKS = """
  const place = document.createElement("div");
  const answers = [];
  const ask = (text) => new Promise((resolve) => answers.push(() => resolve([text])));
  const check = (text) => script.showFindings(place, "", () => ask(text), (found) => found);
  const checks = [check("first"), check("second")];
  for (const answer of answers.reverse()) answer();
  await Promise.all(checks);
  const shown = place.textContent;
  window.dispatchEvent(new Event("seedream-settings"));
  return [shown, place.textContent];
"""


@ON_NEWEST
def test_findings_are_those_of_the_latest_check_until_a_save(site: Site, canvas: Canvas) -> None:
    assert call(canvas, "/findings.js", TWO_CHECKS) == ["second", ""]
