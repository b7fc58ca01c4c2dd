/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pace.h"

enum {
    FIRST_MS = 1000
};

/* A secret that was refused once is offered again after retry-min, since servers say 535 also
 * while what they ask is away; then no sooner than in 15 minutes, for accounts are locked by
 * such knocking. A changed secret is seen at once in any case. */
enum kind {
    COUNTED,
    SECRET
};

static const struct {
    const char *code;
    enum kind kind;
} causes[] = {
    {"AUTH-REJECTED", SECRET},    {"AUTH-WHITESPACE", SECRET}, {"AUTH-USERFORM", SECRET},
    {"AUTH-APPPASSWORD", SECRET}, {"AUTH-WEBLOGIN", SECRET},   {"AUTH-BASICOFF", SECRET},
    {"AUTH-TOOMANY", SECRET},     {"AUTH-TRANSITION", SECRET}, {"AUTH-TOKEN-EXPIRED", SECRET},
    {"AUTH-SCRAM-FAKE", SECRET},  {"AUTH-BINDING", SECRET},    {"OAUTH-REFRESH-DEAD", SECRET},
    {"ACCOUNT-BLOCKED", SECRET},  {"AUTH-HELPER", COUNTED},    {"QUOTA-DAY", COUNTED},
    {"RATE-MSG", COUNTED},
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct schedule_pace up_to(int64_t max_ms, int64_t retry_max_ms)
{
    int64_t first_ms = least(FIRST_MS, retry_max_ms);
    return (struct schedule_pace){first_ms, least(2 * FIRST_MS, retry_max_ms),
                                  least(max_ms, retry_max_ms)};
}

struct schedule_pace pace_of(const struct fault *f, bool late, int64_t retry_min_ms,
                             int64_t retry_max_ms)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (!str_eq(str_of(f->code), str_of(causes[i].code)))
            continue;
        int64_t max_ms = causes[i].kind == SECRET ? retry_max_ms : PACE_COUNTED_MS;
        int64_t then_ms = causes[i].kind == SECRET ? PACE_SECRET_MS : 2 * retry_min_ms;
        return (struct schedule_pace){least(retry_min_ms, retry_max_ms),
                                      least(then_ms, retry_max_ms),
                                      least(max_ms, retry_max_ms)};
    }
    bool answered = late || f->scope == FAULT_ACCOUNT || f->permanent;
    return up_to(answered ? PACE_STEADY_MS : PACE_QUICK_MS, retry_max_ms);
}
