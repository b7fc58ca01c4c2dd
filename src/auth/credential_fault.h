/* SPDX-License-Identifier: GPL-3.0-or-later */
/* credential_fault_: why there is no secret, as a fault of the account; for credential.c. No
 * fault has anything of the secret in it. */
#ifndef TRANTER_CREDENTIAL_FAULT_H
#define TRANTER_CREDENTIAL_FAULT_H

#include "command.h"
#include "credential.h"

/* "password-file", "password-command" or "token-command". */
const char *credential_fault_key(const struct credential_source *source);

void credential_fault_of_file(struct fault *f, const struct credential_source *source,
                              const char *why);

/* The command could not be started. */
void credential_fault_of_start(struct fault *f, const struct credential_source *source,
                               const char *why);

/* The command ended badly: *f says how, with its complaint unless that has a part of what it
 * printed. False: it ended well. */
bool credential_fault_of_end(struct fault *f, const struct credential_source *source,
                             const struct command_end *end);

/* What it printed is not to be used. */
void credential_fault_of_output(struct fault *f, const struct credential_source *source,
                                const char *why);

#endif
