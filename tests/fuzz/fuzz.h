/** @file
 * Shared by the fuzz targets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define expect(holds) expect_at(holds, __FILE__, __LINE__, #holds)

static inline void expect_at(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/** A copy of exactly this size, so that a byte read too far is seen; free() it. */
static inline char *exact_copy(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	expect(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}
