/** @file
 * What the verbs share.  Internal to cli/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/analysis.h"
#include "clausewatch/cli.h"
#include "clausewatch/config.h"
#include "clausewatch/day.h"
#include "clausewatch/error.h"
#include "clausewatch/extract.h"
#include "clausewatch/output.h"
#include "clausewatch/ruleset.h"

/** A growing list of words that belong to argv or live as long. */
struct cli_list {
	const char **items;
	size_t count;
};
/** Ends the program when out of memory: there is nobody to tell. */
void cli_list_add(struct cli_list *list, const char *item);
void cli_list_release(struct cli_list *list);

enum cli_kind { CLI_FLAG, CLI_TEXT, CLI_LIST };

/** One option of a verb; it fills a member of the verb's struct. */
struct cli_option {
	const char *name; /**< without dashes */
	char letter; /**< 0 when there is none */
	enum cli_kind kind; /**< bool, const char * or struct cli_list */
	size_t offset;
	const char *arg; /**< what the value is called in the help */
	const char *help;
};

struct cli_verb {
	const char *usage; /**< "scan PATH... [options]" */
	const char *help; /**< sentences; lines of 100 columns */
	const struct cli_option *options; /**< ended by one without a name */
};

/**
 * Read the words after the verb.
 *
 * @param into  the verb's struct, its defaults set
 * @param args  words that are no options are added
 * @return -1 to go on; else the exit status: --help was answered, or an option was wrong
 */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *into,
	      struct cli_list *args);

/** "clausewatch: message" on standard error; returns CW_EXIT_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** The same for what any verb may run into. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Complain about a word that is none of words (NULL-terminated), with the nearest. */
int cli_unknown(const char *what, const char *word, const char *const *words);
/** info, low, ...; CW_EXIT_USAGE with a message, or -1 to go on. */
int cli_severity(const char *option, const char *word, enum cw_severity *out);
/** Colours are wanted on this stream. */
bool cli_colour(FILE *file, bool no_color);

/** Something to check. */
struct cli_item {
	char *path;
	const char *name; /**< what to recognise the format by; NULL: path */
	int code; /**< not CW_OK: cannot be checked, and message says why */
	char *message;
};

struct cli_items {
	struct cli_item *at;
	size_t count, cap;
	size_t others; /**< files in directories that are no documents */
};

/**
 * All documents below path, or path itself; "-" is standard input.
 *
 * Directories are read in the order of the bytes of their names.  Hidden entries and what
 * .gitignore and .clausewatchignore exclude are left out; a link to a directory is followed once.
 */
int cli_walk(const char *path, struct cli_items *items, struct cw_error *err);
void cli_items_release(struct cli_items *items);

/** What became of an item. */
struct cli_result {
	const struct cli_item *item;
	int code; /**< CW_OK, or why it was not checked, and err says it */
	struct cw_error err;
	struct cw_text text;
	struct cw_analysis *analysis; /**< NULL unless code is CW_OK */
};

/** Checks one item; called on any thread, result is zeroed. */
typedef void cli_check_fn(void *ctx, const struct cli_item *item, struct cli_result *result);
/** Called in the order of the items on the calling thread; less than 0 stops. */
typedef int cli_take_fn(void *ctx, struct cli_result *result, struct cw_error *err);

/** Check items side by side on jobs threads, take the results one by one. */
int cli_pool_run(const struct cli_items *items, unsigned jobs, cli_check_fn *check, void *check_ctx,
		 cli_take_fn *take, void *take_ctx, struct cw_error *err);

/** What every verb that reads documents is told. */
struct cli_reader {
	const struct cw_ruleset *rules;
	const struct cw_config *config; /**< its decisions about terms; may be NULL */
	struct cw_analysis_options options;
};
/** A cli_check_fn whose ctx is a struct cli_reader. */
void cli_check(void *reader, const struct cli_item *item, struct cli_result *result);
/** Give findings the severities that the owner decided. */
void cli_override(const struct cw_config *config, struct cw_analysis *a);
void cli_result_release(struct cli_result *result);

/**
 * The configuration, and the rules that it and the command line ask for.
 *
 * @param path  NULL: the usual file, which need not exist
 * @param out_config, out_rules  set only on success, the caller's to free
 */
int cli_load(const char *path, const struct cli_list *packs, struct cw_config **out_config,
	     struct cw_ruleset **out_rules, struct cw_error *err);
/** Only the rules that a configuration and the command line ask for. */
int cli_load_rules(const struct cw_config *config, const struct cli_list *packs,
		   struct cw_ruleset **out_rules, struct cw_error *err);

/** Draws on standard error when that is a terminal; everything else does nothing. */
struct cli_progress {
	bool on;
	bool drawn;
	double begun, last;
	size_t total;
};
void cli_progress_begin(struct cli_progress *p, bool wanted, size_t total);
void cli_progress_step(struct cli_progress *p, size_t done);
/** Wipe it away, before anything else is written. */
void cli_progress_clear(struct cli_progress *p);
/** Seconds of a clock that never goes back. */
double cli_now(void);

/** "label text" and a line end on standard output, made safe; nothing when text is empty. */
void cli_line(const char *label, const char *text);
/** All that the rules know of a term. */
void cli_print_term(const struct cw_ruleset *rules, const struct cw_term *term);
/** The term of that id; otherwise a message with the nearest, and NULL. */
const struct cw_term *cli_find_term(const struct cw_ruleset *rules, const char *id);
