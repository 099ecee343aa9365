/* Characters as UTF-8, and as JSON writes them. */
#ifndef ANTIDISTILL_ESCAPES_H
#define ANTIDISTILL_ESCAPES_H

#include "_module.h"
#include <stdbool.h>
#include <string.h>

enum { LONGEST_ESCAPE = 12 }; /* a pair of surrogates */

static const char SHORT_ESCAPES[][2] = {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\t', 't'}, {'\n', 'n'}, {'\f', 'f'}, {'\r', 'r'}};
enum { SHORT_COUNT = sizeof SHORT_ESCAPES / sizeof *SHORT_ESCAPES };

/* The letter of the short escape of a byte, or 0. */
static char short_escape(char byte)
{
    for (int e = 0; e < SHORT_COUNT; e++) {
        if (SHORT_ESCAPES[e][0] == byte) {
            return SHORT_ESCAPES[e][1];
        }
    }
    return 0;
}

static char *write_unit(char *out, unsigned unit)
{
    static const char DIGITS[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
        *out++ = DIGITS[unit >> shift & 15];
    }
    return out;
}

/* Length in bytes of the UTF-8 character that begins with this byte. */
static int utf8_size(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static unsigned utf8_code(const char *text, int size)
{
    unsigned code = (unsigned char)text[0] & (size == 1 ? 0x7F : 0xFF >> (size + 1));
    for (int byte = 1; byte < size; byte++) {
        code = code << 6 | ((unsigned char)text[byte] & 0x3F);
    }
    return code;
}

/* Writes one character of UTF-8 the way json.dumps (`ascii`) or orjson writes it. */
static char *write_character(char *out, const char *text, int size, bool ascii)
{
    const char letter = short_escape(text[0]);
    const unsigned code = utf8_code(text, size);
    if (letter) {
        *out++ = '\\';
        *out++ = letter;
    } else if (code < 0x20 || (ascii && code >= 0x80 && code < 0x10000)) {
        out = write_unit(out, code);
    } else if (ascii && code >= 0x10000) {
        out = write_unit(out, 0xD800 + ((code - 0x10000) >> 10));
        out = write_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
        memcpy(out, text, (size_t)size);
        out += size;
    }
    return out;
}

#endif
