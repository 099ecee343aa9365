import builtins
import json
import re
from html.parser import HTMLParser

import pytest
from tests.report.samples import guarded_by, guarded_traces

from antidistill import report
from antidistill.errors import MissingExtra
from antidistill.trace import Trace

HOSTILE = "</script><script>window.broken=1</script><img src=x onerror='window.broken=1'>\"'&<!--"


class Page(HTMLParser):
    """The parts of a page that a test asks about."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.data, self.text, self.addresses = [], {}, [], []
        self._script = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        self.addresses += [
            value for name, value in attrs if name in {"src", "href", "action", "srcset", "data", "poster"}
        ]
        if tag == "script":
            self._script = attributes.get("id", "code")

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script:
            self.data[self._script] = data
        else:
            self.text.append(data)

    def traces(self):
        return [json.loads(text) for name, text in self.data.items() if re.fullmatch(r"trace-\d+", name)]


@pytest.fixture(scope="module")
def page(clean, guarded):
    return Page(report.build(clean, guarded, None))


def test_nothing_points_outside_of_the_file(clean, guarded, detection):
    html = report.build(clean, guarded, detection)
    assert all(address.startswith("#") for address in Page(html).addresses)
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    assert not re.search(r"@import|url\(", style)
    assert "link" not in Page(html).tags
    code = Page(html).data["code"]
    assert not re.search(
        r"fetch|XMLHttpRequest|WebSocket|import\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", code
    )


def test_the_policy_allows_the_two_inline_parts_by_hash_and_nothing_else(clean, guarded):
    html = report.build(clean, guarded, None)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none';")
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 2
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+\s(?:style|on\w+)=", html)


def test_hostile_text_stays_text_in_every_place(detection):
    clean = [
        Trace(HOSTILE, HOSTILE, f"A is 1. {HOSTILE} Wait, b.", HOSTILE, {"model": HOSTILE}),
        Trace("2", "", "A. B.", "", {"model": "m"}),
    ]
    guarded = [Trace(HOSTILE, HOSTILE, f"A is 1. {HOSTILE}", HOSTILE, {}), Trace("2", "", "A.", "", {})]
    detection["unpaired"][HOSTILE] = detection["unpaired"]["length"]
    detection["paired"][HOSTILE] = None
    recorded = report.Recorded(
        {HOSTILE: [[(len(guarded[0].reasoning), len(clean[0].reasoning), 0, HOSTILE)]], "2": [[(2, 5, 0, "x")]]},
        {"method": HOSTILE},
    )
    options = report.Options(sources=(HOSTILE, HOSTILE))
    page = Page(
        report.build(
            clean,
            guarded,
            detection,
            also={HOSTILE: detection},
            ledger=recorded,
            options=options,
        )
    )
    assert "img" not in page.tags
    assert page.tags.count("script") == 2 + 1 + 1
    first = page.traces()[0]
    assert (first["id"], first["prompt"], first["answer"], first["group"]) == (HOSTILE,) * 4
    assert first["parts"][-1][:2] == ["deleted", HOSTILE]


def test_the_report_says_that_it_holds_originals(page):
    assert "this file holds original reasoning" in "".join(page.text)


def test_traces_are_embedded_whole(page, clean, guarded):
    for trace, before, after in zip(page.traces(), clean, guarded, strict=True):
        sides = [(part, part) if isinstance(part, str) else tuple(part[2:]) for part in trace["parts"]]
        assert "".join(side[0] for side in sides) == before.reasoning
        assert "".join(side[1] for side in sides) == after.reasoning


@pytest.mark.parametrize("method", ["traceguard", "branches", "random-sentences", "steps"])
@pytest.mark.parametrize("with_ledger", [True, False])
def test_without_originals_no_removed_text_is_anywhere_in_the_file(clean, method, with_ledger):
    results = guarded_by(method, clean)
    recorded = report.Recorded(
        {
            result.trace.id: [[(edit.start, edit.end, len(edit.replacement), edit.reason) for edit in result.edits]]
            for result in results
        }
    )
    html = report.build(
        clean,
        guarded_traces(results),
        None,
        ledger=recorded if with_ledger else None,
        options=report.Options(originals=False),
    )
    kept = " ".join(result.reasoning + result.trace.prompt + result.trace.answer for result in results)
    removed = {
        result.trace.reasoning[edit.start : edit.end].strip()
        for result in results
        for edit in result.edits
        if len(edit.replacement) == 0
    }
    secrets = [text for text in removed if len(text) > 12 and text not in kept]
    assert secrets
    everything = html + "".join(page_text(Page(html)))
    assert [text for text in secrets if text in everything] == []
    assert "Without originals." in html
    assert "holds original reasoning" not in html


def page_text(page):
    return [
        *page.text,
        *(json.dumps(json.loads(text), ensure_ascii=False) for name, text in page.data.items() if name != "code"),
    ]


def test_without_a_detection_there_is_no_section_about_visibility(page):
    assert "How visible the edits are was not measured" in "".join(page.text)
    assert "#visibility" not in page.addresses
    assert "#tradeoff" not in page.addresses


def test_numbers_of_the_detection_are_in_the_table_with_interval_and_n(clean, guarded, detection):
    text = " ".join(" ".join(Page(report.build(clean, guarded, detection)).text).split())
    assert "all-features strongest 0.910 0.880 to 0.940" in text
    assert "perplexity change of perplexity under a language model not measured: needs the models" in text
    assert "seam-surprise not run: needs the models too" in text
    assert "the AUROC is 0.900 (0.870 to 0.930, n 40)" in text
    assert f"traces compared {len(clean)}" in text


def test_a_detection_of_other_traces_is_told(clean, guarded, detection):
    notice = "Measured on 40 pairs, while this report compares"
    assert notice in report.build(clean, guarded, detection)
    assert notice not in report.build(clean, guarded, {**detection, "n": len(clean)})


def test_points_of_slices_and_of_other_detections_are_in_the_plot(clean, guarded, detection):
    html = report.build(clean, guarded, detection, slices={"model-1": (0.1, detection)}, also={"branches": detection})
    assert html.count('<circle class="dot"') == 3 + 2
    assert html.count('<circle class="dot other"') == 1
    assert "branches (other file, share of tokens)" in html
    assert "15.0\u202f%" in html


def test_a_mixed_defense_brings_its_certificate(clean, guarded):
    recorded = report.Recorded({}, {"method": "branches", "options": {"share": 0.15}, "mix": 0.5})
    html = report.build(clean, clean, None, ledger=recorded)
    assert "AUROC of 0.75" in html
    assert "branches (share = 0.15)" in html


def test_the_same_input_gives_the_same_bytes(clean, guarded, detection):
    assert report.build(clean, guarded, detection) == report.build(clean, guarded, detection)


def test_missing_jinja2_names_the_extra(clean, monkeypatch):
    real = builtins.__import__

    def without_jinja2(name, *rest):
        if name == "jinja2":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_jinja2)
    with pytest.raises(MissingExtra, match=r"antidistill\[report\]"):
        report.build(clean, clean, None)


def test_lone_surrogates_and_nul_survive_the_way_into_the_file():
    odd = [Trace("a\ud800", "p\x00", "A \ud800. B.", "x", {"model": "m\ud800"})]
    html = report.build(odd, odd, None)
    encoded = html.encode("utf-8", "xmlcharrefreplace").decode()
    assert Page(encoded).traces()[0]["parts"] == ["A \ud800. B."]
