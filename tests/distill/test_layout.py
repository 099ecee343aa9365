"""What a student is shown and what its loss counts, read from the batches of the trainer itself."""

import pytest
from tests.distill import small

from antidistill.distill import Layout, Training
from antidistill.distill.layout import encode_all
from antidistill.errors import BadOption, UsageError
from antidistill.trace import Trace

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
pytestmark = pytest.mark.models

TRACE = Trace("1", "2 plus 3?", "I add 2 and 3. Wait, let me check that. It is 5.", "5")


def test_the_loss_counts_reasoning_answer_and_end_and_nothing_of_the_prompt(tmp_path):
    from antidistill.distill.trainer import make_trainer

    tokenizer = small.tokenizer()
    examples = encode_all(tokenizer, Layout(), [TRACE, small.traces(1)[0]])
    trainer = make_trainer(small.model(), tokenizer, examples, Training(precision="float32"), tmp_path, keep=False)
    (batch,) = list(trainer.get_train_dataloader())
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        counted = ids[labels != -100]
        assert (labels[labels != -100] == counted).all()
        text = tokenizer.decode(counted)
        assert text.startswith("<think>\nI add ")
        assert "\n</think>\n\n" in text
        assert text.endswith(small.END)
        assert "plus" not in text
    assert any(
        "Wait, let me check that." in tokenizer.decode(ids[labels != -100])
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True)
    )


def test_a_student_is_asked_with_the_tokens_it_was_trained_behind():
    tokenizer = small.tokenizer()
    example = Layout().encode(tokenizer, TRACE)
    asked = Layout().question_ids(tokenizer, TRACE.prompt)
    assert example.ids[: example.prompt] == asked
    assert tokenizer.decode(asked) == "2 plus 3?\n"


def test_a_chat_template_that_opens_the_reasoning_does_not_open_it_twice():
    import copy

    tokenizer = copy.deepcopy(small.tokenizer())
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: <think>\n"
    text = tokenizer.decode(Layout(system="Think.").encode(tokenizer, TRACE).ids)
    assert text.startswith("system: Think.\nuser: 2 plus 3?\nassistant: <think>\nI add")
    assert text.count("<think>") == 1


def test_outputs_are_taken_apart_and_forced():
    layout = Layout()
    assert layout.parts("<think>\nSo 5.\n</think>\n\n5") == ("\nSo 5.\n", "\n\n5")
    assert layout.parts("So 5.") == ("So 5.", None)
    assert layout.forced("So 5.").startswith("So 5.\n</think>")
    assert layout.forced("a</think>b").count("</think>") == 1
    assert layout.forced("a</think>b").endswith("\\boxed{")
    assert small.PLAIN.forced("So.\nAnswer: 6") == "So.\nAnswer:"


def test_wrong_layouts_and_tokenizers_are_refused():
    import copy

    with pytest.raises(BadOption, match="holds {prompt}"):
        Layout(prompt="no place")
    tokenizer = copy.deepcopy(small.tokenizer())
    tokenizer.eos_token = None
    with pytest.raises(UsageError, match="no end-of-text token"):
        Layout().encode(tokenizer, TRACE)
