/** @file
 * The outputs of one run: standard output and every -o.  Internal to cli/.
 */
#pragma once

#include "cli.h"

/** The options that every verb with findings has; embed it as `out`. */
struct cli_output_options {
	const char *format; /**< NULL: human */
	struct cli_list files; /**< FORMAT=FILE */
	bool no_color;
};

/* clang-format off */
#define CLI_OUTPUT_OPTIONS(type)                                                                   \
	{ "format", 'f', CLI_TEXT, offsetof(struct type, out.format), "FORMAT",                    \
	  "human (default), jsonl, json, sarif, junit, csv or html" },                             \
	{ "output", 'o', CLI_LIST, offsetof(struct type, out.files), "FORMAT=FILE",                \
	  "write that format to a file as well; may be repeated" },                                \
	{ "no-color", 0, CLI_FLAG, offsetof(struct type, out.no_color), NULL,                      \
	  "no colours, as with NO_COLOR; they are for terminals anyway" }
/* clang-format on */

struct cli_sink {
	struct cw_output *out;
	FILE *file; /**< NULL for standard output */
};

struct cli_sinks {
	struct cli_sink *at;
	size_t count;
};

/** Check the names of formats, before anything is read.  An exit status, or -1 to go on. */
int cli_sinks_check(const struct cli_output_options *opts);
/**
 * Open all of them.
 * @param sinks  set also on failure: release with cli_sinks_close()
 */
int cli_sinks_open(const struct cli_output_options *opts, enum cw_severity fail_on,
		   const struct cw_ruleset *rules, struct cli_sinks *sinks, struct cw_error *err);
int cli_sinks_document(struct cli_sinks *sinks, const struct cw_output_document *doc,
		       struct cw_error *err);
int cli_sinks_error(struct cli_sinks *sinks, const struct cw_output_error *error,
		    struct cw_error *err);
int cli_sinks_comparison(struct cli_sinks *sinks, const char *path,
			 const struct cw_comparison *comparison, struct cw_error *err);
int cli_sinks_summary(struct cli_sinks *sinks, const struct cw_output_summary *summary,
		      struct cw_error *err);
/** Closing a file may fail: the disk may be full. */
int cli_sinks_close(struct cli_sinks *sinks, struct cw_error *err);
