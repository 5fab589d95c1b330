#include "block.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "number.h"

#define NEAR 2 /* lines beside a page break that may be furniture */
#define FURNITURE_MAX 200 /* bytes of a line that may be furniture */
#define REPEATS 3
#define FULL_MIN 40 /* bytes of a line that may have been wrapped */

/* A line beside a page break; furniture when its words return on other pages. */
struct candidate {
	uint64_t key;
	uint32_t line;
	bool sure;
};

struct furniture {
	struct cw_arena *arena;
	struct candidate *at;
	size_t count, cap;
	uint64_t *keys; /* open addressing; 0 is empty */
	uint32_t *counts;
	size_t slots;
};

static uint64_t key_of(const char *s, const struct cw_line *line)
{
	char folded[FURNITURE_MAX];
	size_t n = 0;

	for (uint32_t i = line->start; i < line->end && n < sizeof(folded); i++) {
		char c = s[i];

		if (c >= '0' && c <= '9') {
			if (n > 0 && folded[n - 1] == '#')
				continue;
			c = '#';
		}
		folded[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return XXH3_64bits(folded, n) | 1;
}

/* "7", "- 7 -", "iv", "Page 3 of 10", "A-3" */
static bool page_number(const char *s, const struct cw_line *line)
{
	uint32_t i = line->start, end = line->end, digits = 0;

	if (end - i > 24)
		return false;
	while (i < end && (strchr("-[(| ", s[i])))
		i++;
	if (end - i >= 4 && strncasecmp(s + i, "page", 4) == 0)
		i += 4;
	while (i < end && s[i] == ' ')
		i++;
	for (; i < end && s[i] >= '0' && s[i] <= '9'; i++)
		digits++;
	if (digits == 0) {
		while (i < end && s[i] && strchr("ivx", s[i]))
			digits++, i++;
		return digits > 0 && digits <= 5 && i == end && (digits > 1 || s[i - 1] != 'x');
	}
	if (digits > 4)
		return false;
	while (i < end && s[i] && strchr("-])| of/0123456789", s[i]))
		i++;
	return i == end;
}

/* "Source: NAME, 10-Q, 11/14/2019" */
static bool source_footer(const char *s, const struct cw_line *line)
{
	uint32_t len = line->end - line->start;

	return len > 18 && len < FURNITURE_MAX && memcmp(s + line->start, "Source: ", 8) == 0 &&
	       s[line->end - 5] == '/' && s[line->end - 1] >= '0' && s[line->end - 1] <= '9';
}

static int add_candidate(struct furniture *f, uint64_t key, uint32_t line, bool sure)
{
	struct candidate *more = cw_arena_grow(f->arena, f->at, f->count, &f->cap, sizeof(*more));

	if (!more)
		return CW_ENOMEM;
	f->at = more;
	f->at[f->count++] = (struct candidate){ key, line, sure };
	return CW_OK;
}

/* Lines beside page breaks, in order of their numbers. */
static int collect(struct furniture *f, const char *s, uint32_t len)
{
	struct cw_lines lines = { .text = s, .len = len };
	struct cw_line line;
	struct candidate before[NEAR] = { { 0 } };
	unsigned held = 0, after = 0;
	int ret = CW_OK;

	while (ret == CW_OK && cw_lines_next(&lines, &line)) {
		bool feed = memchr(s + line.from, '\f', line.start - line.from) != NULL;
		bool mark =
			line.end > line.start && (page_number(s, &line) || source_footer(s, &line));

		if (mark || feed) {
			for (unsigned i = 0; i < held && ret == CW_OK; i++)
				ret = add_candidate(f, before[i].key, before[i].line, false);
			held = 0;
			after = NEAR;
		}
		if (line.start == line.end || ret != CW_OK)
			continue;
		if (mark) {
			ret = add_candidate(f, 1, line.number, true);
			continue;
		}
		bool fits = line.end - line.start < FURNITURE_MAX;
		uint64_t key = fits ? key_of(s, &line) : 0;
		if (after > 0) {
			after--;
			if (fits)
				ret = add_candidate(f, key, line.number, false);
			continue;
		}
		if (held == NEAR)
			before[0] = before[1], held--;
		if (fits)
			before[held++] = (struct candidate){ key, line.number, false };
		else
			held = 0;
	}
	return ret;
}

static uint32_t *count_of(const struct furniture *f, uint64_t key)
{
	size_t i = key & (f->slots - 1);

	while (f->keys[i] && f->keys[i] != key)
		i = (i + 1) & (f->slots - 1);
	f->keys[i] = key;
	return &f->counts[i];
}

/* Keep only the lines that are furniture. */
static int find_furniture(struct furniture *f, const char *s, uint32_t len)
{
	size_t kept = 0;
	int ret = collect(f, s, len);

	if (ret != CW_OK || f->count == 0)
		return ret;
	for (f->slots = 16; f->slots < f->count * 2;)
		f->slots *= 2;
	f->keys = cw_arena_alloc(f->arena, f->slots * sizeof(*f->keys));
	f->counts = cw_arena_alloc(f->arena, f->slots * sizeof(*f->counts));
	if (!f->keys || !f->counts)
		return CW_ENOMEM;
	for (size_t i = 0; i < f->count; i++)
		++*count_of(f, f->at[i].key);
	for (size_t i = 0; i < f->count; i++)
		if (f->at[i].sure || *count_of(f, f->at[i].key) >= REPEATS)
			f->at[kept++] = f->at[i];
	f->count = kept;
	return CW_OK;
}

struct reader {
	struct cw_segmenter *sg;
	const char *s;
	struct cw_block open;
	struct cw_number number; /* of the open block */
	bool is_open;
	uint32_t longest, last; /* widths of lines in the open block */
	unsigned indent;
	int ret;
};

static void flush(struct reader *r)
{
	if (r->is_open && r->ret == CW_OK)
		r->ret = cw_segmenter_block(r->sg, &r->open);
	r->is_open = false;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The open block stops in the middle of a sentence. */
static bool unfinished(const struct reader *r)
{
	char c = r->s[r->open.end - 1];

	return c == ',' || is_lower(c) || (unsigned char)c >= 0x80;
}

static bool sentence_ended(const struct reader *r)
{
	const char *s = r->s + r->open.start;
	uint32_t n = r->open.end - r->open.start;

	while (n > 1 && strchr(")\"'", s[n - 1]))
		n--;
	return strchr(".;:!?", s[n - 1]) ||
	       (n > 5 &&
		(memcmp(s + n - 5, "; and", 5) == 0 || memcmp(s + n - 4, "; or", 4) == 0)) ||
	       (n > 5 && (memcmp(s + n - 5, ", and", 5) == 0 || memcmp(s + n - 4, ", or", 4) == 0));
}

static bool all_caps(const char *s, uint32_t len)
{
	unsigned ups = 0;

	for (uint32_t i = 0; i < len; i++) {
		if (is_lower(s[i]))
			return false;
		ups += is_upper(s[i]);
	}
	return ups > 2;
}

/* Does a line that follows at once begin a clause of its own? */
static bool new_clause(const struct reader *r, const struct cw_line *line,
		       const struct cw_number *number)
{
	const char *s = r->s + line->start;
	uint32_t len = line->end - line->start;
	bool ended = sentence_ended(r);

	if (number->kind == CW_N_BULLET)
		return (unsigned char)s[0] >= 0x80 || ended || r->number.kind == CW_N_BULLET;
	/* behind a full line that ends no sentence "Section 4" or "(7)" is the middle of one */
	bool full = r->last >= FULL_MIN && r->last * 5 >= r->longest * 4;
	if (number->kind != CW_N_NONE)
		return ended || (!full && cw_number_follows(&r->number, number)) ||
		       (number->kind == CW_N_LABEL && all_caps(s, 3));
	if (r->open.lines == 1 && r->last < 100 &&
	    all_caps(r->s + r->open.start, r->open.end - r->open.start) && !all_caps(s, len))
		return is_upper(s[0]);
	if (!ended || !(is_upper(s[0]) || (unsigned char)s[0] >= 0x80 || s[0] == '"'))
		return false;
	return r->last * 5 < r->longest * 3 || line->indent >= r->indent + 3;
}

static void take(struct reader *r, const struct cw_line *line, bool blank, bool page)
{
	uint32_t len = line->end - line->start;
	struct cw_number number = cw_number_read(r->s + line->start, len < 64 ? len : 64);
	bool join = false;

	if (r->is_open && !blank && !page && !new_clause(r, line, &number)) {
		r->open.end = r->open.body_end = line->end;
		r->open.line_end = line->number;
		r->open.lines++;
		r->last = len;
		r->longest = len > r->longest ? len : r->longest;
		r->indent = line->indent;
		return;
	}
	if (r->is_open && page && unfinished(r) && is_lower(r->s[line->start]) &&
	    number.kind == CW_N_NONE && r->open.end - r->open.start > 60)
		join = true;
	flush(r);
	r->open = (struct cw_block){ .start = line->start,
				     .end = line->end,
				     .body = line->start,
				     .body_end = line->end,
				     .line_start = line->number,
				     .line_end = line->number,
				     .lines = 1,
				     .kind = CW_PARAGRAPH,
				     .ordinal = -1,
				     .join = join };
	r->number = number;
	r->is_open = true;
	r->longest = r->last = len;
	r->indent = line->indent;
}

/* A line of dashes, stars or underscores. */
static bool drawn(const char *s, const struct cw_line *line)
{
	for (uint32_t i = line->start; i < line->end; i++)
		if (!s[i] || !strchr("-_=*.~+| \t", s[i]))
			return false;
	return true;
}

int cw_read_plain(struct cw_segmenter *sg, struct cw_arena *scratch, const char *text, uint32_t len)
{
	struct reader r = { .sg = sg, .s = text };
	struct furniture f = { .arena = scratch };
	struct cw_lines lines = { .text = text, .len = len };
	struct cw_line line;
	bool blank = false, page = false;
	size_t next = 0;

	r.ret = find_furniture(&f, text, len);
	while (r.ret == CW_OK && cw_lines_next(&lines, &line)) {
		if (next < f.count && f.at[next].line == line.number) {
			next++;
			page = true;
		} else if (drawn(text, &line)) {
			blank = true;
		} else {
			take(&r, &line, blank, page);
			blank = page = false;
		}
	}
	flush(&r);
	return r.ret;
}
