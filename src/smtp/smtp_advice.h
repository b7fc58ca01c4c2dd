/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_advice_: what is known beside the dialogue makes a fault's sentence and its fix more
 * exact: the port, the user's name, what the secret looks like, whose server it is. Whose fault
 * it was and whether it is for good, that stays (G-1). */
#ifndef TRANTER_SMTP_ADVICE_H
#define TRANTER_SMTP_ADVICE_H

#include "fault.h"

enum smtp_advice_secret {
    SMTP_ADVICE_SECRET_PLAIN,  /* nothing strange about it, or it is not known */
    SMTP_ADVICE_SECRET_BLANK,  /* blank or tab at an end */
    SMTP_ADVICE_SECRET_QUOTED, /* in quotation marks */
    SMTP_ADVICE_SECRET_MARKED  /* begins with a byte order mark */
};

/* Borrowed during the call. */
struct smtp_advice {
    const char *host;
    uint16_t port;
    const char *user; /* NULL: no login */
    enum smtp_advice_secret secret;
};

/* What is strange about a secret. */
enum smtp_advice_secret smtp_advice_secret_of(struct str secret);

void smtp_advise(struct fault *f, const struct smtp_advice *about);

#endif
