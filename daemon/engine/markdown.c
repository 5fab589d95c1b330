#include "block.h"

#include <string.h>

#define LISTS 24 /* deeper lists are read as if they were no deeper */

struct list {
	unsigned marker, content; /* columns */
};

struct reader {
	struct cw_segmenter *sg;
	const char *s;
	struct cw_block open;
	bool is_open;
	bool table;
	bool hard; /* the last line of the open block ended in a hard break */
	char fence; /* character of the open fence, or 0 */
	uint32_t fence_len;
	bool comment;
	struct list list[LISTS];
	unsigned depth;
	int ret;
};

static void flush(struct reader *r)
{
	if (r->is_open && r->ret == CW_OK)
		r->ret = cw_segmenter_block(r->sg, &r->open);
	r->is_open = false;
}

static void begin(struct reader *r, const struct cw_line *line, uint32_t body,
		  enum cw_clause_kind kind)
{
	flush(r);
	r->open = (struct cw_block){ .start = line->start,
				     .end = line->end,
				     .body = body,
				     .body_end = line->end,
				     .line_start = line->number,
				     .line_end = line->number,
				     .lines = 1,
				     .kind = kind,
				     .list = r->depth,
				     .ordinal = -1 };
	r->is_open = true;
}

static void extend(struct reader *r, const struct cw_line *line)
{
	r->open.end = r->open.body_end = line->end;
	r->open.line_end = line->number;
	r->open.lines++;
}

/* Only bytes of `set` and at least `least` that are no blank? */
static bool made_of(const char *s, const struct cw_line *line, const char *set, unsigned least)
{
	unsigned count = 0;

	for (uint32_t i = line->start; i < line->end; i++) {
		if (!strchr(set, s[i]) || s[i] == '\0')
			return false;
		count += s[i] != ' ' && s[i] != '\t';
	}
	return count >= least;
}

static bool rule(const char *s, const struct cw_line *line)
{
	char set[] = { s[line->start], ' ', '\t', '\0' };

	return strchr("*-_=", set[0]) && made_of(s, line, set, 3);
}

/* A line under a paragraph that makes it a heading: its level, or 0. */
static unsigned underline(const struct reader *r, const struct cw_line *line)
{
	char c = r->s[line->start];
	char set[] = { c, '\0' };

	if (!r->is_open || r->open.kind == CW_ROW || r->open.kind == CW_HEADING ||
	    r->open.lines > 3 || r->open.end - r->open.start > 400 || (c != '=' && c != '-'))
		return 0;
	if (!made_of(r->s, line, set, c == '=' ? 1 : 2))
		return 0;
	return c == '=' ? 1 : 2;
}

static unsigned atx(const char *s, const struct cw_line *line, uint32_t *out_body)
{
	uint32_t i = line->start;
	unsigned level = 0;

	while (i < line->end && s[i] == '#' && level < 7)
		i++, level++;
	if (level == 0 || level > 6 || (i < line->end && s[i] != ' ' && s[i] != '\t' && level < 2))
		return 0;
	while (i < line->end && (s[i] == ' ' || s[i] == '\t'))
		i++;
	*out_body = i;
	return level;
}

/* Width of a list marker at `at` with the blanks after it, or 0. */
static uint32_t marker(const char *s, uint32_t at, uint32_t end, int *out_ordinal)
{
	uint32_t i = at;
	int value = 0;

	*out_ordinal = -1;
	if (i < end && strchr("*+-", s[i])) {
		i++;
	} else {
		while (i < end && i - at < 9 && s[i] >= '0' && s[i] <= '9')
			value = value * 10 + (s[i++] - '0');
		if (i == at || i >= end || (s[i] != '.' && s[i] != ')'))
			return 0;
		i++;
		*out_ordinal = value;
	}
	if (i < end && s[i] != ' ' && s[i] != '\t')
		return 0;
	while (i < end && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i - at;
}

static bool ends_open_sentence(const struct reader *r)
{
	return r->is_open && strchr(".;:!?", r->s[r->open.end - 1]);
}

static bool item(struct reader *r, const struct cw_line *line)
{
	int ordinal;
	uint32_t at = line->start, width = marker(r->s, at, line->end, &ordinal);
	unsigned indent = line->indent;

	if (width == 0)
		return false;
	if (r->is_open && r->open.kind == CW_PARAGRAPH && ordinal > 1 && !ends_open_sentence(r))
		return false;
	flush(r);
	while (r->depth > 0 && indent < r->list[r->depth - 1].marker + 2)
		r->depth--;
	for (;;) {
		if (r->depth < LISTS)
			r->depth++;
		r->list[r->depth - 1] = (struct list){ indent, indent + (width < 6 ? width : 2) };
		at += width;
		indent += width;
		int nested;
		uint32_t more = at < line->end ? marker(r->s, at, line->end, &nested) : 0;

		if (more == 0 || nested >= 0)
			break;
		width = more;
		ordinal = nested;
	}
	begin(r, line, at, CW_ITEM);
	r->open.ordinal = ordinal;
	return true;
}

/* "| --- | :-: |" */
static bool separator(const char *s, const struct cw_line *line)
{
	return memchr(s + line->start, '|', line->end - line->start) &&
	       memchr(s + line->start, '-', line->end - line->start) &&
	       made_of(s, line, "|:- \t", 2);
}

static bool row(struct reader *r, const struct cw_line *line)
{
	if (r->s[line->start] != '|' &&
	    !(r->table && memchr(r->s + line->start, '|', line->end - line->start))) {
		if (!separator(r->s, line))
			return false;
	}
	if (separator(r->s, line)) {
		if (r->is_open && r->open.lines == 1 &&
		    memchr(r->s + r->open.start, '|', r->open.end - r->open.start))
			r->open.kind = CW_ROW;
		flush(r);
	} else {
		begin(r, line, line->start, CW_ROW);
		flush(r);
	}
	r->table = true;
	return true;
}

/* A tag at the start of the line that begins a block of its own. */
static bool block_tag(const char *s, const struct cw_line *line)
{
	static const char *const tags[] = {
		"p",  "div", "li", "tr", "td", "th", "table", "ul",
		"ol", "h1",  "h2", "h3", "h4", "h5", "h6",    "section"
	};
	uint32_t i = line->start + 1, room;

	if (s[line->start] != '<')
		return false;
	if (i < line->end && s[i] == '/')
		i++;
	room = line->end - i;
	for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++) {
		size_t n = strlen(tags[k]);

		if (n < room && strncasecmp(s + i, tags[k], n) == 0 && strchr(" >/\t", s[i + n]) &&
		    s[i + n])
			return true;
	}
	return false;
}

/* "[name]: https://..." */
static bool definition(const char *s, const struct cw_line *line)
{
	if (s[line->start] != '[')
		return false;
	uint32_t room = line->end - line->start < 200 ? line->end - line->start : 200;
	const char *close = memchr(s + line->start, ']', room);
	if (!close || close + 2 >= s + line->end || close[1] != ':')
		return false;
	const char *at = close + 2;
	while (at < s + line->end && *at == ' ')
		at++;
	size_t left = (size_t)(s + line->end - at);
	return (left > 7 && memcmp(at, "http", 4) == 0) || (left > 1 && (*at == '#' || *at == '<'));
}

static bool fence(struct reader *r, const struct cw_line *line)
{
	char c = r->s[line->start];
	uint32_t i = line->start;

	while (i < line->end && r->s[i] == c)
		i++;
	if (r->fence) {
		if (c == r->fence && i == line->end && i - line->start >= r->fence_len) {
			flush(r);
			r->fence = 0;
			return true;
		}
		return false;
	}
	if ((c != '`' && c != '~') || i - line->start < 3 || memchr(r->s + i, '`', line->end - i))
		return false;
	flush(r);
	r->fence = c;
	r->fence_len = i - line->start;
	return true;
}

/* Skip '>' of quotes. */
static void unquote(const char *s, struct cw_line *line)
{
	uint32_t i = line->start;

	while (i < line->end && (s[i] == '>' || s[i] == ' ' || s[i] == '\t'))
		i++;
	if (i > line->start) {
		line->start = i;
		line->indent = 0;
	}
}

/* A comment that began on an earlier line, or that this line is. */
static bool comment(struct reader *r, const struct cw_line *line)
{
	uint32_t len = line->end - line->start;
	const char *s = r->s + line->start;

	if (!r->comment && (len < 4 || memcmp(s, "<!--", 4) != 0))
		return false;
	const char *end = memmem(s, len, "-->", 3);
	if (!r->comment && end && end + 3 < s + len)
		return false;
	flush(r);
	r->comment = end == NULL;
	return true;
}

/* After a hard break, may this line be a clause of its own? */
static bool stands_alone(const struct reader *r, const struct cw_line *line)
{
	const char *s = r->s + line->start;
	uint32_t len = line->end - line->start;
	static const char *const marks[] = { "\xe2\x80\xa2", "\xe2\x97\x8f", "\xe2\x96\xaa",
					     "\xc2\xb7" };

	if (!r->hard)
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (len > strlen(marks[i]) && memcmp(s, marks[i], strlen(marks[i])) == 0)
			return true;
	if (!ends_open_sentence(r))
		return false;
	return r->open.end - r->open.start > 80 || len > 80 || s[0] == '(' ||
	       (s[0] >= '0' && s[0] <= '9');
}

static void paragraph(struct reader *r, const struct cw_line *line)
{
	if (r->is_open && !stands_alone(r, line) && !block_tag(r->s, line)) {
		extend(r, line);
		return;
	}
	if (!r->is_open)
		while (r->depth > 0 && line->indent + 1 < r->list[r->depth - 1].content)
			r->depth--;
	begin(r, line, line->start, CW_PARAGRAPH);
}

static bool hard_break(const char *s, const struct cw_line *line, uint32_t next)
{
	return (next - line->end >= 3 && s[line->end] == ' ') || s[line->end - 1] == '\\';
}

static void line_of(struct reader *r, struct cw_line *line)
{
	uint32_t body;
	unsigned level;

	if (line->start == line->end) {
		flush(r);
		r->table = false;
		return;
	}
	if (comment(r, line) || fence(r, line))
		return;
	if (r->fence) {
		if (r->is_open)
			extend(r, line);
		else
			begin(r, line, line->start, CW_PARAGRAPH);
		return;
	}
	unquote(r->s, line);
	if (line->start == line->end) {
		flush(r);
	} else if ((level = underline(r, line)) != 0) {
		r->open.kind = CW_HEADING;
		r->open.level = level;
		r->open.end = line->end;
		r->open.line_end = line->number;
		flush(r);
	} else if (rule(r->s, line)) {
		flush(r);
	} else if ((level = atx(r->s, line, &body)) != 0) {
		r->depth = 0;
		begin(r, line, body, CW_HEADING);
		r->open.level = level;
		while (r->open.body_end > body && r->s[r->open.body_end - 1] == '#')
			r->open.body_end--;
		flush(r);
	} else if (!row(r, line) && !definition(r->s, line) && !item(r, line)) {
		paragraph(r, line);
	}
}

int cw_read_markdown(struct cw_segmenter *sg, const char *text, uint32_t len)
{
	struct reader r = { .sg = sg, .s = text };
	struct cw_lines lines = { .text = text, .len = len };
	struct cw_line line;

	while (r.ret == CW_OK && cw_lines_next(&lines, &line)) {
		uint32_t from = line.start;

		line_of(&r, &line);
		r.hard = line.end > from && hard_break(text, &line, lines.at);
	}
	flush(&r);
	return r.ret;
}
