/** @file
 * The store: everything that touches LMDB.  Opened by the daemon only, once per directory.
 *
 * Any thread may call; calls that write wait for each other.  All of them block (locks, fsync),
 * so none belongs on the loop thread.  No transaction outlives the call that began it, and what a
 * call returns is copied into the caller's arena.  A write is durable when its call returns; one
 * that fails changes nothing.  Every list is paged: ask again from the last one seen.
 *
 * Layout, schema CW_STORE_SCHEMA (integers in keys are big-endian; "packed" is
 * daemon/store/pack.h):
 *
 *   meta      name                              -> schema, created, install id, rules, next ids
 *   doc       doc u64                           -> packed struct cw_document
 *   docname   source 0 ref 0 path               -> doc u64; a long name is cut and ends in its hash
 *   content   content hash [16]                 => doc u64 (present documents; dup)
 *   version   doc u64, version u32              -> packed struct cw_version
 *   seen      doc u64, content hash [16]        -> last version u32 with that content
 *   text      text hash [16]                    -> packed length, zstd frame
 *   textref   text hash [16]                    -> count u32 of documents that keep it
 *   outline   doc u64                           -> packed clauses in order: clause id and place
 *   clause    clause u32                        -> packed doc, fingerprint, skeleton, 64 x u8
 * sketch exact     fingerprint u64                   => clause u32 (dup) skel      skeleton u64 =>
 * clause u32 (dup; no headings) band      band << 8 | 8 bits of hash, u32   => tag u32 << 32 |
 * clause u32 (dup) finding   doc u64, ordinal u32              -> packed struct cw_stored_finding
 *   findid    "CW-7F3KQ2"                       => doc u64, ordinal u32 (dup)
 *   event     seq u64                           -> packed time, id, JSON
 *   eventid   event id                          -> seq u64
 *   eventtime time u64, seq u64                 -> nothing
 *   outbox    event id ":" channel              -> packed struct cw_delivery
 *   queue     state u8, when u64, outbox key    -> nothing; when is the due time while pending
 *   waiver    finding id                        -> packed struct cw_waiver
 *   ref       source 0 ref                      -> packed struct cw_ref
 *   blob      hash of rules u64, blob id        -> time u64
 *
 * A clause keeps its id while its words stay in the document, so an edit costs what it touched.
 * Of clauses with one skeleton only one, the leader, is in `fresh` or `band`: copies of boilerplate
 * would otherwise fill its buckets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "clausewatch/analysis.h"
#include "clausewatch/arena.h"
#include "clausewatch/error.h"
#include "clausewatch/event.h"

#define CW_STORE_SCHEMA 1
#define CW_HASH_SIZE 16
#define CW_STORE_SOURCE_MAX 128
#define CW_STORE_REF_MAX 256
#define CW_STORE_PATH_MAX 4096
#define CW_STORE_CHANNEL_MAX 64
#define CW_STORE_OID_MAX 64 /**< hexadecimal digits of a git object id */
#define CW_STORE_SEVERITIES 5

struct cw_store;

struct cw_store_options {
	size_t map_start; /**< bytes; 0 means 1 GiB, or 256 MiB where pointers have 32 bits */
	size_t map_max; /**< bytes; 0 means 1 TiB, or 1 GiB where pointers have 32 bits */
};

/**
 * Open or create the store in a directory, which must exist on a local file system.
 *
 * @param opts  may be NULL
 * @return CW_EDENIED when another process has it open (the message names it) or permission is
 *         missing; CW_EUNSUPPORTED for another schema or LMDB format (never deleted: the message
 *         says what to do); CW_ECORRUPT, CW_ENOTFOUND, CW_EIO
 */
int cw_store_open(const char *dir, const struct cw_store_options *opts, struct cw_store **out,
		  struct cw_error *err);
/** No other call may be in progress.  Accepts NULL. */
void cw_store_close(struct cw_store *s);

/* ---- meta ---- */

struct cw_store_meta {
	unsigned schema;
	int64_t created_ms;
	char install_id[33]; /**< 128 random bits in hexadecimal, made with the store */
	char rules_digest[96]; /**< as last set; "" before */
};
int cw_store_meta(struct cw_store *s, struct cw_store_meta *out, struct cw_error *err);
int cw_store_set_rules_digest(struct cw_store *s, const char *digest, struct cw_error *err);
/** The next number of a named sequence, from 1; never given twice. */
int cw_store_next(struct cw_store *s, const char *sequence, uint64_t *out, struct cw_error *err);

/** XXH3-128 in canonical (big-endian) order: the hash used for contents and texts. */
void cw_store_hash(const void *bytes, size_t len, uint8_t out[CW_HASH_SIZE]);

/* ---- documents ---- */

/** Which document: a path in a source and a ref.  No field holds NUL; path may be any bytes. */
struct cw_docname {
	const char *source;
	const char *ref; /**< "" for a folder */
	const char *path;
};

struct cw_document {
	uint64_t id;
	struct cw_docname name;
	bool present; /**< false after it was removed */
	bool checked; /**< false: error_code says why; clauses and findings are of checked_version
		       */
	const char *error_code, *error_message; /**< "unsupported", ...; "" when checked */
	uint8_t content[CW_HASH_SIZE]; /**< of the bytes of the current version */
	uint8_t text[CW_HASH_SIZE], prev_text[CW_HASH_SIZE]; /**< zero when there is none */
	const char *blob; /**< git blob id in hexadecimal, or "" */
	uint64_t size, inode;
	int64_t mtime_ns;
	enum cw_format format; /**< of the stored text */
	const char *kind; /**< of the file: "markdown", "pdf", ... */
	uint32_t version, checked_version; /**< from 1; checked_version 0: never */
	int64_t first_seen_ms, changed_ms, analysed_ms;
	const char *rules_digest; /**< of the last analysis; "" asks for a new one */
	/* profile */
	const char *type;
	bool online;
	const struct cw_party *parties;
	size_t nparties;
	const char *vendor, *customer;
	const char *agreement_date, *effective_date, *expiration_date; /**< YYYY-MM-DD or "" */
	int auto_renews; /**< 1, 0, -1 unknown */
	int notice_period_days; /**< -1 unknown */
	const char *governing_law, *in_force;
	bool legacy;
	int risk; /**< enum cw_severity of the worst risk, -1 when there is none */
	uint32_t counts[CW_STORE_SEVERITIES]; /**< findings of risks, by enum cw_severity */
	uint32_t nclauses, nfindings;
};

/** CW_ENOTFOUND when there never was one. */
int cw_store_document(struct cw_store *s, const struct cw_docname *name, struct cw_arena *arena,
		      struct cw_document **out, struct cw_error *err);
int cw_store_document_by_id(struct cw_store *s, uint64_t id, struct cw_arena *arena,
			    struct cw_document **out, struct cw_error *err);

struct cw_document_query {
	uint64_t after; /**< ids above this one */
	size_t limit; /**< 0 means all */
	const char *source; /**< NULL means any */
	const char *ref; /**< NULL means any; needs source */
	const char *path_prefix; /**< NULL means any; "dir/" for all below a directory */
	const char *other_rules; /**< only those analysed with another digest than this */
	bool removed_too;
};
/** In order of id. */
int cw_store_documents(struct cw_store *s, const struct cw_document_query *q,
		       struct cw_arena *arena, struct cw_document **out, size_t *out_n,
		       struct cw_error *err);
/** Present documents with these bytes: what a renamed file was called before. */
int cw_store_documents_by_content(struct cw_store *s, const uint8_t content[CW_HASH_SIZE],
				  struct cw_arena *arena, struct cw_document **out, size_t *out_n,
				  struct cw_error *err);

/* ---- versions and texts ---- */

struct cw_version {
	uint64_t doc;
	uint32_t number; /**< from 1 */
	int64_t time_ms;
	uint8_t content[CW_HASH_SIZE], text[CW_HASH_SIZE]; /**< text is zero when not checked */
	const char *cause; /**< "save", "commit", ... */
	const char *commit, *author, *subject, *commit_date; /**< "" outside git */
	const char *blob;
};

/** Newest first, below number `before` (0: from the newest); limit 0 means all. */
int cw_store_versions(struct cw_store *s, uint64_t doc, uint32_t before, size_t limit,
		      struct cw_arena *arena, struct cw_version **out, size_t *out_n,
		      struct cw_error *err);
/** The last version of the document that had these bytes; CW_ENOTFOUND when none had. */
int cw_store_version_seen(struct cw_store *s, uint64_t doc, const uint8_t content[CW_HASH_SIZE],
			  struct cw_arena *arena, struct cw_version **out, struct cw_error *err);
/**
 * The exact text that was analysed, checked against its hash.  Kept for the current and the
 * previous version of every document; CW_ENOTFOUND for others.
 */
int cw_store_text(struct cw_store *s, const uint8_t text[CW_HASH_SIZE], struct cw_arena *arena,
		  const char **out, size_t *out_len, struct cw_error *err);

/* ---- one version of a document, all or nothing ---- */

/** An event and the channels that shall have it. */
struct cw_commit_event {
	const struct cw_event *event; /**< id stamped */
	const char *const *channels;
	size_t nchannels;
	int64_t due_ms; /**< first attempt; 0 means at once */
};

/** What became of a file.  All pointers are the caller's and are not kept. */
struct cw_commit {
	struct cw_docname name;
	int64_t time_ms;
	uint8_t content[CW_HASH_SIZE]; /**< cw_store_hash() of the bytes */
	const char *blob; /**< NULL outside git */
	uint64_t size, inode;
	int64_t mtime_ns;
	const char *kind; /**< of the file; NULL means the name of the analysis' format */
	/**
	 * NULL when it could not be checked: clauses, findings and text of the last version that
	 * could are then kept, and error_code and error_message are set.
	 */
	const struct cw_analysis *analysis;
	/** nclauses x CW_SKETCH_LEN values of cw_sketch(); NULL: not findable as near duplicates.
	 */
	const uint32_t *sketches;
	const char *error_code, *error_message;
	const char *rules_digest; /**< of the rule set of the analysis */
	const char *cause, *commit, *author, *subject, *commit_date; /**< NULL outside git */
	const struct cw_commit_event *events;
	size_t nevents;
};

struct cw_committed {
	uint64_t doc;
	uint32_t version;
	bool new_document, new_version; /**< same bytes as the current version are no new one */
};

/**
 * Store a version with its text, clauses, findings, events and deliveries.
 *
 * Committing the bytes of the current version again (a new rule set, a touched file) replaces
 * what was found and adds no version.
 * @param out  may be NULL
 * @return CW_EFULL when map_max or the disk is full, CW_EIO; nothing was then changed
 */
int cw_store_commit_version(struct cw_store *s, const struct cw_commit *c, struct cw_committed *out,
			    struct cw_error *err);
/**
 * Several in one transaction, for first scans: one fsync.  Hundreds at once are twice as fast as
 * tens, because each page of the indexes is then written for many clauses.
 * @param out  n of them, or NULL
 */
int cw_store_commit_versions(struct cw_store *s, const struct cw_commit *c, size_t n,
			     struct cw_committed *out, struct cw_error *err);
/**
 * The document is gone: its clauses and findings too, with the events that say so.  Its record,
 * history and last text stay, so that it can be compared when it comes back.
 * @return CW_ENOTFOUND when it is not there
 */
int cw_store_remove_document(struct cw_store *s, const struct cw_docname *name, int64_t time_ms,
			     const struct cw_commit_event *events, size_t nevents,
			     struct cw_error *err);
/** Remove every trace of a document except its events.  CW_ENOTFOUND. */
int cw_store_forget_document(struct cw_store *s, uint64_t doc, struct cw_error *err);
/** Same bytes, other mtime or inode: remember those, so that the file is not read again. */
int cw_store_touch_document(struct cw_store *s, uint64_t doc, int64_t mtime_ns, uint64_t inode,
			    struct cw_error *err);

/* ---- clauses ---- */

/** A clause of the current version of a document. */
struct cw_clause_ref {
	uint64_t doc;
	uint32_t ordinal; /**< index in cw_analysis.clauses */
	struct cw_span span;
	const char *section;
	uint64_t fingerprint, skeleton;
	double similarity; /**< 1 for an exact look-up */
};

/** The clauses of a document in order. */
int cw_store_clauses(struct cw_store *s, uint64_t doc, struct cw_arena *arena,
		     struct cw_clause_ref **out, size_t *out_n, struct cw_error *err);
/** Where these very words stand.  limit 0 means all. */
int cw_store_clauses_by_fingerprint(struct cw_store *s, uint64_t fingerprint, size_t limit,
				    struct cw_arena *arena, struct cw_clause_ref **out,
				    size_t *out_n, struct cw_error *err);
/** The same but for names and numbers; no headings. */
int cw_store_clauses_by_skeleton(struct cw_store *s, uint64_t skeleton, size_t limit,
				 struct cw_arena *arena, struct cw_clause_ref **out, size_t *out_n,
				 struct cw_error *err);
/**
 * Clauses at least `min` similar to a sketch, the most similar first.
 * @param min  below 0.4 many are missed; 0 means 0.4
 */
int cw_store_clauses_similar(struct cw_store *s, const uint32_t sketch[CW_SKETCH_LEN], double min,
			     size_t limit, struct cw_arena *arena, struct cw_clause_ref **out,
			     size_t *out_n, struct cw_error *err);

/* ---- findings ---- */

/** A finding of the current version, with all that struct cw_finding pointed to. */
struct cw_stored_finding {
	uint64_t doc;
	uint32_t ordinal; /**< position in the document */
	char id[CW_ID_SIZE];
	const char *term_id, *rule_id; /**< rule_id "" when no rule carried it */
	const char *title; /**< of the term */
	const char *codes; /**< of the term, separated by commas */
	const char *evidence_kind;
	float confidence;
	enum cw_polarity polarity;
	enum cw_direction direction;
	enum cw_severity severity;
	uint32_t clause;
	struct cw_span span;
	const char *section, *heading; /**< of its clause */
	uint64_t fingerprint; /**< of its clause */
	uint32_t quote_start, quote_end;
	const char *quote; /**< the exact bytes; cw_plain_text() makes them readable */
	size_t quote_len;
	const struct cw_evidence *evidence;
	size_t nevidence;
	const struct cw_attr *attrs;
	size_t nattrs;
	const char *why, *advice;
	int64_t first_seen_ms; /**< when this id first stood in this document, without a gap */
};

/** Of one document, by position. */
int cw_store_findings(struct cw_store *s, uint64_t doc, struct cw_arena *arena,
		      struct cw_stored_finding **out, size_t *out_n, struct cw_error *err);
/** Of all documents, by document and position, after that one (0, 0 begins); limit 0: all. */
int cw_store_findings_all(struct cw_store *s, uint64_t after_doc, uint32_t after_ordinal,
			  size_t limit, struct cw_arena *arena, struct cw_stored_finding **out,
			  size_t *out_n, struct cw_error *err);
/** Every place of an id: the same words in several documents are one id. */
int cw_store_findings_by_id(struct cw_store *s, const char *id, struct cw_arena *arena,
			    struct cw_stored_finding **out, size_t *out_n, struct cw_error *err);

/* ---- events ---- */

struct cw_stored_event {
	uint64_t seq; /**< in order of commit, from 1; never given twice */
	int64_t time_ms;
	const char *id;
	const char *json; /**< cw_event_to_json(); read it with cw_event_from_json() */
	size_t len;
};

/** Add events that belong to no document. */
int cw_store_add_events(struct cw_store *s, const struct cw_commit_event *events, size_t n,
			struct cw_error *err);
/** CW_ENOTFOUND when it is unknown or was pruned. */
int cw_store_event(struct cw_store *s, const char *id, struct cw_arena *arena,
		   struct cw_stored_event **out, struct cw_error *err);
/** After a sequence number (0 begins), oldest first; limit 0 means all. */
int cw_store_events_after(struct cw_store *s, uint64_t seq, size_t limit, struct cw_arena *arena,
			  struct cw_stored_event **out, size_t *out_n, struct cw_error *err);
/** The newest `limit` at or after a time, oldest first. */
int cw_store_events_since(struct cw_store *s, int64_t time_ms, size_t limit, struct cw_arena *arena,
			  struct cw_stored_event **out, size_t *out_n, struct cw_error *err);
/**
 * Forget old events and their deliveries; those with a delivery still pending stay.
 * @param before_ms  older than this; 0: no limit by age
 * @param keep       newest to keep; 0: no limit by number
 * @param out_pruned may be NULL
 */
int cw_store_prune_events(struct cw_store *s, int64_t before_ms, uint64_t keep,
			  uint64_t *out_pruned, struct cw_error *err);

/* ---- outbox ---- */

enum cw_delivery_state {
	CW_DELIVERY_PENDING,
	CW_DELIVERY_DELIVERED,
	CW_DELIVERY_DEAD, /**< given up after the last attempt */
	CW_DELIVERY_DISABLED, /**< the channel was switched off */
	CW_DELIVERY_STATES,
};
const char *cw_delivery_state_name(enum cw_delivery_state state); /**< "pending", ... */
int cw_delivery_state_parse(const char *name); /**< -1 when unknown */

/** An event on its way to a channel.  Its id is "event:channel"; the webhook-id is the event. */
struct cw_delivery {
	const char *id, *event, *channel;
	enum cw_delivery_state state;
	uint32_t attempts;
	int64_t created_ms, next_ms, last_ms; /**< last_ms 0: never tried */
	int last_status; /**< of the protocol (HTTP, SMTP), 0 when there was no answer */
	const char *last_error; /**< "" when there is none */
};

/** Pending and due at `now_ms`, the longest due first. */
int cw_store_deliveries_due(struct cw_store *s, int64_t now_ms, size_t limit,
			    struct cw_arena *arena, struct cw_delivery **out, size_t *out_n,
			    struct cw_error *err);
/** When the first pending one is due; CW_ENOTFOUND when none is pending. */
int cw_store_next_due(struct cw_store *s, int64_t *out_ms, struct cw_error *err);
/** Newest first by last attempt or, while pending, soonest first.  channel NULL means any. */
int cw_store_deliveries(struct cw_store *s, enum cw_delivery_state state, const char *channel,
			size_t limit, struct cw_arena *arena, struct cw_delivery **out,
			size_t *out_n, struct cw_error *err);
int cw_store_delivery(struct cw_store *s, const char *id, struct cw_arena *arena,
		      struct cw_delivery **out, struct cw_error *err);
/** Write state, attempts, next_ms, last_ms, last_status and last_error of d->id.  CW_ENOTFOUND. */
int cw_store_update_delivery(struct cw_store *s, const struct cw_delivery *d, struct cw_error *err);
/** The same for several in one transaction; those no longer there are skipped. */
int cw_store_update_deliveries(struct cw_store *s, const struct cw_delivery *d, size_t n,
			       struct cw_error *err);
/** By hand: dead or disabled, or any by id, becomes pending at now_ms with no attempts made.
 *  id NULL: all dead and disabled ones of a channel (NULL: of every channel).
 *  @param out_n  how many; may be NULL */
int cw_store_retry(struct cw_store *s, const char *id, const char *channel, int64_t now_ms,
		   size_t *out_n, struct cw_error *err);
/** All pending ones of a channel become disabled. */
int cw_store_disable_channel(struct cw_store *s, const char *channel, int64_t now_ms, size_t *out_n,
			     struct cw_error *err);

/* ---- waivers ---- */

struct cw_waiver {
	char id[CW_ID_SIZE]; /**< of the finding, so bound to its term and words */
	uint64_t fingerprint; /**< of the clause when it was waived */
	const char *reason, *approver, *ticket;
	const char *expires; /**< YYYY-MM-DD, or "" */
	int64_t created_ms;
};
int cw_store_put_waiver(struct cw_store *s, const struct cw_waiver *w, struct cw_error *err);
int cw_store_waiver(struct cw_store *s, const char *id, struct cw_arena *arena,
		    struct cw_waiver **out, struct cw_error *err);
int cw_store_waivers(struct cw_store *s, struct cw_arena *arena, struct cw_waiver **out,
		     size_t *out_n, struct cw_error *err);
int cw_store_delete_waiver(struct cw_store *s, const char *id, struct cw_error *err);

/* ---- git ---- */

struct cw_ref {
	const char *source, *ref;
	const char *oid; /**< last tip whose documents are all committed, in hexadecimal */
	int64_t time_ms;
};
int cw_store_put_ref(struct cw_store *s, const struct cw_ref *ref, struct cw_error *err);
int cw_store_ref(struct cw_store *s, const char *source, const char *ref, struct cw_arena *arena,
		 struct cw_ref **out, struct cw_error *err);
/** source NULL means any. */
int cw_store_refs(struct cw_store *s, const char *source, struct cw_arena *arena,
		  struct cw_ref **out, size_t *out_n, struct cw_error *err);
int cw_store_delete_ref(struct cw_store *s, const char *source, const char *ref,
			struct cw_error *err);

/** Blobs read with a rule set.  blob: hexadecimal. */
int cw_store_mark_blobs(struct cw_store *s, const char *rules_digest, const char *const *blobs,
			size_t n, int64_t time_ms, struct cw_error *err);
int cw_store_blob_seen(struct cw_store *s, const char *rules_digest, const char *blob, bool *out,
		       struct cw_error *err);
/** Forget blobs read with any other rule set. */
int cw_store_prune_blobs(struct cw_store *s, const char *rules_digest, struct cw_error *err);

/* ---- the whole ---- */

struct cw_store_stats {
	uint64_t documents, removed, unchecked, clauses, findings, events, waivers, texts;
	uint64_t by_severity[CW_STORE_SEVERITIES]; /**< findings of risks */
	uint64_t outbox[CW_DELIVERY_STATES];
	uint64_t map_used, map_size, map_max; /**< bytes */
	uint64_t oldest_reader_lag; /**< transactions; large means a stuck reader keeps pages */
};
int cw_store_stats(struct cw_store *s, struct cw_store_stats *out, struct cw_error *err);
/** Clear reader slots of dead processes; call now and then. */
int cw_store_check_readers(struct cw_store *s, struct cw_error *err);
/**
 * Housekeeping worth doing while nothing else is: clear reader slots, move new clauses into the
 * near-duplicate index.  A commit does it itself when very much has gathered.
 */
int cw_store_tidy(struct cw_store *s, struct cw_error *err);
/**
 * Read every record, check that all indexes agree; CW_ECORRUPT names the first that does not.
 * Takes seconds to minutes, and space that others free is not used again until it ends.
 */
int cw_store_verify(struct cw_store *s, struct cw_error *err);
/** A compacted copy into an empty, existing directory, while the store is in use. */
int cw_store_backup(struct cw_store *s, const char *dir, struct cw_error *err);
/**
 * Documents with their texts, events, deliveries, waivers and refs as JSON lines, kind first: what
 * cannot be made again.  Each record is consistent in itself; nothing is lost while others write.
 */
int cw_store_export(struct cw_store *s, FILE *out, struct cw_error *err);
/**
 * Read what cw_store_export() wrote into a store without documents.  Documents come in with
 * rules_digest "", so that the next scan analyses them again.  CW_EINVAL names the line; nothing
 * is then imported.
 */
int cw_store_import(struct cw_store *s, FILE *in, struct cw_error *err);
