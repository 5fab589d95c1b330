/*
 * The words that differ, for people: in one line, and word by word.
 */
#include <stdlib.h>
#include <string.h>

#include "clausewatch/compare.h"
#include "clausewatch/ruleset.h"
#include "engine/redline.h"

#define SUMMARY_MAX 160
/* Room that the title leaves at least. */
#define TITLE_MAX 70
#define QUOTE_MIN 24

/** Which words of the two stay, in the order of the longest common subsequence. */
struct aligned {
	struct cw_words a, b;
	unsigned char *in_a, *in_b;
};

static void align_middle(struct aligned *al, uint32_t head, uint32_t tail)
{
	uint32_t n = al->a.n - head - tail, m = al->b.n - head - tail;
	const struct cw_tok *a = al->a.at + head, *b = al->b.at + head;
	uint16_t *len = calloc((size_t)(n + 1) * (m + 1), sizeof(*len));

	if (!len)
		return; /* then all of the middle differs */
	for (uint32_t i = n; i-- > 0;)
		for (uint32_t k = m; k-- > 0;) {
			uint16_t *at = &len[i * (m + 1) + k], down = at[m + 1], right = at[1];
			if (a[i].hash == b[k].hash)
				*at = (uint16_t)(at[m + 2] + 1);
			else
				*at = down > right ? down : right;
		}
	for (uint32_t i = 0, k = 0; i < n && k < m;) {
		uint16_t *at = &len[i * (m + 1) + k];
		if (a[i].hash == b[k].hash)
			al->in_a[head + i++] = al->in_b[head + k++] = 1;
		else if (at[m + 1] >= at[1])
			i++;
		else
			k++;
	}
	free(len);
}

/** in_a and in_b are cleared and have room for 512 words each, as many as cw_quoted() gives. */
static void align_words(struct aligned *al)
{
	uint32_t n = al->a.n < al->b.n ? al->a.n : al->b.n, head = 0, tail = 0;

	while (head < n && al->a.at[head].hash == al->b.at[head].hash) {
		al->in_a[head] = al->in_b[head] = 1;
		head++;
	}
	while (head + tail < n &&
	       al->a.at[al->a.n - 1 - tail].hash == al->b.at[al->b.n - 1 - tail].hash) {
		al->in_a[al->a.n - 1 - tail] = al->in_b[al->b.n - 1 - tail] = 1;
		tail++;
	}
	if (al->a.n > head + tail && al->b.n > head + tail)
		align_middle(al, head, tail);
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/** Cut to so many characters, at a blank where one is near. */
static void shorten(struct cw_buf *text, size_t max)
{
	size_t at = 0, blank = 0, n = 0;

	if (!text->data || characters(text->data) <= max)
		return;
	for (; n + 2 < max; n++) {
		if (text->data[at] == ' ')
			blank = at;
		at++;
		while (((unsigned char)text->data[at] & 0xc0) == 0x80)
			at++;
	}
	text->len = blank > 0 ? blank : at;
	if (text->len > 4 && memcmp(text->data + text->len - 4, " …", 4) == 0)
		text->len -= 4;
	text->data[text->len] = '\0';
	cw_buf_puts(text, " …");
}

/** A number is told with what it counts; so few words between are told along. */
#define BRIDGE 2

static uint32_t run_end(struct cw_words w, const unsigned char *kept, uint32_t i)
{
	uint32_t end = i;

	for (; i < w.n && i <= end + BRIDGE; i++)
		if (!kept[i])
			end = i + 1;
	if (end < w.n && w.at[end - 1].flags & CW_TOK_NUM)
		end++;
	return end;
}

/** The words that did not stay, with dots between those that stood apart. */
static void put_differing(struct cw_buf *out, const struct cw_analysis *a, struct cw_words w,
			  const unsigned char *kept)
{
	for (uint32_t i = 0; i < w.n; i++) {
		if (kept[i])
			continue;
		uint32_t end = run_end(w, kept, i);
		if (out->len > 0)
			cw_buf_puts(out, " … ");
		cw_plain_text(a->text, w.at[i].start, w.at[end - 1].start + w.at[end - 1].len,
			      a->format, out);
		i = end - 1;
	}
}

static void put_quoted(struct cw_buf *out, const char *label, const struct cw_buf *text)
{
	cw_buf_puts(out, label);
	cw_buf_puts(out, "“");
	cw_buf_puts(out, cw_buf_str(text));
	cw_buf_puts(out, "”");
}

/** Two quotes share the room; a short one leaves the rest to the other. */
static void put_pair(struct cw_buf *out, struct cw_buf *was, struct cw_buf *is, size_t room)
{
	size_t half = room / 2, a = characters(cw_buf_str(was)), b = characters(cw_buf_str(is));

	shorten(was, b < half ? room - b : half);
	shorten(is, a < half ? room - a : half);
	if (was->len == 0) {
		put_quoted(out, ": now also ", is);
	} else if (is->len == 0) {
		put_quoted(out, ": no longer ", was);
	} else {
		put_quoted(out, ": ", was);
		put_quoted(out, " → ", is);
	}
}

static void put_both(struct cw_buf *out, const struct cw_analysis *old,
		     const struct cw_finding *before, const struct cw_analysis *new,
		     const struct cw_finding *after, size_t room)
{
	unsigned char in_a[512] = { 0 }, in_b[512] = { 0 };
	struct aligned al = { cw_quoted(old, before), cw_quoted(new, after), in_a, in_b };
	struct cw_buf was = { 0 }, is = { 0 };

	align_words(&al);
	put_differing(&was, old, al.a, in_a);
	put_differing(&is, new, al.b, in_b);
	if (was.len + is.len == 0)
		cw_buf_puts(out, ": same words");
	else
		put_pair(out, &was, &is, room);
	out->failed |= was.failed || is.failed;
	cw_buf_release(&was);
	cw_buf_release(&is);
}

static void put_one(struct cw_buf *out, const char *label, const struct cw_analysis *a,
		    const struct cw_finding *f)
{
	struct cw_buf text = { 0 };
	size_t used = characters(out->data) + characters(label) + 2;

	cw_plain_text(a->text, f->quote_start, f->quote_end, a->format, &text);
	shorten(&text, used + QUOTE_MIN < SUMMARY_MAX ? SUMMARY_MAX - used : QUOTE_MIN);
	put_quoted(out, label, &text);
	out->failed |= text.failed;
	cw_buf_release(&text);
}

const char *cw_redline_summary(struct cw_arena *arena, const struct cw_analysis *old,
			       const struct cw_finding *before, const struct cw_analysis *new,
			       const struct cw_finding *after, bool elsewhere)
{
	/* cppcheck-suppress nullPointerRedundantCheck ; the caller gives one of them at least */
	const struct cw_term *term = (after ? after : before)->term;
	struct cw_buf out = { 0 };

	cw_buf_puts(&out, term->title[0] ? term->title : term->id);
	shorten(&out, TITLE_MAX);
	if (before && after)
		put_both(&out, old, before, new, after,
			 SUMMARY_MAX - characters(cw_buf_str(&out)) - strlen(": ” → ””””"));
	else if (after)
		put_one(&out, elsewhere ? ", one statement more: " : " added: ", new, after);
	else
		put_one(&out,
			elsewhere ? ", one statement fewer: " : " removed, nothing else says it: ",
			old, before);
	const char *text = out.failed ? NULL : cw_arena_strndup(arena, cw_buf_str(&out), out.len);
	cw_buf_release(&out);
	return text;
}

/** The text from one word up to the next one, with the marks that stand between. */
static void put_run(const struct cw_analysis *a, struct cw_words w, uint32_t from, uint32_t to,
		    uint32_t end, enum cw_redline_mark mark, struct cw_redline_sink *sink)
{
	struct cw_buf text = { 0 };

	if (from == to)
		return;
	cw_plain_text(a->text, w.at[from].start, to < w.n ? w.at[to].start : end, a->format, &text);
	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	if (text.len > 0)
		sink->put(sink->ctx, mark, text.data, text.len);
	sink->failed |= text.failed;
	cw_buf_release(&text);
}

static uint32_t run_of(const unsigned char *kept, uint32_t from, uint32_t n)
{
	uint32_t to = from;

	while (to < n && kept[to] == kept[from])
		to++;
	return to;
}

bool cw_redline_words(const struct cw_comparison *c, const struct cw_change *change,
		      struct cw_redline_sink *sink)
{
	unsigned char in_a[512] = { 0 }, in_b[512] = { 0 };
	struct aligned al = { .in_a = in_a, .in_b = in_b };
	uint32_t i = 0, k = 0;

	if (!change->before || !change->after)
		return false;
	al.a = cw_quoted(c->old, change->before);
	al.b = cw_quoted(c->new, change->after);
	align_words(&al);
	while (i < al.a.n || k < al.b.n) {
		uint32_t gone = i, come = k, kept;
		while (gone < al.a.n && !in_a[gone])
			gone++;
		while (come < al.b.n && !in_b[come])
			come++;
		put_run(c->old, al.a, i, gone, change->before->quote_end, CW_WORDS_GONE, sink);
		put_run(c->new, al.b, k, come, change->after->quote_end, CW_WORDS_NEW, sink);
		kept = come < al.b.n ? run_of(in_b, come, al.b.n) : come;
		uint32_t same = gone < al.a.n ? run_of(in_a, gone, al.a.n) : gone;
		/* Runs end where either side has other words: what both keep is told once. */
		uint32_t n = kept - come < same - gone ? kept - come : same - gone;
		put_run(c->new, al.b, come, come + n, change->after->quote_end, CW_WORDS_KEPT,
			sink);
		i = gone + n;
		k = come + n;
	}
	return !sink->failed;
}
