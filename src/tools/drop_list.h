/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drop_list_: what waits in the drop directory, for a mailq that finds no daemon (compat 8.3).
 */
#ifndef TRANTER_DROP_LIST_H
#define TRANTER_DROP_LIST_H

/* Print the messages in directory in Postfix's mailq layout; nothing where there are none, or
 * where the caller may not list it, which only its owner and root may. */
void drop_list(const char *directory);

#endif
