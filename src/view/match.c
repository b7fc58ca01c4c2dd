/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "match.h"

bool match_read(struct match *m, struct str words)
{
    m->no = words.n && words.p[0] == '!';
    if (m->no)
        words = str_tail(words, 1);
    if (words.n < 3 || words.p[1] != ':' || str_find(STR_LIT("IRS"), words.p[0]) == 3)
        return false;
    m->field = words.p[0];
    m->text = str_tail(words, 2);
    return true;
}

static bool has(struct str s, struct str text)
{
    for (; s.n >= text.n; s = str_tail(s, 1)) {
        if (str_starts_nocase(s, text))
            return true;
    }
    return false;
}

static bool has_field(const struct match *m, const struct store_message *message)
{
    char id[STORE_ID_MAX];
    if (m->field == 'S')
        return has(str_of(message->sender), m->text);
    if (m->field == 'I') {
        store_id_format(id, message->id);
        return has(str_of(id), m->text);
    }
    for (unsigned i = 0; i < message->n_recipients; i++) {
        const struct store_recipient *r = &message->recipients[i];
        if (r->state == STORE_WAITING && has(str_of(r->address), m->text))
            return true;
    }
    return false;
}

bool match_fits(const struct match *m, const struct store_message *message)
{
    return has_field(m, message) != m->no;
}
