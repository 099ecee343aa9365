/* Guards plain rows, one after the other, from the bytes of a file to the bytes of a file: antidistill.batch.quick.
 *
 * What a row is, which rows are plain, how edits are restored and what a ledger line holds is defined in Python, in formats.plain,
 * batch.lines and batch.ledger; this is the same again for the rows where it is simple. A row that is not simple ends a call, and
 * Python does it. Tests prove both equal.
 */
#include "_columns.h"
#include "_line.h"

/* All that one call works with. */
typedef struct {
    Rule rule;
    PyObject *choose, *edges;
    Layouts layouts;
    Account account;
    Edits edits;
    Row row;
    Columns columns;
    Buffer out, offsets; /* offsets are those of the guarded texts, of columns */
} Work;

typedef enum { FAILED = -1, GIVEN_UP, DONE } Outcome;

static void clear(Work *work)
{
    PyMem_RawFree(work->row.specials);
    PyMem_RawFree(work->edits.items);
    PyMem_RawFree(work->edits.spans.items);
    release_columns(&work->columns);
    Py_XDECREF(work->out.object);
    Py_XDECREF(work->offsets.object);
    Py_XDECREF(work->account.ledger.object);
    Py_XDECREF(work->account.scratch.object);
    Py_XDECREF(work->edits.list);
    Py_XDECREF(work->edits.why);
    Py_XDECREF(work->account.reasons);
    Py_XDECREF(work->account.hexdigest);
    Py_XDECREF(work->account.seal.nonces);
}

static PyObject *unless_none(PyObject *object)
{
    return object == Py_None ? NULL : object;
}

/* Reads the recipe, see antidistill.batch.quick.way.Recipe; it outlives the call. False with an exception set if it is another. */
static bool begin(Work *work, PyObject *recipe, Py_ssize_t shard)
{
    PyObject *words, *leads, *choose, *finish, *encrypt;
    Rule *rule = &work->rule;
    if (!PyArg_ParseTuple(recipe, "OOiins#OOOOOOsUOO!", &words, &leads, &rule->fit.mask, &rule->fit.value, &rule->most, &rule->reason,
                          &rule->reason_size, &rule->why, &choose, &finish, &encrypt, &work->account.seal.random, &work->account.sha256,
                          &work->account.spec, &work->edges, &work->layouts.ask, &PyDict_Type, &work->layouts.known)) {
        return false;
    }
    work->choose = unless_none(choose);
    work->layouts.size = -1;
    work->account.finish = unless_none(finish);
    work->account.seal.encrypt = unless_none(encrypt);
    work->account.shard = shard;
    work->account.reasons = PyList_New(0);
    work->account.hexdigest = PyUnicode_InternFromString("hexdigest");
    return work->account.reasons != NULL && work->account.hexdigest != NULL && read_markers(words, leads, &rule->markers);
}

static PyObject *name_of(const Work *work, const Plain *plain, Py_ssize_t number)
{
    const int named = plain->prompt >= 0 ? plain->prompt : plain->id;
    if (named < 0) {
        return PyUnicode_FromFormat("%zd", number);
    }
    const Value *value = &work->row.values[named];
    if (value->kind == 's') {
        return as_str(&work->row, value);
    }
    return value->bytes == NULL ? PyUnicode_FromFormat("%lld", (long long)value->number)
                                : PyUnicode_FromStringAndSize(value->bytes + value->start, value->end - value->start);
}

/* Asks Python for the edits; gives up where it fails: the long way fails again, and says why. */
static Outcome choose_in_python(Work *work, const Plain *plain, PyObject *text, Py_ssize_t number)
{
    PyObject *name = name_of(work, plain, number);
    PyObject *chosen = name == NULL ? NULL : PyObject_CallFunctionObjArgs(work->choose, text, name, NULL);
    const bool is_taken = chosen != NULL && take_choice(chosen, plain->reasoning->characters, &work->edits);
    Py_XDECREF(name);
    Py_XDECREF(chosen);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        return GIVEN_UP;
    }
    return PyErr_Occurred() ? FAILED : is_taken ? DONE : GIVEN_UP;
}

/* The edits of a row that is plain, and its reasoning. */
static Outcome choose(Work *work, Plain *plain, Py_ssize_t number, Reading *reading)
{
    if (!find_layout(&work->layouts, &work->row)) {
        return FAILED;
    }
    if (!work->layouts.is_plain || !find_plain(&work->row, &work->layouts.layout, work->edges, plain)) {
        return GIVEN_UP;
    }
    if (!read_reasoning(&work->row, plain->reasoning, work->rule.most < 0, reading)) {
        return FAILED;
    }
    if (work->rule.most < 0) {
        const Outcome outcome = choose_in_python(work, plain, reading->str, number);
        if (outcome != DONE) {
            return outcome;
        }
    } else if (!choose_by_rule(&reading->text, &work->rule, &work->edits)) {
        return FAILED;
    }
    return DONE;
}

/* Enters a row that is done; `whole` is its line as it came, where the ledger has to hold that. */
static Outcome enter(Work *work, const Plain *plain, Py_ssize_t number, const Text *text, PyObject *whole)
{
    const bool is_entered = count_row(&work->account, text, plain->reasoning, &work->edits) &&
        add_line(&work->account, &work->row, plain, text, &work->edits, number, whole);
    return is_entered ? DONE : FAILED;
}

static Outcome finish_line(Work *work, const Plain *plain, const char *line, Py_ssize_t size, Py_ssize_t number, const Text *text)
{
    const Py_ssize_t end = work->out.size;
    find_bytes(&work->row, plain->reasoning, &work->edits);
    const Written written = append_line(&work->out, &work->row, plain->reasoning, line, size, &work->edits);
    if (work->out.failed) {
        PyErr_NoMemory();
        return FAILED;
    }
    if (written == UNKNOWN) {
        work->out.size = end;
        return GIVEN_UP;
    }
    PyObject *whole = written == WHOLE ? PyBytes_FromStringAndSize(line, size) : NULL;
    const Outcome outcome = written == WHOLE && whole == NULL ? FAILED : enter(work, plain, number, text, whole);
    Py_XDECREF(whole);
    return outcome;
}

/* Guards one line; `size` is what is left of the lines, and becomes the size of this one. */
static Outcome guard_line(Work *work, const char *line, Py_ssize_t *size, Py_ssize_t number)
{
    *size = read_line(&work->row, line, *size);
    if (*size < 0) {
        return GIVEN_UP;
    }
    Plain plain;
    Reading reading = {.str = NULL};
    Outcome outcome = choose(work, &plain, number, &reading);
    if (outcome == DONE) {
        outcome = finish_line(work, &plain, line, *size, number, &reading.text);
    }
    Py_XDECREF(reading.str);
    return outcome;
}

/* (guarded, traces, characters, removed, removed sentences, edits), and the reasons of unchanged rows. */
static PyObject *counts(const Account *account)
{
    return Py_BuildValue("((nnnnnn)O)", account->guarded, account->traces, account->characters, account->removed,
                         account->removed_sentences, account->edits, account->reasons);
}

static PyObject *guard_lines(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *data, *recipe;
    Py_ssize_t position, number, shard;
    if (!PyArg_ParseTuple(args, "SnnnO!", &data, &position, &number, &shard, &PyTuple_Type, &recipe)) {
        return NULL;
    }
    const char *lines = PyBytes_AS_STRING(data);
    const Py_ssize_t end = PyBytes_GET_SIZE(data);
    if (position < 0 || position > end) {
        return PyErr_Format(PyExc_ValueError, "position %zd is not within the %zd bytes", position, end);
    }
    Work *work = PyMem_RawCalloc(1, sizeof *work);
    if (work == NULL) {
        return PyErr_NoMemory();
    }
    Outcome outcome = begin(work, recipe, shard) ? DONE : FAILED;
    grow(&work->out, end - position + 1); /* most methods only remove */
    while (outcome == DONE && position < end) {
        Py_ssize_t size = end - position;
        outcome = guard_line(work, lines + position, &size, number);
        position += outcome == DONE ? size : 0;
        number += outcome == DONE;
    }
    PyObject *result = outcome == FAILED
        ? NULL
        : Py_BuildValue("(nnNNN)", position, number, as_bytes(&work->out), as_bytes(&work->account.ledger), counts(&work->account));
    clear(work);
    PyMem_RawFree(work);
    return result;
}

/* Appends where the text that was written last ends; false with an exception set if that is too far. */
static bool append_offset(Work *work, int width)
{
    const int64_t wide = work->out.size;
    const int32_t narrow = (int32_t)wide;
    if (width == 4 && narrow != wide) {
        PyErr_SetString(PyExc_OverflowError, "the guarded texts of a batch are too long");
        return false;
    }
    append_bytes(&work->offsets, width == 4 ? (const char *)&narrow : (const char *)&wide, width);
    if (work->out.failed || work->offsets.failed) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

static Outcome guard_row(Work *work, Py_ssize_t place, Py_ssize_t number, int width)
{
    if (!read_row(&work->row, &work->columns, place)) {
        return GIVEN_UP;
    }
    Plain plain;
    Reading reading = {.str = NULL};
    Outcome outcome = choose(work, &plain, number, &reading);
    if (outcome == DONE) {
        append_guarded(&work->out, &work->row, plain.reasoning, &reading.text, &work->edits);
        outcome = append_offset(work, width) ? enter(work, &plain, number, &reading.text, NULL) : FAILED;
    }
    Py_XDECREF(reading.str);
    return outcome;
}

static PyObject *guard_columns(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *columns, *recipe;
    Py_ssize_t position, stop, number, shard;
    int width;
    if (!PyArg_ParseTuple(args, "OnnnniO!", &columns, &position, &stop, &number, &shard, &width, &PyTuple_Type, &recipe)) {
        return NULL;
    }
    if (position < 0 || (width != 4 && width != 8)) {
        return PyErr_Format(PyExc_ValueError, "no such position or width");
    }
    Work *work = PyMem_RawCalloc(1, sizeof *work);
    if (work == NULL) {
        return PyErr_NoMemory();
    }
    bool is_begun = begin(work, recipe, shard) && take_columns(columns, stop, &work->columns);
    if (is_begun) { /* room for all at once: what grows is copied again and again */
        grow(&work->out, most_bytes(&work->columns, position, stop) + 1);
        grow(&work->account.ledger, is_kept(&work->account) ? LEDGER_BYTES * (stop - position) + work->out.capacity / 2 : 0);
        grow(&work->offsets, (position < stop ? stop - position + 1 : 1) * width);
        is_begun = append_offset(work, width);
    }
    Outcome outcome = is_begun ? DONE : FAILED;
    while (outcome == DONE && position < stop) {
        outcome = guard_row(work, position, number, width);
        position += outcome == DONE;
        number += outcome == DONE;
    }
    PyObject *result = outcome == FAILED ? NULL
                                         : Py_BuildValue("(nNNNN)", position, as_bytes(&work->offsets), as_bytes(&work->out),
                                                         as_bytes(&work->account.ledger), counts(&work->account));
    clear(work);
    PyMem_RawFree(work);
    return result;
}

static PyObject *count_lines(PyObject *module, PyObject *data)
{
    (void)module;
    if (!PyBytes_Check(data)) {
        return PyErr_Format(PyExc_TypeError, "count_lines takes bytes");
    }
    const char *here = PyBytes_AS_STRING(data), *const end = here + PyBytes_GET_SIZE(data);
    Py_ssize_t count = 0;
    while (here < end) {
        const char *newline = memchr(here, '\n', (size_t)(end - here));
        here = newline == NULL ? end : newline + 1;
        count++;
    }
    return PyLong_FromSsize_t(count);
}

static PyMethodDef METHODS[] = {
    {"count_lines", count_lines, METH_O, "count_lines(data, /)\n--\n\nNumber of lines, the last one perhaps without an end."},
    {"guard_columns", guard_columns, METH_VARARGS,
     "guard_columns(columns, position, stop, number, shard, width, recipe, /)\n--\n\nGuards rows from `position`, row `number` of the "
     "shard, on, up to the first that is not plain: where that is, offsets and bytes of the guarded texts, ledger lines, counts."},
    {"guard_lines", guard_lines, METH_VARARGS,
     "guard_lines(data, position, number, shard, recipe, /)\n--\n\nGuards lines from byte `position`, line `number`, on, up to the "
     "first that is not plain: where that is, its number, guarded lines, ledger lines, counts."},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(PyInit__quick, "antidistill.batch.quick._quick", "Guards plain rows.", METHODS)
