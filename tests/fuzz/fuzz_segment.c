/*
 * Any bytes, in both formats: spans lie inside the text and in order, tokens inside clauses.
 * The first byte picks the format.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_clause(const struct cw_analysis *a, size_t index, uint32_t next_token)
{
	const struct cw_clause *c = &a->clauses[index];
	uint32_t at = c->span.byte_start;

	expect(c->span.byte_start < c->span.byte_end && c->span.byte_end <= a->len);
	expect(c->span.line_start >= 1 && c->span.line_start <= c->span.line_end);
	expect(c->lead_in < (int32_t)index && c->heading_at < (int32_t)index);
	expect(c->section && c->heading);
	expect(c->tok_count > 0 && c->tok_start == next_token &&
	       c->tok_start + (size_t)c->tok_count <= a->ntoks);
	expect(index == 0 || a->clauses[index - 1].span.byte_end <= c->span.byte_start);
	for (uint32_t i = 0; i < c->tok_count; i++) {
		const struct cw_tok *t = &a->toks[c->tok_start + i];

		expect(t->len > 0 && t->start >= at);
		at = t->start + t->len;
	}
	expect(at <= c->span.byte_end);
	expect(a->toks[c->tok_start].flags & CW_TOK_SENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_analysis a = { 0 };
	struct cw_buf words = { 0 };
	uint32_t sketch[CW_SKETCH_LEN], next = 0;

	if (size == 0)
		return 0;
	/* A copy of exactly this size, so that a byte read too far is seen. */
	char *text = malloc(size > 1 ? size - 1 : 1);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	a.text = text;
	a.len = size - 1;
	a.format = data[0] & 1 ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT;
	expect(cw_segment(&a, NULL) == CW_OK);
	for (size_t i = 0; i < a.nclauses; i++) {
		const struct cw_span *span = &a.clauses[i].span;

		check_clause(&a, i, next);
		next += a.clauses[i].tok_count;
		cw_sketch(&a, &a.clauses[i], sketch);
		cw_plain_text(text, span->byte_start, span->byte_end, a.format, &words);
	}
	expect(next == a.ntoks);
	cw_buf_release(&words);
	cw_arena_release(&a.arena);
	free(text);
	return 0;
}
