/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises about functions that the compiler checks. */
#ifndef TRANTER_ATTR_H
#define TRANTER_ATTR_H

#define ATTR_MUST_CHECK __attribute__((warn_unused_result))
#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ATTR_NORETURN __attribute__((noreturn))

#endif
