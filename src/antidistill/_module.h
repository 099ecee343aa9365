/* What the extension modules say of themselves: they keep no state, so interpreters and threads may share them. */
#ifndef ANTIDISTILL_MODULE_H
#define ANTIDISTILL_MODULE_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

static PyModuleDef_Slot SLOTS[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

#define DEFINE_MODULE(INIT, NAME, DOC, METHODS)                                                                          \
    static struct PyModuleDef MODULE = {                                                                                 \
        PyModuleDef_HEAD_INIT, .m_name = NAME, .m_doc = DOC, .m_methods = METHODS, .m_slots = SLOTS,                      \
    };                                                                                                                   \
    PyMODINIT_FUNC INIT(void)                                                                                            \
    {                                                                                                                    \
        return PyModuleDef_Init(&MODULE);                                                                                \
    }

#endif
