/* Text for people: aligned, wrapped, and harmless to a terminal. */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const codes[] = {
	[CLI_BOLD] = "1", [CLI_DIM] = "2", [CLI_BAD] = "1;31", [CLI_WARN] = "33", [CLI_GOOD] = "32",
};

static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* Lines of text are words, too: what is left of them is escaped. */
void cli_page_wrap(struct cli_page *page, size_t column, size_t hang, const char *text)
{
	static const char blanks[] = " \t\r\n";
	bool first = true;

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t len = strcspn(text, blanks), width = columns(text, len);
		if (!first && column + 1 + width > CLI_WIDTH) {
			cw_buf_printf(&page->buf, "\n%*s", (int)hang, "");
			column = hang;
		} else if (!first) {
			cw_buf_putc(&page->buf, ' ');
			column++;
		}
		cw_output_visible(&page->buf, text, len);
		column += width;
		first = false;
		text += len;
	}
	cw_buf_putc(&page->buf, '\n');
}

void cli_page_paint(struct cli_page *page, enum cli_paint paint, const char *text)
{
	bool painted = page->colour && paint != CLI_PLAIN && *text;

	if (painted)
		cw_buf_printf(&page->buf, "\033[%sm", codes[paint]);
	cw_output_visible(&page->buf, text, strlen(text));
	if (painted)
		cw_buf_puts(&page->buf, "\033[0m");
}

void cli_page_line(struct cli_page *page, size_t indent, size_t label_width, const char *label,
		   const char *text)
{
	size_t width = columns(label, strlen(label));

	if (!*text)
		return;
	cw_buf_printf(&page->buf, "%*s", (int)indent, "");
	cli_page_paint(page, CLI_DIM, label);
	if (width < label_width)
		cw_buf_printf(&page->buf, "%*s", (int)(label_width - width), "");
	size_t at = indent + (width > label_width ? width : label_width);
	cli_page_wrap(page, at, indent + label_width, text);
}

void cli_page_print(struct cli_page *page)
{
	(void)fwrite(cw_buf_str(&page->buf), 1, page->buf.len, stdout);
	(void)fflush(stdout);
	cw_buf_release(&page->buf);
}

/* ---- tables ---- */

static void no_memory(void)
{
	cli_warn("out of memory");
	exit(CW_EXIT_USAGE);
}

/* A cell is one line: blanks for line ends, the rest of what drives a terminal written out. */
static const char *safe(struct cli_table *t, const char *text)
{
	struct cw_buf plain = { 0 }, out = { 0 };

	cw_buf_puts(&plain, text ? text : "");
	for (size_t i = 0; i < plain.len; i++)
		if (strchr("\t\r\n", plain.data[i]))
			plain.data[i] = ' ';
	cw_output_visible(&out, cw_buf_str(&plain), plain.len);
	const char *copy = cw_arena_strdup(&t->arena, cw_buf_str(&out));
	cw_buf_release(&plain);
	cw_buf_release(&out);
	return copy;
}

void cli_table_row(struct cli_table *t, enum cli_paint paint, const char *const *cells)
{
	enum cli_paint *paints =
		cw_arena_grow(&t->arena, t->paints, t->rows, &t->paints_cap, sizeof(*paints));

	if (!paints)
		no_memory();
	t->paints = paints;
	paints[t->rows] = paint;
	for (size_t i = 0; i < t->columns; i++) {
		const char **grown = cw_arena_grow(&t->arena, t->cells, t->rows * t->columns + i,
						   &t->cap, sizeof(*grown));
		const char *cell = safe(t, cells[i]);
		if (!grown || !cell)
			no_memory();
		t->cells = grown;
		grown[t->rows * t->columns + i] = cell;
	}
	t->rows++;
}

void cli_table_end(struct cli_table *t, struct cli_page *page, size_t indent)
{
	size_t widths[CLI_COLUMNS_MAX] = { 0 }, hang = indent;

	for (size_t i = 0; i < t->rows * t->columns; i++) {
		size_t width = columns(t->cells[i], strlen(t->cells[i]));
		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	for (size_t c = 0; c + 1 < t->columns; c++)
		hang += widths[c] > 0 ? widths[c] + 2 : 0;
	for (size_t r = 0; r < t->rows; r++) {
		const char *const *row = &t->cells[r * t->columns];
		cw_buf_printf(&page->buf, "%*s", (int)indent, "");
		for (size_t c = 0; c + 1 < t->columns; c++) {
			size_t width = columns(row[c], strlen(row[c]));
			if (widths[c] == 0)
				continue;
			cli_page_paint(page, c == 0 ? t->paints[r] : CLI_PLAIN, row[c]);
			cw_buf_printf(&page->buf, "%*s", (int)(widths[c] - width + 2), "");
		}
		cli_page_wrap(page, hang, hang < CLI_WIDTH / 2 ? hang : indent + 4,
			      row[t->columns - 1]);
	}
	cw_arena_release(&t->arena);
	*t = (struct cli_table){ .columns = t->columns };
}

/* ---- words ---- */

void cli_when(int64_t ms, char out[24])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (ms == 0 || !localtime_r(&seconds, &tm) ||
	    strftime(out, 24, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 24, "-");
}

enum cli_paint cli_severity_paint(const char *severity)
{
	int s = cw_severity_parse(severity);

	return s >= CW_HIGH ? CLI_BAD : s == CW_MEDIUM ? CLI_WARN : CLI_PLAIN;
}
