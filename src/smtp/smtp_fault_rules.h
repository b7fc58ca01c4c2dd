/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_fault_rule: what a 4yz or 5yz reply means where it comes; smtp_fault.c's own. */
#ifndef TRANTER_SMTP_FAULT_RULES_H
#define TRANTER_SMTP_FAULT_RULES_H

#include "smtp_fault.h"

/* A row. In the sentences {answer} is the reply's code and status; {stage}, {ehlo}, {sender}
 * and {recipient} speak for themselves. */
struct smtp_fault_rule {
    int stages;           /* set of 1 << enum smtp_stage */
    unsigned low, high;   /* reply codes */
    const char *statuses; /* "7.60|7.1", "6." for all of 6; NULL: any */
    const char *words;    /* any of these, '|' between; NULL: any */
    bool (*only_if)(const struct smtp_facts *facts); /* NULL: always */
    enum fault_scope scope;
    const char *code;
    const char *status; /* "4.7.0"; "x.7.1": the server's own, else x is its code's class */
    const char *text;
    const char *fix;
};

/* The first row that fits; there is one for every 4yz and 5yz. */
const struct smtp_fault_rule *smtp_fault_rule_of(const struct smtp_facts *facts,
                                                 const struct smtp_reply *r);

#endif
