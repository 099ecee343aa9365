/* Applies edits: to a text, and to the JSON string that holds it inside its line, where every other byte stays as it came.
 *
 * In a line the text is compared as UTF-8. Raw bytes and escapes are read in step with the text that they are known to stand for, so
 * the byte of each edit is found without writing the text again.
 */
#include "_escapes.h"
#include <stdint.h>
#include <string.h>

/* An edit: bytes [start, end) of the text, and later of the line, and what takes their place. */
typedef struct {
    Py_ssize_t start, end;
    const char *new;
    Py_ssize_t new_size;
} Replacement;

typedef struct {
    Replacement *items;
    Py_ssize_t count;
} Replacements;

/* The line and the text, read in step; `escaped` tells that characters beyond ASCII are. */
typedef struct {
    const char *line, *text;
    Py_ssize_t here, line_size, read, text_size;
    bool escaped;
} Walk;

/* Passes what the line and the text have in common up to an escape, a character that only one of them may hold as it is, or the
 * byte `until` of the text; false where they differ. */
static bool pass_plain(Walk *walk, Py_ssize_t until)
{
    Py_ssize_t size = until - walk->read;
    if (size > walk->line_size - walk->here) {
        return false;
    }
    const char *line = walk->line + walk->here;
    const char *escape = memchr(line, '\\', (size_t)size);
    size = escape ? escape - line : size;
    if (memcmp(line, walk->text + walk->read, (size_t)size) || memchr(line, '"', (size_t)size)) {
        return false;
    }
    walk->here += size;
    walk->read += size;
    return true;
}

/* Passes one escape that is written as `write_character` writes it; false where the line holds another. */
static bool pass_escape(Walk *walk)
{
    const char *text = walk->text + walk->read;
    const int size = utf8_size((unsigned char)*text);
    char expected[LONGEST_ESCAPE];
    const Py_ssize_t written = write_character(expected, text, size, true) - expected;
    if (written > walk->line_size - walk->here || memcmp(walk->line + walk->here, expected, (size_t)written)) {
        return false;
    }
    walk->escaped |= size > 1;
    walk->here += written;
    walk->read += size;
    return true;
}

/* Reads on to the byte `until` of the text; false where the line does not hold it, or holds it written in another way. */
static bool read_until(Walk *walk, Py_ssize_t until)
{
    while (walk->read < until) {
        if (!pass_plain(walk, until) || (walk->read < until && !pass_escape(walk))) {
            return false;
        }
    }
    return true;
}

/* Turns offsets into the text into offsets into the line; false where the line does not hold the text in the usual way. */
static bool find_in_line(Walk *walk, Replacements *edits)
{
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        Replacement *edit = &edits->items[e];
        if (!read_until(walk, edit->start)) {
            return false;
        }
        edit->start = walk->here;
        if (!read_until(walk, edit->end)) {
            return false;
        }
        edit->end = walk->here;
    }
    return read_until(walk, walk->text_size) && walk->here < walk->line_size && walk->line[walk->here] == '"';
}

/* Number of characters that begin in eight bytes of UTF-8: those bytes that do not go on with one (10xxxxxx). */
static int beginnings(const char *text)
{
    const uint64_t LOW_BITS = 0x0101010101010101;
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    const uint64_t goes_on = bytes >> 7 & ~bytes >> 6 & LOW_BITS;
    return 8 - (int)(goes_on * LOW_BITS >> 56);
}

/* Turns offsets of characters into offsets of bytes. */
static void find_bytes(const char *text, Py_ssize_t size, Replacements *edits)
{
    Py_ssize_t character = 0, byte = 0;
    for (Py_ssize_t bound = 0; bound < 2 * edits->count; bound++) {
        Replacement *edit = &edits->items[bound / 2];
        Py_ssize_t *offset = bound % 2 ? &edit->end : &edit->start;
        for (; byte + 8 <= size && character + 8 <= *offset; byte += 8) {
            character += beginnings(text + byte);
        }
        while (byte < size && (character < *offset || ((unsigned char)text[byte] & 0xC0) == 0x80)) {
            character += ((unsigned char)text[byte++] & 0xC0) != 0x80;
        }
        *offset = byte;
    }
}

/* Reads (start, end, replacement, …); returns false with an exception set where `item` is something else. */
static bool read_edit(PyObject *item, Py_ssize_t after, Py_ssize_t length, Replacement *edit)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) < 3) {
        PyErr_SetString(PyExc_TypeError, "an edit is a tuple (start, end, replacement, ...)");
        return false;
    }
    edit->start = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 0));
    edit->end = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 1));
    edit->new = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(item, 2), &edit->new_size);
    if (edit->new == NULL || PyErr_Occurred()) {
        return false;
    }
    if (edit->start < after || edit->end < edit->start || edit->end > length) {
        PyErr_SetString(PyExc_ValueError, "edits are sorted, do not overlap and lie within the text");
        return false;
    }
    return true;
}

/* Reads a list of edits of a text of so many characters; returns false with an exception set where it is something else. */
static bool read_edits(PyObject *list, Py_ssize_t length, Replacements *edits)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "edits are a list");
        return false;
    }
    edits->count = PyList_GET_SIZE(list);
    edits->items = PyMem_New(Replacement, edits->count ? (size_t)edits->count : 1);
    if (edits->items == NULL) {
        PyErr_NoMemory();
        return false;
    }
    Py_ssize_t after = 0;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        if (!read_edit(PyList_GET_ITEM(list, e), after, length, &edits->items[e])) {
            return false;
        }
        after = edits->items[e].end;
    }
    return true;
}

static char *write_new(char *out, const Replacement *edit, bool ascii)
{
    for (Py_ssize_t byte = 0; byte < edit->new_size;) {
        const int size = utf8_size((unsigned char)edit->new[byte]);
        out = write_character(out, edit->new + byte, size, ascii);
        byte += size;
    }
    return out;
}

/* The line after the edits, and where the string ends in both. */
static PyObject *written(const Walk *walk, const Replacements *edits, bool ascii)
{
    Py_ssize_t most = walk->line_size;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        most += LONGEST_ESCAPE * edits->items[e].new_size;
    }
    PyObject *line = PyBytes_FromStringAndSize(NULL, most);
    if (line == NULL) {
        return NULL;
    }
    char *const begin = PyBytes_AS_STRING(line), *out = begin;
    Py_ssize_t position = 0;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        const Replacement *edit = &edits->items[e];
        memcpy(out, walk->line + position, (size_t)(edit->start - position));
        out = write_new(out + (edit->start - position), edit, ascii);
        position = edit->end;
    }
    memcpy(out, walk->line + position, (size_t)(walk->line_size - position));
    out += walk->line_size - position;
    const Py_ssize_t size = out - begin, end = walk->here + 1;
    return _PyBytes_Resize(&line, size) < 0 ? NULL : Py_BuildValue("(Nnn)", line, end, size - (walk->line_size - end));
}

static PyObject *spliced(PyObject *line, Py_ssize_t at, PyObject *text, PyObject *list, bool ascii)
{
    Walk walk = {.line = PyBytes_AS_STRING(line), .line_size = PyBytes_GET_SIZE(line), .here = at + 1};
    Replacements edits = {NULL, 0};
    PyObject *result = NULL;
    walk.text = PyUnicode_AsUTF8AndSize(text, &walk.text_size);
    if (walk.text != NULL && read_edits(list, PyUnicode_GET_LENGTH(text), &edits)) {
        if (!PyUnicode_IS_ASCII(text)) {
            find_bytes(walk.text, walk.text_size, &edits);
        }
        const bool opens = at >= 0 && at < walk.line_size && walk.line[at] == '"';
        const bool is_told_apart = PyUnicode_IS_ASCII(text) || !ascii || !memchr(walk.text, 0x7F, (size_t)walk.text_size);
        const bool is_usual = opens && is_told_apart && find_in_line(&walk, &edits) && (ascii || !walk.escaped);
        result = is_usual ? written(&walk, &edits, ascii) : Py_NewRef(Py_None);
    }
    PyMem_Free(edits.items);
    return result;
}

/* Appends text[start:end] to a list of pieces; returns false with an exception set if there is no memory. */
static bool append_piece(PyObject *pieces, PyObject *text, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *piece = PyUnicode_Substring(text, start, end);
    const bool appended = piece != NULL && PyList_Append(pieces, piece) == 0;
    Py_XDECREF(piece);
    return appended;
}

/* Collects the pieces of what the edits leave and of what they remove. */
static bool take_apart(PyObject *text, PyObject *list, PyObject *left, PyObject *removed)
{
    Py_ssize_t position = 0;
    for (Py_ssize_t e = 0; e < PyList_GET_SIZE(list); e++) {
        PyObject *item = PyList_GET_ITEM(list, e), *new = NULL;
        Replacement edit;
        if (!read_edit(item, position, PyUnicode_GET_LENGTH(text), &edit)) {
            return false;
        }
        new = PyTuple_GET_ITEM(item, 2);
        if (!append_piece(left, text, position, edit.start) || (edit.new_size && PyList_Append(left, new) < 0) ||
            !append_piece(removed, text, edit.start, edit.end)) {
            return false;
        }
        position = edit.end;
    }
    return append_piece(left, text, position, PyUnicode_GET_LENGTH(text));
}

static PyObject *joined(PyObject *pieces)
{
    PyObject *nothing = PyUnicode_New(0, 0);
    PyObject *text = nothing == NULL ? NULL : PyUnicode_Join(nothing, pieces);
    Py_XDECREF(nothing);
    return text;
}

static PyObject *apply(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyUnicode_Check(args[0]) || !PyList_Check(args[1])) {
        return PyErr_Format(PyExc_TypeError, "apply takes (text: str, edits: list)");
    }
    PyObject *left = PyList_New(0), *removed = PyList_New(0), *result = NULL;
    if (left != NULL && removed != NULL && take_apart(args[0], args[1], left, removed)) {
        PyObject *after = joined(left), *gone = joined(removed);
        result = after != NULL && gone != NULL ? PyTuple_Pack(2, after, gone) : NULL;
        Py_XDECREF(after);
        Py_XDECREF(gone);
    }
    Py_XDECREF(left);
    Py_XDECREF(removed);
    return result;
}

static PyObject *splice(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 5 || !PyBytes_Check(args[0]) || !PyUnicode_Check(args[2])) {
        return PyErr_Format(PyExc_TypeError, "splice takes (line: bytes, at: int, text: str, edits: list, ascii: bool)");
    }
    const Py_ssize_t at = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
    const int ascii = PyObject_IsTrue(args[4]);
    return PyErr_Occurred() ? NULL : spliced(args[0], at, args[2], args[3], ascii != 0);
}

static PyMethodDef METHODS[] = {
    {"apply", (PyCFunction)(void (*)(void))apply, METH_FASTCALL,
     "apply(text, edits, /)\n--\n\nThe text after the edits, and the pieces that they removed, joined."},
    {"splice", (PyCFunction)(void (*)(void))splice, METH_FASTCALL,
     "splice(line, at, text, edits, ascii, /)\n--\n\nThe line after the edits of the JSON string `text` at byte `at`, see "
     "antidistill.formats.jsonl."},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(PyInit__edits, "antidistill._edits", "Applies edits to texts and to lines of JSON.", METHODS)
