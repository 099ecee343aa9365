/* The characters of a string value: one by one, as a str, as UTF-8, and the bytes that hold them. */
#ifndef ANTIDISTILL_CHARACTERS_H
#define ANTIDISTILL_CHARACTERS_H

#include "_values.h"

/* Number of specials of the value before a character. */
static Py_ssize_t specials_before(const Special *specials, Py_ssize_t count, Py_ssize_t character)
{
    Py_ssize_t low = 0, high = count;
    while (low < high) {
        const Py_ssize_t middle = low + (high - low) / 2;
        if (specials[middle].character < character) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The byte at which a character of the value begins. */
static Py_ssize_t byte_of(const Row *row, const Value *value, Py_ssize_t character)
{
    const Special *specials = row->specials + value->first_special;
    const Py_ssize_t before = specials_before(specials, value->specials, character);
    if (before == 0) {
        return value->start + character;
    }
    const Special *last = &specials[before - 1];
    return (Py_ssize_t)last->byte + last->size + (character - last->character - 1);
}

static Py_UCS4 character_at(const Row *row, const Value *value, Py_ssize_t character)
{
    const Special *specials = row->specials + value->first_special;
    const Py_ssize_t before = specials_before(specials, value->specials, character);
    if (before < value->specials && specials[before].character == character) {
        return specials[before].code;
    }
    return (unsigned char)value->bytes[byte_of(row, value, character)];
}

/* One loop per storage width of str: plain bytes between the specials, and these. What is written overlaps nothing (`restrict`), so the
 * compiler copies many bytes at once. */
#define DEFINE_FILL(NAME, TYPE)                                                                                          \
    static void NAME(TYPE *restrict out, const Row *row, const Value *value)                                             \
    {                                                                                                                    \
        const Special *special = row->specials + value->first_special, *const last = special + value->specials;          \
        const unsigned char *bytes = (const unsigned char *)value->bytes;                                                \
        const Py_ssize_t end = value->end;                                                                               \
        Py_ssize_t byte = value->start;                                                                                  \
        for (; special < last; special++) {                                                                              \
            const Py_ssize_t stop = (Py_ssize_t)special->byte;                                                           \
            while (byte < stop) {                                                                                        \
                *out++ = bytes[byte++];                                                                                  \
            }                                                                                                            \
            *out++ = (TYPE)special->code;                                                                                \
            byte += special->size;                                                                                       \
        }                                                                                                                \
        while (byte < end) {                                                                                             \
            *out++ = bytes[byte++];                                                                                      \
        }                                                                                                                \
    }
DEFINE_FILL(fill_1, Py_UCS1)
DEFINE_FILL(fill_2, Py_UCS2)
DEFINE_FILL(fill_4, Py_UCS4)

/* The value as a str; NULL with an exception set if there is no memory. */
static PyObject *as_str(const Row *row, const Value *value)
{
    PyObject *text = PyUnicode_New(value->characters, value->widest > 0x7F ? value->widest : 0x7F);
    if (text == NULL) {
        return NULL;
    }
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: fill_1(PyUnicode_1BYTE_DATA(text), row, value); break;
    case PyUnicode_2BYTE_KIND: fill_2(PyUnicode_2BYTE_DATA(text), row, value); break;
    default: fill_4(PyUnicode_4BYTE_DATA(text), row, value); break;
    }
    return text;
}

/* Appends characters [from, to) of the value as UTF-8. */
static void append_characters(Buffer *out, const Row *row, const Value *value, Py_ssize_t from, Py_ssize_t to)
{
    const Special *specials = row->specials + value->first_special;
    const Py_ssize_t end = byte_of(row, value, to);
    Py_ssize_t byte = byte_of(row, value, from), next = specials_before(specials, value->specials, from);
    for (; value->is_escaped && next < value->specials && specials[next].character < to; next++) {
        if (specials[next].code < 0x80 || value->is_narrowed) { /* else the bytes are UTF-8 already */
            append_bytes(out, value->bytes + byte, specials[next].byte - byte);
            append_utf8(out, specials[next].code);
            byte = (Py_ssize_t)specials[next].byte + specials[next].size;
        }
    }
    append_bytes(out, value->bytes + byte, end - byte);
}

#endif
