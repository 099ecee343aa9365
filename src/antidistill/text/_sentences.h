/* The sentences of a text, and the first of them that may go: what the extension modules share. */
#ifndef ANTIDISTILL_SENTENCES_H
#define ANTIDISTILL_SENTENCES_H

#include "_scan_regions.h"
#include "_survey.h"
#include "_cuts.h"

static Decision decide(const Text *text, Py_ssize_t here)
{
    const Py_UCS4 character = at(text, here);
    if (is_stop(character)) {
        if (is_at(text, here + 1, is_alnum)) { /* a decimal, "e.g", a file name: no white space follows, so no cut */
            return (Decision){0, here + 1};
        }
        return after_stop(text, here);
    }
    if (character == '\n') {
        return after_newline(text, here);
    }
    if (is_cjk_stop(character)) {
        return after_cjk_stop(text, here);
    }
    return after_region(text, here);
}

/* Reads a str; returns false with an exception set where `object` is something else. */
static bool read_text(PyObject *object, bool final, Text *text)
{
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "text is a str, not %.100s", Py_TYPE(object)->tp_name);
        return false;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(object) < 0) {
        return false;
    }
#endif
    *text = (Text){
        .data = PyUnicode_DATA(object),
        .kind = (int)PyUnicode_KIND(object),
        .final = final,
        .length = PyUnicode_GET_LENGTH(object),
    };
    return true;
}

/* Reads a tuple of str; returns false with an exception set where `object` is something else. */
static bool read_words(PyObject *object, Words *words)
{
    if (!PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "words are a tuple of str, not %.100s", Py_TYPE(object)->tp_name);
        return false;
    }
    *words = (Words){.items = ((PyTupleObject *)object)->ob_item, .count = PyTuple_GET_SIZE(object)};
    for (Py_ssize_t w = 0; w < words->count; w++) {
        if (!PyUnicode_Check(words->items[w])) {
            PyErr_SetString(PyExc_TypeError, "words are a tuple of str");
            return false;
        }
        note_word(words, w);
    }
    return true;
}

static bool read_markers(PyObject *words, PyObject *leads, Markers *markers)
{
    if (!read_words(words, &markers->words) || !read_words(leads, &markers->leads)) {
        return false;
    }
    markers->reach = larger(markers->words.longest, markers->leads.longest) + REACH_BEHIND_WORD;
    return true;
}

/* End of the sentence that starts at `start`: the next cut, or the end of the text. */
static Py_ssize_t next_cut(const Text *text, Py_ssize_t start)
{
    Py_ssize_t here = start;
    while ((here = next_special(text, here)) < text->length) {
        const Decision decision = decide(text, here);
        if (decision.cut > 0) {
            return decision.cut;
        }
        here = decision.next;
    }
    return text->length;
}

/* The flags of the sentence if they fit, else -1; the marker, which decides most, is looked for first. */
static int flags_if_fit(const Text *text, Sentence sentence, const Markers *markers, Fit fit)
{
    int flags = marker_flag(text, sentence, markers);
    if ((flags & fit.mask & MARKER) != (fit.value & fit.mask & MARKER)) {
        return -1;
    }
    flags |= item_flags(text, sentence) | shape_flags(text, sentence);
    return (flags & fit.mask) == fit.value ? flags : -1;
}

static inline Py_ssize_t count_cuts_of(const Text *text)
{
    Py_ssize_t count = 0, here = 0;
    while ((here = next_special(text, here)) < text->length) {
        const Decision decision = decide(text, here);
        count += decision.cut > 0;
        here = decision.next;
    }
    return count;
}

#ifdef __GNUC__
#define ALL_INLINE __attribute__((flatten, noinline)) /* then the storage width is a constant wherever a character is read */
#else
#define ALL_INLINE
#endif

ALL_INLINE static Py_ssize_t count_cuts_1(Text text)
{
    text.kind = PyUnicode_1BYTE_KIND;
    return count_cuts_of(&text);
}

ALL_INLINE static Py_ssize_t count_cuts_2(Text text)
{
    text.kind = PyUnicode_2BYTE_KIND;
    return count_cuts_of(&text);
}

/* Number of sentence starts in a whole text, the first one aside. */
static inline Py_ssize_t count_cuts(const Text *text)
{
    switch (text->kind) {
    case PyUnicode_1BYTE_KIND: return count_cuts_1(*text);
    case PyUnicode_2BYTE_KIND: return count_cuts_2(*text);
    default: return count_cuts_of(text);
    }
}

static void take_first_of(const Text *text, const Markers *markers, Fit fit, Py_ssize_t left, Spans *spans)
{
    Cuts cuts = {.spans = spans};
    for (Sentence sentence = {0}; left > 0 && sentence.start < text->length && !spans->failed; sentence.number++) {
        sentence.end = next_cut(text, sentence.start);
        const int flags = flags_if_fit(text, sentence, markers, fit);
        if (flags >= 0 && !(flags & (RAGGED | ITEM))) {
            left -= cut(text, sentence, &cuts);
        }
        sentence.start = sentence.end;
    }
    settle(&cuts);
}

ALL_INLINE static void take_first_1(Text text, const Markers *markers, Fit fit, Py_ssize_t left, Spans *spans)
{
    text.kind = PyUnicode_1BYTE_KIND;
    take_first_of(&text, markers, fit, left, spans);
}

ALL_INLINE static void take_first_2(Text text, const Markers *markers, Fit fit, Py_ssize_t left, Spans *spans)
{
    text.kind = PyUnicode_2BYTE_KIND;
    take_first_of(&text, markers, fit, left, spans);
}

/* The first `left` candidates that may go, as spans; see antidistill.defenses.seams. */
static void take_first(const Text *text, const Markers *markers, Fit fit, Py_ssize_t left, Spans *spans)
{
    switch (text->kind) {
    case PyUnicode_1BYTE_KIND: take_first_1(*text, markers, fit, left, spans); break;
    case PyUnicode_2BYTE_KIND: take_first_2(*text, markers, fit, left, spans); break;
    default: take_first_of(text, markers, fit, left, spans); break;
    }
}

#endif
