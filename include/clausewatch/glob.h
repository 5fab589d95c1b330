/** @file
 * Glob patterns for paths and names, and ignore files in the syntax of .gitignore.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/error.h"

/**
 * Does a pattern match a whole path?
 *
 * `*` and `?` stop at '/', `[a-z]` and `[!a-z]` are sets, `\` takes the next character as it is.
 * A leading or inner "**" + "/" stands for any number of directories, none included; a trailing
 * "/" + "**" for everything below.  Case matters.  A pattern that is no pattern matches nothing.
 */
bool cw_glob_match(const char *pattern, const char *path);

/**
 * The same for names whose '/' is a letter like any other, such as references and term ids:
 * `*` matches all of "feature/x".  What a refspec means by `*`.
 */
bool cw_glob_match_name(const char *pattern, const char *name);

/** CW_EINVAL when the pattern is empty or ends inside a set or after a `\`. */
int cw_glob_check(const char *pattern, struct cw_error *err);
/** Is there anything in it that is not taken literally? */
bool cw_glob_is_pattern(const char *text);

/** Rules of ignore files; later ones beat earlier ones.  Not for sharing while adding. */
struct cw_ignore;

/** NULL when out of memory. */
struct cw_ignore *cw_ignore_new(void);
/** Accepts NULL. */
void cw_ignore_free(struct cw_ignore *ignore);

/**
 * Add the lines of one ignore file.  As git does, a broken pattern matches nothing.
 *
 * @param dir   where the file lies, relative to the root, without slashes at its ends; "" for
 *              the root.  Its lines say nothing of paths elsewhere
 * @param text  not kept
 * @return CW_OK; CW_EFULL over 1 MiB or 100,000 rules; CW_ENOMEM
 */
int cw_ignore_add(struct cw_ignore *ignore, const char *dir, const char *text, size_t len,
		  struct cw_error *err);

/** Number of rules, and back to an earlier number: for leaving a directory while walking. */
size_t cw_ignore_count(const struct cw_ignore *ignore);
void cw_ignore_truncate(struct cw_ignore *ignore, size_t count);

/**
 * For walkers, that do not enter what is ignored: is this very entry ignored?
 * @param path  relative to the root, without slashes at its ends
 */
bool cw_ignore_match(const struct cw_ignore *ignore, const char *path, bool is_dir);

/**
 * For a path from elsewhere: is it, or a directory that it lies in, ignored?  A file cannot be
 * taken back with `!` when its directory is ignored.
 */
bool cw_ignore_covers(const struct cw_ignore *ignore, const char *path, bool is_dir);
