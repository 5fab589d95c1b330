/* Options from one table: parsing, the nearest name, and the help. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clausewatch/nearest.h"

#define WORDS_MAX 64

void cli_list_add(struct cli_list *list, const char *item)
{
	const char **items = reallocarray(list->items, list->count + 2, sizeof(*items));

	if (!items) {
		cli_warn("out of memory");
		exit(CW_EXIT_USAGE);
	}
	items[list->count++] = item;
	items[list->count] = NULL;
	list->items = items;
}

void cli_list_release(struct cli_list *list)
{
	free(list->items);
	*list = (struct cli_list){ 0 };
}

/* Names and words come from outside and may hold what drives a terminal. */
__attribute__((format(printf, 1, 0))) static void say(const char *fmt, va_list ap)
{
	struct cw_buf raw = { 0 }, out = { 0 };

	cw_buf_vprintf(&raw, fmt, ap);
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.data[i];
		if (c < 0x20 || c == 0x7f)
			cw_buf_printf(&out, "\\x%02x", c);
		else
			cw_buf_putc(&out, (char)c);
	}
	(void)fprintf(stderr, "clausewatch: %s\n", cw_buf_str(&out));
	cw_buf_release(&raw);
	cw_buf_release(&out);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return CW_EXIT_USAGE;
}

int cli_unknown(const char *what, const char *word, const char *const *words)
{
	const char *close = cw_nearest(word, words);

	if (close)
		return cli_usage("unknown %s '%s'; did you mean '%s'?", what, word, close);
	struct cw_buf list = { 0 };
	for (size_t i = 0; words[i]; i++)
		cw_buf_printf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
	cli_warn("unknown %s '%s'; there are %s", what, word, cw_buf_str(&list));
	cw_buf_release(&list);
	return CW_EXIT_USAGE;
}

int cli_severity(const char *option, const char *word, enum cw_severity *out)
{
	static const char *const words[] = { "info", "low", "medium", "high", "critical", NULL };
	char what[64];

	if (!word)
		return -1;
	int severity = cw_severity_parse(word);
	if (severity < 0) {
		(void)snprintf(what, sizeof(what), "severity for %s:", option);
		return cli_unknown(what, word, words);
	}
	*out = (enum cw_severity)severity;
	return -1;
}

bool cli_colour(FILE *file, bool no_color)
{
	const char *env = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return !no_color && !(env && *env) && isatty(fileno(file)) &&
	       !(term && strcmp(term, "dumb") == 0);
}

static void print_help(const struct cli_verb *verb)
{
	(void)printf("usage: clausewatch %s\n\n%s\n\noptions:\n", verb->usage, verb->help);
	for (const struct cli_option *o = verb->options; o->name; o++) {
		char left[64], letter[8] = "    ";
		if (o->letter)
			(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
			       o->arg ? o->arg : "");
		(void)printf("  %-28s %s\n", left, o->help);
	}
	(void)printf("  %-28s %s\n", "-h, --help", "show this");
}

static const struct cli_option *find(const struct cli_verb *verb, const char *name, size_t len)
{
	for (const struct cli_option *o = verb->options; o->name; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_verb *verb, char letter)
{
	for (const struct cli_option *o = verb->options; o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int unknown_option(const struct cli_verb *verb, const char *name, size_t len)
{
	const char *words[WORDS_MAX] = { "help" };
	size_t n = 1;
	char given[64];

	for (const struct cli_option *o = verb->options; o->name && n < WORDS_MAX - 1; o++)
		words[n++] = o->name;
	(void)snprintf(given, sizeof(given), "%.*s", (int)(len < 60 ? len : 60), name);
	const char *close = cw_nearest(given, words);
	if (close)
		return cli_usage("unknown option '--%s'; did you mean '--%s'?", given, close);
	return cli_usage("unknown option '--%s'; see clausewatch %.*s --help", given,
			 (int)strcspn(verb->usage, " "), verb->usage);
}

static void set(void *into, const struct cli_option *o, const char *value)
{
	void *at = (char *)into + o->offset;

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)at = true;
		break;
	case CLI_TEXT:
		*(const char **)at = value;
		break;
	case CLI_LIST:
		cli_list_add(at, value);
		break;
	}
}

struct words {
	int argc, at;
	char **argv;
};

/* value is what stood behind '=' or behind the letter; NULL: the next word is it. */
static int take(struct words *w, void *into, const struct cli_option *o, const char *value)
{
	if (o->kind == CLI_FLAG) {
		if (value)
			return cli_usage("option '--%s' takes no value", o->name);
		set(into, o, NULL);
		return -1;
	}
	if (!value && w->at + 1 >= w->argc)
		return cli_usage("option '--%s' needs a value: %s", o->name, o->arg);
	set(into, o, value ? value : w->argv[++w->at]);
	return -1;
}

static int long_option(const struct cli_verb *verb, struct words *w, const char *name, void *into)
{
	size_t len = strcspn(name, "=");
	const struct cli_option *o = find(verb, name, len);

	if (!o)
		return unknown_option(verb, name, len);
	return take(w, into, o, name[len] ? name + len + 1 : NULL);
}

static int letters(const struct cli_verb *verb, struct words *w, const char *text, void *into)
{
	const struct cli_option *o = find_letter(verb, *text);

	if (!o)
		return cli_usage("unknown option '-%c'; see clausewatch %.*s --help", *text,
				 (int)strcspn(verb->usage, " "), verb->usage);
	return take(w, into, o, text[1] ? text + 1 : NULL);
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *into, struct cli_list *args)
{
	struct words w = { .argc = argc, .argv = argv };
	bool literal = false;

	for (w.at = 1; w.at < argc; w.at++) {
		const char *word = argv[w.at];
		int ret = -1;
		if (literal || word[0] != '-' || word[1] == '\0') {
			cli_list_add(args, word);
		} else if (strcmp(word, "--") == 0) {
			literal = true;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(verb);
			return CW_EXIT_CLEAN;
		} else if (word[1] == '-') {
			ret = long_option(verb, &w, word + 2, into);
		} else {
			ret = letters(verb, &w, word + 1, into);
		}
		if (ret >= 0)
			return ret;
	}
	return -1;
}
