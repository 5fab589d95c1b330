#include "clausewatch/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "engine/judge.h"
#include "engine/matrix.h"

#define LEGACY_BEFORE "2022-11-30"

/** A right over data in an old document that nothing takes back. */
static const char *const legacy_grants[] = {
	"data.usage-grant",
	"data.content-license",
	"data.training-grant",
	"data.improve-services",
	"data.deidentified-grant",
	"data.derived-ownership",
	NULL,
};

bool cw_is_legacy_grant(const char *term_id)
{
	for (size_t i = 0; legacy_grants[i]; i++)
		if (strcmp(legacy_grants[i], term_id) == 0)
			return true;
	return false;
}

static bool has_finding(const struct cw_analysis *a, const char *term_id, enum cw_polarity polarity)
{
	for (size_t i = 0; i < a->nfindings; i++)
		if (a->findings[i].polarity == polarity &&
		    strcmp(a->findings[i].term_id, term_id) == 0)
			return true;
	return false;
}

static bool is_legacy(const struct cw_analysis *a, const struct cw_analysis_options *opts)
{
	const char *before = opts && opts->legacy_before ? opts->legacy_before : LEGACY_BEFORE;
	const char *date = a->profile.agreement_date;

	if (!date[0])
		date = a->profile.effective_date;
	if (!date[0] || strcmp(date, before) >= 0 ||
	    has_finding(a, "data.no-training", CW_PROTECTION))
		return false;
	for (size_t i = 0; i < a->nfindings; i++)
		if (a->findings[i].polarity == CW_RISK &&
		    cw_is_legacy_grant(a->findings[i].term_id))
			return true;
	return false;
}

/** Expected protections that no clause gives. */
static int list_silent(struct cw_analysis *a, const struct cw_ruleset *rules, struct cw_error *err)
{
	const char **silent = cw_arena_alloc(&a->arena, (rules->nterms + 1) * sizeof(*silent));

	if (!silent)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < rules->nterms; i++)
		if (rules->terms[i].expected && !has_finding(a, rules->terms[i].id, CW_PROTECTION))
			silent[a->nsilent++] = rules->terms[i].id;
	a->silent = silent;
	return CW_OK;
}

int cw_analyse_probed(const struct cw_ruleset *rules, const char *text, size_t len,
		      enum cw_format format, const struct cw_analysis_options *opts,
		      const struct cw_probe *probe, struct cw_analysis **out, struct cw_error *err)
{
	const struct cw_roles *roles = NULL;
	struct cw_analysis *a;
	int ret;

	if (len > CW_TEXT_MAX)
		return cw_fail(err, CW_EFULL, "text is %zu bytes, limit is %zu", len, CW_TEXT_MAX);
	a = calloc(1, sizeof(*a));
	if (!a)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	a->text = text;
	a->len = len;
	a->format = format;
	ret = cw_segment(a, err);
	if (ret == CW_OK)
		ret = cw_profile_read(a, opts, &roles, err);
	if (ret == CW_OK)
		ret = cw_judge(a, rules, roles, probe, err);
	if (ret == CW_OK)
		ret = list_silent(a, rules, err);
	if (ret == CW_OK)
		ret = cw_matrix_fill(a, roles, err);
	if (ret < 0) {
		cw_analysis_free(a);
		return ret;
	}
	a->profile.legacy = is_legacy(a, opts);
	*out = a;
	return CW_OK;
}

int cw_analyse(const struct cw_ruleset *rules, const char *text, size_t len, enum cw_format format,
	       const struct cw_analysis_options *opts, struct cw_analysis **out,
	       struct cw_error *err)
{
	return cw_analyse_probed(rules, text, len, format, opts, NULL, out, err);
}

void cw_analysis_free(struct cw_analysis *a)
{
	if (!a)
		return;
	cw_arena_release(&a->arena);
	free(a);
}
