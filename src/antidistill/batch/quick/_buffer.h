/* A buffer that grows; once memory has run out it takes nothing more and says so. */
#ifndef ANTIDISTILL_BUFFER_H
#define ANTIDISTILL_BUFFER_H

#include "../../_escapes.h"
#include "../../_module.h"
#include <stdint.h>

/* The bytes lie in an object that Python gets in the end, so they are not copied then. */
typedef struct {
    PyObject *object;
    char *data;
    Py_ssize_t size, capacity;
    bool failed;
} Buffer;

static void grow(Buffer *buffer, Py_ssize_t capacity)
{
    if (buffer->object == NULL) {
        buffer->object = PyBytes_FromStringAndSize(NULL, capacity);
    } else {
        _PyBytes_Resize(&buffer->object, capacity);
    }
    buffer->failed = buffer->object == NULL;
    buffer->data = buffer->failed ? NULL : PyBytes_AS_STRING(buffer->object);
    buffer->capacity = buffer->failed ? 0 : capacity;
}

/* The bytes, which are the buffer's no longer; NULL with an exception set if there is no memory. */
static PyObject *as_bytes(Buffer *buffer)
{
    PyObject *bytes = buffer->object;
    buffer->object = NULL;
    if (bytes == NULL) {
        return buffer->failed ? PyErr_NoMemory() : PyBytes_FromStringAndSize(NULL, 0);
    }
    if (buffer->size < buffer->capacity) {
        _PyBytes_Resize(&bytes, buffer->size);
    }
    return bytes;
}

/* Room for `more` bytes behind the end; NULL if there is no memory. */
static char *reserve(Buffer *buffer, Py_ssize_t more)
{
    if (buffer->failed || more > PY_SSIZE_T_MAX / 4 - buffer->size) {
        buffer->failed = true;
        return NULL;
    }
    if (buffer->size + more > buffer->capacity) {
        grow(buffer, buffer->size + buffer->size / 2 + more + 1024);
    }
    return buffer->failed ? NULL : buffer->data + buffer->size;
}

static void append_bytes(Buffer *buffer, const char *bytes, Py_ssize_t size)
{
    char *out = reserve(buffer, size);
    if (out != NULL && size > 0) {
        memcpy(out, bytes, (size_t)size);
        buffer->size += size;
    }
}

#define append_literal(BUFFER, TEXT) append_bytes(BUFFER, TEXT, (Py_ssize_t)sizeof(TEXT) - 1)

/* Appends a number that is not negative, in digits. */
static void append_number(Buffer *buffer, Py_ssize_t number)
{
    char digits[24], *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    append_bytes(buffer, first, digits + sizeof digits - first);
}

/* Appends UTF-8 the way orjson (or json.dumps, `ascii`) writes it inside a string. */
static void append_escaped(Buffer *buffer, const char *text, Py_ssize_t size, bool ascii)
{
    char *const begin = size > PY_SSIZE_T_MAX / LONGEST_ESCAPE ? NULL : reserve(buffer, LONGEST_ESCAPE * size), *out = begin;
    if (begin == NULL) {
        buffer->failed = true;
        return;
    }
    for (Py_ssize_t byte = 0; byte < size;) {
        const int length = utf8_size((unsigned char)text[byte]);
        out = write_character(out, text + byte, length, ascii);
        byte += length;
    }
    buffer->size += out - begin;
}

/* Appends one character as UTF-8. */
static void append_utf8(Buffer *buffer, Py_UCS4 code)
{
    char *out = reserve(buffer, 4);
    if (out == NULL) {
        return;
    }
    const int size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char LEADS[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int byte = size - 1; byte > 0; byte--) {
        out[byte] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(LEADS[size] | code);
    buffer->size += size;
}

#endif
