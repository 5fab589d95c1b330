/** @file
 * Identity of a clause's words.  Internal to the engine.
 */
#pragma once

#include "token.h"
#include "words.h"

/** Fill fingerprint and skeleton of a clause, and mark role words among its tokens. */
void cw_fingerprint(const struct cw_roles *roles, struct cw_tok *toks, struct cw_clause *clause);
