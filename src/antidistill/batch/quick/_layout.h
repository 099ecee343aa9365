/* What the names and types of the values say, asked once for each kind of row; and whether a row is plain. */
#ifndef ANTIDISTILL_LAYOUT_H
#define ANTIDISTILL_LAYOUT_H

#include "_characters.h"

enum { LONGEST_SIGNATURE = 4096, SHORTEST_REASONING = 32, LONGEST_QUOTE = 200, PROBE = 32 };

/* Numbers of values, one a byte; best first. */
typedef struct {
    const unsigned char *items;
    Py_ssize_t count;
} Numbers;

/* Which value is what: see antidistill.batch.quick.layouts.Layout. */
typedef struct {
    int reasoning, asks;
    Numbers answers, texts, prompts, ids;
} Layout;

/* The layouts that are known: `known` maps a signature (keys and kinds) to a tuple, or to None for rows that are not plain. */
typedef struct {
    PyObject *known, *ask;
    char signature[LONGEST_SIGNATURE];
    Py_ssize_t size;
    bool is_plain;
    Layout layout;
} Layouts;

/* What a plain row holds; a number below 0 stands for nothing. */
typedef struct {
    const Value *reasoning;
    int answer, prompt, id;
} Plain;

static Py_ssize_t sign(const Row *row, char *signature)
{
    Py_ssize_t size = 0;
    for (int v = 0; v < row->count; v++) {
        const Value *value = &row->values[v];
        if (value->key_size + 1 > LONGEST_SIGNATURE - size) {
            return -1;
        }
        memcpy(signature + size, value->key, (size_t)value->key_size);
        size += value->key_size;
        signature[size++] = value->kind;
    }
    return size;
}

static PyObject *asked(const Layouts *layouts, const Row *row)
{
    PyObject *keys = PyTuple_New(row->count);
    char kinds[MOST_VALUES];
    for (int v = 0; keys != NULL && v < row->count; v++) {
        kinds[v] = row->values[v].kind;
        PyObject *key = PyBytes_FromStringAndSize(row->values[v].key, row->values[v].key_size);
        if (key == NULL) {
            Py_CLEAR(keys);
        } else {
            PyTuple_SET_ITEM(keys, v, key);
        }
    }
    PyObject *layout = keys == NULL ? NULL : PyObject_CallFunction(layouts->ask, "Os#", keys, kinds, (Py_ssize_t)row->count);
    Py_XDECREF(keys);
    return layout;
}

static bool take_numbers(PyObject *object, int count, Numbers *numbers)
{
    if (!PyBytes_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "numbers of values are bytes");
        return false;
    }
    *numbers = (Numbers){(const unsigned char *)PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object)};
    for (Py_ssize_t n = 0; n < numbers->count; n++) {
        if (numbers->items[n] >= count) {
            PyErr_SetString(PyExc_ValueError, "a number of a value that is not there");
            return false;
        }
    }
    return true;
}

/* Reads (reasoning, asks, answers, texts, prompts, ids), which `known` keeps alive. */
static bool take_layout(PyObject *tuple, int count, Layout *layout)
{
    PyObject *answers, *texts, *prompts, *ids;
    if (!PyArg_ParseTuple(tuple, "ipOOOO", &layout->reasoning, &layout->asks, &answers, &texts, &prompts, &ids)) {
        return false;
    }
    if (layout->reasoning < 0 || layout->reasoning >= count) {
        PyErr_SetString(PyExc_ValueError, "a number of a value that is not there");
        return false;
    }
    return take_numbers(answers, count, &layout->answers) && take_numbers(texts, count, &layout->texts) &&
        take_numbers(prompts, count, &layout->prompts) && take_numbers(ids, count, &layout->ids);
}

/* Finds the layout of the row; false with an exception set if that fails. `is_plain` tells whether there is one. */
static bool find_layout(Layouts *layouts, const Row *row)
{
    char signature[LONGEST_SIGNATURE];
    const Py_ssize_t size = sign(row, signature);
    if (size >= 0 && size == layouts->size && !memcmp(signature, layouts->signature, (size_t)size)) {
        return true;
    }
    layouts->is_plain = false;
    layouts->size = -1;
    if (size < 0) {
        return true;
    }
    PyObject *key = PyBytes_FromStringAndSize(signature, size);
    PyObject *tuple = key == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(layouts->known, key));
    if (key != NULL && tuple == NULL && !PyErr_Occurred()) {
        tuple = asked(layouts, row);
        if (tuple != NULL && PyDict_SetItem(layouts->known, key, tuple) < 0) {
            Py_CLEAR(tuple);
        }
    }
    Py_XDECREF(key);
    bool is_found = tuple != NULL;
    if (is_found && tuple != Py_None) {
        is_found = take_layout(tuple, row->count, &layouts->layout);
        layouts->is_plain = is_found;
    }
    Py_XDECREF(tuple);
    if (is_found) {
        memcpy(layouts->signature, signature, (size_t)size);
        layouts->size = size;
    }
    return is_found;
}

/* The prompt: the first of its columns with text; -1 if there is none, -2 to give up. */
static int find_prompt(const Row *row, const Layout *layout)
{
    for (Py_ssize_t n = 0; n < layout->prompts.count; n++) {
        const Value *value = &row->values[layout->prompts.items[n]];
        if (value->characters) {
            return Py_UNICODE_ISSPACE(character_at(row, value, 0)) ? -2 : layout->prompts.items[n];
        }
    }
    return layout->asks ? -2 : -1;
}

static int find_answer(const Row *row, const Layout *layout)
{
    for (Py_ssize_t n = 0; n < layout->answers.count; n++) {
        const int number = layout->answers.items[n];
        if (row->values[number].kind == 's' && row->values[number].characters) {
            return number;
        }
    }
    return -1;
}

/* The id: the first of its columns that is not null; -1 if there is none, -2 to give up. */
static int find_id(const Row *row, const Layout *layout)
{
    for (Py_ssize_t n = 0; n < layout->ids.count; n++) {
        const Value *value = &row->values[layout->ids.items[n]];
        if (value->kind == 's') {
            return value->characters ? layout->ids.items[n] : -2;
        }
        if (value->kind == 'i') {
            const bool is_negative = value->bytes == NULL ? value->number < 0 : value->bytes[value->start] == '-';
            return is_negative ? -2 : layout->ids.items[n];
        }
        if (value->kind != 'n') {
            return -2;
        }
    }
    return -1;
}

static const char *find_in(const char *bytes, Py_ssize_t size, const char *what, Py_ssize_t length)
{
    if (length <= 0 || size < length) {
        return NULL;
    }
    for (const char *end = bytes + (size - length) + 1; bytes < end; bytes++) {
        bytes = memchr(bytes, what[0], (size_t)(end - bytes));
        if (bytes == NULL || !memcmp(bytes, what, (size_t)length)) {
            return bytes;
        }
    }
    return NULL;
}

/* Whether a long text may hold the reasoning, plain or as JSON. Where escapes may be written in two ways, its beginning decides. */
static bool may_repeat(const Row *row, const Value *text, const Value *reasoning)
{
    if (text->characters < reasoning->characters) {
        return false;
    }
    const Py_UCS4 first = character_at(row, text, 0);
    if (text->is_odd || (row->is_wide && text->is_narrowed) || first == '[' || first == '{' || first == '"') {
        return true;
    }
    const bool is_exact = !text->is_escaped && !reasoning->is_escaped;
    const Py_ssize_t end = is_exact ? reasoning->end : byte_of(row, reasoning, PROBE);
    return find_in(text->bytes + text->start, text->end - text->start, reasoning->bytes + reasoning->start, end - reasoning->start) != NULL;
}

/* Notes the signs that every delimiter of reasoning has: `<` and `>`, `k]`, a white triangle. */
typedef struct {
    bool opens, closes, others;
} Signs;

static void look_for_signs(const Row *row, const Value *text, Signs *signs)
{
    const char *bytes = text->bytes + text->start, *end = text->bytes + text->end;
    const size_t size = (size_t)(text->end - text->start);
    signs->opens |= size && memchr(bytes, '<', size) != NULL;
    signs->closes |= size && memchr(bytes, '>', size) != NULL;
    signs->others |= text->is_odd;
    for (const char *at = bytes; at < end && (at = memchr(at, ']', (size_t)(end - at))) != NULL; at++) {
        signs->others |= at > bytes && (at[-1] | 0x20) == 'k';
    }
    for (Py_ssize_t s = 0; s < text->specials; s++) {
        signs->others |= row->specials[text->first_special + s].code == 0x25B7;
    }
}

/* Whether the other texts of the row hold no delimiters and are too short for a quote, see antidistill.formats.plain. */
static bool are_bare(const Row *row, const Layout *layout, const Plain *plain)
{
    const Py_ssize_t length = plain->reasoning->characters, quote = length < LONGEST_QUOTE ? length : LONGEST_QUOTE;
    Signs signs = {0};
    for (Py_ssize_t n = 0; n < layout->texts.count; n++) {
        const int number = layout->texts.items[n];
        const Value *text = &row->values[number];
        const bool is_beside = number == plain->prompt || number == plain->answer;
        if (text->characters >= quote && (!is_beside || may_repeat(row, text, plain->reasoning))) {
            return false;
        }
        look_for_signs(row, text, &signs);
    }
    return !(signs.opens && signs.closes) && !signs.others;
}

static bool is_edge(PyObject *edges, Py_UCS4 c)
{
    return PyUnicode_FindChar(edges, c, 0, PyUnicode_GET_LENGTH(edges), 1) >= 0;
}

/* Whether the reasoning is one that `plain` takes. */
static bool is_reasoning(const Row *row, const Value *value, PyObject *edges)
{
    if (value->kind != 's' || value->characters < SHORTEST_REASONING || value->is_odd) {
        return false;
    }
    const Py_UCS4 first = character_at(row, value, 0), last = character_at(row, value, value->characters - 1);
    return !Py_UNICODE_ISSPACE(first) && !Py_UNICODE_ISSPACE(last) && !is_edge(edges, first) && !is_edge(edges, last);
}

/* Finds what the row holds; false where it is not plain. */
static bool find_plain(const Row *row, const Layout *layout, PyObject *edges, Plain *plain)
{
    plain->reasoning = &row->values[layout->reasoning];
    if (!is_reasoning(row, plain->reasoning, edges)) {
        return false;
    }
    plain->answer = find_answer(row, layout);
    plain->prompt = find_prompt(row, layout);
    plain->id = find_id(row, layout);
    return plain->prompt > -2 && plain->id > -2 && are_bare(row, layout, plain);
}

#endif
