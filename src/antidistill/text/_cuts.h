/* Cuts that read well: the rules of antidistill.defenses.seams on a whole text. */
#ifndef ANTIDISTILL_CUTS_H
#define ANTIDISTILL_CUTS_H

#include "_survey.h"

/* The spans that go, and the group of neighbouring cuts that is still open: from `kept`, the end of what stays before it, to
 * `end`; of the white space in between, [separator_start, separator_end) stays. `spans` is NULL once memory has run out. */
typedef struct {
    PyObject *spans;
    bool open;
    Py_ssize_t kept, separator_start, separator_end, end;
} Cuts;

static void append_span(Cuts *cuts, Py_ssize_t start, Py_ssize_t end)
{
    if (cuts->spans == NULL || start >= end) {
        return;
    }
    PyObject *span = Py_BuildValue("(nn)", start, end);
    if (span == NULL || PyList_Append(cuts->spans, span) < 0) {
        Py_CLEAR(cuts->spans);
    }
    Py_XDECREF(span);
}

static void settle(Cuts *cuts)
{
    if (cuts->open) {
        append_span(cuts, cuts->kept, cuts->separator_start);
        append_span(cuts, cuts->separator_end, cuts->end);
        cuts->open = false;
    }
}

static Py_ssize_t visible_end(const Text *text, Py_ssize_t here)
{
    while (here > 0 && is_space(at(text, here - 1))) {
        here--;
    }
    return here;
}

static bool announces(Py_UCS4 c)
{
    return c == ':' || c == 0xFF1A;
}

/* Cuts the sentence; false if it has to stay. */
static bool cut(const Text *text, Sentence sentence, Cuts *cuts)
{
    const Py_ssize_t start = sentence.start, end = sentence.end;
    const bool last = end == text->length, joins = cuts->open && cuts->end == start;
    const Py_ssize_t kept = joins ? cuts->kept : visible_end(text, start);
    if (kept == 0 ? last : announces(at(text, kept - 1))) {
        return false;
    }
    if (!joins) {
        settle(cuts);
        cuts->kept = kept;
        cuts->separator_start = kept;
        cuts->separator_end = kept ? start : skip(text, start, is_space);
    }
    const Py_ssize_t core_end = visible_end(text, end);
    const Py_ssize_t newlines = count_newlines(text, cuts->separator_start, cuts->separator_end);
    if (last || (kept && count_newlines(text, core_end, end) > newlines)) {
        cuts->separator_start = core_end;
        cuts->separator_end = end;
    }
    cuts->end = end;
    return cuts->open = true;
}

#endif
