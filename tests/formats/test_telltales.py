"""Names that betray an edit, and names that only look like it."""

import pytest

from antidistill.formats.telltales import kind_of, tells


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("token count", "num_tokens n_tokens tokens reasoning_tokens completionTokens candidatesTokenCount eval_count"),
        ("length", "length response_length reasoningLength n_chars num_words word_count len"),
        ("token ids", "token_ids output_ids completion_ids input_ids attention_mask outputTokenIds"),
        ("log probabilities", "logprobs token_logprobs cumulative_logprob"),
        ("score of the text", "perplexity ppl mean_nll"),
        ("embedding", "embedding text_embedding hidden_states"),
        ("hash", "sha256 text_hash md5 minhash_signature"),
        ("encrypted reasoning", "encrypted_content"),
        ("signature", "thought_signature thoughtSignature"),
        ("", "prompt_tokens promptTokenCount max_tokens prompt_eval_count input_length commit_hash tokenizer lengthy"),
        ("", "answer difficulty correctness_count model signature data index tokenise"),
    ],
)
def test_kinds(kind, names):
    assert {name: kind_of(name) for name in names.split()} == dict.fromkeys(names.split(), kind)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("length", 3, True),
        ("length", [3, 4], True),
        ("length", "3", True),
        ("length", "0", False),
        ("length", "00 ", False),
        ("length", "long", False),
        ("token count", " 1,024 tokens", True),
        ("token ids", [["12", "7"]], True),
        ("score of the text", "3.5", True),
        ("length", True, False),
        ("length", [], False),
        ("length", [["a"]], False),
        ("embedding", [[0.5]], True),
        ("hash", "abc", True),
        ("hash", 7, True),
        ("log probabilities", {"content": None, "refusal": None}, False),
        ("log probabilities", {"content": [{}]}, True),
    ],
)
def test_values(kind, value, expected):
    assert tells(kind, value) is expected
