import numpy as np

from antidistill.report.features import FEATURES, measured

TITLES = [feature.title for feature in FEATURES]


def test_each_feature_counts_what_it_names():
    text = "We have x = 3. Wait, is it? We have x = 3. Fine."
    values = dict(zip(TITLES, measured([text])[0], strict=True))
    assert values == {
        "Length": len(text),
        "Sentences": 4,
        "Sentence length": len(text) / 4,
        "Markers": 0.25,
        "Equations": 0.5,
        "Repetition": 0.25,
    }


def test_an_empty_text_has_zeros():
    assert np.array_equal(measured([""]), np.zeros((1, len(FEATURES))))
