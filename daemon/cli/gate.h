/** @file
 * Two states of a repository judged: what became riskier, what could not be checked.
 *
 * States are compared, not lines: a protection that is lost matters as much as a risk that is
 * added.  Internal to cli/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/compare.h"
#include "clausewatch/config.h"
#include "clausewatch/git.h"
#include "cli.h"

/** A riskier change, held in words so that the documents need not be. */
struct gate_change {
	const char *path; /**< bytes of whoever pushed */
	const char *old_path; /**< differs from path after a rename */
	enum cw_change_event event;
	enum cw_severity severity;
	bool blocks; /**< refuses; else it is a warning */
	char id[CW_ID_SIZE];
	const char *term_id, *title, *section, *heading, *why, *advice;
	const char *before, *after; /**< the parts of the sentences that matter; NULL: none */
	uint32_t line; /**< 1-based, of path, or of old_path when after is NULL */
};

/** A document that is gone, and what it protected. */
struct gate_deleted {
	const char *path;
	const char *const *titles; /**< each once */
	size_t ntitles;
};

/** Something that could not be checked. */
struct gate_unchecked {
	const char *path; /**< NULL: message names what it is */
	const char *code; /**< "unsupported", "submodule", ... */
	const char *message; /**< "" when code says it all */
};

struct gate_count {
	const char *code;
	size_t count;
};

/** What one run of a hook found.  All zero is valid; strings live in arena. */
struct gate_report {
	struct cw_arena arena;
	struct gate_change *changes;
	size_t nchanges, changes_cap;
	struct gate_deleted *deleted;
	size_t ndeleted, deleted_cap;
	struct gate_unchecked *unchecked;
	size_t nunchecked, unchecked_cap;
	struct gate_count *counts; /**< of unchecked, by code */
	size_t ncounts, counts_cap;
	const char **notes; /**< about references: "history rewritten" */
	size_t nnotes, notes_cap;
	size_t changes_before, unchecked_before; /**< those of earlier comparisons */
	size_t checked; /**< documents */
	size_t refused; /**< of them, with changes that block */
	size_t others; /**< changed files that are no documents */
	size_t late; /**< documents that there was no time for */
	int rules_code; /**< not CW_OK: the rules cannot be used, and one unchecked says why */
};

/** What judging needs; the members above the line are the caller's. */
struct gate {
	struct cw_git_repo *repo;
	const struct cw_config *config;
	const struct cli_list *packs; /**< from the command line */
	double deadline; /**< of cli_now() */
	struct gate_report *report;
	/* ---- */
	struct cw_ruleset *rules; /**< loaded when the first document asks for them */
	char today[11];
};

/** Releases what judging loaded, not what the caller gave. */
void gate_release(struct gate *g);
void gate_report_release(struct gate_report *r);

/**
 * Compare two trees; none stands for the empty one.
 * What concerns a single document goes to the report.
 * @return CW_OK; otherwise the whole comparison could not be made
 */
int gate_trees(struct gate *g, const struct cw_oid *old_tree, const struct cw_oid *new_tree,
	       struct cw_error *err);
/** What is staged, against HEAD. */
int gate_index(struct gate *g, struct cw_error *err);

/** Add to the report; path may be NULL.  Out of memory ends the program: the push is refused. */
void gate_add_unchecked(struct gate_report *r, const char *path, const char *code,
			const char *message);
void gate_add_note(struct gate_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Between gate.c and its parts. */

/** One version of a document, read and analysed.  All zero is empty. */
struct gate_version {
	struct cw_buf blob;
	struct cw_text text;
	struct cw_analysis *analysis;
};
void gate_version_release(struct gate_version *v);

/** A deleted document: it may come back under another name. */
struct gate_gone {
	const char *path;
	struct cw_git_side side;
	uint64_t *prints; /**< of its clauses, sorted */
	size_t nprints;
	struct gate_deleted record;
	bool claimed; /**< an added document continues it */
};

/** Remember the clauses of a deleted document and what it protected; a is not kept. */
void gate_gone_fill(struct gate_report *r, struct gate_gone *gone, const struct cw_analysis *a);
/** The deleted document that has most in common with an added one, at least half; or NULL. */
struct gate_gone *gate_gone_match(struct gate_gone *gone, size_t n, const struct cw_analysis *a);

/** Put a comparison's riskier changes into the report. */
void gate_take_changes(struct gate *g, const char *path, const char *old_path,
		       const struct cw_comparison *c);

/** Grow an array of the report, or end the program. */
void *gate_grow(struct gate_report *r, void *items, size_t count, size_t *cap, size_t size);
/** A copy that lives as long as the report; "" for NULL. */
const char *gate_keep(struct gate_report *r, const char *text);

/**
 * The parts of two sentences worth showing, shortened at words: around the first difference, or
 * around the focus when there is one sentence only.
 * @param before, after  plain text or NULL; replaced in place
 * @param focus          words to look for, or NULL
 */
void gate_excerpt(struct cw_buf *before, struct cw_buf *after, const char *focus);
