/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What anyone may write to the control socket is read or refused in words; a selection that was
 * read can be asked, and what it may not fit it does not. */
#include "mem.h"
#include "pattern.h"
#include "question.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_selection(const struct selection *s, enum store_state state, bool hidden)
{
    static char sender[] = "app@Example.com", one[] = "a@example.net", other[] = "B@x.example";
    static struct store_recipient recipients[2];
    recipients[0] = (struct store_recipient){.address = one};
    recipients[1] = (struct store_recipient){.address = other, .state = STORE_FAILED};
    const struct store_message m = {.id = 0x06CC8590AD87,
                                    .state = state,
                                    .sender = sender,
                                    .recipients = recipients,
                                    .n_recipients = 2,
                                    .uid = 1000,
                                    .arrival_ms = 500};
    const struct selection_view view = {.hidden = hidden};
    bool fits = selection_fits(s, &m, &view);
    unsigned states = selection_store_states(s);
    BUG_ON(fits && !selection_may_fit(s, &m));
    BUG_ON(fits && states && !(states & 1U << state));
    BUG_ON(fits && hidden && (s->from || s->to || s->match.field));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct question q;
    struct err err = {.text = ""};
    char *words = mem_strndup((const char *)data, n);
    if (question_read(&q, (struct str){words, n}, 1000, &err) != 0) {
        BUG_ON(strlen(err.text) < 10);
        free(words);
        return 0;
    }
    const struct selection *s = &q.selection;
    BUG_ON((s->from && strlen(s->from) > PATTERN_MAX) ||
           (s->to && strlen(s->to) > PATTERN_MAX));
    for (unsigned i = 0; i < s->n_ids; i++) {
        char text[STORE_ID_MAX];
        store_id_format(text, s->ids[i]);
    }
    for (int state = STORE_QUEUED; state <= STORE_DEAD; state++) {
        check_selection(s, (enum store_state)state, false);
        check_selection(s, (enum store_state)state, true);
    }
    question_release(&q);
    free(words);
    return 0;
}
