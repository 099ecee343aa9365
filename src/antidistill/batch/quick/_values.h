/* The values of a row, read from a JSON line or from UTF-8: where they stand, and their characters.
 *
 * Reading is strict and gives up on whatever it does not know for certain; the row then takes the long way, where errors are named.
 */
#ifndef ANTIDISTILL_VALUES_H
#define ANTIDISTILL_VALUES_H

#include "_buffer.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    MOST_VALUES = 64,
    MOST_SPECIALS = 1 << 20,
    LONGEST_ROW = 1 << 28,
    LONGEST_NUMBER = 40,
    MOST_DIGITS = 18, /* a whole number of so many digits is exact in 64 bits */
};

/* A character that does not stand as one byte of its own: beyond ASCII, or escaped. */
typedef struct {
    uint32_t byte, character, code, size;
} Special;

/* A value. `start` and `end` are bytes of `bytes`, of a string without its quote marks; the key is JSON, with them. The kind is 's'
 * for a string, 'i' and 'f' for numbers, 'b' for true and false, 'n' for null. A `number` stands for bytes that are NULL. */
typedef struct {
    const char *bytes, *key;
    Py_ssize_t key_size, start, end;
    int64_t number;
    char kind;
    Py_ssize_t characters, first_special, specials;
    Py_UCS4 widest;
    bool is_odd;      /* holds an escape that neither orjson nor json.dumps writes, or a DEL */
    bool is_narrowed; /* holds a character beyond ASCII as an escape */
    bool is_escaped;  /* holds an escape: its bytes are not its UTF-8 */
} Value;

typedef struct {
    Value values[MOST_VALUES];
    int count;
    bool is_wide; /* holds bytes beyond ASCII */
    Special *specials;
    Py_ssize_t special_count, special_capacity;
} Row;

static bool note_special(Row *row, Special special)
{
    if (row->special_count == row->special_capacity) {
        const Py_ssize_t capacity = 2 * row->special_capacity + 256;
        Special *specials = capacity > 2 * MOST_SPECIALS ? NULL : PyMem_RawRealloc(row->specials, (size_t)capacity * sizeof *specials);
        if (specials == NULL) {
            return false;
        }
        row->specials = specials;
        row->special_capacity = capacity;
    }
    row->specials[row->special_count++] = special;
    return true;
}

/* Reads one character beyond ASCII; its size in bytes, 0 where it is not UTF-8. */
static int read_wide(const char *bytes, Py_ssize_t size, Py_UCS4 *code)
{
    static const Py_UCS4 LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = (unsigned char)bytes[0];
    const int length = utf8_size(lead);
    if (lead < 0xC2 || lead > 0xF4 || length > size) {
        return 0;
    }
    for (int byte = 1; byte < length; byte++) {
        if (((unsigned char)bytes[byte] & 0xC0) != 0x80) {
            return 0;
        }
    }
    *code = utf8_code(bytes, length);
    const bool is_surrogate = *code >= 0xD800 && *code < 0xE000;
    return *code >= LEAST[length] && *code <= 0x10FFFF && !is_surrogate ? length : 0;
}

/* The number of four hexadecimal digits, or -1; notes capitals, which no writer uses. */
static int read_unit(const char *digits, bool *is_odd)
{
    int unit = 0;
    for (int digit = 0; digit < 4; digit++) {
        const char c = digits[digit];
        if (c >= '0' && c <= '9') {
            unit = unit << 4 | (c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            unit = unit << 4 | ((c | 0x20) - 'a' + 10);
            *is_odd |= c < 'a';
        } else {
            return -1;
        }
    }
    return unit;
}

/* Reads \uXXXX, or the pair of them that is one character; its size in bytes, 0 where it is no character. */
static int read_unicode_escape(const char *bytes, Py_ssize_t size, Value *value, Py_UCS4 *code)
{
    const int unit = size < 6 ? -1 : read_unit(bytes + 2, &value->is_odd);
    if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) {
        return 0;
    }
    *code = (Py_UCS4)unit;
    value->is_odd |= unit < 0x80 && (unit >= 0x20 || short_escape((char)unit));
    value->is_narrowed |= unit >= 0x80;
    if (unit < 0xD800 || unit >= 0xE000) {
        return 6;
    }
    const int low = size < 12 || bytes[6] != '\\' || bytes[7] != 'u' ? -1 : read_unit(bytes + 8, &value->is_odd);
    if (low < 0xDC00 || low >= 0xE000) {
        return 0;
    }
    *code = 0x10000 + (((Py_UCS4)unit - 0xD800) << 10) + ((Py_UCS4)low - 0xDC00);
    return 12;
}

/* Reads one escape; its size in bytes, 0 where it is none. */
static int read_escape(const char *bytes, Py_ssize_t size, Value *value, Py_UCS4 *code)
{
    if (size < 2) {
        return 0;
    }
    if (bytes[1] == 'u') {
        return read_unicode_escape(bytes, size, value, code);
    }
    for (int e = 0; e < SHORT_COUNT; e++) {
        if (SHORT_ESCAPES[e][1] == bytes[1]) {
            *code = (unsigned char)SHORT_ESCAPES[e][0];
            return 2;
        }
    }
    value->is_odd = true;
    *code = '/';
    return bytes[1] == '/' ? 2 : 0;
}

static inline bool is_usual(unsigned char byte, bool json)
{
    return byte < 0x80 && (!json || (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F));
}

#ifdef __SSE2__
static inline bool is_ascii_64(const char *bytes)
{
    const __m128i *blocks = (const __m128i *)bytes;
    const __m128i one = _mm_or_si128(_mm_loadu_si128(blocks), _mm_loadu_si128(blocks + 1));
    const __m128i other = _mm_or_si128(_mm_loadu_si128(blocks + 2), _mm_loadu_si128(blocks + 3));
    return !_mm_movemask_epi8(_mm_or_si128(one, other));
}
#endif

/* The first byte from `here` on that is not a character as it stands. */
static inline Py_ssize_t next_unusual(const char *bytes, Py_ssize_t here, Py_ssize_t size, bool json)
{
#ifdef __SSE2__
    while (!json && size - here >= 64 && is_ascii_64(bytes + here)) {
        here += 64;
    }
    for (; size - here >= 16; here += 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(bytes + here));
        __m128i found = block; /* beyond ASCII: the highest bit is set */
        if (json) {            /* as signed numbers, bytes beyond ASCII are below the space too */
            found = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
            found = _mm_or_si128(found, _mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
            found = _mm_or_si128(found, _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
            found = _mm_or_si128(found, _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F)));
        }
        const unsigned bits = (unsigned)_mm_movemask_epi8(found);
        if (bits) {
            return here + __builtin_ctz(bits);
        }
    }
#endif
    while (here < size && is_usual((unsigned char)bytes[here], json)) {
        here++;
    }
    return here;
}

/* Reads the characters of a string up to its closing quote mark (`json`), or all of them; false to give up. */
static inline bool read_characters(Row *row, Value *value, Py_ssize_t size, bool json)
{
    const char *bytes = value->bytes;
    Py_ssize_t here = value->start, characters = 0;
    value->first_special = row->special_count;
    for (;;) {
        const Py_ssize_t next = next_unusual(bytes, here, size, json);
        characters += next - here;
        here = next;
        if (here == size || (json && bytes[here] == '"')) {
            break;
        }
        const unsigned char byte = (unsigned char)bytes[here];
        Py_UCS4 code = byte;
        if (byte == 0x7F) {
            value->is_odd = true;
            here++;
        } else {
            const bool escaped = byte < 0x80;
            const int length = !escaped ? read_wide(bytes + here, size - here, &code)
                : byte == '\\'          ? read_escape(bytes + here, size - here, value, &code)
                                        : 0;
            row->is_wide |= !escaped;
            value->is_escaped |= escaped;
            if (!length || !note_special(row, (Special){(uint32_t)here, (uint32_t)characters, code, (uint32_t)length})) {
                return false;
            }
            here += length;
        }
        value->widest = code > value->widest ? code : value->widest;
        characters++;
    }
    value->end = here;
    value->characters = characters;
    value->specials = row->special_count - value->first_special;
    return !json || here < size;
}

static Py_ssize_t skip_blanks(const char *line, Py_ssize_t here, Py_ssize_t size)
{
    while (here < size && (line[here] == ' ' || line[here] == '\t')) {
        here++;
    }
    return here;
}

static Py_ssize_t skip_digits(const char *line, Py_ssize_t here, Py_ssize_t size)
{
    while (here < size && line[here] >= '0' && line[here] <= '9') {
        here++;
    }
    return here;
}

/* Reads a number without an exponent; false to give up. */
static bool read_number(Value *value, Py_ssize_t size)
{
    const char *line = value->bytes;
    const Py_ssize_t first = value->start + (line[value->start] == '-'), whole = skip_digits(line, first, size);
    if (whole == first || (line[first] == '0' && whole - first > 1)) {
        return false;
    }
    value->kind = 'i';
    value->end = whole;
    if (whole < size && line[whole] == '.') {
        value->kind = 'f';
        value->end = skip_digits(line, whole + 1, size);
        return value->end > whole + 1 && value->end - value->start <= LONGEST_NUMBER;
    }
    return whole - first <= MOST_DIGITS;
}

static bool read_word(Value *value, Py_ssize_t size)
{
    static const struct {
        const char *word;
        Py_ssize_t length;
        char kind;
    } WORDS[] = {{"null", 4, 'n'}, {"true", 4, 'b'}, {"false", 5, 'b'}};
    for (int w = 0; w < 3; w++) {
        if (size - value->start >= WORDS[w].length && !memcmp(value->bytes + value->start, WORDS[w].word, (size_t)WORDS[w].length)) {
            value->kind = WORDS[w].kind;
            value->end = value->start + WORDS[w].length;
            return true;
        }
    }
    return false;
}

/* Reads a value that holds no others; returns the byte behind it, or -1 to give up. */
static Py_ssize_t read_value(Row *row, Value *value, Py_ssize_t size)
{
    const char first = value->start < size ? value->bytes[value->start] : 0;
    if (first == '"') {
        value->kind = 's';
        value->start++;
        return read_characters(row, value, size, true) ? value->end + 1 : -1;
    }
    const bool is_read = first == '-' || (first >= '0' && first <= '9') ? read_number(value, size) : read_word(value, size);
    return is_read ? value->end : -1;
}

/* Reads `"key": value`; returns the byte behind it, or -1 to give up. */
static Py_ssize_t read_member(Row *row, const char *line, Py_ssize_t here, Py_ssize_t size)
{
    if (row->count == MOST_VALUES || here >= size || line[here] != '"') {
        return -1;
    }
    Value *value = &row->values[row->count++];
    *value = (Value){.bytes = line, .key = line + here};
    here = next_unusual(line, here + 1, size, true);
    if (here == size || line[here] != '"') {
        return -1;
    }
    value->key_size = line + here + 1 - value->key;
    here = skip_blanks(line, here + 1, size);
    if (here == size || line[here] != ':') {
        return -1;
    }
    value->start = skip_blanks(line, here + 1, size);
    return read_value(row, value, size);
}

/* Reads one line that is an object without objects or arrays in it; returns its size with the end of the line, or -1 to give up. */
static Py_ssize_t read_line(Row *row, const char *line, Py_ssize_t size)
{
    const bool is_cut = size > LONGEST_ROW;
    size = is_cut ? LONGEST_ROW : size;
    row->count = 0;
    row->special_count = 0;
    row->is_wide = false;
    Py_ssize_t here = 0;
    char mark = size ? line[0] : 0;
    if (mark != '{') {
        return -1;
    }
    do {
        here = read_member(row, line, skip_blanks(line, here + 1, size), size);
        here = here < 0 ? size : skip_blanks(line, here, size);
        mark = here < size ? line[here] : 0;
    } while (mark == ',');
    if (mark != '}') {
        return -1;
    }
    here = skip_blanks(line, here + 1, size);
    here += here < size && line[here] == '\r';
    return here == size ? (is_cut ? -1 : here) : line[here] == '\n' ? here + 1 : -1;
}

#endif
