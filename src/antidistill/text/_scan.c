/* Where sentences start: the rules of scan.py, function by function, on the characters of a str without a copy.
 *
 * scan.py is the definition and says why; a test proves both equal. Only the search for the next special character is written
 * once per storage width of str (1, 2 or 4 bytes); the rules run once per special character and read through `at`.
 */
#include "_sentences.h"

/* Appends `number` to `list`; returns false with an exception set if there is no memory. */
static bool append(PyObject *list, Py_ssize_t number)
{
    PyObject *item = PyLong_FromSsize_t(number);
    if (item == NULL) {
        return false;
    }
    const int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed == 0;
}

typedef struct {
    Py_ssize_t resume, safe;
} Reached;

/* Appends to `cuts` what is certain in text[position:]; returns false with an exception set if there is no memory. */
static bool append_cuts(const Text *text, Py_ssize_t position, PyObject *cuts, Reached *reached)
{
    *reached = (Reached){.resume = text->length, .safe = text->length};
    Py_ssize_t here = smaller(larger(position, 0), text->length);
    while ((here = next_special(text, here)) < text->length) {
        const Decision decision = decide(text, here);
        if (decision.next == UNDECIDED) {
            *reached = (Reached){.resume = here, .safe = decision.cut};
            break;
        }
        if (decision.cut > 0 && !append(cuts, decision.cut)) {
            return false;
        }
        here = decision.next;
    }
    return true;
}

static PyObject *scan(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 3) {
        return PyErr_Format(PyExc_TypeError, "scan takes 3 arguments (text, position, final), %zd given", count);
    }
    const Py_ssize_t position = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
    const int final = PyObject_IsTrue(args[2]);
    Text text;
    if ((position == -1 && PyErr_Occurred()) || final < 0 || !read_text(args[0], final != 0, &text)) {
        return NULL;
    }
    PyObject *cuts = PyList_New(0);
    Reached reached;
    if (cuts == NULL || !append_cuts(&text, position, cuts, &reached)) {
        Py_XDECREF(cuts);
        return NULL;
    }
    return Py_BuildValue("(Nnn)", cuts, reached.resume, reached.safe);
}

/* Appends start and flags of each sentence; returns false with an exception set if there is no memory. */
static bool append_sentences(const Text *text, const Markers *markers, PyObject *starts, PyObject *flags)
{
    for (Sentence sentence = {0}; sentence.start < text->length; sentence.start = sentence.end) {
        sentence.end = next_cut(text, sentence.start);
        const char flag = (char)(marker_flag(text, sentence, markers) | item_flags(text, sentence) | shape_flags(text, sentence));
        if (!append(starts, sentence.start) || PyByteArray_Resize(flags, sentence.number + 1) < 0) {
            return false;
        }
        PyByteArray_AS_STRING(flags)[sentence.number++] = flag;
    }
    return true;
}

static PyObject *survey(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    Text text;
    Markers markers;
    if (count != 3) {
        return PyErr_Format(PyExc_TypeError, "survey takes 3 arguments (text, words, leads), %zd given", count);
    }
    if (!read_text(args[0], true, &text) || !read_markers(args[1], args[2], &markers)) {
        return NULL;
    }
    PyObject *starts = PyList_New(0);
    PyObject *flags = PyByteArray_FromStringAndSize(NULL, 0);
    PyObject *result = NULL;
    if (starts != NULL && flags != NULL && append_sentences(&text, &markers, starts, flags)) {
        PyObject *bytes = PyBytes_FromObject(flags);
        result = bytes == NULL ? NULL : PyTuple_Pack(2, starts, bytes);
        Py_XDECREF(bytes);
    }
    Py_XDECREF(starts);
    Py_XDECREF(flags);
    return result;
}

/* Appends (number, start, end, flags) of the sentence to `found` if its flags fit. */
static bool append_candidate(const Text *text, Sentence sentence, const Markers *markers, Fit fit, PyObject *found)
{
    const int flags = flags_if_fit(text, sentence, markers, fit);
    if (flags < 0) {
        return true;
    }
    PyObject *row = Py_BuildValue("(nnni)", sentence.number, sentence.start, sentence.end, flags);
    const bool appended = row != NULL && PyList_Append(found, row) == 0;
    Py_XDECREF(row);
    return appended;
}

static PyObject *candidates(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    Text text;
    Markers markers;
    if (count != 5) {
        return PyErr_Format(PyExc_TypeError, "candidates takes 5 arguments (text, words, leads, mask, value), %zd given", count);
    }
    const Fit fit = {.mask = (int)PyLong_AsLong(args[3]), .value = (int)PyLong_AsLong(args[4])};
    if (PyErr_Occurred() || !read_text(args[0], true, &text) || !read_markers(args[1], args[2], &markers)) {
        return NULL;
    }
    PyObject *found = PyList_New(0);
    Sentence sentence = {0};
    while (found != NULL && sentence.start < text.length) {
        sentence.end = next_cut(&text, sentence.start);
        if (!append_candidate(&text, sentence, &markers, fit, found)) {
            Py_CLEAR(found);
        }
        sentence = (Sentence){.number = sentence.number + 1, .start = sentence.end};
    }
    return found;
}

static PyObject *span_list(const Spans *spans)
{
    PyObject *list = PyList_New(spans->count);
    for (Py_ssize_t s = 0; list != NULL && s < spans->count; s++) {
        PyObject *span = Py_BuildValue("(nn)", spans->items[s].start, spans->items[s].end);
        if (span == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, s, span);
        }
    }
    return list;
}

/* The first of the candidates that may go, as spans; see antidistill.defenses.seams. */
static PyObject *cut_first(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    Text text;
    Markers markers;
    if (count != 6) {
        return PyErr_Format(PyExc_TypeError, "cut_first takes 6 arguments (text, words, leads, mask, value, most), %zd given", count);
    }
    const Fit fit = {.mask = (int)PyLong_AsLong(args[3]), .value = (int)PyLong_AsLong(args[4])};
    const Py_ssize_t left = PyNumber_AsSsize_t(args[5], NULL);
    if (PyErr_Occurred() || !read_text(args[0], true, &text) || !read_markers(args[1], args[2], &markers)) {
        return NULL;
    }
    Spans spans = {0};
    take_first(&text, &markers, fit, left, &spans);
    PyObject *list = spans.failed ? PyErr_NoMemory() : span_list(&spans);
    PyMem_RawFree(spans.items);
    return list;
}

static PyMethodDef METHODS[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL,
     "scan(text, position, final, /)\n--\n\nFinds the sentence starts in text[position:], as antidistill.text.scan.scan does."},
    {"survey", (PyCFunction)(void (*)(void))survey, METH_FASTCALL,
     "survey(text, words, leads, /)\n--\n\nSentence starts and flags, as antidistill.text.survey.survey gives them."},
    {"candidates", (PyCFunction)(void (*)(void))candidates, METH_FASTCALL,
     "candidates(text, words, leads, mask, value, /)\n--\n\nSentences whose flags fit, as antidistill.text.survey.candidates gives them."},
    {"cut_first", (PyCFunction)(void (*)(void))cut_first, METH_FASTCALL,
     "cut_first(text, words, leads, mask, value, most, /)\n--\n\nSpans that go when the first `most` candidates are cut."},
    {NULL, NULL, 0, NULL},
};

DEFINE_MODULE(PyInit__scan, "antidistill.text._scan", "The rules of antidistill.text.scan in C.", METHODS)
