/* clausewatch similar: where else do these words stand? */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clausewatch/file.h"
#include "clausewatch/utf8.h"

/** A clause, not a book. */
#define TEXT_MAX ((size_t)1 << 20)

struct options {
	struct cli_ask ask;
	const char *clause, *text, *min, *format;
	bool no_color;
	double least;
};

static const struct cli_option options[] = {
	{ "clause", 0, CLI_TEXT, offsetof(struct options, clause), "CW-XXXXXX",
	  "like the clause of that finding" },
	{ "text", 0, CLI_TEXT, offsetof(struct options, text), "FILE",
	  "like the longest clause of a file, or of standard input: -" },
	{ "min", 0, CLI_TEXT, offsetof(struct options, min), "N",
	  "share of the words that must agree, 0.4 to 1 (0.5)" },
	{ "format", 'f', CLI_TEXT, offsetof(struct options, format), "FORMAT",
	  "human (default) or jsonl" },
	CLI_ASK_OPTIONS(options),
	{ "no-color", 0, CLI_FLAG, offsetof(struct options, no_color), NULL,
	  "no colours, as with NO_COLOR" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage = "similar (--clause CW-XXXXXX | --text FILE) [--min 0.5] [options]",
	.help = "Find clauses of all watched documents that say nearly the same, the most similar first.\n\n"
		"Exit status: 0 answered, 2 wrong use or no such finding, 4 the daemon cannot be reached.",
	.options = options,
};

struct listing {
	struct cli_page page;
	size_t n;
};

static int print_human(void *ctx, const json_t *c, const char *line)
{
	struct listing *l = ctx;
	struct cw_buf text = { 0 };
	double share = json_number_value(json_object_get(c, "similarity"));
	const char *section = cli_text_of(c, "section");

	(void)line;
	l->n++;
	cw_buf_printf(&l->page.buf, "%3.0f %%  ", share * 100);
	cw_buf_printf(&text, "%s: %s", cli_text_of(c, "source"), cli_text_of(c, "path"));
	if (*cli_text_of(c, "ref"))
		cw_buf_printf(&text, " (%s)", cli_text_of(c, "ref"));
	cw_buf_printf(&text, ", line %" PRId64 "%s%s", cli_int_of(c, "line_start"),
		      *section ? ", section " : "", section);
	cli_page_wrap(&l->page, 7, 7, cw_buf_str(&text));
	cli_page_line(&l->page, 7, 0, "", cli_text_of(c, "text"));
	cw_buf_release(&text);
	cli_page_print(&l->page);
	return ferror(stdout) ? CW_EIO : CW_OK;
}

static int read_all(FILE *file, struct cw_buf *out, struct cw_error *err)
{
	for (;;) {
		char *room = cw_buf_reserve(out, 65536);
		size_t n = room ? fread(room, 1, 65536, file) : 0;
		if (!room)
			return cw_fail(err, CW_ENOMEM, "out of memory");
		out->len += n;
		if (out->len > TEXT_MAX)
			return cw_fail(err, CW_EFULL, "-: over %zu bytes", TEXT_MAX);
		if (n == 0)
			return ferror(file) ? cw_fail(err, CW_EIO, "-: cannot be read") : CW_OK;
	}
}

static int read_text(const char *path, struct cw_buf *out)
{
	struct cw_error err = { 0 };
	int ret = strcmp(path, "-") == 0 ? read_all(stdin, out, &err)
					 : cw_file_read(path, TEXT_MAX, out, NULL, &err);

	if (ret < 0)
		return cli_usage("--text: %s", err.msg);
	cw_buf_putc(out, '\0');
	out->len--;
	if (strlen(cw_buf_str(out)) != out->len || !cw_utf8_valid(cw_buf_str(out), out->len))
		return cli_usage("--text: '%s' is no plain text in UTF-8", path);
	return -1;
}

static int read_options(struct options *o)
{
	static const char *const formats[] = { "human", "jsonl", NULL };
	char *end;

	o->least = 0.5;
	if (!o->clause == !o->text)
		return cli_usage("similar: to what? Either --clause CW-XXXXXX or --text FILE");
	if (o->min) {
		o->least = strtod(o->min, &end);
		if (end == o->min || *end || !(o->least >= 0.4 && o->least <= 1))
			return cli_usage("--min: '%s' is no number from 0.4 to 1", o->min);
	}
	return cli_check_word("format", o->format, formats);
}

static int ask(const struct options *o)
{
	struct listing l = { .page.colour = cli_colour(stdout, o->no_color) };
	json_t *question = cli_question("similar");
	struct cw_buf text = { 0 };
	bool human = !o->format || strcmp(o->format, "human") == 0;
	int status = o->text ? read_text(o->text, &text) : -1;

	if (status >= 0) {
		json_decref(question);
	} else {
		cli_question_text(question, "clause", o->clause);
		cli_question_text(question, "text", o->text ? cw_buf_str(&text) : NULL);
		(void)json_object_set_new(question, "min", json_real(o->least));
		status = cli_ask(&o->ask, question, CLI_SILENCE_S,
				 human ? print_human : cli_print_line, &l);
		if (status == CW_EXIT_CLEAN && human && l.n == 0)
			(void)puts("no clause says nearly that");
	}
	cw_buf_release(&text);
	return status;
}

int cw_verb_similar(int argc, char **argv)
{
	struct options o = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &o, &args);

	if (status < 0 && args.count > 0)
		status = cli_usage("similar: unexpected '%s'", args.items[0]);
	if (status < 0)
		status = read_options(&o);
	if (status < 0)
		status = ask(&o);
	cli_list_release(&args);
	return status;
}
