/** @file
 * Who owns, and who may use, the six artefacts of an AI or software service.  Internal to the
 * engine.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "engine/profile.h"

/**
 * Fill a->matrix and a->answers from the findings, the definitions and the sentences that allot
 * an artefact to a party.
 *
 * @param a  after cw_judge()
 * @param roles  may be NULL: then nothing is allotted
 * @return CW_OK or CW_ENOMEM
 */
int cw_matrix_fill(struct cw_analysis *a, const struct cw_roles *roles, struct cw_error *err);
