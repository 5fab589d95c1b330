/*
 * Any bytes as a record of the store: refused, or read without touching what is outside.
 * The first byte picks the kind.
 */
#include <stdlib.h>
#include <string.h>

#include "store/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total; /* so that reading the results is not optimised away */

static void use(const char *text)
{
	total += strlen(text);
}

static void read_document(struct cw_unpack *u)
{
	struct cw_document doc = { 0 };

	if (cw_store__unpack_document(u, &doc) < 0)
		return;
	use(doc.name.path);
	for (size_t i = 0; i < doc.nparties; i++)
		use(doc.parties[i].alias);
}

static void read_version(struct cw_unpack *u)
{
	struct cw_version v = { 0 };

	if (cw_store__unpack_version(u, &v) == CW_OK)
		use(v.subject);
}

static void read_outline(struct cw_unpack *u)
{
	struct cw_outline_item *items;
	size_t n;

	if (cw_store__unpack_outline(u, &items, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		use(items[i].section);
}

static void read_clause(struct cw_unpack *u)
{
	struct cw_clause_record rec;

	if (cw_store__unpack_clause(u, &rec) == CW_OK)
		total += rec.sketch[CW_SKETCH_LEN - 1];
}

static void read_finding(struct cw_unpack *u)
{
	struct cw_stored_finding f = { 0 };

	if (cw_store__unpack_finding(u, &f) < 0)
		return;
	use(f.id);
	total += f.quote_len > 0 && f.quote[f.quote_len - 1];
	for (size_t i = 0; i < f.nevidence; i++)
		use(cw_part_name(f.evidence[i].part));
	for (size_t i = 0; i < f.nattrs; i++)
		use(f.attrs[i].value);
}

static void read_event(struct cw_unpack *u)
{
	struct cw_stored_event e = { 0 };

	if (cw_store__unpack_event(u, &e) == CW_OK)
		use(e.json);
}

static void read_delivery(struct cw_unpack *u)
{
	struct cw_delivery d = { 0 };

	if (cw_store__unpack_delivery(u, &d) == CW_OK)
		use(cw_delivery_state_name(d.state));
}

static void read_waiver(struct cw_unpack *u)
{
	struct cw_waiver w = { 0 };

	if (cw_store__unpack_waiver(u, &w) == CW_OK)
		use(w.id);
}

static void read_ref(struct cw_unpack *u)
{
	struct cw_ref ref = { 0 };

	if (cw_store__unpack_ref(u, &ref) == CW_OK)
		use(ref.oid);
}

static void read_text(struct cw_unpack *u)
{
	const char *text;
	size_t len;

	if (cw_store__unpack_text(u->at - 1, (size_t)(u->end - u->at) + 1, u->arena, &text, &len) ==
	    CW_OK)
		use(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct cw_unpack *) = {
		read_document, read_version,  read_outline, read_clause, read_finding,
		read_event,    read_delivery, read_waiver,  read_ref,    read_text,
	};
	struct cw_arena arena = { 0 };
	struct cw_unpack u;

	if (size < 2)
		return 0;
	cw_unpack_begin(&u, data + 1, size - 1, &arena);
	kinds[data[0] % (sizeof(kinds) / sizeof(*kinds))](&u);
	cw_arena_release(&arena);
	return 0;
}
