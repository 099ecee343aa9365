/* Flags of sentences: the rules of survey.py and markers.py on one sentence at a time. */
#ifndef ANTIDISTILL_SURVEY_H
#define ANTIDISTILL_SURVEY_H

#include "_scan_stops.h"

enum { PLACES = 129 }; /* of ASCII, and one for all other characters */
enum { MARKER = 1, EQUATION = 2, RAGGED = 4, ITEM = 8, BULLET = 16 };
enum { MOST_LEADS = 2, REACH_BEHIND_WORD = 12, LONGEST_NAME = 12 };

/* A tuple of str: the words that `longest` looks for. Bit w of `first[c]` is set where word w may begin with the character c, and of
 * `second[c]` where c may follow; all characters beyond ASCII share the last place, and all words from the last bit on share that bit. */
typedef struct {
    PyObject *const *items;
    Py_ssize_t count, longest;
    uint64_t first[PLACES], second[PLACES];
} Words;

typedef struct {
    Words words, leads;
    Py_ssize_t reach;
} Markers;

typedef struct {
    Py_ssize_t number, start, end;
} Sentence;

/* Wanted: flags & mask == value. */
typedef struct {
    int mask, value;
} Fit;

static inline Py_ssize_t place_of(Py_UCS4 c)
{
    return smaller((Py_ssize_t)c, PLACES - 1);
}

static inline int lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int bit = 0;
    for (; !(bits & 1); bits >>= 1) {
        bit++;
    }
    return bit;
#endif
}

static void note_word(Words *words, Py_ssize_t w)
{
    PyObject *word = words->items[w];
    const Py_ssize_t length = PyUnicode_GET_LENGTH(word);
    const uint64_t bit = (uint64_t)1 << smaller(w, 63);
    words->longest = larger(words->longest, length);
    if (length > 0) {
        words->first[place_of(PyUnicode_READ_CHAR(word, 0))] |= bit;
    }
    for (Py_ssize_t place = 0; length == 1 && place < PLACES; place++) {
        words->second[place] |= bit;
    }
    if (length > 1) {
        words->second[place_of(PyUnicode_READ_CHAR(word, 1))] |= bit;
    }
}

static inline Py_UCS4 folded(Py_UCS4 c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == '\n' ? ' ' : c;
}

static inline bool is_opener(Py_UCS4 c)
{
    switch (c) {
    case ' ': case '\t': case '\r': case '\n': case '>': case '*': case '_': case '#': case '"': case '\'': case '(': case '[':
    case '-': case '+': case 0x201C: case 0x2018: case 0x300C: case 0x300E: case 0xFF08: case 0x2022: case 0x2013: case 0x2014:
        return true;
    default:
        return false;
    }
}

static inline bool is_separator(Py_UCS4 c)
{
    switch (c) {
    case ' ': case '\t': case '\r': case '\n': case ',': case '.': case '!': case ELLIPSIS: case 0xFF0C: case 0x3001:
        return true;
    default:
        return false;
    }
}

static inline bool is_list_opener(Py_UCS4 c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '>' || c == '*' || c == '_' || c == '#';
}

static Py_ssize_t skip_until(const Text *text, Py_ssize_t here, Py_ssize_t end, bool (*is)(Py_UCS4))
{
    while (here < end && is(at(text, here))) {
        here++;
    }
    return here;
}

/* End of the number of a list item at `here` ("2." or "12)"), or 0. */
static Py_ssize_t list_number_end(const Text *text, Py_ssize_t here, Py_ssize_t end)
{
    const Py_ssize_t digits = skip_until(text, here, end, is_digit);
    if (digits == here || digits - here > 2 || digits + 1 >= end) {
        return 0;
    }
    const Py_UCS4 mark = at(text, digits);
    return (mark == '.' || mark == ')') && is_space(at(text, digits + 1)) ? digits + 1 : 0;
}

/* True if nothing but one or two digits, with or without their mark, is left of the sentence. */
static bool is_only_number(const Text *text, Py_ssize_t here, Py_ssize_t end)
{
    const Py_ssize_t digits = skip_until(text, here, end, is_digit);
    if (digits == here || digits - here > 2) {
        return false;
    }
    return digits == end || (digits + 1 == end && (at(text, digits) == '.' || at(text, digits) == ')'));
}

static bool is_bullet_mark(Py_UCS4 c)
{
    return c == '-' || c == '*' || c == '+' || c == 0x2022 || c == 0x2013;
}

static bool is_bullet_at(const Text *text, Py_ssize_t here, Py_ssize_t end)
{
    return here + 1 < end && is_bullet_mark(at(text, here)) && is_space(at(text, here + 1));
}

static bool is_line_space_or_quote_mark(Py_UCS4 c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '>';
}

static bool is_bullet(const Text *text, Py_ssize_t start, Py_ssize_t end)
{
    return is_bullet_at(text, skip_until(text, start, end, is_line_space_or_quote_mark), end);
}

/* `2.`, `12)`, `3:`, `b)`, `A.` or `(b)` before white space. */
static bool is_label(const Text *text, Py_ssize_t here, Py_ssize_t end)
{
    const bool bracket = here < end && at(text, here) == '(';
    here += bracket;
    Py_ssize_t digits = skip_until(text, here, end, is_digit);
    const bool number = digits > here;
    digits += !number && here < end && is_letter(at(text, here));
    if (digits == here || digits - here > 2 || digits + 1 >= end) {
        return false;
    }
    const Py_UCS4 mark = at(text, digits);
    const bool fits = mark == ')' || (!bracket && (mark == '.' || (mark == ':' && number)));
    return fits && is_space(at(text, digits + 1));
}

static bool ends_step(Py_UCS4 c)
{
    return c == '.' || c == ')' || c == '*' || c == '_' || c == '\n' || c == '\r';
}

static bool opens_step_title(Py_UCS4 c)
{
    return c == '-' || c == 0x2013 || c == 0x2014 || c == ':' || c == '(';
}

/* True if the four letters at `here` are the name of a step, in capital or small letters. */
static bool names_step(const Text *text, Py_ssize_t here)
{
    static const char *const STEPS[] = {"step", "case", "part", NULL};
    char word[5] = "";
    for (int i = 0; i < 4; i++) {
        word[i] = (char)(at(text, here + i) | 0x20);
    }
    return is_one_of(word, STEPS);
}

/* A name, a number and a colon (`Day 4:`), or `Step 3` before what ends a heading. */
static bool is_step(const Text *text, Py_ssize_t here, Py_ssize_t end)
{
    const Py_ssize_t letters = skip_until(text, here, smaller(end, here + LONGEST_NAME + 1), is_letter);
    const Py_ssize_t number = letters + (letters < end && at(text, letters) == ' ');
    if (letters == here || letters - here > LONGEST_NAME || number >= end || !is_digit(at(text, number))) {
        return false;
    }
    const Py_ssize_t behind = skip_until(text, number, end, is_digit);
    if (behind - number > 2) {
        return false;
    }
    if (behind < end && at(text, behind) == ':') {
        return true;
    }
    if (letters - here != 4 || !names_step(text, here)) {
        return false;
    }
    if (behind < end && at(text, behind) == ' ') {
        return behind + 1 < end && opens_step_title(at(text, behind + 1));
    }
    return behind == end || ends_step(at(text, behind));
}

static bool is_item(const Text *text, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t here = skip_until(text, start, end, is_list_opener);
    if (is_bullet_at(text, here, end)) {
        here = skip_until(text, here + 1, end, is_list_opener);
    }
    return is_label(text, here, end) || is_step(text, here, end);
}

/* Length at which `word` ends at `here`, drawn-out letters included, or 0 where it does not stand there as a whole word. */
static Py_ssize_t word_length(const Text *text, PyObject *word, Py_ssize_t here, Py_ssize_t limit)
{
    const Py_ssize_t count = PyUnicode_GET_LENGTH(word);
    Py_ssize_t length = 0;
    while (length < count && here + length < limit && folded(at(text, here + length)) == PyUnicode_READ_CHAR(word, length)) {
        length++;
    }
    if (count == 0 || length < count) {
        return 0;
    }
    const Py_UCS4 last = PyUnicode_READ_CHAR(word, count - 1);
    if (count > 1 && last == PyUnicode_READ_CHAR(word, count - 2)) {
        while (here + length < limit && folded(at(text, here + length)) == last) {
            length++;
        }
    }
    const bool whole = here + length >= limit || !is_alnum(at(text, here + length));
    return whole || !PyUnicode_IS_ASCII(word) ? length : 0;
}

/* The words that may stand at `here`, by their first two characters, as bits. */
static inline uint64_t begun(const Text *text, const Words *words, Py_ssize_t here)
{
    const uint64_t candidates = words->first[place_of(folded(at(text, here)))];
    return candidates && here + 1 < text->length ? candidates & words->second[place_of(folded(at(text, here + 1)))] : candidates;
}

/* Length of the longest of the words that stands at `here`, or 0. */
static Py_ssize_t longest(const Text *text, const Words *words, Py_ssize_t here, Py_ssize_t limit)
{
    Py_ssize_t best = 0;
    for (uint64_t candidates = begun(text, words, here); candidates; candidates &= candidates - 1) {
        const Py_ssize_t first = lowest_bit(candidates), last = first < 63 ? first + 1 : words->count;
        for (Py_ssize_t w = first; w < last; w++) {
            best = larger(best, word_length(text, words->items[w], here, limit));
        }
    }
    return best;
}

static bool opens_with_marker(const Text *text, Sentence sentence, const Markers *markers)
{
    const Py_ssize_t end = sentence.end;
    Py_ssize_t here = skip_until(text, sentence.start, end, is_opener);
    const Py_ssize_t number_end = list_number_end(text, here, end);
    if (number_end) {
        here = skip_until(text, number_end, end, is_opener);
    } else if (is_only_number(text, here, end)) {
        return false;
    }
    for (int lead = 0; lead <= MOST_LEADS && here < end; lead++) {
        const Py_ssize_t limit = smaller(end, here + markers->reach);
        if (longest(text, &markers->words, here, limit)) {
            return true;
        }
        const Py_ssize_t length = longest(text, &markers->leads, here, limit);
        if (!length) {
            return false;
        }
        here = skip_until(text, here + length, end, is_separator);
    }
    return false;
}

static int item_flags(const Text *text, Sentence sentence)
{
    const bool item = is_item(text, sentence.start, sentence.end), bullet = is_bullet(text, sentence.start, sentence.end);
    return (item ? ITEM : 0) | (bullet ? BULLET : 0);
}

static int marker_flag(const Text *text, Sentence sentence, const Markers *markers)
{
    return opens_with_marker(text, sentence, markers) ? MARKER : 0;
}

/* What `shape_flags` counts; the other characters are passed over. */
static const bool COUNTED[128] = {
    ['"'] = true, ['('] = true, [')'] = true, ['*'] = true, ['='] = true, ['['] = true, [']'] = true, ['`'] = true,
    ['{'] = true, ['}'] = true,
};

typedef struct {
    Py_ssize_t round, square, curly, quotes, wide_round, corner;
    bool odd_quote, odd_bold, equation, fence;
} Shape;

static inline void count_character(Shape *shape, Py_UCS4 c)
{
    switch (c) {
    case '(': shape->round++; break;
    case ')': shape->round--; break;
    case '[': shape->square++; break;
    case ']': shape->square--; break;
    case '{': shape->curly++; break;
    case '}': shape->curly--; break;
    case '"': shape->odd_quote = !shape->odd_quote; break;
    case '=': case 0x2248: shape->equation = true; break;
    case 0x201C: shape->quotes++; break;
    case 0x201D: shape->quotes--; break;
    case 0xFF08: shape->wide_round++; break;
    case 0xFF09: shape->wide_round--; break;
    case 0x300C: shape->corner++; break;
    case 0x300D: shape->corner--; break;
    default: break;
    }
}

/* One loop per storage width: this is the only rule that reads every character. */
#define DEFINE_MEASURE(NAME, TYPE)                                                                                      \
    static void NAME(const TYPE *data, Py_ssize_t here, Py_ssize_t end, Shape *shape)                                   \
    {                                                                                                                   \
        for (; here < end; here++) {                                                                                    \
            const TYPE c = data[here];                                                                                  \
            if (c < 128 && !COUNTED[c]) {                                                                               \
                continue;                                                                                               \
            }                                                                                                           \
            if (c == '*' && here + 1 < end && data[here + 1] == '*') {                                                  \
                shape->odd_bold = !shape->odd_bold;                                                                     \
                here++;                                                                                                 \
            } else if (c == '`') {                                                                                      \
                shape->fence |= here + 2 < end && data[here + 1] == '`' && data[here + 2] == '`';                       \
            } else {                                                                                                    \
                count_character(shape, c);                                                                              \
            }                                                                                                           \
        }                                                                                                               \
    }
DEFINE_MEASURE(measure_1, Py_UCS1)
DEFINE_MEASURE(measure_2, Py_UCS2)
DEFINE_MEASURE(measure_4, Py_UCS4)

/* The flags that the whole sentence decides. */
static int shape_flags(const Text *text, Sentence sentence)
{
    const Py_ssize_t start = sentence.start, end = sentence.end;
    Shape shape = {0};
    if (text->kind == PyUnicode_1BYTE_KIND) {
        measure_1(text->data, start, end, &shape);
    } else if (text->kind == PyUnicode_2BYTE_KIND) {
        measure_2(text->data, start, end, &shape);
    } else {
        measure_4(text->data, start, end, &shape);
    }
    const bool unbalanced = shape.round || shape.square || shape.curly || shape.quotes || shape.wide_round || shape.corner;
    return (shape.equation && !shape.fence ? EQUATION : 0) | (unbalanced || shape.odd_quote || shape.odd_bold ? RAGGED : 0);
}

#endif
