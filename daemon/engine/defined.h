/** @file
 * Defined terms that a preamble gives its parties: (the "Provider").  Internal to the engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/parties.h"

/** Add a term, without its article, unless it names something else than a party. */
int cw_defined_add(struct cw_arena *arena, struct cw_named *party, const char *p, size_t len);
/** Add the terms of [p, end): quoted, or after "the", "hereinafter", "called". */
int cw_defined_read(struct cw_arena *arena, struct cw_named *party, const char *p, const char *end);

/** The bracket that closes the one at p, or NULL. */
const char *cw_bracket_end(const char *p);
/**
 * Is what stands inside a bracket of nobody alone: `each a "Party"`, `collectively, the
 * "Parties"`?
 */
bool cw_bracket_of_all(const char *p, const char *end);
