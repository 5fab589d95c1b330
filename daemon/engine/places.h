/** @file
 * States and countries whose law agreements choose.  Internal to the engine.
 */
#pragma once

#include <stddef.h>

/**
 * The place whose name the text begins with, as it is to be shown ("English" is England), or NULL.
 * @param out_len  bytes of the name in the text, set only when there is one; may be NULL
 */
const char *cw_place_at(const char *text, size_t *out_len);
