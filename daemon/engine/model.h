/** @file
 * A second opinion beside the frames: for some terms, a linear model over the words of a clause,
 * of what leads into it, and over the rules that fired.  Internal to the engine.
 *
 * Logistic regression as in Fan et al., "LIBLINEAR: A Library for Large Linear Classification"
 * (JMLR 2008), trained by tests/train on labelled documents.  A file of weights holds:
 *
 *   "CWMODEL1"; u32 labels; for each: name and NUL, f32 bias, f32 scale, f32 threshold
 *   u32 features; for each, by hash: u32 hash, u8 n, n times (u8 label, i8 weight)
 *
 * integers and floats little-endian.  A label's score is
 * bias + scale * sum(weight * value) of the features that the clause has.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "clausewatch/analysis.h"
#include "clausewatch/error.h"

#define CW_MODEL_LABELS_MAX 64
/** Words of a clause that are looked at. */
#define CW_MODEL_WORDS 400
#define CW_MODEL_FEATURES_MAX (3 * CW_MODEL_WORDS + 256)

struct cw_feature {
	uint32_t hash;
	float value;
	uint32_t tok; /**< the word of the clause it begins at, UINT32_MAX outside */
};

struct cw_model_label {
	const char *term_id;
	float bias, scale;
	float threshold; /**< of the score */
};

struct cw_model;

/** Read a file of weights into the arena. CW_ECORRUPT names what is wrong. */
int cw_model_read(struct cw_arena *arena, const char *bytes, size_t len, struct cw_model **out,
		  struct cw_error *err);
size_t cw_model_nlabels(const struct cw_model *m);
const struct cw_model_label *cw_model_label(const struct cw_model *m, size_t i);

/**
 * The features of a clause.
 * @param fired  hashes (cw_word_hash()) of the ids of the rules that fired in the clause
 * @param out    room for CW_MODEL_FEATURES_MAX
 * @return how many there are
 */
size_t cw_model_features(const struct cw_analysis *a, uint32_t clause, const uint64_t *fired,
			 size_t nfired, struct cw_feature *out);
/** Score of every label; scores has cw_model_nlabels() places. */
void cw_model_score(const struct cw_model *m, const struct cw_feature *f, size_t n, float *scores);
/** What one feature adds to the score of a label. */
float cw_model_weight(const struct cw_model *m, const struct cw_feature *f, size_t label);
