/* The characters of a str, read without a copy: classes, steps and searches. */
#ifndef ANTIDISTILL_SCAN_CHARACTERS_H
#define ANTIDISTILL_SCAN_CHARACTERS_H

#include "../_module.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define REGION 2000

#define ELLIPSIS 0x2026
#define CJK_FULL_STOP 0x3002
#define CJK_EXCLAMATION 0xFF01
#define CJK_QUESTION 0xFF1F

typedef struct {
    const void *data;
    int kind;
    bool final;
    Py_ssize_t length;
} Text;

static inline Py_UCS4 at(const Text *text, Py_ssize_t here)
{
    return PyUnicode_READ(text->kind, text->data, here);
}

static inline Py_ssize_t smaller(Py_ssize_t one, Py_ssize_t other)
{
    return one < other ? one : other;
}

static inline Py_ssize_t larger(Py_ssize_t one, Py_ssize_t other)
{
    return one > other ? one : other;
}

/* Character classes. */

static const bool SPECIAL[256] = {
    ['.'] = true, ['!'] = true, ['?'] = true, ['\n'] = true, ['$'] = true, ['`'] = true, ['\\'] = true, ['|'] = true,
};

static inline bool is_cjk_stop(Py_UCS4 c)
{
    return c == CJK_FULL_STOP || c == CJK_EXCLAMATION || c == CJK_QUESTION;
}

static inline bool is_stop(Py_UCS4 c)
{
    return c == '.' || c == '!' || c == '?' || c == ELLIPSIS;
}

static inline bool is_any_stop(Py_UCS4 c)
{
    return is_stop(c) || is_cjk_stop(c);
}

static inline bool is_special(Py_UCS4 c)
{
    return c < 256 ? SPECIAL[c] : c == ELLIPSIS || is_cjk_stop(c);
}

static inline bool is_possible_cut(Py_UCS4 c)
{
    return is_special(c) && c != '$' && c != '\\';
}

static inline bool is_closer(Py_UCS4 c)
{
    switch (c) {
    case '"': case '\'': case ')': case ']': case '}': case '*': case '_': case 0xBB: case 0x2019: case 0x201D:
        return true;
    default:
        return false;
    }
}

static inline bool is_cjk_closer(Py_UCS4 c)
{
    switch (c) {
    case '*': case 0x300D: case 0x300F: case 0x201D: case 0x2019: case 0xFF09: case 0x300B: case 0x3011:
        return true;
    default:
        return false;
    }
}

static inline bool is_operator(Py_UCS4 c)
{
    switch (c) {
    case '=': case '/': case '^': case '%': case ',': case ':': case ';': case ')': case ']': case '}':
    case 0xB7: case 0xD7: case 0xF7: case 0x2248: case 0x2260: case 0x2264: case 0x2265:
        return true;
    default:
        return false;
    }
}

static inline bool is_spaced_operator(Py_UCS4 c)
{
    return c == '+' || c == '-' || c == '*' || c == '<' || c == '>' || c == 0x2013 || c == 0x2014;
}

static inline bool is_line_opener(Py_UCS4 c)
{
    switch (c) {
    case ' ': case '\t': case '>': case '*': case '_': case '#': case '-': case '+':
        return true;
    default:
        return false;
    }
}

static inline bool is_blank(Py_UCS4 c)
{
    return c == ' ' || c == '\t';
}

static inline bool is_blank_or_quote_mark(Py_UCS4 c)
{
    return is_blank(c) || c == '>';
}

static inline bool is_back_quote(Py_UCS4 c)
{
    return c == '`';
}

static inline bool is_digit(Py_UCS4 c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(Py_UCS4 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_amount(Py_UCS4 c)
{
    return is_digit(c) || c == ',';
}

static inline bool is_mark_after_amount(Py_UCS4 c)
{
    return c == '.' || c == ',' || c == ';' || c == ':' || c == '?' || c == '!' || c == ')';
}

static inline bool is_environment_name(Py_UCS4 c)
{
    return is_letter(c) || c == '*';
}

static inline bool is_space(Py_UCS4 c)
{
    return Py_UNICODE_ISSPACE(c);
}

static inline bool is_lower(Py_UCS4 c)
{
    return c < 128 ? c >= 'a' && c <= 'z' : Py_UNICODE_ISLOWER(c);
}

static inline bool is_alnum(Py_UCS4 c)
{
    return c < 128 ? is_letter(c) || is_digit(c) : Py_UNICODE_ISALNUM(c);
}

/* Steps and searches. */

/* Steps over characters of the class, REGION of them at most. */
static inline Py_ssize_t skip(const Text *text, Py_ssize_t here, bool (*is)(Py_UCS4))
{
    const Py_ssize_t end = smaller(text->length, here + REGION);
    while (here < end && is(at(text, here))) {
        here++;
    }
    return here;
}

/* True if there is a character at `here` and it is of the class. */
static inline bool is_at(const Text *text, Py_ssize_t here, bool (*is)(Py_UCS4))
{
    return here < text->length && is(at(text, here));
}

/* Offset of the first `character` in [from, to), or -1. */
static inline Py_ssize_t find(const Text *text, Py_UCS4 character, Py_ssize_t from, Py_ssize_t to)
{
    if (text->kind == PyUnicode_1BYTE_KIND && from < to) {
        const Py_UCS1 *data = text->data, *found = character < 256 ? memchr(data + from, (int)character, (size_t)(to - from)) : NULL;
        return found == NULL ? -1 : found - data;
    }
    while (from < to && at(text, from) != character) {
        from++;
    }
    return from < to ? from : -1;
}

#ifdef __SSE2__
/* The end of the last block of eight in [from, to), counted from `to` down, that holds the character, or what is left in front. */
static inline Py_ssize_t last_block_2(const Py_UCS2 *characters, Py_UCS4 character, Py_ssize_t from, Py_ssize_t to)
{
    const __m128i wanted = _mm_set1_epi16((short)character);
    while (to - from >= 8 && !_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_loadu_si128((const __m128i *)(characters + to - 8)), wanted))) {
        to -= 8;
    }
    return to;
}
#endif

/* Offset of the last `character` in [from, to), or -1. */
static inline Py_ssize_t find_last(const Text *text, Py_UCS4 character, Py_ssize_t from, Py_ssize_t to)
{
#ifdef __GLIBC__
    if (text->kind == PyUnicode_1BYTE_KIND && from < to && character < 256) {
        const Py_UCS1 *data = text->data, *found = memrchr(data + from, (int)character, (size_t)(to - from));
        return found == NULL ? -1 : found - data;
    }
#endif
#ifdef __SSE2__
    if (text->kind == PyUnicode_2BYTE_KIND && character < 0x10000) {
        to = last_block_2(text->data, character, from, to);
    }
#endif
    while (to > from && at(text, to - 1) != character) {
        to--;
    }
    return to > from ? to - 1 : -1;
}

static bool starts_with(const Text *text, Py_ssize_t here, const char *word, Py_ssize_t count)
{
    if (count > text->length - here) {
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (at(text, here + i) != (unsigned char)word[i]) {
            return false;
        }
    }
    return true;
}

/* Offset of the first `word` that lies in [from, to), or -1. */
static Py_ssize_t find_word(const Text *text, const char *word, Py_ssize_t from, Py_ssize_t to)
{
    const Py_ssize_t count = (Py_ssize_t)strlen(word);
    Py_ssize_t last = from + count - 1;
    while ((last = find(text, (unsigned char)word[count - 1], last, to)) >= 0) {
        if (starts_with(text, last - count + 1, word, count)) {
            return last - count + 1;
        }
        last++;
    }
    return -1;
}

static Py_ssize_t count_newlines(const Text *text, Py_ssize_t from, Py_ssize_t to)
{
    Py_ssize_t count = 0;
    for (; from < to; from++) {
        count += at(text, from) == '\n';
    }
    return count;
}

#define DEFINE_NEXT_SPECIAL(NAME, CHARACTER)                                                                              \
    static Py_ssize_t NAME(const CHARACTER *characters, Py_ssize_t here, Py_ssize_t length)                               \
    {                                                                                                                     \
        while (here < length && !is_special(characters[here])) {                                                          \
            here++;                                                                                                       \
        }                                                                                                                 \
        return here;                                                                                                      \
    }

DEFINE_NEXT_SPECIAL(next_special_1, Py_UCS1)
DEFINE_NEXT_SPECIAL(next_special_2, Py_UCS2)
DEFINE_NEXT_SPECIAL(next_special_4, Py_UCS4)

#ifdef __SSE2__
/* Bit i is set where byte i is a special character of ASCII. */
static inline unsigned special_bytes(__m128i bytes)
{
    const char specials[] = {'!', '?', '\n', '$', '`', '\\', '|'};
    __m128i found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.'));
    for (size_t i = 0; i < sizeof specials; i++) {
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(specials[i])));
    }
    return (unsigned)_mm_movemask_epi8(found);
}

static Py_ssize_t next_special_1_by_16(const Py_UCS1 *characters, Py_ssize_t here, Py_ssize_t length)
{
    for (; length - here >= 16; here += 16) {
        const unsigned found = special_bytes(_mm_loadu_si128((const __m128i *)(characters + here)));
        if (found) {
            return here + __builtin_ctz(found);
        }
    }
    return next_special_1(characters, here, length);
}

/* Bit i is set where one of two times eight characters is a special one beyond Latin-1. */
static inline unsigned wide_specials(__m128i low, __m128i high)
{
    const short specials[] = {(short)CJK_FULL_STOP, (short)CJK_EXCLAMATION, (short)CJK_QUESTION};
    __m128i first = _mm_cmpeq_epi16(low, _mm_set1_epi16(ELLIPSIS)), last = _mm_cmpeq_epi16(high, _mm_set1_epi16(ELLIPSIS));
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        first = _mm_or_si128(first, _mm_cmpeq_epi16(low, _mm_set1_epi16(specials[i])));
        last = _mm_or_si128(last, _mm_cmpeq_epi16(high, _mm_set1_epi16(specials[i])));
    }
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(first, last));
}

/* Narrowed to bytes, characters beyond Latin-1 become 0xFF or 0, which are no special characters. */
static Py_ssize_t next_special_2_by_16(const Py_UCS2 *characters, Py_ssize_t here, Py_ssize_t length)
{
    for (; length - here >= 16; here += 16) {
        const __m128i low = _mm_loadu_si128((const __m128i *)(characters + here));
        const __m128i high = _mm_loadu_si128((const __m128i *)(characters + here + 8));
        const unsigned found = special_bytes(_mm_packus_epi16(low, high)) | wide_specials(low, high);
        if (found) {
            return here + __builtin_ctz(found);
        }
    }
    return next_special_2(characters, here, length);
}
#else
#define next_special_1_by_16 next_special_1
#define next_special_2_by_16 next_special_2
#endif

/* Offset of the first special character from `here` on; the length of the text if there is none. */
static Py_ssize_t next_special(const Text *text, Py_ssize_t here)
{
    switch (text->kind) {
    case PyUnicode_1BYTE_KIND:
        return next_special_1_by_16(text->data, here, text->length);
    case PyUnicode_2BYTE_KIND:
        return next_special_2_by_16(text->data, here, text->length);
    default:
        return next_special_4(text->data, here, text->length);
    }
}

#endif
