/* Cuts that read well: the rules of antidistill.defenses.seams on a whole text. */
#ifndef ANTIDISTILL_CUTS_H
#define ANTIDISTILL_CUTS_H

#include "_survey.h"

#define NO_SIGN ((Py_UCS4)-1)

enum { FARTHEST_STOP = 40 };

typedef struct {
    Py_ssize_t start, end;
} Span;

/* The spans that go, sorted; `failed` is set once memory has run out. */
typedef struct {
    Span *items;
    Py_ssize_t count, capacity;
    bool failed;
} Spans;

/* The spans, and the group of neighbouring cuts that is still open: from `kept`, the end of what stays before it, to `end`; of the
 * white space in between, [separator_start, separator_end) stays. */
typedef struct {
    Spans *spans;
    bool open;
    Py_ssize_t kept, separator_start, separator_end, end;
} Cuts;

static void append_span(Spans *spans, Py_ssize_t start, Py_ssize_t end)
{
    if (spans->failed || start >= end) {
        return;
    }
    if (spans->count == spans->capacity) {
        const Py_ssize_t capacity = 2 * spans->capacity + 16;
        Span *items = PyMem_RawRealloc(spans->items, (size_t)capacity * sizeof *items);
        if (items == NULL) {
            spans->failed = true;
            return;
        }
        spans->items = items;
        spans->capacity = capacity;
    }
    spans->items[spans->count++] = (Span){start, end};
}

static void settle(Cuts *cuts)
{
    if (cuts->open) {
        append_span(cuts->spans, cuts->kept, cuts->separator_start);
        append_span(cuts->spans, cuts->separator_end, cuts->end);
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

static inline bool is_behind_stop(Py_UCS4 c)
{
    if (c == '.' || is_letter(c) || is_digit(c)) { /* most often */
        return false;
    }
    return is_closer(c) || is_cjk_closer(c) || c == '$' || c == '\\' || c == ' ' || c == '\n';
}

/* The last character before `here` that is no closing mark; NO_SIGN at the start of the text. */
static Py_UCS4 sign_before(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t floor = larger(0, here - FARTHEST_STOP);
    while (here > floor && is_behind_stop(at(text, here - 1))) {
        here--;
    }
    return here ? at(text, here - 1) : NO_SIGN;
}

static bool is_colon(Py_UCS4 c)
{
    return c == ':' || c == 0xFF1A;
}

static bool announces(Py_UCS4 c)
{
    return is_colon(c) || c == ',' || c == 0xFF0C || c == 0x3001;
}

static bool opens_display(const Text *text, Py_ssize_t here)
{
    return starts_with(text, here, "```", 3) || starts_with(text, here, "$$", 2) || starts_with(text, here, "\\[", 2)
        || starts_with(text, here, "\\begin", 6);
}

static bool has_equals(const Text *text, Py_ssize_t from, Py_ssize_t to)
{
    return find(text, '=', from, to) >= 0 || find(text, 0x2248, from, to) >= 0;
}

/* True if the text before `kept` ends in dots. */
static bool trails_off(const Text *text, Py_ssize_t kept)
{
    if (kept > 0 && at(text, kept - 1) == ELLIPSIS) {
        return true;
    }
    return kept > 1 && at(text, kept - 1) == '.' && at(text, kept - 2) == '.';
}

static bool is_before_figure(Py_UCS4 c)
{
    switch (c) {
    case '+': case '-': case '*': case '/': case '_': case '$': case ' ': case '\t':
    case 0xA0: case 0xD7: case 0x2013: case 0x2212:
        return true;
    default:
        return false;
    }
}

/* True if the unit is what a line without a stop leads to: a display, code, an equation, or a figure in a column. */
static bool is_announced(const Text *text, Py_ssize_t kept, Py_ssize_t start, Py_ssize_t core_end)
{
    if (opens_display(text, start)) {
        return true;
    }
    if (!count_newlines(text, kept, start)) {
        return false;
    }
    const Py_ssize_t newline = find(text, '\n', start, core_end), line_end = newline < 0 ? core_end : newline;
    if (!has_equals(text, start, line_end)) {
        const Py_ssize_t figure = skip_until(text, start, line_end, is_before_figure);
        return figure >= line_end || is_digit(at(text, figure));
    }
    const Py_ssize_t before = larger(line_start(text, kept), larger(kept - LOOKBACK, 0));
    return !is_bullet(text, start, smaller(line_end, start + LOOKBACK)) && !has_equals(text, before, kept);
}

static bool is_star(const Text *text, Py_ssize_t here)
{
    return at(text, here) == '*' && at(text, here + 1) == '*';
}

/* True if the line that ends at `kept` is a heading, with `#` or wholly in bold. */
static bool is_heading(const Text *text, Py_ssize_t kept, Py_ssize_t start)
{
    const Py_UCS4 last = kept ? at(text, kept - 1) : '.';
    if (last == '.' || (last != '*' && !count_newlines(text, kept, start))) {
        return false;
    }
    const Py_ssize_t line = line_start(text, kept);
    if (line < 0) {
        return false;
    }
    Py_ssize_t head = skip_until(text, line, kept, is_blank_or_quote_mark);
    if (is_bullet_at(text, head, smaller(kept + 1, text->length))) {
        head = skip_until(text, head + 1, kept, is_blank_or_quote_mark);
    }
    if (head < kept && at(text, head) == '#') {
        while (head < kept && at(text, head) == '#') {
            head++;
        }
        return head < kept && is_space(at(text, head));
    }
    return kept - head > 4 && is_star(text, head) && is_star(text, kept - 2) && find(text, '*', head + 2, kept - 2) < 0;
}

static bool is_indented(const Text *text, Py_ssize_t line)
{
    return line >= 0 && (starts_with(text, line, "    ", 4) || starts_with(text, line, "\t", 1));
}

/* True if the sentence starts in a line that may be code, or ends within one; see `in_code` and `_tears_code` of seams.py. */
static bool touches_code(const Text *text, Py_ssize_t start, Py_ssize_t core_end, Py_ssize_t end)
{
    const Py_ssize_t item = skip_until(text, start, text->length, is_space);
    if (end < text->length && !count_newlines(text, core_end, end)) {
        const Py_ssize_t line = line_start(text, end);
        if (line >= 0 && (line <= item || is_indented(text, line))) {
            return is_indented(text, line);
        }
    }
    return is_indented(text, item > 0 && at(text, item - 1) == '\n' ? item : line_start(text, item));
}

/* Start of the white space behind the last line end in [start, end), which is white space. */
static Py_ssize_t indentation(const Text *text, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t here = end;
    while (here > start && at(text, here - 1) != '\n') {
        here--;
    }
    return here;
}

static bool same_indentation(const Text *text, Py_ssize_t start, Py_ssize_t end, Py_ssize_t other_start, Py_ssize_t other_end)
{
    Py_ssize_t one = indentation(text, start, end), other = indentation(text, other_start, other_end);
    if (end - one != other_end - other) {
        return false;
    }
    while (one < end) {
        if (at(text, one++) != at(text, other++)) {
            return false;
        }
    }
    return true;
}

/* True if nothing behind `end` belongs to the list item that starts at `start`. */
static bool ends_item(const Text *text, Py_ssize_t start, Py_ssize_t core_end, Py_ssize_t end)
{
    if (end == text->length) {
        return true;
    }
    if (!count_newlines(text, core_end, end)) {
        return false;
    }
    const Py_ssize_t item = skip_until(text, start, text->length, is_space), line = line_start(text, item);
    return end - indentation(text, core_end, end) <= (line >= 0 ? item - line : 0);
}

/* True if the cut ends without a stop and a word in small letters goes on with it ("where x is"). */
static bool continues(const Text *text, Py_ssize_t core_end, Py_ssize_t end)
{
    return small_word(text, end) && !is_any_stop(sign_before(text, core_end));
}

/* True if the neighbours of the sentence read well without it, white space aside. */
static bool may_go(const Text *text, Sentence sentence, Py_ssize_t kept, Py_ssize_t core_end)
{
    const Py_ssize_t start = sentence.start, end = sentence.end;
    const bool last = end == text->length;
    if (kept == 0 && last) {
        return false;
    }
    const Py_UCS4 sign = sign_before(text, kept);
    const bool stopped = sign == NO_SIGN || is_any_stop(sign);
    if (announces(sign) || trails_off(text, kept) || is_heading(text, kept, start)) {
        return false;
    }
    if (!stopped && is_announced(text, kept, start, core_end)) {
        return false;
    }
    if (touches_code(text, start, core_end, end)) {
        return false;
    }
    if (is_bullet(text, start, smaller(end, start + LOOKBACK)) && !ends_item(text, start, core_end, end)) {
        return false;
    }
    return last || !(is_colon(sign_before(text, core_end)) || (stopped && continues(text, core_end, end)));
}

/* Cuts the sentence; false if it has to stay. */
static bool cut(const Text *text, Sentence sentence, Cuts *cuts)
{
    const Py_ssize_t start = sentence.start, end = sentence.end, core_end = visible_end(text, end);
    const bool last = end == text->length, joins = cuts->open && cuts->end == start;
    const Py_ssize_t kept = joins ? cuts->kept : visible_end(text, start);
    if (!may_go(text, sentence, kept, core_end)) {
        return false;
    }
    Py_ssize_t separator_start = joins ? cuts->separator_start : kept;
    Py_ssize_t separator_end = joins ? cuts->separator_end : kept ? start : skip_until(text, start, text->length, is_space);
    const Py_ssize_t newlines = count_newlines(text, core_end, end);
    if (last || (kept && newlines > count_newlines(text, separator_start, separator_end))) {
        separator_start = core_end;
        separator_end = end;
    } else if (newlines && !same_indentation(text, separator_start, separator_end, core_end, end)) {
        return false;
    }
    if (!joins) {
        settle(cuts);
    }
    *cuts = (Cuts){cuts->spans, true, kept, separator_start, separator_end, end};
    return true;
}

#endif
