/** @file
 * Shared by the tests of words, clauses and fingerprints: a text, read.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/token.h"

static inline void read_text(struct cw_analysis *a, const char *text, enum cw_format format)
{
	struct cw_error err;

	*a = (struct cw_analysis){ .text = text, .len = strlen(text), .format = format };
	assert_int_equal(cw_segment(a, &err), CW_OK);
}
