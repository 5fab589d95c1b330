/** @file
 * Asking the daemon, and showing what it says.  Internal to cli/.
 */
#pragma once

#include <jansson.h>

#include "cli.h"

/* ---- ask.c ---- */

/** Where the daemon listens; embed it as `ask`. */
struct cli_ask {
	const char *socket, *config;
};

/* clang-format off */
#define CLI_ASK_OPTIONS(type)                                                                      \
	{ "socket", 0, CLI_TEXT, offsetof(struct type, ask.socket), "PATH",                        \
	  "the daemon's control socket; else what the configuration says" },                       \
	{ "config", 0, CLI_TEXT, offsetof(struct type, ask.config), "FILE",                        \
	  "instead of $CLAUSEWATCH_CONFIG or " CW_CONFIG_PATH }
/* clang-format on */

/** Valid during the call; line has no line end.  Less than 0 ends the connection. */
typedef int cli_answer_fn(void *ctx, const json_t *answer, const char *line);

/**
 * Send a question, hand over each answer until the last.
 *
 * @param question  taken, also on failure
 * @param silence_s seconds without a word from the daemon that are too many; 0: none are
 * @return CW_EXIT_CLEAN, or an exit status after a message was written
 */
int cli_ask(const struct cli_ask *where, json_t *question, unsigned silence_s, cli_answer_fn *take,
	    void *ctx);
/** Seconds for questions that the store answers. */
#define CLI_SILENCE_S 30

/** The configuration file that is meant: --config, $CLAUSEWATCH_CONFIG or NULL. */
const char *cli_config_path(const char *given);
/** A question; members are added with json_object_set_new(), NULL ones left out by this. */
json_t *cli_question(const char *op);
void cli_question_text(json_t *question, const char *key, const char *value);
/** A cli_answer_fn that prints the lines as they are. */
int cli_print_line(void *ctx, const json_t *answer, const char *line);
/** "" when there is no such text. */
const char *cli_text_of(const json_t *object, const char *key);
int64_t cli_int_of(const json_t *object, const char *key);
bool cli_is(const json_t *object, const char *key);
/** One of words (NULL-terminated), or CW_EXIT_USAGE with a message, or -1 to go on. */
int cli_check_word(const char *what, const char *word, const char *const *words);
/** The sub-verb that must be args->items[0]; its index, or -1 after a message. */
int cli_subverb(const char *verb, const struct cli_list *args, const char *const *words);

/* ---- page.c ---- */

enum cli_paint { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_BAD, CLI_WARN, CLI_GOOD };

/** Text for people, made safe; written by cli_page_print(). */
struct cli_page {
	struct cw_buf buf;
	bool colour;
};

#define CLI_WIDTH 100

/** Words in lines of CLI_WIDTH columns; the first one goes on at column, the others hang. */
void cli_page_wrap(struct cli_page *page, size_t column, size_t hang, const char *text);
/** A line: label in a column of its own, wrapped text. */
void cli_page_line(struct cli_page *page, size_t indent, size_t label_width, const char *label,
		   const char *text);
void cli_page_paint(struct cli_page *page, enum cli_paint paint, const char *text);
/** Write to standard output and empty it. */
void cli_page_print(struct cli_page *page);

#define CLI_COLUMNS_MAX 8

/** Rows whose columns are as wide as their longest cell; the last column is wrapped. */
struct cli_table {
	struct cw_arena arena;
	const char **cells;
	enum cli_paint *paints; /**< of the first cell of each row */
	size_t columns, rows, cap, paints_cap;
};
/** Cells are copied; NULL is "". */
void cli_table_row(struct cli_table *table, enum cli_paint paint, const char *const *cells);
/** Print and empty it. */
void cli_table_end(struct cli_table *table, struct cli_page *page, size_t indent);

/** "2026-11-21 05:33:03" here, "-" for 0. */
void cli_when(int64_t ms, char out[24]);
enum cli_paint cli_severity_paint(const char *severity);
/** "s" unless it is one. */
static inline const char *cli_plural(int64_t n)
{
	return n == 1 ? "" : "s";
}
