/* The rules of scan.py for protected regions: mathematics, code and tables. */
#ifndef ANTIDISTILL_SCAN_REGIONS_H
#define ANTIDISTILL_SCAN_REGIONS_H

#include "_scan_stops.h"

#define MAX_ENVIRONMENT 24

/* End of a protected region (UNDECIDED: unknown) and the length of its closing math delimiter (0: code or plain text). */
typedef struct {
    Py_ssize_t end;
    Py_ssize_t closer;
} Region;

/* Where a region has to end, and whether that is only the end of what has arrived. */
typedef struct {
    Py_ssize_t end;
    bool cut_off;
} Limit;

static Limit line_limit(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t end = smaller(text->length, here + REGION);
    const Py_ssize_t newline = find(text, '\n', here, end);
    return newline >= 0 ? (Limit){newline, false} : (Limit){end, end < here + REGION};
}

static Limit paragraph_limit(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t end = smaller(text->length, here + REGION);
    Py_ssize_t newline = here;
    while ((newline = find(text, '\n', newline, end)) >= 0) {
        Py_ssize_t after = newline + 1;
        while (after < end && (is_blank(at(text, after)) || at(text, after) == '\r')) {
            after++;
        }
        if (after < end && at(text, after) == '\n') {
            return (Limit){newline, false};
        }
        newline = after;
    }
    return (Limit){end, end < here + REGION};
}

/* Code and tables. */

/* True at three back quotes or more that open a line and are the last of that line. */
static bool opens_fence(const Text *text, Py_ssize_t here)
{
    if (!starts_with(text, here, "```", 3) || !opens_line(text, here)) {
        return false;
    }
    const Py_ssize_t opened = skip(text, here, is_back_quote);
    return find(text, '`', opened, line_limit(text, opened).end) < 0;
}

/* End of the closing fence: a line of at least `ticks` back quotes; an unclosed fence runs to the end of the text. */
static Py_ssize_t fence_end(const Text *text, Py_ssize_t here, Py_ssize_t ticks)
{
    while ((here = find(text, '\n', here, text->length)) >= 0) {
        const Py_ssize_t start = skip(text, here + 1, is_blank_or_quote_mark);
        const Py_ssize_t stop = skip(text, start, is_back_quote);
        if (stop - start >= ticks) {
            const Py_ssize_t line_end = skip(text, stop, is_blank);
            if (line_end == text->length) {
                return text->final ? stop : UNDECIDED;
            }
            if (at(text, line_end) == '\r' || at(text, line_end) == '\n') {
                return stop;
            }
        }
        here++;
    }
    return text->final ? text->length : UNDECIDED;
}

/* End of inline code: the next run of exactly `ticks` back quotes on the line. */
static Py_ssize_t inline_code_end(const Text *text, Py_ssize_t opened, Py_ssize_t ticks)
{
    const Limit limit = line_limit(text, opened);
    Py_ssize_t close = opened;
    while ((close = find(text, '`', close, limit.end)) >= 0) {
        const Py_ssize_t stop = skip(text, close, is_back_quote);
        if (stop - close == ticks && stop <= limit.end && !is_at(text, stop, is_back_quote)) {
            return stop < text->length || text->final ? stop : UNDECIDED;
        }
        close = stop;
    }
    return limit.cut_off && !text->final ? UNDECIDED : opened;
}

static Py_ssize_t code_end(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t opened = skip(text, here, is_back_quote);
    if (opened == text->length && !text->final) {
        return UNDECIDED;
    }
    if (opens_fence(text, here)) {
        return fence_end(text, opened, opened - here);
    }
    return inline_code_end(text, opened, opened - here);
}

static Py_ssize_t table_row_end(const Text *text, Py_ssize_t here)
{
    if (!opens_line(text, here)) {
        return here + 1;
    }
    const Limit limit = line_limit(text, here);
    if (limit.cut_off && !text->final) {
        return UNDECIDED;
    }
    Py_ssize_t last = limit.end - 1;
    while (is_space(at(text, last))) {
        last--;
    }
    return at(text, last) == '|' ? limit.end : here + 1;
}

/* Mathematics. */

/* What an opening delimiter is for which no closing one was found: plain text up to `plain`, if that is certain. */
static Region unclosed(const Text *text, bool cut_off, Py_ssize_t plain)
{
    return (Region){cut_off && !text->final ? UNDECIDED : plain, 0};
}

/* The region from `here` to `closing`; plain text (two characters of it) where it is not closed within the limit. */
static Region delimited(const Text *text, Py_ssize_t here, const char *closing, Limit limit)
{
    const Py_ssize_t close = find_word(text, closing, here + 2, limit.end);
    if (close < 0) {
        return unclosed(text, limit.cut_off, here + 2);
    }
    const Py_ssize_t count = (Py_ssize_t)strlen(closing);
    return (Region){close + count, count};
}

/* `$`, an amount, perhaps a punctuation mark, white space and a word: money. */
static bool is_currency(const Text *text, Py_ssize_t here)
{
    if (!is_at(text, here + 1, is_digit)) {
        return false;
    }
    Py_ssize_t end = skip(text, here + 1, is_amount);
    if (is_at(text, end + 1, is_digit) && at(text, end) == '.') {
        end = skip(text, end + 1, is_digit);
    }
    if (is_at(text, end, is_mark_after_amount)) {
        end++;
    }
    const Py_ssize_t word = skip(text, end, is_space);
    return word > end && is_at(text, word, is_letter) && is_at(text, word + 1, is_letter);
}

static bool closes_dollar(const Text *text, Py_ssize_t close)
{
    const Py_UCS4 before = at(text, close - 1);
    if (is_space(before) || before == '\\') {
        return false;
    }
    return close + 1 >= text->length || !Py_UNICODE_ISDECIMAL(at(text, close + 1));
}

static Region inline_dollar(const Text *text, Py_ssize_t here)
{
    const Limit limit = line_limit(text, here);
    Py_ssize_t close = find(text, '$', here + 2, limit.end);
    while (close >= 0 && !closes_dollar(text, close)) {
        close = find(text, '$', close + 1, limit.end);
    }
    if (close < 0) {
        return unclosed(text, limit.cut_off, here + 1);
    }
    return close + 1 < text->length || text->final ? (Region){close + 1, 1} : (Region){UNDECIDED, 0};
}

static Region dollar(const Text *text, Py_ssize_t here)
{
    if (here + 1 >= text->length) {
        return unclosed(text, true, here + 1);
    }
    if (at(text, here + 1) == '$') {
        return delimited(text, here, "$$", paragraph_limit(text, here + 2));
    }
    if (is_space(at(text, here + 1)) || is_currency(text, here)) {
        return (Region){here + 1, 0};
    }
    return inline_dollar(text, here);
}

/* `\begin{name}` up to `\end{name}`. */
static Region environment(const Text *text, Py_ssize_t here)
{
    static const char BEGIN[] = "\\begin{";
    char closing[sizeof "\\end{}" + MAX_ENVIRONMENT] = "\\end{";
    const Py_ssize_t count = (Py_ssize_t)strlen(BEGIN);
    if (!starts_with(text, here, BEGIN, smaller(count, text->length - here))) {
        return (Region){here + 1, 0};
    }
    Py_ssize_t end = here + count;
    char *tail = closing + strlen(closing);
    for (int i = 0; i < MAX_ENVIRONMENT && is_at(text, end, is_environment_name); i++) {
        *tail++ = (char)at(text, end++);
    }
    if (end >= text->length) {
        return unclosed(text, true, here + 1);
    }
    if (at(text, end) != '}' || end == here + count) {
        return (Region){here + 1, 0};
    }
    *tail++ = '}';
    *tail = '\0';
    const Py_ssize_t limit = smaller(text->length, here + 2 * REGION);
    return delimited(text, here, closing, (Limit){limit, limit < here + 2 * REGION});
}

static Region backslash(const Text *text, Py_ssize_t here)
{
    if (here + 1 >= text->length) {
        return unclosed(text, true, here + 1);
    }
    switch (at(text, here + 1)) {
    case '(':
        return delimited(text, here, "\\)", paragraph_limit(text, here + 2));
    case '[':
        return delimited(text, here, "\\]", paragraph_limit(text, here + 2));
    case 'b':
        return environment(text, here);
    case '$': case '`': case '\\': case '|':
        return (Region){here + 2, 0};
    default:
        return (Region){here + 1, 0};
    }
}

/* Regions. */

static Region region(const Text *text, Py_ssize_t here)
{
    switch (at(text, here)) {
    case '`':
        return (Region){code_end(text, here), 0};
    case '$':
        return dollar(text, here);
    case '\\':
        return backslash(text, here);
    default:
        return (Region){table_row_end(text, here), 0};
    }
}

static Py_ssize_t safe_in_open_region(const Text *text, Py_ssize_t here)
{
    if (opens_fence(text, here) && find(text, '\n', here, text->length) >= 0) {
        return text->length;
    }
    Py_ssize_t possible = here + 1;
    while (possible < text->length && !is_possible_cut(at(text, possible))) {
        possible++;
    }
    return possible;
}

/* Skips a protected region; a stop right before its closing delimiter may end the sentence. */
static Decision after_region(const Text *text, Py_ssize_t here)
{
    const Region found = region(text, here);
    if (found.end == UNDECIDED) {
        return (Decision){safe_in_open_region(text, here), UNDECIDED};
    }
    if (found.closer > 0) {
        Py_ssize_t inside = found.end - found.closer;
        while (inside > here && is_space(at(text, inside - 1))) {
            inside--;
        }
        if (is_stop(at(text, inside - 1))) {
            return cut_after(text, -1, found.end);
        }
    }
    return (Decision){0, found.end};
}

#endif
