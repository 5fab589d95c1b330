/*
 * What a hook says to people.  git shows each line with "remote: " in front and colours a leading
 * error:, warning: and hint: by itself, so no escape codes are sent; and everything the pusher
 * chose is made visible before it is written.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook.h"

#define PATH_SHOWN 120 /* bytes of a path */
#define WARNED_MAX 5 /* lines for each kind of warning */

struct lines {
	struct cw_buf buf;
	size_t count;
};

struct hook_voice hook_voice_of(const char *what)
{
	static const char *const names[] = { "GL_USERNAME", "GITHUB_USER_LOGIN",
					     "GITEA_PUSHER_NAME", "GL_USER", "USER" };
	struct hook_voice voice = { .what = what };
	const char *protocol = getenv("GL_PROTOCOL");

	for (size_t i = 0; !voice.who && i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = getenv(names[i]);
		if (name && *name)
			voice.who = name;
	}
	voice.web = protocol && strcmp(protocol, "web") == 0;
	return voice;
}

/* One line; nothing in it can start another or drive a terminal. */
__attribute__((format(printf, 3, 4))) static void line(struct lines *out, const char *label,
						       const char *fmt, ...)
{
	struct cw_buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	cw_buf_printf(&out->buf, "%s: ", label);
	cw_output_visible(&out->buf, cw_buf_str(&text), text.len);
	cw_buf_putc(&out->buf, '\n');
	out->count++;
	cw_buf_release(&text);
}

static void put(struct lines *out)
{
	if (out->buf.len > 0)
		(void)fwrite(out->buf.data, 1, out->buf.len, stderr);
	cw_buf_release(&out->buf);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* The end of a path says most. */
static const char *short_path(const char *path, struct cw_buf *hold)
{
	size_t len = strlen(path);

	if (len <= PATH_SHOWN)
		return path;
	const char *at = path + len - PATH_SHOWN;
	while (((unsigned char)*at & 0xc0) == 0x80)
		at++;
	cw_buf_clear(hold);
	cw_buf_printf(hold, "\xe2\x80\xa6%s", at);
	return cw_buf_str(hold);
}

/* "contracts/msa.md, 10.4 Customer Content, line 120: Training of models (high, appeared)" */
static void put_place(const struct gate_change *c, struct cw_buf *out)
{
	struct cw_buf hold = { 0 }, heading = { 0 };

	cw_buf_puts(out, short_path(c->path, &hold));
	if (strcmp(c->path, c->old_path) != 0)
		cw_buf_printf(out, " (was %s)", short_path(c->old_path, &hold));
	cw_buf_puts(&heading, c->heading);
	gate_excerpt(NULL, &heading, NULL);
	if (*c->section || *c->heading)
		cw_buf_printf(out, ", %s%s%s", c->section, *c->section && *c->heading ? " " : "",
			      cw_buf_str(&heading));
	cw_buf_printf(out, ", %sline %u: %s (%s, %s)", c->after ? "" : "former ", c->line, c->title,
		      cw_severity_name(c->severity), cw_change_event_name(c->event));
	cw_buf_release(&hold);
	cw_buf_release(&heading);
}

static void put_sentence(struct lines *out, const char *label, const char *what, const char *text)
{
	struct cw_buf buf = { 0 };

	cw_buf_puts(&buf, text);
	gate_excerpt(NULL, &buf, NULL);
	if (buf.len > 0)
		line(out, label, "  %s%s", what, cw_buf_str(&buf));
	cw_buf_release(&buf);
}

static void put_blocking(struct lines *out, const struct gate_change *c)
{
	struct cw_buf place = { 0 }, advice = { 0 };

	put_place(c, &place);
	line(out, "error", "%s", cw_buf_str(&place));
	if (c->before)
		line(out, "error", "  before: \xe2\x80\x9c%s\xe2\x80\x9d", c->before);
	if (c->after)
		line(out, "error", "  after: \xe2\x80\x9c%s\xe2\x80\x9d", c->after);
	put_sentence(out, "error", "why: ", c->why);
	cw_buf_puts(&advice, c->advice);
	gate_excerpt(NULL, &advice, NULL);
	line(out, "hint", "  %s%sclausewatch explain %s", cw_buf_str(&advice),
	     advice.len > 0 ? " \xe2\x80\x94 " : "", c->id);
	cw_buf_release(&place);
	cw_buf_release(&advice);
}

static int worst_first(const void *va, const void *vb)
{
	const struct gate_change *a = *(const struct gate_change *const *)va;
	const struct gate_change *b = *(const struct gate_change *const *)vb;

	if (a->blocks != b->blocks)
		return a->blocks ? -1 : 1;
	if (a->severity != b->severity)
		return (int)b->severity - (int)a->severity;
	int order = strcmp(a->path, b->path);
	if (order != 0)
		return order;
	return a->line != b->line ? (a->line < b->line ? -1 : 1) : strcmp(a->term_id, b->term_id);
}

static const struct gate_change **sorted(const struct gate_report *r, size_t *out_blocking)
{
	const struct gate_change **list = calloc(r->nchanges + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list && i < r->nchanges; i++) {
		list[i] = &r->changes[i];
		n += r->changes[i].blocks;
	}
	if (list && r->nchanges > 1)
		qsort(list, r->nchanges, sizeof(*list), worst_first);
	*out_blocking = n;
	return list;
}

static void by_whom(const struct hook_voice *voice, struct cw_buf *out)
{
	if (voice->who && strcmp(voice->what, "push") == 0)
		cw_buf_printf(out, " (pushed by %.64s)", voice->who);
}

/* Why it was refused, in one line. */
static void headline(const struct hook_voice *voice, const struct cw_config *config,
		     const struct gate_report *r, size_t blocking, struct cw_buf *out)
{
	cw_buf_printf(out, "%s refused: ", voice->what);
	if (blocking > 0)
		cw_buf_printf(out, "%zu riskier change%s in %zu document%s", blocking,
			      plural(blocking), r->refused, plural(r->refused));
	else if (r->rules_code < 0)
		cw_buf_puts(out, "the rules cannot be used");
	else if (r->nunchecked > 0 && config->hook.on_uncheckable == CW_POLICY_REJECT)
		cw_buf_puts(out, "not everything could be checked");
	else
		cw_buf_printf(out, "not everything could be checked within %lld ms",
			      (long long)config->hook.timeout);
	by_whom(voice, out);
}

static void put_unchecked_text(const struct gate_unchecked *u, struct cw_buf *out)
{
	struct cw_buf hold = { 0 };

	if (u->path)
		cw_buf_printf(out, "%s: ", short_path(u->path, &hold));
	cw_buf_puts(out, u->code);
	if (*u->message)
		cw_buf_printf(out, ": %s", u->message);
	cw_buf_release(&hold);
}

/* The host joins nothing and shows one line. */
static void say_web(const struct hook_voice *voice, const struct cw_config *config,
		    const struct gate_report *r, const struct gate_change **list, size_t blocking)
{
	struct lines out = { 0 };
	struct cw_buf text = { 0 };

	headline(voice, config, r, blocking, &text);
	if (blocking > 0) {
		cw_buf_puts(&text, ": ");
		put_place(list[0], &text);
		if (blocking > 1)
			cw_buf_printf(&text, ", and %zu more", blocking - 1);
		cw_buf_printf(&text, "; clausewatch explain %s", list[0]->id);
	} else if (r->nunchecked > 0) {
		cw_buf_puts(&text, ": ");
		put_unchecked_text(&r->unchecked[0], &text);
		if (r->nunchecked > 1)
			cw_buf_printf(&text, ", and %zu more", r->nunchecked - 1);
	}
	line(&out, "GL-HOOK-ERR", "%s", cw_buf_str(&text));
	put(&out);
	cw_buf_release(&text);
}

/* How many of n lines fit when room are left and one of them must say how many more there are. */
static size_t fitting(size_t n, size_t room)
{
	return n <= room ? n : room > 0 ? room - 1 : 0;
}

static void put_findings(struct lines *out, const struct cw_config *config,
			 const struct gate_change **list, size_t blocking, size_t room)
{
	size_t max = (size_t)config->hook.max_findings, shown = 0;

	while (shown < blocking && shown < max && out->count + 6 <= room)
		put_blocking(out, list[shown++]);
	if (shown < blocking)
		line(out, "error", "and %zu more", blocking - shown);
}

static void put_warned(struct lines *out, const struct gate_change **list, size_t n, size_t room)
{
	size_t shown = fitting(n, room);

	for (size_t i = 0; i < shown; i++) {
		struct cw_buf text = { 0 };
		put_place(list[i], &text);
		line(out, "warning", "%s, %s", cw_buf_str(&text), list[i]->id);
		cw_buf_release(&text);
	}
	if (shown < n && room > 0)
		line(out, "warning", "and %zu more riskier changes that do not refuse", n - shown);
}

static void put_deleted(struct lines *out, const struct gate_report *r, size_t room)
{
	size_t shown = fitting(r->ndeleted, room);

	for (size_t i = 0; i < shown; i++) {
		const struct gate_deleted *d = &r->deleted[i];
		struct cw_buf text = { 0 }, hold = { 0 };
		for (size_t k = 0; k < d->ntitles && k < WARNED_MAX; k++)
			cw_buf_printf(&text, "%s%s", k > 0 ? "; " : "", d->titles[k]);
		if (d->ntitles > WARNED_MAX)
			cw_buf_printf(&text, "; and %zu more", d->ntitles - WARNED_MAX);
		line(out, "warning", "%s is deleted, and with it %zu protection%s: %s",
		     short_path(d->path, &hold), d->ntitles, plural(d->ntitles), cw_buf_str(&text));
		cw_buf_release(&text);
		cw_buf_release(&hold);
	}
	if (shown < r->ndeleted && room > 0)
		line(out, "warning", "and %zu more deleted documents that protect",
		     r->ndeleted - shown);
}

static void put_unchecked(struct lines *out, const struct gate_report *r, size_t room)
{
	size_t shown = fitting(r->nunchecked, room);

	for (size_t i = 0; i < shown; i++) {
		struct cw_buf text = { 0 };
		put_unchecked_text(&r->unchecked[i], &text);
		line(out, "warning", "not checked: %s", cw_buf_str(&text));
		cw_buf_release(&text);
	}
	if (shown < r->nunchecked && room > 0)
		line(out, "warning", "not checked: %zu more", r->nunchecked - shown);
}

static void put_notes(struct lines *out, const struct gate_report *r, size_t room)
{
	size_t shown = fitting(r->nnotes, room);

	for (size_t i = 0; i < shown; i++)
		line(out, "warning", "%s", r->notes[i]);
	if (shown < r->nnotes && room > 0)
		line(out, "warning", "and %zu more references", r->nnotes - shown);
}

static void put_codes(const struct gate_report *r, struct cw_buf *out)
{
	const char *sep = " (";

	for (size_t i = 0; i < r->ncounts; i++) {
		cw_buf_printf(out, "%s%zu %s", sep, r->counts[i].count, r->counts[i].code);
		sep = ", ";
	}
	if (r->late > 0)
		cw_buf_printf(out, "%s%zu timeout", sep, r->late);
	cw_buf_puts(out, r->ncounts + r->late > 0 ? ")" : "");
}

static void put_coverage(struct lines *out, const struct gate_report *r)
{
	struct cw_buf text = { 0 };
	size_t missed = r->nunchecked + r->late;

	cw_buf_printf(&text, "checked %zu document%s, %zu not checked", r->checked,
		      plural(r->checked), missed);
	put_codes(r, &text);
	if (r->others > 0)
		cw_buf_printf(&text, ", %zu other file%s", r->others, plural(r->others));
	line(out, "hint", "%s", cw_buf_str(&text));
	cw_buf_release(&text);
}

static void put_policy(struct lines *out, const struct hook_voice *voice,
		       const struct cw_config *config, const struct gate_report *r, int status)
{
	if (r->late > 0)
		line(out, "warning", "not checked: %zu document%s: no time was left after %lld ms",
		     r->late, plural(r->late), (long long)config->hook.timeout);
	if (status == CW_EXIT_CLEAN && r->nunchecked + r->late > 0)
		line(out, "warning", "%s accepted without being fully checked, as %s says",
		     voice->what, r->nunchecked > 0 ? "hook.on_uncheckable" : "hook.on_timeout");
}

static size_t room_left(const struct lines *out, size_t want)
{
	/* Late documents, the policy and the coverage come last. */
	size_t left = HOOK_LINES_MAX - 3 > out->count ? HOOK_LINES_MAX - 3 - out->count : 0;

	return left < want ? left : want;
}

static void say_all(const struct hook_voice *voice, const struct cw_config *config,
		    const struct gate_report *r, const struct gate_change **list, size_t blocking,
		    int status)
{
	struct lines out = { 0 };
	struct cw_buf text = { 0 };

	if (status != CW_EXIT_CLEAN) {
		headline(voice, config, r, blocking, &text);
		line(&out, "error", "%s", cw_buf_str(&text));
		cw_buf_release(&text);
	}
	put_notes(&out, r, 3);
	put_findings(&out, config, list, blocking, HOOK_LINES_MAX - 7);
	put_unchecked(&out, r, room_left(&out, WARNED_MAX));
	put_deleted(&out, r, room_left(&out, WARNED_MAX));
	put_warned(&out, list + blocking, r->nchanges - blocking, room_left(&out, WARNED_MAX));
	put_policy(&out, voice, config, r, status);
	put_coverage(&out, r);
	put(&out);
}

void hook_say_report(const struct hook_voice *voice, const struct cw_config *config,
		     const struct gate_report *r, int status)
{
	size_t blocking;

	if (r->nchanges + r->ndeleted + r->nunchecked + r->nnotes + r->late == 0)
		return;
	const struct gate_change **list = sorted(r, &blocking);
	if (!list)
		(void)hook_say_failure(voice, status, "clausewatch", "out of memory");
	else if (voice->web && status != CW_EXIT_CLEAN)
		say_web(voice, config, r, list, blocking);
	else
		say_all(voice, config, r, list, blocking, status);
	free(list);
}

int hook_say_failure(const struct hook_voice *voice, int status, const char *what,
		     const char *message)
{
	struct lines out = { 0 };
	struct cw_buf text = { 0 };

	by_whom(voice, &text);
	line(&out, voice->web ? "GL-HOOK-ERR" : "error", "%s refused: %s: %s%s", voice->what, what,
	     message, cw_buf_str(&text));
	put(&out);
	cw_buf_release(&text);
	return status;
}
