/* Sealed text in a ledger line: antidistill.batch.seal again. The cipher and its random numbers are those of Python. */
#ifndef ANTIDISTILL_SEAL_H
#define ANTIDISTILL_SEAL_H

#include "_buffer.h"

enum { NONCE_BYTES = 12, NONCES_AT_ONCE = 256 };

/* `encrypt` is that of the cipher (NULL for lines that are not sealed), `random` gives random bytes. Nonces are drawn many at once, each
 * is used for one line, and what is left of them goes with the call: no copy of this process ever has them too. */
typedef struct {
    PyObject *encrypt, *random, *nonces;
    Py_ssize_t used;
} Seal;

/* A new nonce; NULL with an exception set if there is none. */
static PyObject *next_nonce(Seal *seal)
{
    if (seal->nonces == NULL || seal->used + NONCE_BYTES > PyBytes_GET_SIZE(seal->nonces)) {
        Py_XSETREF(seal->nonces, PyObject_CallFunction(seal->random, "i", NONCES_AT_ONCE * NONCE_BYTES));
        if (seal->nonces == NULL || !PyBytes_Check(seal->nonces) || PyBytes_GET_SIZE(seal->nonces) < NONCE_BYTES) {
            Py_CLEAR(seal->nonces);
            return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "random numbers are bytes");
        }
        seal->used = 0;
    }
    seal->used += NONCE_BYTES;
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(seal->nonces) + seal->used - NONCE_BYTES, NONCE_BYTES);
}

/* Appends bytes as base64. */
static void append_base64(Buffer *out, const unsigned char *bytes, Py_ssize_t size)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = size > PY_SSIZE_T_MAX / 2 ? NULL : reserve(out, (size + 2) / 3 * 4);
    if (to == NULL) {
        out->failed = true;
        return;
    }
    out->size += (size + 2) / 3 * 4;
    for (; size > 2; bytes += 3, size -= 3) {
        const unsigned three = (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
        *to++ = DIGITS[three >> 18];
        *to++ = DIGITS[three >> 12 & 63];
        *to++ = DIGITS[three >> 6 & 63];
        *to++ = DIGITS[three & 63];
    }
    if (size) {
        const unsigned last = (unsigned)bytes[0] << 8 | (size > 1 ? bytes[1] : 0);
        *to++ = DIGITS[last >> 10];
        *to++ = DIGITS[last >> 4 & 63];
        *to++ = size > 1 ? DIGITS[last << 2 & 63] : '=';
        *to++ = '=';
    }
}

/* Appends what ends a sealed ledger line; false with an exception set if that fails. */
static bool append_seal(Buffer *ledger, Seal *seal, PyObject *bound, PyObject *removed)
{
    PyObject *nonce = next_nonce(seal);
    PyObject *sealed = nonce == NULL ? NULL : PyObject_CallFunctionObjArgs(seal->encrypt, nonce, removed, bound, NULL);
    const bool is_bytes = sealed != NULL && PyBytes_Check(sealed);
    if (is_bytes) {
        append_literal(ledger, ",\"sealed\":\"");
        append_base64(ledger, (const unsigned char *)PyBytes_AS_STRING(nonce), NONCE_BYTES); /* a multiple of 3: no padding */
        append_base64(ledger, (const unsigned char *)PyBytes_AS_STRING(sealed), PyBytes_GET_SIZE(sealed));
        append_literal(ledger, "\"}\n");
    } else if (sealed != NULL) {
        PyErr_SetString(PyExc_TypeError, "sealed text is bytes");
    }
    Py_XDECREF(nonce);
    Py_XDECREF(sealed);
    return is_bytes;
}

#endif
