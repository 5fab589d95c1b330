/* Decisions to live with a finding: made, listed and ended over the control socket. */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include "clausewatch/day.h"
#include "serve/requests.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void put_waiver(struct cw_request *r, const struct cw_waiver *w, const char *today)
{
	struct cw_json json = cw_request_begin(r, "waiver");
	struct cw_stored_finding *f;
	size_t n = 0;

	cw_json_str(&json, "id", w->id);
	cw_json_str(&json, "state",
		    w->expires[0] && strcmp(w->expires, today) < 0 ? "expired" : "active");
	cw_json_str(&json, "expires", w->expires);
	cw_json_str(&json, "approver", w->approver);
	cw_json_str(&json, "reason", w->reason);
	cw_json_str(&json, "ticket", w->ticket);
	cw_json_int(&json, "created_ms", w->created_ms);
	if (cw_store_findings_by_id(r->store, w->id, &r->arena, &f, &n, NULL) == CW_OK && n > 0)
		cw_json_str(&json, "title", f[0].title);
	cw_json_int(&json, "places", (int64_t)n);
	cw_request_end(&json);
}

int cw_request_waivers(struct cw_request *r, struct cw_error *err)
{
	struct cw_waiver *w;
	size_t n;
	char today[11];
	int ret = cw_store_waivers(r->store, &r->arena, &w, &n, err);

	cw_today(today);
	for (size_t i = 0; ret == CW_OK && i < n; i++)
		put_waiver(r, &w[i], today);
	return ret;
}

/** Ids are written in capitals. */
static const char *id_of(struct cw_request *r)
{
	const char *given = cw_request_text(r, "id");
	char *id = given ? cw_arena_strdup(&r->arena, given) : NULL;

	for (char *at = id; at && *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return id;
}

static int check(const struct cw_waiver *w, struct cw_error *err)
{
	char today[11];

	cw_today(today);
	if (!w->reason || !*w->reason || !w->approver || !*w->approver)
		return cw_fail(err, CW_EINVAL, "a waiver needs a reason and an approver");
	if (!w->expires || !cw_is_day(w->expires))
		return cw_fail(err, CW_EINVAL, "a waiver needs the day it expires: YYYY-MM-DD");
	if (strcmp(w->expires, today) <= 0)
		return cw_fail(err, CW_EINVAL, "the waiver would expire on %s, which is past",
			       w->expires);
	return CW_OK;
}

static const char *sentence(struct cw_request *r, const char *id, const char *what, const char *by)
{
	return cw_arena_printf(&r->arena, "%s: %s%s%s", id, what, by ? " by " : "", by ? by : "");
}

/** What shall be told of it, by the loop. */
static int tell(struct cw_request *r, const struct cw_event *event, struct cw_error *err)
{
	r->event = cw_event_copy(&r->arena, event);
	return r->event && event->summary ? CW_OK : cw_fail(err, CW_ENOMEM, "out of memory");
}

/** {"id","reason","approver","expires","ticket"}; one that is there is replaced. */
int cw_request_waive(struct cw_request *r, struct cw_error *err)
{
	const char *id = id_of(r), *ticket = cw_request_text(r, "ticket");
	struct cw_stored_finding *f;
	struct cw_document *d;
	char today[11];
	size_t n = 0;

	if (!id)
		return cw_fail(err, CW_EINVAL, "'id' is missing");
	int ret = cw_store_findings_by_id(r->store, id, &r->arena, &f, &n, err);
	if (ret < 0)
		return ret;
	if (n == 0)
		return cw_fail(err, CW_ENOTFOUND, "no finding %s", id);
	struct cw_waiver w = { .fingerprint = f[0].fingerprint,
			       .reason = cw_request_text(r, "reason"),
			       .approver = cw_request_text(r, "approver"),
			       .ticket = ticket ? ticket : "",
			       .expires = cw_request_text(r, "expires"),
			       .created_ms = now_ms() };
	memcpy(w.id, f[0].id, sizeof(w.id));
	ret = check(&w, err);
	if (ret == CW_OK)
		ret = cw_store_document_by_id(r->store, f[0].doc, &r->arena, &d, err);
	if (ret == CW_OK)
		ret = cw_store_put_waiver(r->store, &w, err);
	if (ret < 0)
		return ret;
	cw_today(today);
	put_waiver(r, &w, today);
	const char *what =
		cw_arena_printf(&r->arena, "waived until %s (%s)", w.expires, f[0].title);
	return tell(
		r,
		&(struct cw_event){ .type = "dev.clausewatch.waiver.created",
				    .source = d->name.source,
				    .path = d->name.path,
				    .ref = d->name.ref[0] ? d->name.ref : NULL,
				    .cause = "request",
				    .severity = CW_INFO,
				    .summary = sentence(r, w.id, what ? what : "", w.approver) },
		err);
}

/** {"id"}: from now on the finding counts again. */
int cw_request_unwaive(struct cw_request *r, struct cw_error *err)
{
	const char *id = id_of(r);
	struct cw_json json;
	int ret = id ? cw_store_delete_waiver(r->store, id, err)
		     : cw_fail(err, CW_EINVAL, "'id' is missing");

	if (ret < 0)
		return ret;
	json = cw_request_begin(r, "unwaived");
	cw_json_str(&json, "id", id);
	cw_request_end(&json);
	return tell(r,
		    &(struct cw_event){ .type = "dev.clausewatch.waiver.expired",
					.cause = "request",
					.severity = CW_INFO,
					.summary = sentence(r, id, "its waiver was ended", NULL) },
		    err);
}
