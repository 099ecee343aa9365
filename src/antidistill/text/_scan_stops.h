/* The rules of scan.py for stops and newlines. */
#ifndef ANTIDISTILL_SCAN_STOPS_H
#define ANTIDISTILL_SCAN_STOPS_H

#include "_scan_characters.h"

#define LOOKBACK 200
#define UNDECIDED (-1)
#define MAX_WORD 12
#define MAX_ABBREVIATION 6

/* The cut that a special character makes (0: none) and where to go on; next == UNDECIDED: cut is the safe offset. */
typedef struct {
    Py_ssize_t cut;
    Py_ssize_t next;
} Decision;

/* True if only white space, list bullets, quote marks or emphasis stand before `here` on its line. */
static bool opens_line(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t floor = larger(0, here - LOOKBACK);
    while (here > floor && is_line_opener(at(text, here - 1))) {
        here--;
    }
    return here == 0 || at(text, here - 1) == '\n';
}

/* Start of the line of `here`; -1 if it is more than LOOKBACK characters back. */
static Py_ssize_t line_start(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t floor = larger(0, here - LOOKBACK);
    const Py_ssize_t newline = find_last(text, '\n', floor, here);
    return newline >= 0 ? newline + 1 : here <= LOOKBACK ? 0 : -1;
}

/* True if a word of at least two small letters starts at `here`: the sentence goes on. */
static bool small_word(const Text *text, Py_ssize_t here)
{
    return is_lower(at(text, here)) && is_at(text, here + 1, is_lower);
}

/* True if one more character may change what the character at `following` means, or if it has not arrived. */
static bool is_open(const Text *text, Py_ssize_t following)
{
    if (following < text->length - 1) {
        return false;
    }
    return following >= text->length || is_lower(at(text, following)) || is_spaced_operator(at(text, following));
}

/* True where the text at `following`, on the line of the stop, continues the sentence. */
static bool goes_on(const Text *text, Py_ssize_t stop, Py_ssize_t following)
{
    const Py_UCS4 character = at(text, following);
    if (is_lower(character)) {
        const bool ellipsis = stop >= 0 && (at(text, stop) == ELLIPSIS || starts_with(text, stop, "..", 2));
        return ellipsis || small_word(text, following);
    }
    return is_operator(character) || (is_spaced_operator(character) && is_at(text, following + 1, is_space));
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (word[0] == (*words)[0] && strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* Before what an abbreviation does not end a sentence: anything, a number, anything but a capital letter. */
typedef enum { ANYTHING, NUMBER, NO_CAPITAL } Before;

typedef struct {
    const char *word;
    Before before;
} Abbreviation;

/* By their first letter; no letter has more. */
enum { MOST_OF_A_LETTER = 5 };
static const Abbreviation ABBREVIATIONS[26][MOST_OF_A_LETTER + 1] = {
    ['a' - 'a'] = {{"approx", ANYTHING}, {"a.k.a", ANYTHING}, {"art", NUMBER}, {"al", NO_CAPITAL}},
    ['c' - 'a'] = {{"cf", ANYTHING}, {"ch", NUMBER}},
    ['d' - 'a'] = {{"dr", ANYTHING}, {"dept", ANYTHING}, {"def", NUMBER}},
    ['e' - 'a'] = {{"e.g", ANYTHING}, {"excl", ANYTHING}, {"eq", NUMBER}, {"eqs", NUMBER}, {"etc", NO_CAPITAL}},
    ['f' - 'a'] = {{"fig", NUMBER}, {"figs", NUMBER}},
    ['i' - 'a'] = {{"i.e", ANYTHING}, {"incl", ANYTHING}},
    ['j' - 'a'] = {{"jr", ANYTHING}},
    ['l' - 'a'] = {{"lem", NUMBER}},
    ['m' - 'a'] = {{"mr", ANYTHING}, {"mrs", ANYTHING}},
    ['n' - 'a'] = {{"no", NUMBER}, {"nos", NUMBER}},
    ['p' - 'a'] = {{"prof", ANYTHING}, {"p", NUMBER}, {"pp", NUMBER}, {"prop", NUMBER}},
    ['r' - 'a'] = {{"resp", ANYTHING}},
    ['s' - 'a'] = {{"sr", ANYTHING}, {"sec", NUMBER}},
    ['t' - 'a'] = {{"thm", NUMBER}},
    ['v' - 'a'] = {{"vs", ANYTHING}, {"viz", ANYTHING}, {"vol", NUMBER}},
    ['w' - 'a'] = {{"w.r.t", ANYTHING}},
};

static bool is_meant(Before before, Py_UCS4 after)
{
    switch (before) {
    case NUMBER: return is_digit(after) || after == '$' || after == '\\' || after == '(';
    case NO_CAPITAL: return !Py_UNICODE_ISUPPER(after);
    default: return true;
    }
}

/* True if the word in [start, full_stop) is an abbreviation whose full stop does not end a sentence before `following`. */
static bool is_abbreviation(const Text *text, Py_ssize_t start, Py_ssize_t full_stop, Py_ssize_t following)
{
    if (start == full_stop || full_stop - start > MAX_ABBREVIATION || !is_letter(at(text, start))) {
        return false;
    }
    const Abbreviation *known = ABBREVIATIONS[(at(text, start) | 0x20) - 'a'];
    if (known->word == NULL) {
        return false;
    }
    char word[MAX_ABBREVIATION + 1] = {0};
    for (Py_ssize_t i = start; i < full_stop; i++) {
        const Py_UCS4 character = at(text, i);
        if (character >= 128) {
            return false;
        }
        word[i - start] = (char)Py_TOLOWER(character);
    }
    while (known->word != NULL && strcmp(word, known->word) != 0) {
        known++;
    }
    return known->word != NULL && is_meant(known->before, at(text, following));
}

/* A capital letter with a stop is an initial (or a label) at the start of a line and after another initial. */
static bool is_initial(const Text *text, Py_ssize_t letter)
{
    if (opens_line(text, letter)) {
        return true;
    }
    return letter >= 3 && at(text, letter - 1) == ' ' && at(text, letter - 2) == '.'
        && Py_UNICODE_ISUPPER(at(text, letter - 3));
}

static bool initial_follows(const Text *text, Py_ssize_t following)
{
    return Py_UNICODE_ISUPPER(at(text, following)) && following + 1 < text->length && at(text, following + 1) == '.';
}

/* True if the capital letter that ends what has arrived may become the second of two initials ("J. K"). */
static bool may_be_initial(const Text *text, Py_ssize_t stop, Py_ssize_t following)
{
    return following == text->length - 1 && Py_UNICODE_ISUPPER(at(text, following)) && stop > 0 && at(text, stop) == '.'
        && Py_UNICODE_ISUPPER(at(text, stop - 1));
}

/* True where the full stop belongs to a list number, an abbreviation or an initial. */
static bool is_no_sentence_end(const Text *text, Py_ssize_t full_stop, Py_ssize_t following)
{
    const Py_ssize_t floor = larger(0, full_stop - MAX_WORD);
    Py_ssize_t start = full_stop;
    while (start > floor && (at(text, start - 1) == '.' || is_alnum(at(text, start - 1)))) {
        start--;
    }
    const Py_ssize_t count = full_stop - start;
    if (count == 1 && Py_UNICODE_ISUPPER(at(text, start))) {
        return is_initial(text, start) || initial_follows(text, following);
    }
    if ((count == 1 || count == 2) && Py_UNICODE_ISDECIMAL(at(text, start)) && Py_UNICODE_ISDECIMAL(at(text, full_stop - 1))) {
        return opens_line(text, start);
    }
    return is_abbreviation(text, start, full_stop, following);
}

static bool is_full_stop(const Text *text, Py_ssize_t stop)
{
    return stop >= 0 && at(text, stop) == '.' && !is_stop(at(text, stop + 1));
}

/* Decides on the stop that starts at `stop` (-1: inside a region) and ends, closers included, at `after`. */
static Decision cut_after(const Text *text, Py_ssize_t stop, Py_ssize_t after)
{
    const Py_ssize_t following = skip(text, after, is_space);
    if (!text->final && (is_open(text, following) || may_be_initial(text, stop, following))) {
        return (Decision){following, UNDECIDED};
    }
    if (following == after || following >= text->length) {
        return (Decision){0, following};
    }
    const Py_ssize_t newlines = count_newlines(text, after, following);
    if (newlines <= 1) {
        if (is_full_stop(text, stop) && is_no_sentence_end(text, stop, following)) {
            return (Decision){0, following};
        }
        if (newlines == 0 && goes_on(text, stop, following)) {
            return (Decision){0, following};
        }
    }
    return (Decision){following, following};
}

static Decision after_stop(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t end = skip(text, here, is_stop);
    return cut_after(text, here, skip(text, end, is_closer));
}

static Decision after_cjk_stop(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t end = skip(text, here, is_any_stop);
    const Py_ssize_t after = skip(text, skip(text, end, is_cjk_closer), is_space);
    if (!text->final && is_open(text, after)) {
        return (Decision){after, UNDECIDED};
    }
    return after < text->length ? (Decision){after, after} : (Decision){0, after};
}

/* True if the line of `here` is a table row and the next line, at `following`, too. */
static bool within_table(const Text *text, Py_ssize_t here, Py_ssize_t following)
{
    if (at(text, following) != '|') {
        return false;
    }
    const Py_ssize_t line = line_start(text, here);
    return line >= 0 && at(text, skip(text, line, is_blank)) == '|';
}

/* True if the line of `here`, as far as a rule may look back, holds an equation. */
static bool after_equation(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t from = larger(line_start(text, here), larger(here - LOOKBACK, 0));
    return find(text, '=', from, here) >= 0;
}

static Decision after_newline(const Text *text, Py_ssize_t here)
{
    const Py_ssize_t following = skip(text, here, is_space);
    if (!text->final && is_open(text, following)) {
        return (Decision){following, UNDECIDED};
    }
    if (following >= text->length) {
        return (Decision){0, following};
    }
    if (count_newlines(text, here, following) > 1) {
        return (Decision){following, following};
    }
    if (within_table(text, here, following) || (small_word(text, following) && !after_equation(text, here))) {
        return (Decision){0, following};
    }
    return (Decision){following, following};
}

#endif
