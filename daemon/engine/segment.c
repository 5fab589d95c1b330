#include <string.h>

#include "block.h"
#include "fingerprint.h"
#include "head.h"
#include "number.h"
#include "token.h"

#define NUMBERS_AT_HEAD 4
#define TAIL 80 /* bytes at the end of a clause that may say "the following" */
#define TITLE_BYTES 200

struct cw_segmenter {
	struct cw_analysis *a;
	struct cw_toks toks;
	size_t cap; /* of a->clauses */
	struct cw_sections sections;
	int32_t heading; /* nearest heading above, or -1 */
	int32_t first_heading; /* of the document, or -1 */
	bool label_heading; /* the clause before is a heading such as "ARTICLE IV" */
	bool carried; /* an enumerator stood alone: the next block is its text */
};

static char at(const struct cw_segmenter *sg, uint32_t i)
{
	return sg->a->text[i];
}

/* Does a clause introduce a list? */
static bool introduces(const struct cw_segmenter *sg, int32_t index)
{
	if (index < 0)
		return false;
	const struct cw_clause *c = &sg->a->clauses[index];
	uint32_t end = c->span.byte_end, from = c->span.byte_start;

	if (c->kind == CW_ROW)
		return false;
	while (end > from && strchr("*_ \\`", at(sg, end - 1)))
		end--;
	if (end == from)
		return false;
	char last = at(sg, end - 1);
	if (last == ':')
		return true;
	if (c->kind == CW_HEADING)
		return false;
	if (end - from > 3 && memcmp(sg->a->text + end - 3, "\xe2\x80\x94", 3) == 0)
		return true;
	if (!strchr(".;?!)]\"'", last))
		return c->tok_count > 2;
	uint32_t tail = end - from < TAIL ? from : end - TAIL;
	return last != ';' && (memmem(sg->a->text + tail, end - tail, "following", 9) ||
			       memmem(sg->a->text + tail, end - tail, "as follows", 10));
}

static bool begins_small(const struct cw_head *head, size_t from)
{
	return from < head->len && head->c[from] >= 'a' && head->c[from] <= 'z';
}

/* Plain words of head[from..from+len) for people. */
static const char *words_of(struct cw_segmenter *sg, const struct cw_head *head, size_t from,
			    size_t len)
{
	struct cw_buf buf = { 0 };

	cw_plain_text(head->c, (uint32_t)from, (uint32_t)(from + len), CW_FORMAT_TEXT, &buf);
	const char *words =
		buf.failed ? NULL : cw_arena_strndup(&sg->a->arena, cw_buf_str(&buf), buf.len);
	cw_buf_release(&buf);
	return words;
}

/* What enumerators said about a block. */
struct place {
	struct cw_level *level; /* innermost that the block opened, or NULL */
	size_t from; /* where its words begin in the head */
	bool fresh; /* the level begins a list */
	bool numbered;
};

static void enter(struct cw_segmenter *sg, struct place *p, struct cw_number n, const char *text,
		  unsigned list)
{
	p->level = cw_sections_enter(&sg->sections, n, text, list, &p->fresh);
	p->level->lasting = list == 0 && (n.kind == CW_N_LABEL || n.kind == CW_N_DOTTED ||
					  (n.kind == CW_N_DIGITS && n.form == CW_F_DOT));
	p->numbered = p->numbered || n.kind != CW_N_BULLET;
}

static void enter_marker(struct cw_segmenter *sg, struct place *p, const struct cw_block *b)
{
	struct cw_number n = { .kind = CW_N_BULLET };
	char digits[12] = "";

	if (b->ordinal >= 0) {
		unsigned value = (unsigned)b->ordinal;
		size_t i = sizeof(digits) - 1;

		do
			digits[--i] = (char)('0' + value % 10);
		while ((value /= 10) > 0);
		n.kind = CW_N_DIGITS;
		n.value = (unsigned)b->ordinal;
		n.text_len = sizeof(digits) - 1 - i;
		memmove(digits, digits + i, n.text_len);
	}
	enter(sg, p, n, digits, b->list);
}

/* May this enumerator follow another one at the head of a clause? */
static bool second(const struct cw_number *n)
{
	return n->kind == CW_N_DOTTED || (n->form == CW_F_PARENS && n->value == 1);
}

static struct place find_place(struct cw_segmenter *sg, const struct cw_block *b,
			       const struct cw_head *head)
{
	struct place p = { 0 };

	if (b->kind == CW_ROW)
		return p;
	if (b->kind == CW_ITEM)
		enter_marker(sg, &p, b);
	else
		cw_sections_close_lists(&sg->sections, b->list);
	for (unsigned i = 0; i < NUMBERS_AT_HEAD; i++) {
		struct cw_number n = cw_number_read(head->c + p.from, head->len - p.from);

		if (n.kind == CW_N_NONE || (p.numbered && b->kind != CW_ITEM && !second(&n)) ||
		    (p.level && n.kind == CW_N_BULLET))
			break;
		enter(sg, &p, n, head->c + p.from, 0);
		p.from += n.also ? n.also : n.len;
	}
	return p;
}

static unsigned item_level(const struct cw_sections *st)
{
	unsigned level = 0;

	for (unsigned i = 0; i < st->depth; i++)
		level += !st->level[i].lasting;
	return level ? level : 1;
}

/*
 * Title of the innermost open section that is younger than the last heading.  The title of the
 * document is not that of a clause with a number.
 */
static const char *title_above(const struct cw_segmenter *sg, bool lasting)
{
	const struct cw_sections *st = &sg->sections;
	const char *title = NULL;

	for (unsigned i = 0; i < st->depth; i++) {
		if (lasting && !st->level[i].lasting)
			break;
		if (st->level[i].title && st->level[i].clause >= sg->heading)
			title = st->level[i].title;
	}
	if (title)
		return title;
	if (sg->heading < 0)
		return "";
	bool numbered = st->depth > 0 && st->level[0].lasting;
	if (numbered && sg->heading == sg->first_heading && !sg->a->clauses[sg->heading].section[0])
		return "";
	return sg->a->clauses[sg->heading].heading;
}

static int as_heading(struct cw_segmenter *sg, struct cw_clause *c, const struct cw_block *b,
		      const struct cw_head *head, struct place *p)
{
	int32_t index = (int32_t)(c - sg->a->clauses);
	bool label = p->level && p->level->number.kind == CW_N_LABEL;
	size_t from = p->from < head->len ? p->from : 0, len = head->len - from;

	c->kind = CW_HEADING;
	c->level = b->level ? b->level : sg->a->format == CW_FORMAT_MARKDOWN ? 6u : label ? 1u : 2u;
	while (len > 1 && strchr(".: ", head->c[from + len - 1]))
		len--;
	c->heading = words_of(sg, head, from, len);
	if (p->level) {
		p->level->heading = c->level;
		p->level->lasting = true;
		p->level->title = c->heading;
		p->level->clause = index;
	} else {
		cw_sections_heading(&sg->sections, c->level,
				    sg->label_heading || sg->a->format == CW_FORMAT_TEXT);
	}
	c->section = cw_sections_path(&sg->sections, true, &sg->a->arena);
	sg->label_heading = label;
	return c->heading && c->section ? CW_OK : CW_ENOMEM;
}

/* Which clause introduces this one, by its place in a list or by its looks. */
static int32_t find_lead_in(const struct cw_segmenter *sg, int32_t index,
			    const struct cw_head *head, const struct place *p, bool titled)
{
	const struct cw_clause *prev = index > 0 ? &sg->a->clauses[index - 1] : NULL;

	if (p->level) {
		/* "The parties agree as follows:" introduces sections, not items. */
		if (p->level->lasting && (titled || p->level->number.kind != CW_N_DIGITS))
			return -1;
		if (!p->fresh)
			return p->level->lead_in;
		if (introduces(sg, index - 1) &&
		    (!p->level->lasting || at(sg, prev->span.byte_end - 1) == ':'))
			return index - 1;
		return p->level > sg->sections.level && !p->level->lasting ? p->level[-1].lead_in
									   : -1;
	}
	if (!prev || !(begins_small(head, p->from) || prev->kind == CW_HEADING))
		return -1;
	if (at(sg, prev->span.byte_end - 1) == ':')
		return index - 1;
	return prev->kind == CW_PARAGRAPH ? prev->lead_in : -1;
}

static int as_text(struct cw_segmenter *sg, struct cw_clause *c, const struct cw_block *b,
		   const struct cw_head *head, struct place *p)
{
	int32_t index = (int32_t)(c - sg->a->clauses);
	bool numbered = p->level && p->level->number.kind != CW_N_BULLET;
	size_t title = p->from < head->len ? cw_head_title(head, p->from, numbered) : 0;
	bool whole = numbered && cw_head_is_heading(head, p->from, true, sg->a->format);
	bool inherits = p->level == NULL && !sg->carried && b->list == 0;
	const char *words = NULL;

	c->kind = b->kind;
	if (whole)
		title = head->len - p->from;
	if (b->kind != CW_ROW)
		c->lead_in = find_lead_in(sg, index, head, p, title > 0);
	if (title > 0 && !(words = words_of(sg, head, p->from, title)))
		return CW_ENOMEM;
	if (p->level) {
		p->level->lead_in = c->lead_in;
		p->level->title = p->level->number.kind == CW_N_BULLET ? NULL : words;
		p->level->clause = index;
		if (!p->level->lasting || c->lead_in >= 0)
			c->kind = CW_ITEM;
	} else if (sg->carried && sg->sections.depth > 0 &&
		   !sg->sections.level[sg->sections.depth - 1].lasting) {
		c->kind = CW_ITEM;
		c->lead_in = sg->sections.level[sg->sections.depth - 1].lead_in;
	}
	if (c->kind == CW_ITEM)
		c->level = item_level(&sg->sections);
	c->heading = words ? words : title_above(sg, inherits);
	c->section = cw_sections_path(&sg->sections, inherits, &sg->a->arena);
	sg->label_heading = false;
	return c->section ? CW_OK : CW_ENOMEM;
}

static int tokenise(struct cw_segmenter *sg, uint32_t from, uint32_t to)
{
	return cw_tokenise(&sg->a->arena, sg->a->text, from, to, sg->a->format, &sg->toks);
}

/* The clause before goes on after a page break. */
static int join(struct cw_segmenter *sg, const struct cw_block *b)
{
	struct cw_clause *c = &sg->a->clauses[sg->a->nclauses - 1];
	size_t first = sg->toks.count;
	int ret = tokenise(sg, b->body, b->body_end);

	if (ret != CW_OK)
		return ret;
	if (sg->toks.count > first)
		sg->toks.at[first].flags &= (uint16_t)~CW_TOK_SENT;
	c->tok_count += (uint32_t)(sg->toks.count - first);
	c->span.byte_end = b->end;
	c->span.line_end = b->line_end;
	return CW_OK;
}

int cw_segmenter_block(struct cw_segmenter *sg, const struct cw_block *b)
{
	struct cw_analysis *a = sg->a;
	struct cw_head head;
	size_t first = sg->toks.count;

	if (b->join && a->nclauses > 0 && a->clauses[a->nclauses - 1].kind != CW_HEADING)
		return join(sg, b);
	cw_head_read(&head, a->text, b, a->format);
	struct place p = find_place(sg, b, &head);
	bool lone = p.from > 0 && p.from >= head.len && head.whole;
	bool label = p.level && p.level->number.kind == CW_N_LABEL;
	uint32_t from = p.from < head.len && p.from > 0 ? head.at[p.from] : b->body;

	if (lone && !label) {
		p.level->lead_in = find_lead_in(sg, (int32_t)a->nclauses, &head, &p, false);
		sg->carried = true;
		return CW_OK;
	}
	int ret = tokenise(sg, from, b->body_end);
	if (ret != CW_OK || sg->toks.count == first)
		return ret;

	struct cw_clause *more =
		cw_arena_grow(&a->arena, a->clauses, a->nclauses, &sg->cap, sizeof(*more));
	if (!more)
		return CW_ENOMEM;
	a->clauses = more;
	struct cw_clause *c = &a->clauses[a->nclauses];
	*c = (struct cw_clause){ .span = { b->start, b->end, b->line_start, b->line_end },
				 .lead_in = -1,
				 .heading_at = sg->heading,
				 .tok_start = (uint32_t)first,
				 .tok_count = (uint32_t)(sg->toks.count - first) };
	bool heading =
		b->kind == CW_HEADING || (lone && label) ||
		(b->kind == CW_PARAGRAPH && b->lines <= 2 && b->list == 0 &&
		 (!p.level || p.level->lasting || p.level->number.kind == CW_N_UPPER_ROMAN) &&
		 cw_head_is_heading(&head, p.from, p.numbered, a->format));
	ret = heading ? as_heading(sg, c, b, &head, &p) : as_text(sg, c, b, &head, &p);
	sg->carried = false;
	if (ret != CW_OK)
		return ret;
	if (heading)
		sg->heading = (int32_t)a->nclauses;
	if (sg->first_heading < 0)
		sg->first_heading = sg->heading;
	a->nclauses++;
	return CW_OK;
}

int cw_segment(struct cw_analysis *a, struct cw_error *err)
{
	struct cw_segmenter sg = { .a = a, .heading = -1, .first_heading = -1 };
	struct cw_arena scratch = { 0 };
	struct cw_roles roles;
	uint32_t len = (uint32_t)a->len;
	int ret = CW_ENOMEM;

	sg.toks.cap = a->len / 6 + 16;
	sg.toks.at = cw_arena_alloc(&a->arena, sg.toks.cap * sizeof(*sg.toks.at));
	if (sg.toks.at)
		ret = a->format == CW_FORMAT_MARKDOWN ? cw_read_markdown(&sg, a->text, len)
						      : cw_read_plain(&sg, &scratch, a->text, len);
	cw_arena_release(&scratch);
	a->toks = sg.toks.at;
	a->ntoks = sg.toks.count;
	if (ret != CW_OK)
		return cw_fail(err, CW_ENOMEM, "out of memory while reading the clauses");
	cw_roles_init(&roles);
	for (size_t i = 0; i < a->nclauses; i++)
		cw_fingerprint(&roles, a->toks + a->clauses[i].tok_start, &a->clauses[i]);
	return CW_OK;
}
