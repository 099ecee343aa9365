/* A JSON line after the edits, where it is plain that the edits undone give the line again: see antidistill.batch.lines. */
#ifndef ANTIDISTILL_LINE_H
#define ANTIDISTILL_LINE_H

#include "_account.h"

enum { RESTORE_PROBE = 64 }; /* characters */

/* Whether a string that begins like this stands in the line before byte `first` or from byte `last` on. */
static bool stands_elsewhere(const char *line, Py_ssize_t size, Py_ssize_t first, Py_ssize_t last, const char *begin, Py_ssize_t length)
{
    return find_in(line, first + length - 1, begin, length) != NULL || find_in(line + last, size - last, begin, length) != NULL;
}

/* Byte behind so many characters of a JSON string that is known to be whole. */
static Py_ssize_t behind_characters(const char *line, Py_ssize_t here, Py_ssize_t count)
{
    for (; count > 0 && line[here] != '"'; count--) {
        if (line[here] != '\\') {
            here += utf8_size((unsigned char)line[here]);
        } else if (line[here + 1] != 'u') {
            here += 2;
        } else {
            const bool is_pair = (line[here + 2] | 0x20) == 'd' && strchr("89abAB", line[here + 3]) != NULL;
            here += is_pair ? 12 : 6;
        }
    }
    return here;
}

static bool is_ascii(const char *bytes, Py_ssize_t size)
{
    return next_unusual(bytes, 0, size, false) == size;
}

/* Whether the string of the reasoning is written as restoring expects it: in the usual way, behind its key, found by its beginning. */
static bool is_restorable(const Row *row, const Value *value, const char *line, Py_ssize_t size)
{
    const Py_ssize_t at = value->start - 1, key_end = value->key + value->key_size - line;
    const bool is_behind_key = line[key_end] == ':' && (at == key_end + 1 || (at == key_end + 2 && line[key_end + 1] == ' '));
    if (!is_behind_key || (row->is_wide && value->is_narrowed)) {
        return false;
    }
    const Py_ssize_t probe = value->characters < RESTORE_PROBE ? value->characters : RESTORE_PROBE;
    return !stands_elsewhere(line, size, at, value->end + 1, line + at, byte_of(row, value, probe) - at);
}

/* Whether the line gives itself again when the edits are undone; a line that becomes ASCII does not, and the ledger holds it whole. */
typedef enum { UNKNOWN, RESTORABLE, WHOLE } Written;

/* Appends the line after the edits; UNKNOWN to give up, or if there is no memory. */
static Written append_line(Buffer *out, const Row *row, const Value *value, const char *line, Py_ssize_t size, const Edits *edits)
{
    if (edits->count == 0) {
        append_bytes(out, line, size);
        return out->failed ? UNKNOWN : RESTORABLE;
    }
    if (!is_restorable(row, value, line, size)) {
        return UNKNOWN;
    }
    const Py_ssize_t begin = out->size, at = value->start - 1;
    Py_ssize_t position = 0;
    for (Py_ssize_t e = 0; e < edits->count; e++) {
        append_bytes(out, line + position, edits->items[e].first - position);
        append_escaped(out, edits->items[e].text, edits->items[e].size, !row->is_wide);
        position = edits->items[e].last;
    }
    append_bytes(out, line + position, value->end - position);
    const Py_ssize_t new_end = out->size - begin + 1;
    append_bytes(out, line + value->end, size - value->end);
    if (out->failed) {
        return UNKNOWN;
    }
    const char *written = out->data + begin;
    const Py_ssize_t written_size = out->size - begin;
    if (row->is_wide && is_ascii(written, written_size)) {
        return WHOLE;
    }
    if (edits->items[0].start >= RESTORE_PROBE) {
        return RESTORABLE;
    }
    const Py_ssize_t probe = behind_characters(written, at + 1, RESTORE_PROBE) - at;
    return stands_elsewhere(written, written_size, at, new_end, written + at, probe) ? UNKNOWN : RESTORABLE;
}

#endif
