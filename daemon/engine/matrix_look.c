#include <string.h>
#include <strings.h>

#include "engine/matrix_read.h"

bool cw_matrix_same(const struct cw_matrix_reading *r, size_t i, const char *word)
{
	const struct cw_tok *t = &r->a->toks[i];

	return t->len == strlen(word) && strncasecmp(r->a->text + t->start, word, t->len) == 0;
}

/** "property of", "your property", "Acme's exclusive property". */
static bool is_property(const struct cw_matrix_reading *r, size_t i)
{
	const struct cw_tok *toks = r->a->toks;

	if (i + 1 < r->a->ntoks && cw_matrix_same(r, i + 1, "of"))
		return true;
	if (i > 0 && (cw_matrix_same(r, i - 1, "exclusive") || cw_matrix_same(r, i - 1, "sole")))
		i--;
	return i > 0 && ((toks[i - 1].flags & CW_TOK_POSS) ||
			 (cw_matrix_word(&r->words, toks[i - 1].hash) & CW_M_POSS));
}

unsigned cw_matrix_class(const struct cw_matrix_reading *r, size_t i)
{
	unsigned class = cw_matrix_word(&r->words, r->a->toks[i].hash);
	unsigned flags = r->a->toks[i].flags;

	/* "Support" with a capital is a service that was bought. */
	if ((flags & CW_TOK_CAP) && !(flags & CW_TOK_UPPER))
		class &= ~(unsigned)CW_M_LIMITED;
	if ((class & CW_M_ANY) && i > 0 && cw_matrix_same(r, i - 1, "non"))
		class &= ~(unsigned)CW_M_ANY;
	/* Intellectual property is what is owned, not who owns it. */
	if (cw_matrix_same(r, i, "property") && !is_property(r, i))
		class &= ~(unsigned)CW_M_OWNED;
	return class;
}

unsigned cw_matrix_look(const struct cw_matrix_reading *r, size_t from, size_t to,
			unsigned *classes)
{
	unsigned bits = 0, n;

	for (size_t i = from; i < to; i++) {
		if (classes)
			*classes |= cw_matrix_class(r, i);
		bits |= cw_matrix_name_at(&r->words, r->a->toks, i, to, &n);
	}
	return bits;
}
