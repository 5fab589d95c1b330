/** @file
 * What the files of this room show to each other: one part a kind of record.
 */
#pragma once

#include "store/db.h"

extern const uint8_t cw_no_hash[CW_HASH_SIZE];

/* text.c */

/** A text ready to be stored, made before the transaction. */
struct cw_packed_text {
	uint8_t hash[CW_HASH_SIZE];
	struct cw_buf record;
};
int cw_store__pack_text(const char *text, size_t len, struct cw_packed_text *out,
			struct cw_error *err);
/** One more document keeps it. */
int cw_store__keep_text(struct cw_tx *tx, const struct cw_packed_text *text);
/** One less; the last one deletes it.  Zero hashes are no text. */
int cw_store__drop_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE]);
int cw_store__load_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE], struct cw_arena *arena,
			const char **out, size_t *out_len);
int cw_store__unpack_text(const void *bytes, size_t len, struct cw_arena *arena, const char **out,
			  size_t *out_len);

/* document.c */

extern const struct cw_field cw_document_fields[];
extern const size_t cw_document_nfields;
int cw_store__check_name(struct cw_tx *tx, const struct cw_docname *name);
/** CW_ENOTFOUND without a message. */
int cw_store__find_document(struct cw_tx *tx, const struct cw_docname *name, struct cw_arena *arena,
			    struct cw_document **out);
int cw_store__load_document(struct cw_tx *tx, uint64_t id, struct cw_arena *arena,
			    struct cw_document **out);
/** CW_ENOTFOUND with one. */
int cw_store__need_document(struct cw_tx *tx, uint64_t id, struct cw_document **out);
/** A new id and its name; the record is saved with cw_store__save_document(). */
int cw_store__new_document(struct cw_tx *tx, const struct cw_docname *name,
			   struct cw_document **out);
/** old: as it was loaded, or NULL for a new one.  Keeps `content` and the counters right. */
int cw_store__save_document(struct cw_tx *tx, const struct cw_document *old,
			    const struct cw_document *doc);
int cw_store__delete_document(struct cw_tx *tx, const struct cw_document *doc);
void cw_store__count_document(const struct cw_document *doc, uint64_t *n, int sign);
int cw_store__unpack_document(struct cw_unpack *u, struct cw_document *doc);

/* version.c */

extern const struct cw_field cw_version_fields[];
extern const size_t cw_version_nfields;
int cw_store__put_version(struct cw_tx *tx, const struct cw_version *v);
int cw_store__list_versions(struct cw_tx *tx, uint64_t doc, uint32_t before, struct cw_list *out);
int cw_store__delete_versions(struct cw_tx *tx, uint64_t doc);
int cw_store__unpack_version(struct cw_unpack *u, struct cw_version *v);

/* clause.c */

#define CW_CLAUSE_SKEL 1u /**< is in `skel`: no heading */
#define CW_CLAUSE_SKETCH 2u /**< has a sketch */
#define CW_CLAUSE_LEADER 4u /**< is in `fresh` or `band`; in the clause record only */

struct cw_outline_item {
	uint32_t clause;
	unsigned flags;
	struct cw_span span;
	const char *section;
	uint64_t fingerprint, skeleton;
};

struct cw_clause_record {
	uint64_t doc, skeleton;
	unsigned flags;
	uint8_t sketch[CW_SKETCH_LEN];
};

/** analysis NULL: the document has no clauses any more. */
int cw_store__put_clauses(struct cw_tx *tx, uint64_t doc, const struct cw_analysis *a,
			  const uint32_t *sketches);
int cw_store__load_outline(struct cw_tx *tx, uint64_t doc, struct cw_arena *arena,
			   struct cw_outline_item **out, size_t *out_n);
int cw_store__load_clause(struct cw_tx *tx, uint32_t id, struct cw_clause_record *out);
int cw_store__unpack_outline(struct cw_unpack *u, struct cw_outline_item **out, size_t *out_n);
int cw_store__unpack_clause(struct cw_unpack *u, struct cw_clause_record *out);

/* band.c */

#define CW_BANDS 16u
#define CW_BAND_ROWS (CW_SKETCH_LEN / CW_BANDS)
/** Where a sketch stands in `band`: key of 4 bytes, first 4 bytes of the value. */
void cw_store__band(const uint8_t *sketch, unsigned band, uint8_t key[4], uint8_t tag[4]);
/** A clause becomes findable as the leader of its skeleton, or ceases to be. */
int cw_store__lead(struct cw_tx *tx, uint32_t id);
int cw_store__unlead(struct cw_tx *tx, uint32_t id, const uint8_t *sketch);
/** Once very many wait in `fresh`, move them to `band`. */
int cw_store__merge_many(struct cw_tx *tx);

/* finding.c */

/** Replaces those of the document; analysis NULL: none.  counts: of risks, by severity. */
int cw_store__put_findings(struct cw_tx *tx, uint64_t doc, const struct cw_analysis *a,
			   int64_t now_ms, uint32_t counts[CW_STORE_SEVERITIES]);
int cw_store__unpack_finding(struct cw_unpack *u, struct cw_stored_finding *f);

/* events.c */

/** json: one buffer an event, made before the transaction. */
int cw_store__put_events(struct cw_tx *tx, const struct cw_commit_event *events, size_t n,
			 const struct cw_buf *json, int64_t now_ms);
int cw_store__put_event_json(struct cw_tx *tx, const char *id, int64_t time_ms, const char *json,
			     size_t len);
/** One JSON text an event, malloc'ed; NULL when n is 0. */
int cw_store__events_json(const struct cw_commit_event *events, size_t n, struct cw_buf **out,
			  struct cw_error *err);
void cw_store__free_json(struct cw_buf *json, size_t n);
int cw_store__unpack_event(struct cw_unpack *u, struct cw_stored_event *e);

/* outbox.c */

extern const struct cw_field cw_delivery_fields[];
extern const size_t cw_delivery_nfields;
int cw_store__put_delivery(struct cw_tx *tx, const struct cw_delivery *d);
/** All of an event; CW_ECANCELED, and nothing deleted, when one is pending. */
int cw_store__delete_deliveries(struct cw_tx *tx, const char *event);
int cw_store__unpack_delivery(struct cw_unpack *u, struct cw_delivery *d);

/* waiver.c, refs.c */

extern const struct cw_field cw_waiver_fields[];
extern const size_t cw_waiver_nfields;
int cw_store__put_waiver(struct cw_tx *tx, const struct cw_waiver *w);
int cw_store__unpack_waiver(struct cw_unpack *u, struct cw_waiver *w);
extern const struct cw_field cw_ref_fields[];
extern const size_t cw_ref_nfields;
int cw_store__put_ref(struct cw_tx *tx, const struct cw_ref *ref);
int cw_store__unpack_ref(struct cw_unpack *u, struct cw_ref *ref);

/* text.c, for import */

/** Store a text that no document keeps yet. */
int cw_store__import_text(struct cw_tx *tx, const struct cw_packed_text *text);
/** One more document keeps it; CW_ENOTFOUND, without a message, when it is not there. */
int cw_store__ref_text(struct cw_tx *tx, const uint8_t hash[CW_HASH_SIZE]);
