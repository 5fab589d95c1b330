#include "engine/matrix.h"

#include <string.h>

#include "engine/matrix_read.h"

/** A right to use, from the narrowest to the widest. */
static const char *const use_names[] = {
	[CW_USE_SILENT] = "silent",
	[CW_USE_NONE] = "none",
	[CW_USE_SERVICE] = "service-only",
	[CW_USE_LIMITED] = "limited",
	[CW_USE_IMPROVE] = "improve",
	[CW_USE_TRAIN] = "train",
	[CW_USE_ANY] = "any",
};

static const char *owner_of(const struct cw_allotment *cell)
{
	return cell->customer && cell->vendor ? "shared"
	       : cell->customer               ? "customer"
	       : cell->vendor                 ? "vendor"
					      : "silent";
}

/** Nothing wider than monitoring, and the customer's own. */
static bool compromise(const struct cw_allotment *cell)
{
	return cell->customer && !cell->vendor && cell->use != CW_USE_SILENT &&
	       cell->use <= CW_USE_LIMITED;
}

static const char *level_of(const struct cw_matrix_reading *r, unsigned i)
{
	const struct cw_allotment *cell = &r->cell[i];
	bool named_only = cell->use == CW_USE_SILENT && !cell->customer && !cell->vendor;
	bool own = cell->customer && !cell->vendor;
	bool narrow = cell->use == CW_USE_NONE || cell->use == CW_USE_SERVICE;

	if (named_only)
		return "silent";
	switch (1u << i) {
	case CW_A_INPUT:
		if (own && narrow)
			return "preferred";
		return compromise(cell) || (narrow && !cell->vendor) ? "compromise"
								     : "vendor-default";
	case CW_A_PROMPT:
		if (own && narrow && r->no_retention)
			return "preferred";
		return compromise(cell) && r->short_retention ? "compromise" : "vendor-default";
	case CW_A_OUTPUT:
		if (own && cell->use == CW_USE_NONE)
			return "preferred";
		return compromise(cell) ? "compromise" : "vendor-default";
	case CW_A_TUNED:
		return own ? "preferred" : cell->destroyed ? "compromise" : "vendor-default";
	case CW_A_EMBEDDING:
		return own ? "preferred" : "vendor-default";
	default:
		if (!own || cell->use > CW_USE_SERVICE)
			return "vendor-default";
		return cell->defined && narrow ? "preferred" : "compromise";
	}
}

static bool is_allotting(const struct cw_finding *f)
{
	return (strncmp(f->term_id, "data.", 5) == 0 || strncmp(f->term_id, "own.", 4) == 0) &&
	       strcmp(f->term_id, "data.feedback-grant") != 0;
}

/** The findings of the clauses that decided a cell. */
static int cite(struct cw_analysis *a, const struct cw_allotment *from, struct cw_cell *cell)
{
	uint32_t *list = NULL;

	for (int pass = 0; pass < 2; pass++) {
		size_t n = 0;
		for (size_t i = 0; i < a->nfindings; i++) {
			bool cited = false;
			for (size_t k = 0; k < from->nclauses; k++)
				cited |= from->clauses[k] == a->findings[i].clause;
			if (!cited || !is_allotting(&a->findings[i]))
				continue;
			if (list)
				list[n] = (uint32_t)i;
			n++;
		}
		if (pass == 0 && n > 0 && !(list = cw_arena_alloc(&a->arena, n * sizeof(*list))))
			return CW_ENOMEM;
		cell->nfindings = n;
	}
	cell->findings = list;
	return CW_OK;
}

static const struct cw_finding *find(const struct cw_analysis *a, const char *term_id,
				     enum cw_polarity polarity)
{
	for (size_t i = 0; i < a->nfindings; i++)
		if (a->findings[i].polarity == polarity &&
		    strcmp(a->findings[i].term_id, term_id) == 0)
			return &a->findings[i];
	return NULL;
}

static bool names_term(const struct cw_analysis *a, const char *term_id)
{
	return find(a, term_id, CW_NEUTRAL) || find(a, term_id, CW_RISK) ||
	       find(a, term_id, CW_PROTECTION);
}

static const char *no_training(const struct cw_matrix_reading *r)
{
	if (r->no_training)
		return r->opt_in ? "opt-in" : "yes";
	if (r->training)
		return names_term(r->a, "data.training-choice") ? "opt-out" : "no";
	return find(r->a, "data.no-training", CW_PROTECTION) ? "yes" : "silent";
}

static const char *ip_indemnity(const struct cw_analysis *a)
{
	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cw_finding *f = &a->findings[i];
		if (strcmp(f->term_id, "liab.vendor-indemnity.ip") == 0 &&
		    f->direction != CW_CUSTOMER && find(a, "liab.vendor-indemnity", CW_PROTECTION))
			return "yes";
	}
	return find(a, "liab.vendor-indemnity", CW_PROTECTION) ? "limited" : "silent";
}

static const char *output_indemnity(const struct cw_matrix_reading *r)
{
	bool indemnity = find(r->a, "liab.vendor-indemnity", CW_PROTECTION) != NULL;

	if (indemnity && (r->outputs_indemnified || r->outputs_excluded))
		return r->outputs_excluded ? "limited" : "yes";
	return !indemnity && r->outputs_on_customer ? "no" : "silent";
}

static bool quotes(const struct cw_analysis *a, const struct cw_finding *f, const char *word)
{
	return memmem(a->text + f->quote_start, f->quote_end - f->quote_start, word,
		      strlen(word)) != NULL;
}

static const char *liability_cap(const struct cw_analysis *a)
{
	static const char *const amounts[] = { "liab.cap.fees-based", "liab.cap.amount",
					       "liab.cap.exposure" };
	bool excluded = false;

	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cw_finding *f = &a->findings[i];
		for (size_t k = 0; k < sizeof(amounts) / sizeof(*amounts); k++)
			if (strcmp(f->term_id, amounts[k]) == 0)
				return "yes";
		if (strcmp(f->term_id, "liab.cap") != 0)
			continue;
		/* A cap may stand in another document: "subject to the limitations in ..." */
		if (quotes(a, f, "imitations of") || quotes(a, f, "imitation of"))
			return "yes";
		excluded = true;
	}
	return excluded ? "no" : "silent";
}

static int answer(struct cw_analysis *a, const struct cw_matrix_reading *r)
{
	const struct cw_attr answers[] = {
		{ "no_training", CW_ATTR_TEXT, no_training(r) },
		{ "ip_indemnity_by_vendor", CW_ATTR_TEXT, ip_indemnity(a) },
		{ "output_indemnity", CW_ATTR_TEXT, output_indemnity(r) },
		{ "liability_cap", CW_ATTR_TEXT, liability_cap(a) },
		{ "survival_of_data_rights", CW_ATTR_TEXT, r->survival ? "yes" : "silent" },
	};
	struct cw_attr *copy = cw_arena_alloc(&a->arena, sizeof(answers));

	if (!copy)
		return CW_ENOMEM;
	memcpy(copy, answers, sizeof(answers));
	a->answers = copy;
	a->nanswers = sizeof(answers) / sizeof(*answers);
	return CW_OK;
}

int cw_matrix_fill(struct cw_analysis *a, const struct cw_roles *roles, struct cw_error *err)
{
	struct cw_matrix_reading r = { .a = a, .roles = roles };
	int ret = cw_matrix_read(&r);

	/* Who owns a thing may do with it what he likes. */
	for (unsigned i = 0; i < CW_ARTEFACTS; i++)
		if (r.cell[i].vendor && r.cell[i].use == CW_USE_SILENT)
			r.cell[i].use = CW_USE_ANY;
	for (unsigned i = 0; ret == CW_OK && i < CW_ARTEFACTS; i++) {
		a->matrix[i].owner = owner_of(&r.cell[i]);
		a->matrix[i].use = use_names[r.cell[i].use];
		a->matrix[i].level = level_of(&r, i);
		ret = cite(a, &r.cell[i], &a->matrix[i]);
	}
	if (ret == CW_OK)
		ret = answer(a, &r);
	return ret == CW_OK ? CW_OK
			    : cw_fail(err, CW_ENOMEM, "out of memory while reading who owns what");
}
