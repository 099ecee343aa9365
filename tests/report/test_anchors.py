"""The page of thought anchors in a real browser: nothing is fetched, nothing hostile runs, scorers can be switched."""

import numpy as np
import pytest
from tests.report.test_browser import HOSTILE, PHONE, browser, chromium, launch, show  # noqa: F401 - fixtures

from antidistill import split
from antidistill.anchors.scores import Scores, unscored
from antidistill.anchors.simple import Length, Position
from antidistill.anchors.table import Case, Scored
from antidistill.report.anchors import _matrix, render
from antidistill.trace import Trace

pytestmark = pytest.mark.browser

TEXT = (
    "So it is. This one is the longest of them all. Wait, no. We go on.\n\nWe end here now. It is 4. Done. Yes, done."
)


def receivers(sentences: int) -> Scores:
    values = (0.1, 0.9, *([0.2] * (sentences - 6)), *([None] * 4))
    profiles = np.array([[float(value or 0) * head for value in values] for head in (1, 2)])
    matrix = np.tril(np.arange(sentences**2, dtype=float).reshape(sentences, sentences))
    known = {
        "heads": [[3, 1], [4, 0]],
        "sharpness": [0.9, 0.8],
        "null": [0.1, 0.2],
        "above_null": 0.5,
        "reliability": {"value": 0.7, "low": 0.5, "high": 0.8, "n": 8},
        "overlap": None,
    }
    evidence = {"profiles": profiles, "null": np.full(sentences, 0.2), "receivers": known, "matrix": matrix}
    return Scores("receiver-heads", values, {"gap": 4}, evidence=evidence)


def row(text: str = TEXT, name: str = "first", prompt: str = "p") -> Scored:
    sentences, trace = split(text), Trace(name, prompt, text, "a")
    scores = {"position": Position().score(trace), "length": Length().score(trace), "heads": receivers(len(sentences))}
    functions = ["plan_generation", *["active_computation"] * (len(sentences) - 1)]
    return Scored(Case(trace), sentences, functions, scores)


def opened(show, *rows: Scored):  # noqa: F811
    return show.opened(render(rows or [row(), row(TEXT * 2, "second")], "traces.jsonl", 7))


def status(page) -> str:
    return page.locator("#status").inner_text()


def test_nothing_is_fetched_and_nothing_fails(show):  # noqa: F811
    page = opened(show)
    for key in "nnpsssjkn":
        page.keyboard.press(key)
    assert show.requests == [page.url]
    assert show.errors == []
    assert "2 of 7 rows" in page.locator(".sources").inner_text()


def test_hostile_text_runs_nothing(show):  # noqa: F811
    page = opened(show, row(f"It is {HOSTILE}. " + TEXT, HOSTILE, HOSTILE))
    for key in "nps":
        page.keyboard.press(key)
    assert page.evaluate("typeof window.broken") == "undefined"
    assert page.locator("img, iframe").count() == 0
    assert HOSTILE in page.locator("#heat").inner_text()


def test_the_reasoning_is_whole_and_shaded_by_rank(show):  # noqa: F811
    page = opened(show)
    assert page.locator("#heat").text_content() == TEXT
    shades = page.locator("#heat .heat").evaluate_all("all => all.map(one => one.className)")
    assert "h8" in shades[0] or "h9" in shades[0]
    assert "h0" in shades[-1]


def test_the_keys_go_through_ranks_scorers_and_traces(show):  # noqa: F811
    page = opened(show)
    page.keyboard.press("s")
    page.keyboard.press("n")
    assert "length · sentence 2, rank 1 of 8, active computation" in status(page)
    assert page.locator("#heat .current").text_content().startswith("This one is the longest")
    assert "characters 10 to 47" in page.locator("#sentence").inner_text()
    page.keyboard.press("n")
    assert "rank 2 of 8" in status(page)
    page.keyboard.press("p")
    assert "rank 1 of 8" in status(page)
    page.keyboard.press("j")
    assert status(page).startswith("Trace 2 of 2 · length")
    page.keyboard.press("ArrowLeft")
    assert status(page).startswith("Trace 1 of 2")
    page.locator("#keys-on").press("Space")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert status(page).startswith("Trace 1 of 2")


def test_heads_matrix_and_curves_of_receiver_heads(show):  # noqa: F811
    page = opened(show)
    assert page.locator("canvas").count() == 0
    page.select_option("#pick-scorer", "heads")
    assert page.locator("#chart .line").count() == 2
    assert page.locator("#chart .null").count() == 1
    assert page.locator("#heads tbody tr").first.inner_text().split() == ["3", "1", "0.9", "0.1"]
    assert "split-half reliability 0.7 [0.5, 0.8]" in page.locator("#heads").inner_text()
    assert page.locator("#matrix tbody tr").first.inner_text().split() == ["8", "5", "60"]
    assert page.locator("#heat .none").count() == 4
    box = page.locator("canvas").bounding_box()
    page.locator("canvas").click(position={"x": box["width"] * 1.5 / 8, "y": box["height"] * 0.9})
    assert "sentence 2, rank 1 of 4" in status(page)


def test_a_click_on_text_or_chart_chooses_the_sentence(show):  # noqa: F811
    page = opened(show)
    page.locator("#heat .heat").nth(2).click()
    assert "sentence 3, rank 3" in status(page)
    page.locator("#chart rect").nth(1).click()
    assert "sentence 2, rank 2" in status(page)


def test_a_function_can_be_picked_out(show):  # noqa: F811
    page = opened(show)
    page.select_option("#pick-function", "plan_generation")
    assert page.locator("#heat .heat:not(.other)").count() == 1


def test_a_scorer_without_scores_tells_its_reason(show):  # noqa: F811
    one = row()
    page = opened(
        show, Scored(one.case, one.sentences, one.functions, {"heads": unscored("heads", 8, "too few sentences")})
    )
    page.keyboard.press("n")
    assert "no scores: too few sentences" in status(page)
    assert show.errors == []


def test_a_phone_needs_no_sideways_scrolling(show):  # noqa: F811
    show.page.set_viewport_size(PHONE)
    page = opened(show, row("w" * 500 + ". " + TEXT, "n" * 300))
    page.select_option("#pick-scorer", "heads")
    page.keyboard.press("n")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_mode_is_dark(show):  # noqa: F811
    page = opened(show)
    page.emulate_media(color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(ground) < 50


def test_everything_can_be_reached_with_tab(show):  # noqa: F811
    page = opened(show)
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"pick-trace", "pick-scorer", "pick-function", "top-on", "scorer-on", "keys-on", "heat"} <= reached


def test_a_file_without_any_sentence_says_so(show):  # noqa: F811
    page = show.opened(render([], "traces.jsonl", 3))
    assert "No row of this file" in page.locator("#no-script").inner_text()
    assert show.errors == []


def test_shades_of_a_matrix_are_ranks_below_the_diagonal():
    import base64

    found = _matrix(np.array([[9.0, 9.0, 9.0], [1.0, 9.0, 9.0], [3.0, 2.0, 9.0]]))
    assert list(base64.b64decode(found["bytes"])) == [0, 0, 0, 1, 0, 0, 255, 128, 0]
    assert found["pairs"] == []
