/** @file
 * The parties that the opening of a document names.  Internal to the engine.
 */
#pragma once

#include "clausewatch/analysis.h"

#define CW_ALIASES 4

struct cw_named {
	const char *name; /**< "Acme Cloud, Inc."; the alias where the name is left blank */
	const char *alias[CW_ALIASES]; /**< defined terms: "Provider", "Acme" */
	size_t naliases;
	bool entity; /**< the name has a corporate ending */
	enum cw_role role;
};

#define CW_NAMED_MAX 24

struct cw_named_list {
	struct cw_named at[CW_NAMED_MAX];
	size_t count;
};

/**
 * Read the parties from the opening of a document, or from its signatures.
 *
 * @param head  flattened text of the first clauses, a line each, NUL-terminated
 * @param tail  the same of the last clauses; may be ""
 * @param out  strings in the arena, roles not decided
 * @return CW_OK or CW_ENOMEM
 */
int cw_parties_find(struct cw_arena *arena, const char *head, const char *tail,
		    struct cw_named_list *out);
