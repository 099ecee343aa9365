/* What the defense makes of one reasoning: edits, from the rule of take_first or from Python. */
#ifndef ANTIDISTILL_CHOICE_H
#define ANTIDISTILL_CHOICE_H

#include "../../text/_sentences.h"
#include "_characters.h"

/* Replaces characters [start, end), which stand at bytes [first, last), by `size` bytes of UTF-8, `characters` characters. */
typedef struct {
    Py_ssize_t start, end, first, last;
    const char *text, *reason;
    Py_ssize_t size, characters, reason_size;
} Edit;

/* The edits of a row; `list` owns what they point to, and `why` says why there are none. */
typedef struct {
    Edit *items;
    Py_ssize_t count, capacity;
    PyObject *list, *why;
    Spans spans;
} Edits;

/* The reasoning as the rules read it: its own bytes where they are ASCII and no escape, else those of a str, which is NULL until then. */
typedef struct {
    PyObject *str;
    Text text;
} Reading;

/* Reads the reasoning, as a str if it `is_asked` for; false with an exception set if there is no memory. */
static bool read_reasoning(const Row *row, const Value *value, bool is_asked, Reading *reading)
{
    *reading = (Reading){.str = NULL};
    if (!is_asked && value->specials == 0) {
        reading->text = (Text){.data = value->bytes + value->start, .kind = PyUnicode_1BYTE_KIND, .final = true, .length = value->characters};
        return true;
    }
    reading->str = as_str(row, value);
    return reading->str != NULL && read_text(reading->str, true, &reading->text);
}

/* The rule that cuts the first candidates; `most` is below 0 where Python chooses. */
typedef struct {
    Markers markers;
    Fit fit;
    Py_ssize_t most;
    const char *reason;
    Py_ssize_t reason_size;
    PyObject *why;
} Rule;

static bool make_room(Edits *edits, Py_ssize_t count)
{
    edits->count = 0;
    if (count > edits->capacity) {
        Edit *items = PyMem_RawRealloc(edits->items, (size_t)count * sizeof *items);
        if (items == NULL) {
            return false;
        }
        edits->items = items;
        edits->capacity = count;
    }
    return true;
}

static bool choose_by_rule(const Text *text, const Rule *rule, Edits *edits)
{
    edits->spans.count = 0;
    take_first(text, &rule->markers, rule->fit, rule->most, &edits->spans);
    if (edits->spans.failed || !make_room(edits, edits->spans.count)) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t s = 0; s < edits->spans.count; s++) {
        const Span span = edits->spans.items[s];
        edits->items[edits->count++] =
            (Edit){.start = span.start, .end = span.end, .text = "", .reason = rule->reason, .reason_size = rule->reason_size};
    }
    Py_XSETREF(edits->why, Py_NewRef(rule->why));
    return true;
}

/* Reads (start, end, replacement, reason); false to give up. */
static bool read_edit(PyObject *item, Py_ssize_t after, Py_ssize_t length, Edit *edit)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 4) {
        return false;
    }
    PyObject *text = PyTuple_GET_ITEM(item, 2), *reason = PyTuple_GET_ITEM(item, 3);
    if (!PyLong_CheckExact(PyTuple_GET_ITEM(item, 0)) || !PyLong_CheckExact(PyTuple_GET_ITEM(item, 1)) || !PyUnicode_Check(text) ||
        !PyUnicode_Check(reason)) {
        return false;
    }
    edit->start = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 0));
    edit->end = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 1));
    edit->text = PyUnicode_AsUTF8AndSize(text, &edit->size);
    edit->reason = edit->text == NULL ? NULL : PyUnicode_AsUTF8AndSize(reason, &edit->reason_size);
    edit->characters = PyUnicode_GET_LENGTH(text);
    return edit->reason != NULL && edit->start >= after && edit->end >= edit->start && edit->end <= length;
}

/* Takes the list of edits, or the reason for none, that Python chose; false to give up, perhaps with an exception set. */
static bool take_choice(PyObject *chosen, Py_ssize_t length, Edits *edits)
{
    edits->count = 0;
    if (PyUnicode_Check(chosen)) {
        Py_XSETREF(edits->why, Py_NewRef(chosen));
        return true;
    }
    if (!PyList_Check(chosen) || PyList_GET_SIZE(chosen) == 0) {
        return false;
    }
    if (!make_room(edits, PyList_GET_SIZE(chosen))) {
        PyErr_NoMemory();
        return false;
    }
    Py_ssize_t after = 0;
    for (Py_ssize_t e = 0; e < PyList_GET_SIZE(chosen); e++) {
        if (!read_edit(PyList_GET_ITEM(chosen, e), after, length, &edits->items[e])) {
            return false;
        }
        after = edits->items[e].end;
        edits->count++;
    }
    Py_XSETREF(edits->list, Py_NewRef(chosen));
    return true;
}

/* Finds where the edits stand in the bytes of the value. */
static void find_bytes(const Row *row, const Value *value, Edits *edits)
{
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        edits->items[e].first = byte_of(row, value, edits->items[e].start);
        edits->items[e].last = byte_of(row, value, edits->items[e].end);
    }
}

/* Characters of the text after the edits. */
static Py_ssize_t length_after(const Value *value, const Edits *edits)
{
    Py_ssize_t length = value->characters;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        length += edits->items[e].characters - (edits->items[e].end - edits->items[e].start);
    }
    return length;
}

static bool ends_sentence(Py_UCS4 c)
{
    switch (c) {
    case '.': case '!': case '?': case ':': case '"': case '\'': case ')': case ']': case '*': case '`':
    case ELLIPSIS: case CJK_FULL_STOP: case CJK_EXCLAMATION: case CJK_QUESTION: case 0x201D: case 0x2019:
        return true;
    default:
        return false;
    }
}

/* Number of sentences that went whole; see antidistill.batch.edited.removed_sentences. */
static Py_ssize_t removed_sentences(const Text *text, const Edits *edits)
{
    Py_ssize_t removed = 0;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        const Edit *edit = &edits->items[e];
        if (edit->size) {
            continue;
        }
        const char *data = text->data;
        Text piece = *text;
        piece.data = data + edit->start * text->kind;
        piece.length = edit->end - edit->start;
        const Py_ssize_t visible = visible_end(&piece, piece.length);
        removed += count_cuts(&piece);
        removed += (visible && ends_sentence(at(&piece, visible - 1))) || edit->end == text->length ||
            count_newlines(&piece, visible, piece.length);
    }
    return removed;
}

#endif
