/* Where sentences start: the rules of scan.py, function by function, on the characters of a str without a copy.
 *
 * scan.py is the definition and says why; a test proves both equal. Only the search for the next special character is written
 * once per storage width of str (1, 2 or 4 bytes); the rules run once per special character and read through `at`.
 */
#include "_scan_regions.h"

static Decision decide(const Text *text, Py_ssize_t here)
{
    const Py_UCS4 character = at(text, here);
    if (is_stop(character)) {
        return after_stop(text, here);
    }
    if (character == '\n') {
        return after_newline(text, here);
    }
    if (is_cjk_stop(character)) {
        return after_cjk_stop(text, here);
    }
    return after_region(text, here);
}

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

static PyObject *scan_text(const Text *text, Py_ssize_t position)
{
    PyObject *cuts = PyList_New(0);
    if (cuts == NULL) {
        return NULL;
    }
    Py_ssize_t resume = text->length;
    Py_ssize_t safe = text->length;
    Py_ssize_t here = smaller(larger(position, 0), text->length);
    while ((here = next_special(text, here)) < text->length) {
        const Decision decision = decide(text, here);
        if (decision.next == UNDECIDED) {
            resume = here;
            safe = decision.cut;
            break;
        }
        if (decision.cut > 0 && !append(cuts, decision.cut)) {
            Py_DECREF(cuts);
            return NULL;
        }
        here = decision.next;
    }
    return Py_BuildValue("(Nnn)", cuts, resume, safe);
}

/* Reads the arguments of `scan`; returns false with an exception set where they are not (str, int, bool). */
static bool read_arguments(PyObject *const *args, Py_ssize_t count, Text *text, Py_ssize_t *position)
{
    if (count != 3) {
        PyErr_Format(PyExc_TypeError, "scan takes 3 arguments (text, position, final), %zd given", count);
        return false;
    }
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "text is a str, not %.100s", Py_TYPE(args[0])->tp_name);
        return false;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(args[0]) < 0) {
        return false;
    }
#endif
    *position = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
    if (*position == -1 && PyErr_Occurred()) {
        return false;
    }
    const int final = PyObject_IsTrue(args[2]);
    if (final < 0) {
        return false;
    }
    *text = (Text){
        .object = args[0],
        .data = PyUnicode_DATA(args[0]),
        .kind = (int)PyUnicode_KIND(args[0]),
        .final = final != 0,
        .length = PyUnicode_GET_LENGTH(args[0]),
    };
    return true;
}

static PyObject *scan(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    Text text;
    Py_ssize_t position;
    if (!read_arguments(args, count, &text, &position)) {
        return NULL;
    }
    return scan_text(&text, position);
}

static PyMethodDef METHODS[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL,
     "scan(text, position, final, /)\n--\n\nFinds the sentence starts in text[position:], as antidistill.text.scan.scan does."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "antidistill.text._scan",
    .m_doc = "The rules of antidistill.text.scan in C.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__scan(void)
{
    return PyModuleDef_Init(&MODULE);
}
