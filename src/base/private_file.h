/* SPDX-License-Identifier: GPL-3.0-or-later */
/* private_file_: files whose content is nobody else's business: passwords and keys. */
#ifndef TRANTER_PRIVATE_FILE_H
#define TRANTER_PRIVATE_FILE_H

#include "buf.h"
#include "err.h"

/* Append the whole file to content, which should be .secret; its space is the file's limit in
 * bytes. -1 with a sentence in *err: it cannot be opened or read, is not a regular file
 * (symbolic links are followed), belongs to neither root nor the effective user, can be read or
 * written by others or written by its group (0640 root:daemon is the natural mode), is too
 * large, or lies in a folder that others can write to (without the sticky bit). Of the file
 * what is checked is the open descriptor, so nobody can swap it meanwhile. */
int private_file_read(const char *path, struct buf *content, struct err *err) ATTR_MUST_CHECK;

#endif
