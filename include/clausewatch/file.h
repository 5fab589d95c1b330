/** @file
 * Whole small files: settings, rules, secrets.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "clausewatch/buf.h"
#include "clausewatch/error.h"

/**
 * Append what a regular file holds.
 *
 * @param limit     in bytes; a longer file is CW_EFULL
 * @param out_mode  permissions of what was read; may be NULL
 * @return CW_OK; CW_ENOTFOUND, CW_EDENIED, CW_EINVAL (not a regular file), CW_EFULL, CW_EIO,
 *         CW_ENOMEM.  Every message begins with the path
 */
int cw_file_read(const char *path, size_t limit, struct cw_buf *out, mode_t *out_mode,
		 struct cw_error *err);
