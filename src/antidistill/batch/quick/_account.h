/* The account of the rows that are done: counts, and the lines of the ledger. */
#ifndef ANTIDISTILL_ACCOUNT_H
#define ANTIDISTILL_ACCOUNT_H

#include "_choice.h"
#include "_layout.h"
#include "_seal.h"

/* `finish` makes the rest of a ledger line where `seal` does not (NULL for no ledger), `sha256` hashes, `spec` is the hash of the spec. */
typedef struct {
    PyObject *finish, *sha256, *hexdigest, *reasons;
    Seal seal;
    const char *spec;
    Py_ssize_t shard;
    Py_ssize_t guarded, traces, characters, removed, removed_sentences, edits;
    Buffer ledger, scratch;
} Account;

enum { LEDGER_BYTES = 640 }; /* of a line, about, without what was removed */

static bool is_kept(const Account *account)
{
    return account->finish != NULL || account->seal.encrypt != NULL;
}

static void append_id(Buffer *out, const Row *row, const Plain *plain, Py_ssize_t number)
{
    append_literal(out, "\"");
    if (plain->id < 0) {
        append_number(out, number);
    } else {
        const Value *id = &row->values[plain->id];
        if (id->kind == 's') {
            const Py_ssize_t start = out->size;
            append_characters(out, row, id, 0, id->characters);
            Buffer raw = {.object = NULL}; /* escapes are rare */
            if (!out->failed && next_unusual(out->data, start, out->size, true) < out->size) {
                append_bytes(&raw, out->data + start, out->size - start);
                out->size = start;
                append_escaped(out, raw.data, raw.size, false);
            }
            out->failed |= raw.failed;
            Py_XDECREF(raw.object);
        } else if (id->bytes == NULL) {
            append_number(out, (Py_ssize_t)id->number);
        } else {
            append_bytes(out, id->bytes + id->start, id->end - id->start);
        }
    }
    append_literal(out, "\"");
}

/* Appends the SHA-256 of the answer in hexadecimal digits; false with an exception set if that fails. */
static bool append_answer_hash(Account *account, const Row *row, const Plain *plain)
{
    const Py_ssize_t start = account->scratch.size;
    if (plain->answer >= 0) {
        const Value *answer = &row->values[plain->answer];
        append_characters(&account->scratch, row, answer, 0, answer->characters);
    }
    if (account->scratch.failed) {
        PyErr_NoMemory();
        return false;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(account->scratch.data + start, account->scratch.size - start);
    account->scratch.size = start;
    PyObject *hash = bytes == NULL ? NULL : PyObject_CallOneArg(account->sha256, bytes);
    PyObject *digest = hash == NULL ? NULL : PyObject_CallMethodNoArgs(hash, account->hexdigest);
    Py_ssize_t size = 0;
    const char *digits = digest == NULL ? NULL : PyUnicode_AsUTF8AndSize(digest, &size);
    if (digits != NULL) {
        append_bytes(&account->scratch, digits, size);
    }
    Py_XDECREF(bytes);
    Py_XDECREF(hash);
    Py_XDECREF(digest);
    return digits != NULL;
}

static void append_edits(Buffer *out, const Edits *edits)
{
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        const Edit *edit = &edits->items[e];
        append_bytes(out, ",[", e ? 2 : 0);
        append_bytes(out, "[", e ? 0 : 1);
        append_number(out, edit->start);
        append_literal(out, ",");
        append_number(out, edit->end);
        append_literal(out, ",");
        append_number(out, edit->characters);
        append_literal(out, ",\"");
        append_escaped(out, edit->reason, edit->reason_size, false);
        append_literal(out, "\"]");
    }
}

/* Appends the fields of a ledger line, as antidistill.batch.ledger writes them; false with an exception set if that fails. */
static bool append_fields(Account *account, const Row *row, const Plain *plain, const Edits *edits, Py_ssize_t number, bool whole)
{
    Buffer *out = &account->scratch;
    append_literal(out, "{\"shard\":");
    append_number(out, account->shard);
    append_literal(out, ",\"row\":");
    append_number(out, number);
    append_literal(out, ",\"number\":0,\"trace\":");
    append_id(out, row, plain, number);
    append_literal(out, ",\"spec\":\"");
    append_bytes(out, account->spec, (Py_ssize_t)strlen(account->spec));
    append_literal(out, "\",\"answer_sha256\":\"");
    if (!append_answer_hash(account, row, plain)) {
        return false;
    }
    append_literal(out, "\",\"edits\":[");
    append_edits(out, edits);
    append_literal(out, "],\"at\":[[[");
    append_bytes(out, plain->reasoning->key, plain->reasoning->key_size);
    append_literal(out, "],0,");
    append_number(out, length_after(plain->reasoning, edits));
    append_literal(out, "]]");
    if (edits->count == 0) {
        Py_ssize_t size = 0;
        const char *why = PyUnicode_AsUTF8AndSize(edits->why, &size);
        if (why == NULL) {
            return false;
        }
        append_literal(out, ",\"unchanged\":\"");
        append_escaped(out, why, size, false);
        append_literal(out, "\"");
    }
    if (whole) {
        append_literal(out, ",\"whole_row\":true");
    }
    append_literal(out, "}");
    return true;
}

/* Appends characters [from, to) of the reasoning, which `text` holds too: the quicker of the two to copy. */
static void append_piece(Buffer *out, const Row *row, const Value *value, const Text *text, Py_ssize_t from, Py_ssize_t to)
{
    if (value->widest < 0x80) {
        append_bytes(out, (const char *)text->data + from, to - from);
    } else {
        append_characters(out, row, value, from, to);
    }
}

/* Appends the reasoning after the edits as UTF-8. */
static void append_guarded(Buffer *out, const Row *row, const Value *value, const Text *text, const Edits *edits)
{
    Py_ssize_t position = 0;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        append_piece(out, row, value, text, position, edits->items[e].start);
        append_bytes(out, edits->items[e].text, edits->items[e].size);
        position = edits->items[e].end;
    }
    append_piece(out, row, value, text, position, value->characters);
}

static PyObject *removed_text(Buffer *scratch, const Row *row, const Value *value, const Text *text, const Edits *edits)
{
    const Py_ssize_t start = scratch->size;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        append_piece(scratch, row, value, text, edits->items[e].start, edits->items[e].end);
    }
    return scratch->failed ? PyErr_NoMemory() : PyBytes_FromStringAndSize(scratch->data + start, scratch->size - start);
}

/* Appends what Python ends a ledger line with; false with an exception set if that fails. */
static bool append_rest(Account *account, PyObject *bound, Py_ssize_t head, PyObject *removed)
{
    PyObject *rest = PyObject_CallFunction(account->finish, "OnO", bound, head, removed);
    const bool is_bytes = rest != NULL && PyBytes_Check(rest);
    if (is_bytes) {
        append_bytes(&account->ledger, PyBytes_AS_STRING(rest), PyBytes_GET_SIZE(rest));
    } else if (rest != NULL) {
        PyErr_SetString(PyExc_TypeError, "the rest of a ledger line is bytes");
    }
    Py_XDECREF(rest);
    return is_bytes;
}

/* Adds the ledger line of a row, which holds the `whole` row where there is one; false with an exception set if that fails. */
static bool add_line(Account *account, const Row *row, const Plain *plain, const Text *text, const Edits *edits, Py_ssize_t number, PyObject *whole)
{
    Buffer *scratch = &account->scratch;
    scratch->size = 0;
    if (!is_kept(account)) {
        return true;
    }
    if (!append_fields(account, row, plain, edits, number, whole != NULL)) {
        return false;
    }
    const Py_ssize_t head = scratch->size;
    append_guarded(scratch, row, plain->reasoning, text, edits);
    if (scratch->failed) {
        PyErr_NoMemory();
        return false;
    }
    PyObject *bound = PyBytes_FromStringAndSize(scratch->data, scratch->size);
    PyObject *removed = bound == NULL ? NULL : whole != NULL ? Py_NewRef(whole) : removed_text(scratch, row, plain->reasoning, text, edits);
    append_bytes(&account->ledger, scratch->data, removed == NULL ? 0 : head - 1);
    const bool is_ended = removed != NULL && (account->seal.encrypt != NULL ? append_seal(&account->ledger, &account->seal, bound, removed)
                                                                            : append_rest(account, bound, head, removed));
    Py_XDECREF(bound);
    Py_XDECREF(removed);
    if (is_ended && account->ledger.failed) {
        PyErr_NoMemory();
    }
    return is_ended && !account->ledger.failed;
}

/* Counts a row; false with an exception set if that fails. */
static bool count_row(Account *account, const Text *text, const Value *value, const Edits *edits)
{
    account->traces++;
    account->characters += value->characters;
    if (edits->count == 0) {
        return PyList_Append(account->reasons, edits->why) == 0;
    }
    account->guarded++;
    account->edits += edits->count;
    account->removed += value->characters - length_after(value, edits);
    account->removed_sentences += removed_sentences(text, edits);
    return true;
}

#endif
