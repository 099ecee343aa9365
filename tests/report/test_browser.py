"""The page in a real browser: nothing is fetched, nothing hostile runs, the reader works without a mouse."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from antidistill import report
from antidistill.trace import Trace

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
HOSTILE = "</script><script>window.broken=1</script><img src=x onerror='window.broken=1'><iframe src=//example.org>"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 700}


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        reason = "needs chromium on PATH (apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found


@pytest.fixture(scope="module")
def launch(chromium, tmp_path_factory):
    """Starts the browser with an empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield lambda **options: started.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            args=ARGUMENTS,
            headless=True,
            viewport=DESKTOP,
            **options,
        )


@pytest.fixture(scope="module")
def browser(launch):
    context = launch()
    yield context
    context.close()


@pytest.fixture
def show(browser, tmp_path) -> Iterator[SimpleNamespace]:
    """Opens HTML in a fresh page; keeps every request and every error."""
    page = browser.new_page()
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def opened(html: str):
        file: Path = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8", errors="xmlcharrefreplace")
        page.goto(file.as_uri())
        return page

    yield SimpleNamespace(opened=opened, requests=requests, errors=errors, page=page)
    page.close()


@pytest.fixture(scope="module")
def html(clean, guarded) -> str:
    return report.build(clean, guarded, None)


def status(page) -> str:
    return page.locator("#status").inner_text()


def marked(page) -> int:
    return page.locator("#trace .current").count()


def small(*pairs: tuple[str, str], **options) -> str:
    clean = [
        Trace(f"t{place}", "prompt", before, "42", {"model": f"m{place % 2}"})
        for place, (before, _) in enumerate(pairs)
    ]
    guarded = [Trace(f"t{place}", "prompt", after, "42", {}) for place, (_, after) in enumerate(pairs)]
    return report.build(clean, guarded, None, options=report.Options(**options))


DELETED = ("A is 1. Wait, b. C is 2.", "A is 1. C is 2.")
INSERTED = ("A is 1. C is 2.", "A is 1. Let us see. C is 2.")
TWICE = ("A is 1.\n\nWait, b. C is 2. Hmm, d. E is 3.", "A is 1.\n\nC is 2. E is 3.")
SAME = ("A is 1.", "A is 1.")


def test_nothing_but_the_file_itself_is_fetched(show, clean, guarded, detection):
    page = show.opened(report.build(clean, guarded, detection, also={"x": detection}))
    for key in "jjknnp":
        page.keyboard.press(key)
    assert show.requests == [page.url]
    assert show.errors == []


def test_hostile_traces_run_nothing(show, detection):
    detection["unpaired"][HOSTILE] = detection["unpaired"]["length"]
    before = f"A is 1. {HOSTILE} Wait, <b>b</b>. C is 2."
    clean = [Trace(HOSTILE, HOSTILE, before, HOSTILE, {"model": name}) for name in (HOSTILE, "m")]
    guarded = [Trace(HOSTILE, HOSTILE, before.replace("Wait, ", HOSTILE), HOSTILE, {}) for _ in clean]
    page = show.opened(report.build(clean, guarded, detection, options=report.Options(sources=(HOSTILE, HOSTILE))))
    for key in "njkn":
        page.keyboard.press(key)
    assert page.evaluate("typeof window.broken") == "undefined"
    assert page.locator("img, iframe").count() == 0
    assert HOSTILE in page.locator("#trace").inner_text()
    assert show.requests == [page.url]


def test_a_script_that_got_into_the_page_would_not_run(show, html):
    page = show.opened(
        html.replace("</main>", "<script>window.broken=1</script><img src=x onerror='window.broken=1'></main>")
    )
    assert page.evaluate("typeof window.broken") == "undefined"


def test_both_sides_stand_beside_each_other_with_the_edits_marked(show):
    page = show.opened(small(DELETED))
    assert page.locator("#trace del.deleted").text_content() == "[removed: Wait, b.]"
    assert page.locator("#trace .guarded .gap").inner_text() == "9 characters deleted"
    left, right = (page.locator(f"#trace .changed .{side}").bounding_box() for side in ("original", "guarded"))
    assert right["x"] >= left["x"] + left["width"] - 1
    assert right["y"] == left["y"]


def test_the_keys_move_through_traces_and_edits(show):
    page = show.opened(small(TWICE, DELETED))
    assert status(page) == "Trace 1 of 2 · 2 edits"
    page.keyboard.press("n")
    assert status(page).startswith("Trace 1 of 2 · edit 1 of 2: 9 characters deleted")
    page.keyboard.press("n")
    assert "edit 2 of 2" in status(page)
    assert marked(page) == 2
    page.keyboard.press("p")
    assert "edit 1 of 2" in status(page)
    page.keyboard.press("j")
    assert status(page) == "Trace 2 of 2 · 1 edit"
    page.keyboard.press("j")
    assert status(page).startswith("Trace 2 of 2")
    page.keyboard.press("ArrowLeft")
    assert status(page).startswith("Trace 1 of 2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    assert status(page).startswith("Trace 1 of 2")


def test_behind_the_last_edit_comes_the_next_trace_that_has_one(show):
    page = show.opened(small(DELETED, SAME, TWICE))
    for _ in "12":
        page.keyboard.press("n")
    assert status(page).startswith("Trace 3 of 3 · edit 1 of 2")
    page.keyboard.press("p")
    assert status(page).startswith("Trace 1 of 3 · edit 1 of 1")
    page.keyboard.press("p")
    assert status(page).endswith("no further edit")


def test_the_current_edit_has_the_focus_and_is_in_view(show):
    page = show.opened(small(("A is 1.\n\n" * 300 + DELETED[0], "A is 1.\n\n" * 300 + DELETED[1])))
    page.keyboard.press("n")
    box = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
    assert page.evaluate("document.activeElement.tagName") == "DEL"
    assert 0 < box["top"] < DESKTOP["height"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_keys_can_be_turned_off_and_leave_form_fields_alone(show):
    page = show.opened(small(DELETED, TWICE))
    page.focus("#pick-trace")
    page.keyboard.press("j")
    assert status(page).startswith("Trace 1 of 2")
    page.locator("#keys-on").press("Space")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert status(page).startswith("Trace 1 of 2")


def test_everything_can_be_reached_with_tab_and_shows_the_focus(show):
    page = show.opened(small(DELETED, TWICE))
    reached: dict[str, str] = {}
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached[name] = outline
    wanted = {"pick-group", "pick-reason", "pick-trace", "trace-back", "trace-on", "edit-back", "edit-on", "keys-on"}
    assert wanted <= reached.keys()
    assert {reached[name] for name in wanted} == {"solid"}
    page.focus("#trace-on")
    page.keyboard.press("Enter")
    assert status(page).startswith("Trace 2 of 2")


def test_help_roles_and_names_are_there(show):
    page = show.opened(small(DELETED, TWICE))
    for text in ("next trace", "previous trace", "next edit", "previous edit"):
        assert text in page.locator("#keys").inner_text()
    for name in ("Previous trace", "Next trace", "Previous edit", "Next edit"):
        assert page.get_by_role("button", name=name).count() == 1
    for name in ("model", "edits", "trace"):
        assert page.get_by_role("combobox", name=name, exact=True).count() == 1
    assert page.get_by_role("status").count() == 1
    assert page.get_by_role("article", name="t0").count() == 1


def test_filter_by_group(show):
    page = show.opened(small(DELETED, TWICE, SAME))
    page.select_option("#pick-group", "m1")
    assert status(page) == "Trace 1 of 1 · 2 edits"
    assert page.locator("#trace-name").inner_text() == "t1"


def test_filter_by_reason_of_edit(show):
    page = show.opened(small(DELETED, INSERTED, SAME))
    page.select_option("#pick-reason", "inserted")
    assert page.locator("#trace-name").inner_text() == "t1"
    page.keyboard.press("n")
    assert "12 characters inserted" in status(page)
    page.select_option("#pick-reason", "*")
    assert "of 2" in status(page)
    page.select_option("#pick-group", "m1")
    page.select_option("#pick-reason", "deleted")
    assert status(page) == "No trace fits these filters."


def test_recorded_reasons_are_shown(show):
    clean, guarded = [Trace("t", "", DELETED[0], "")], [Trace("t", "", DELETED[1], "")]
    page = show.opened(
        report.build(clean, guarded, None, ledger=report.Recorded({"t": [[(8, 17, 0, "marker branch")]]}))
    )
    page.keyboard.press("n")
    assert "9 characters deleted (marker branch)" in status(page)
    assert page.locator("#pick-reason option").last.inner_text() == "marker branch (1 trace)"


@pytest.mark.parametrize("originals", [True, False])
def test_a_phone_needs_no_sideways_scrolling(show, clean, guarded, detection, originals):
    wide = Trace("w" * 300, "p" * 400, "x" * 500 + " = 1. Wait, b. " + "y" * 500, "z" * 400, {"model": "m" * 200})
    shorter = Trace(wide.id, wide.prompt, wide.reasoning.replace("Wait, b. ", ""), wide.answer)
    page = show.page
    page.set_viewport_size(PHONE)
    show.opened(
        report.build([wide, *clean], [shorter, *guarded], detection, options=report.Options(originals=originals))
    )
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_on_a_phone_the_sides_stack_and_what_stayed_is_shown_once(show):
    show.page.set_viewport_size(PHONE)
    page = show.opened(small(TWICE))
    upper, lower = (page.locator(f"#trace .changed .{side}").bounding_box() for side in ("original", "guarded"))
    assert lower["y"] >= upper["y"] + upper["height"] - 1
    assert page.locator("#trace .same .guarded").first.is_hidden()


def test_dark_mode_is_dark_and_light_mode_is_light(show, html):
    page = show.opened(html)
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    assert min(grounds[0]) > 230
    assert max(grounds[1]) < 50


def test_hundreds_of_long_traces_open_one_at_a_time(show):
    text = "".join(f"Step {place} gives x = {place}. Wait, is it {place}? Yes.\n\n" for place in range(100))
    page = show.opened(
        small(
            *[(f"{number}. {text}", f"{number}. {text.replace('Wait, is it 7? ', '')}") for number in range(300)],
            max_traces=300,
        )
    )
    assert status(page) == "Trace 1 of 300 · 1 edit"
    page.select_option("#pick-trace", "299")
    assert page.locator("article").count() == 1
    assert page.locator("#trace-name").inner_text() == "t299"
    assert "All 300 traces are in this file" in page.locator("#reader").inner_text()


def test_without_originals_only_the_guarded_side_is_shown(show):
    page = show.opened(small(TWICE, originals=False))
    assert page.locator("#trace .original, #trace del").count() == 0
    page.keyboard.press("n")
    assert "9 characters deleted" in status(page)
    assert page.evaluate("document.activeElement.className") == "gap current"
    assert "Wait" not in page.content()


def test_the_numbers_are_readable_without_scripts(launch, tmp_path, html):
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    context = launch(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("#summary .figure").first.is_visible()
    assert page.get_by_text("The reader needs JavaScript").is_visible()
    assert page.locator("#desk").is_hidden()
    context.close()


@pytest.fixture(scope="module")
def trade(clean, guarded, tmp_path_factory) -> str:
    """A report with the frontier of a payoff file that has a hostile name in it."""
    place = tmp_path_factory.mktemp("frontier") / "payoffs-plan.json"
    names = ["none", "traceguard", "ads", HOSTILE]
    damage = [[0], *([{"value": lost, "low": lost - 2, "high": lost + 2, "n": 90}] for lost in (4, 9, -1))]
    seen = {
        name: {"value": 0.5 + row / 8, "low": 0.45 + row / 8, "high": 0.55 + row / 8, "n": 90}
        for row, name in enumerate(names)
    }
    place.write_text(json.dumps({"rows": names, "columns": ["llama"], "damage": damage, "visibility": seen}))
    return report.build(clean, guarded, None, frontier=report.read_frontier([place]))


def test_the_frontier_shows_every_method_in_its_colour_and_fetches_nothing(show, trade):
    page = show.opened(trade)
    dots = page.locator("#frontier .plane .dot")
    assert dots.count() == 4
    inks = dots.evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    assert len(set(inks)) == 4
    legend = page.locator("#frontier table.frontier .spot").evaluate_all(
        "all => all.map(one => getComputedStyle(one).color)"
    )
    assert legend == inks
    text = page.locator("#frontier").inner_text()
    assert "Commit to ads" in text
    assert "+9.0" in text
    assert HOSTILE in text
    assert page.evaluate("typeof window.broken") == "undefined"
    assert page.locator("img, iframe").count() == 0
    assert show.requests == [page.url]
    assert show.errors == []
    page.emulate_media(color_scheme="dark")
    dark = dots.evaluate_all("all => all.map(one => getComputedStyle(one).fill)")
    assert len(set(dark)) == 4
    assert not set(dark) & set(inks)


def test_the_frontier_fits_a_phone_and_the_printed_numbers_unfold(show, trade):
    show.page.set_viewport_size(PHONE)
    page = show.opened(trade)
    page.locator("#frontier details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.get_by_text("arXiv 2604.23238").first.is_visible()
    printed = page.locator("#frontier")
    assert printed.get_by_text("57.24 to 34.33 %").count() == 1
    assert printed.get_by_text("1.99").count() == 2  # the table of the set-up, and that of the papers
