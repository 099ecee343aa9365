"""Policy files: what is misspelt is suggested, what is wrong is named, and later sources win."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import AntidistillError, BadPolicy, UnknownName
from antidistill.serve.policies.reading import read_settings
from antidistill.serve.policies.settings import Settings, Usage

POLICY = """
upstream: {url: "http://127.0.0.1:8000"}
default:
  method: off
  usage: visible
limits: {max_streams: 10, idle_seconds: 5}
"""


@pytest.fixture
def policy(tmp_path):
    def written(text):
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return path

    return written


def test_file_environment_and_command_line_in_this_order(policy):
    environment = {"ANTIDISTILL_LIMITS__MAX_STREAMS": "20", "ANTIDISTILL_DEFAULT__USAGE": "omit", "OTHER": "x"}
    read = read_settings(policy(POLICY), environment, {"limits": {"max_streams": 30}})
    assert (read.limits.max_streams, read.limits.idle_seconds, read.default.usage) == (30, 5.0, Usage.OMIT)
    assert read.upstream.url == "http://127.0.0.1:8000"
    assert read_settings(None, {}, {}) == Settings()


def test_off_is_a_word_and_not_false(policy):
    assert read_settings(policy(POLICY), {}, {}).default.method == "off"


def test_a_rule_can_come_from_the_environment():
    read = read_settings(None, {"ANTIDISTILL_RULES": "[{name: a, models: ['qwen*'], method: branches}]"}, {})
    assert (read.rules[0].name, read.rules[0].models) == ("a", ("qwen*",))


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("limts: {}", "limits"),
        ("limits: {max_stream: 3}", "max_streams"),
        ("default: {methd: off}", "method"),
        ("default: {usage: visble}", "visible"),
        ("default: {on_failure: drop_reasoning}", "drop-reasoning"),
        ("turns: {mode: tokn}", "token"),
        ("rules: [{name: a, tenant: [x]}]", "tenants"),
        ("tenants: {acme: {key_sha: []}}", "key_sha256"),
        ("upstream: {credential_header: x-api-keys}", "x-api-key"),
        ("audit: {fil: x}", "file"),
    ],
)
def test_what_is_misspelt_is_suggested(policy, text, suggested):
    with pytest.raises(UnknownName, match=f"did you mean '{suggested}'"):
        read_settings(policy(text), {}, {})


names = sorted(f"{s}.{f}" for s in ("limits", "turns", "upstream") for f in type(getattr(Settings(), s)).model_fields)


@given(st.sampled_from(names), st.data())
def test_a_setting_with_one_letter_too_few_is_always_suggested(name, data):
    section, setting = name.split(".")
    cut = data.draw(st.integers(0, len(setting) - 1))
    misspelt = setting[:cut] + setting[cut + 1 :]
    known = type(getattr(Settings(), section)).model_fields
    if misspelt in known or not misspelt:
        return
    with pytest.raises(UnknownName, match="did you mean") as caught:
        read_settings(None, {}, {section: {misspelt: 1}})
    assert caught.value.known == sorted(known)


def test_a_misspelt_variable_is_suggested_and_those_of_others_are_left_alone():
    with pytest.raises(UnknownName, match="did you mean 'max_streams'"):
        read_settings(None, {"ANTIDISTILL_LIMITS__MAX_STREEMS": "3"}, {})
    with pytest.raises(UnknownName, match="did you mean 'ANTIDISTILL_AUDIT'"):
        read_settings(None, {"ANTIDISTILL_AUDITS": "{}"}, {})
    with pytest.raises(BadPolicy, match="not a section"):
        read_settings(None, {"ANTIDISTILL_KEY_FILE": "a", "ANTIDISTILL_KEY_FILE__X": "b"}, {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("limits: {max_streams: many}", "limits.max_streams: Input should be a valid integer"),
        ("limits: {max_streams: 0}", "greater than or equal to 1"),
        ("limits: {idle_seconds: -1}", "greater than 0"),
        ("limits: {max_streams: 1, max_streams: 2}", "'max_streams' stands twice"),
        ("rules: [a", "it is not YAML in line"),
        ("- a\n- b", "it holds a list"),
        ("upstream: {url: 'ftp://x'}", "upstream.url: String should match"),
        ("tenants: {acme: {key_sha256: [short]}}", "tenants.acme.key_sha256.0: String should match"),
        ("tenants: {acme: {key_sha256: []}}", "at least 1 item"),
        ("rules: [{name: 'a b'}]", "rules.0.name"),
        ("default: {mix: 2}", "default.mix"),
        ("? [a, b]\n: 1", "policy, "),
        ("limits: !!python/object/apply:os.system ['true']", "it is not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(policy, text, told):
    with pytest.raises(AntidistillError) as caught:
        read_settings(policy(text), {}, {})
    assert told in str(caught.value)


def test_a_file_that_cannot_be_read_or_is_huge(tmp_path):
    with pytest.raises(BadPolicy, match="cannot be read"):
        read_settings(tmp_path / "none.yaml", {}, {})
    (tmp_path / "huge.yaml").write_text("# " + "x" * (1 << 20))
    with pytest.raises(BadPolicy, match="a policy file is smaller"):
        read_settings(tmp_path / "huge.yaml", {}, {})


def told(text):
    """What is wrong with the text, or None."""
    try:
        read_settings(None, {"ANTIDISTILL_DEFAULT": text}, {})
    except AntidistillError as error:
        return str(error)
    return None


@given(st.text(max_size=60))
def test_any_text_is_settings_or_an_error_that_names_the_variable(text):
    assert "default" in (told(text) or "default").lower()


def test_variables_of_other_parts_are_left_alone():
    others = {"ANTIDISTILL_POLICY": "/etc/policy.yaml", "ANTIDISTILL_SAMPLER": "x", "ANTIDISTILL_TAGGER_KEY": "k"}
    assert read_settings(None, others, {}) == read_settings(None, {}, {})
