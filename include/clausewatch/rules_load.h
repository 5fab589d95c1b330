/** @file
 * Where rule packs are found, and a rule set made from them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/error.h"
#include "clausewatch/ruleset.h"

/** A directory of *.yaml packs, or one pack. */
struct cw_rules_dir {
	char *path;
	bool optional; /**< may be missing */
};

struct cw_rules_dirs {
	struct cw_rules_dir *at;
	size_t count;
};

/**
 * Where this program's rules are, in the order they are laid over each other: the shipped set
 * ($CLAUSEWATCH_RULES, else config/rules beside the build directory, else the installed data),
 * then /etc/clausewatch/rules, then extra.
 *
 * @param out_dirs  set only on success; release with cw_rules_dirs_release()
 * @return CW_OK, CW_ENOTFOUND when there is no shipped set, CW_ENOMEM
 */
int cw_rules_find(const char *const *extra, size_t nextra, struct cw_rules_dirs *out_dirs,
		  struct cw_error *err);
void cw_rules_dirs_release(struct cw_rules_dirs *dirs);

/** Add every pack of a directory, by name, or the pack itself. */
int cw_rules_add(struct cw_ruleset_builder *b, const char *path, struct cw_error *err);

/**
 * Build the rule set of these directories, in order.
 * @return CW_OK; CW_EINVAL with "file:line:column: " in front; CW_ENOTFOUND, CW_EIO, CW_ENOMEM
 */
int cw_rules_load(const struct cw_rules_dirs *dirs, struct cw_ruleset **out, struct cw_error *err);

/** cw_rules_find() and cw_rules_load(). */
int cw_rules_load_default(const char *const *extra, size_t nextra, struct cw_ruleset **out,
			  struct cw_error *err);
