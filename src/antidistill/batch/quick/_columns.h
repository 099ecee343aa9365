/* Rows of an Arrow record batch: the columns as buffers, and the values of one row in them. */
#ifndef ANTIDISTILL_COLUMNS_H
#define ANTIDISTILL_COLUMNS_H

#include "_values.h"

/* A column. `width` is that of the offsets of a string column ('s') or of the numbers of a column of whole ones ('i'), in bytes; 0 for
 * numbers that are not read. Buffers are NULL where a column has none. */
typedef struct {
    const char *key;
    Py_ssize_t key_size, first;
    char kind;
    int width;
    Py_buffer validity, offsets, data;
} Column;

typedef struct {
    Column items[MOST_VALUES];
    int count;
} Columns;

static void release_columns(Columns *columns)
{
    for (int c = 0; c < columns->count; c++) {
        PyBuffer_Release(&columns->items[c].validity);
        PyBuffer_Release(&columns->items[c].offsets);
        PyBuffer_Release(&columns->items[c].data);
    }
}

static bool take_buffer(PyObject *object, Py_buffer *buffer)
{
    return object == Py_None || PyObject_GetBuffer(object, buffer, PyBUF_SIMPLE) == 0;
}

/* Whether the buffers hold `rows` values of the column. */
static bool is_long_enough(const Column *column, Py_ssize_t rows)
{
    const Py_ssize_t last = column->first + rows;
    if (column->first < 0 || rows < 0 || (column->validity.buf != NULL && column->validity.len < (last + 7) / 8)) {
        return false;
    }
    if (column->kind == 's') {
        return (column->width == 4 || column->width == 8) && column->offsets.buf != NULL &&
            column->offsets.len / column->width > last;
    }
    return column->width == 0 || ((column->width == 4 || column->width == 8) && column->data.buf != NULL &&
                                  column->data.len / column->width >= last);
}

/* Reads (key, kind, width, first, validity, offsets, data); false with an exception set if it is something else. */
static bool take_column(PyObject *tuple, Py_ssize_t rows, Column *column)
{
    PyObject *validity, *offsets, *data;
    int kind;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a column is a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "y#CinOOO", &column->key, &column->key_size, &kind, &column->width, &column->first, &validity, &offsets,
                          &data) ||
        !take_buffer(validity, &column->validity) || !take_buffer(offsets, &column->offsets) || !take_buffer(data, &column->data)) {
        return false;
    }
    column->kind = (char)kind;
    if (!is_long_enough(column, rows)) {
        PyErr_SetString(PyExc_ValueError, "the buffers of a column are too short");
        return false;
    }
    return true;
}

/* Reads a list of columns that outlives them, of so many rows; false with an exception set if it is something else. */
static bool take_columns(PyObject *list, Py_ssize_t rows, Columns *columns)
{
    if (!PyList_Check(list) || PyList_GET_SIZE(list) > MOST_VALUES) {
        PyErr_SetString(PyExc_ValueError, "columns are a list, and not too many");
        return false;
    }
    for (Py_ssize_t c = 0; c < PyList_GET_SIZE(list); c++) {
        columns->count++;
        if (!take_column(PyList_GET_ITEM(list, c), rows, &columns->items[c])) {
            return false;
        }
    }
    return true;
}

static int64_t number_at(const Py_buffer *buffer, int width, Py_ssize_t place)
{
    int64_t wide;
    int32_t narrow;
    if (width == 8) {
        memcpy(&wide, (const char *)buffer->buf + 8 * place, 8);
        return wide;
    }
    memcpy(&narrow, (const char *)buffer->buf + 4 * place, 4);
    return narrow;
}

/* Bytes of the texts of rows [from, to) in the longest column: more than the guarded texts have, as a rule. */
static Py_ssize_t most_bytes(const Columns *columns, Py_ssize_t from, Py_ssize_t to)
{
    int64_t most = 0;
    for (int c = 0; c < columns->count && from < to; c++) {
        const Column *column = &columns->items[c];
        if (column->kind == 's') {
            const int64_t first = number_at(&column->offsets, column->width, column->first + from);
            const int64_t last = number_at(&column->offsets, column->width, column->first + to);
            const bool is_right = 0 <= first && first <= last && last <= column->data.len;
            most = is_right && last - first > most ? last - first : most;
        }
    }
    return (Py_ssize_t)most;
}

static bool is_null(const Column *column, Py_ssize_t place)
{
    return column->validity.buf != NULL && !(((const unsigned char *)column->validity.buf)[place / 8] >> (place % 8) & 1);
}

/* Reads one value; false to give up. */
static bool read_place(Row *row, Value *value, const Column *column, Py_ssize_t place)
{
    *value = (Value){.key = column->key, .key_size = column->key_size, .kind = is_null(column, place) ? 'n' : column->kind};
    if (value->kind == 'i') {
        value->number = column->width ? number_at(&column->data, column->width, place) : -1;
    }
    if (value->kind != 's') {
        return true;
    }
    const int64_t from = number_at(&column->offsets, column->width, place), to = number_at(&column->offsets, column->width, place + 1);
    const int64_t size = column->data.buf == NULL ? 0 : column->data.len;
    if (from < 0 || to < from || to > size || to - from > LONGEST_ROW) {
        return false;
    }
    value->bytes = size ? (const char *)column->data.buf + from : "";
    return read_characters(row, value, (Py_ssize_t)(to - from), false);
}

/* Reads one row; false to give up. */
static bool read_row(Row *row, const Columns *columns, Py_ssize_t number)
{
    row->count = 0;
    row->special_count = 0;
    row->is_wide = false;
    for (int c = 0; c < columns->count; c++) {
        const Column *column = &columns->items[c];
        if (!read_place(row, &row->values[row->count++], column, column->first + number)) {
            return false;
        }
    }
    return true;
}

#endif
