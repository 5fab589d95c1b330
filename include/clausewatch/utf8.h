/** @file
 * UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, at most U+10FFFF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the valid sequence that text starts with, or 0 when it starts with none. */
size_t cw_utf8_len(const char *text, size_t len);
/** Decode the sequence at text; returns its length, 0 when invalid (*out_rune is then U+FFFD). */
size_t cw_utf8_decode(const char *text, size_t len, uint32_t *out_rune);
bool cw_utf8_valid(const char *text, size_t len);
