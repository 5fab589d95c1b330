#include "clausewatch/event.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "clausewatch/json.h"

#define VERSION 1
#define ID_PREFIX "evt_"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Text fields by name, so that copying, writing and reading cannot disagree. */
struct field {
	const char *name;
	size_t offset;
};

#define EVENT(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct cw_event, name)                                             \
	}
static const struct field event_fields[] = {
	EVENT(type),        EVENT(source), EVENT(path),    EVENT(ref),
	EVENT(cause),       EVENT(commit), EVENT(author),  EVENT(subject),
	EVENT(commit_date), EVENT(host),   EVENT(summary),
};
#undef EVENT

#define CHANGE(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct cw_event_change, name)                                      \
	}
static const struct field change_fields[] = {
	CHANGE(event),    CHANGE(term),         CHANGE(id),          CHANGE(title),
	CHANGE(polarity), CHANGE(direction),    CHANGE(summary),     CHANGE(section),
	CHANGE(heading),  CHANGE(quote_before), CHANGE(quote_after), CHANGE(why),
	CHANGE(advice),   CHANGE(fingerprint),
};
#undef CHANGE

static const char *const attr_kinds[] = {
	[CW_ATTR_BOOL] = "bool",
	[CW_ATTR_NUMBER] = "number",
	[CW_ATTR_TEXT] = "text",
	[CW_ATTR_LIST] = "list",
};

static const char *get_text(const void *base, const struct field *f)
{
	const char *text;

	memcpy(&text, (const char *)base + f->offset, sizeof(text));
	return text;
}

static void set_text(void *base, const struct field *f, const char *text)
{
	memcpy((char *)base + f->offset, &text, sizeof(text));
}

/** Replace the texts of a struct that was copied bitwise by copies of their own. */
static bool own_texts(struct cw_arena *arena, void *base, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = get_text(base, &fields[i]);
		if (!text)
			continue;
		const char *copy = cw_arena_strdup(arena, text);
		if (!copy)
			return false;
		set_text(base, &fields[i], copy);
	}
	return true;
}

static bool copy_changes(struct cw_arena *arena, struct cw_event *event)
{
	struct cw_event_change *changes = cw_arena_alloc(arena, event->nchanges * sizeof(*changes));

	if (!changes)
		return false;
	for (size_t i = 0; i < event->nchanges; i++) {
		changes[i] = event->changes[i];
		if (!own_texts(arena, &changes[i], change_fields, COUNT(change_fields)))
			return false;
	}
	event->changes = event->nchanges ? changes : NULL;
	return true;
}

static bool copy_data(struct cw_arena *arena, struct cw_event *event)
{
	struct cw_attr *data = cw_arena_alloc(arena, event->ndata * sizeof(*data));

	if (!data)
		return false;
	for (size_t i = 0; i < event->ndata; i++) {
		data[i] = event->data[i];
		data[i].name = cw_arena_strdup(arena, event->data[i].name);
		data[i].value = cw_arena_strdup(arena, event->data[i].value);
		if (!data[i].name || !data[i].value)
			return false;
	}
	event->data = event->ndata ? data : NULL;
	return true;
}

struct cw_event *cw_event_copy(struct cw_arena *arena, const struct cw_event *event)
{
	struct cw_event *copy = cw_arena_alloc(arena, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *event;
	if (!own_texts(arena, copy, event_fields, COUNT(event_fields)) ||
	    !copy_changes(arena, copy) || !copy_data(arena, copy))
		return NULL;
	return copy;
}

/* The last id given out.  Ids of one process must sort in the order they were made. */
static struct {
	pthread_mutex_t lock;
	uint64_t ms;
	uint16_t high; /* of the 80 random bits */
	uint64_t low;
} last_id = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int fill_random(void *bytes, size_t len, struct cw_error *err)
{
	for (;;) {
		ssize_t n = getrandom(bytes, len, 0);
		if (n == (ssize_t)len)
			return CW_OK;
		if (n < 0 && errno != EINTR)
			return cw_fail(err, CW_EIO, "no random bytes for an event id: %s",
				       strerror(errno));
	}
}

/**
 * Step to the next id at time ms; caller holds the lock.
 *
 * In the same millisecond the random part grows by a random step: ids stay in order, and two
 * processes that forked in between do not give out the same ones.
 */
static int next_id(uint64_t ms, struct cw_error *err)
{
	struct {
		uint64_t low;
		uint32_t step;
		uint16_t high;
	} fresh;
	int ret = fill_random(&fresh, sizeof(fresh), err);

	if (ret < 0)
		return ret;
	if (ms <= last_id.ms) {
		uint64_t low = last_id.low + fresh.step + 1;
		bool carry = low < last_id.low;
		if (!carry || last_id.high < UINT16_MAX) {
			last_id.low = low;
			last_id.high = (uint16_t)(last_id.high + carry);
			return CW_OK;
		}
		ms = last_id.ms + 1;
	}
	last_id.ms = ms;
	last_id.high = fresh.high;
	last_id.low = fresh.low;
	return CW_OK;
}

/** 48 bits of time and 80 random ones, five bits a letter; caller holds the lock. */
static void write_id(char *out)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t high = last_id.ms << 16 | last_id.high, low = last_id.low;
	char *at = out + sizeof(ID_PREFIX) - 1 + 26;

	memcpy(out, ID_PREFIX, sizeof(ID_PREFIX) - 1);
	*at = '\0';
	for (int i = 0; i < 26; i++) {
		*--at = digits[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
}

int cw_event_stamp(struct cw_event *event, struct cw_error *err)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	pthread_mutex_lock(&last_id.lock);
	int ret = next_id((uint64_t)ms & 0xffffffffffffu, err);
	if (ret == CW_OK) {
		write_id(event->id);
		event->time_ms = ms;
	}
	pthread_mutex_unlock(&last_id.lock);
	return ret;
}

static void write_texts(struct cw_json *json, const void *base, const struct field *fields,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		cw_json_str(json, fields[i].name, get_text(base, &fields[i]));
}

void cw_event_to_json(const struct cw_event *event, struct cw_buf *out)
{
	struct cw_json json;

	cw_json_init(&json, out);
	cw_json_open(&json, NULL, '{');
	cw_json_int(&json, "v", VERSION);
	cw_json_str(&json, "id", event->id);
	cw_json_int(&json, "time_ms", event->time_ms);
	write_texts(&json, event, event_fields, COUNT(event_fields));
	cw_json_str(&json, "severity", cw_severity_name(event->severity));
	cw_json_open(&json, "changes", '[');
	for (size_t i = 0; i < event->nchanges; i++) {
		const struct cw_event_change *c = &event->changes[i];
		cw_json_open(&json, NULL, '{');
		write_texts(&json, c, change_fields, COUNT(change_fields));
		cw_json_str(&json, "severity", cw_severity_name(c->severity));
		cw_json_int(&json, "line_start", c->line_start);
		cw_json_int(&json, "line_end", c->line_end);
		cw_json_close(&json, '}');
	}
	cw_json_close(&json, ']');
	cw_json_open(&json, "data", '[');
	for (size_t i = 0; i < event->ndata; i++) {
		cw_json_open(&json, NULL, '{');
		cw_json_str(&json, "name", event->data[i].name);
		cw_json_str(&json, "kind", attr_kinds[event->data[i].kind]);
		cw_json_str(&json, "value", event->data[i].value);
		cw_json_close(&json, '}');
	}
	cw_json_close(&json, ']');
	cw_json_close(&json, '}');
}

static int bad_field(const char *name, struct cw_error *err)
{
	return cw_fail(err, CW_ECORRUPT, "not an event: field '%s' is missing or wrong", name);
}

/** A missing field reads as null, so that a field added later does not break old records. */
static int read_texts(struct cw_arena *arena, const json_t *obj, void *base,
		      const struct field *fields, size_t count, struct cw_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(obj, fields[i].name);
		if (!value || json_is_null(value))
			continue;
		if (!json_is_string(value))
			return bad_field(fields[i].name, err);
		const char *copy = cw_arena_strdup(arena, json_string_value(value));
		if (!copy)
			return cw_fail(err, CW_ENOMEM, "out of memory");
		set_text(base, &fields[i], copy);
	}
	return CW_OK;
}

static int read_severity(const json_t *obj, enum cw_severity *out, struct cw_error *err)
{
	const char *name = json_string_value(json_object_get(obj, "severity"));
	int severity = name ? cw_severity_parse(name) : -1;

	if (severity < 0)
		return bad_field("severity", err);
	*out = (enum cw_severity)severity;
	return CW_OK;
}

static int read_line(const json_t *obj, const char *name, uint32_t *out, struct cw_error *err)
{
	const json_t *value = json_object_get(obj, name);
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || n > UINT32_MAX)
		return bad_field(name, err);
	*out = (uint32_t)n;
	return CW_OK;
}

static int read_change(struct cw_arena *arena, const json_t *obj, struct cw_event_change *out,
		       struct cw_error *err)
{
	int ret = json_is_object(obj) ? CW_OK : bad_field("changes", err);

	if (ret == CW_OK)
		ret = read_texts(arena, obj, out, change_fields, COUNT(change_fields), err);
	if (ret == CW_OK)
		ret = read_severity(obj, &out->severity, err);
	if (ret == CW_OK)
		ret = read_line(obj, "line_start", &out->line_start, err);
	if (ret == CW_OK)
		ret = read_line(obj, "line_end", &out->line_end, err);
	return ret;
}

static int read_changes(struct cw_arena *arena, const json_t *list, struct cw_event *event,
			struct cw_error *err)
{
	if (!json_is_array(list))
		return bad_field("changes", err);
	size_t count = json_array_size(list);
	if (count == 0)
		return CW_OK;
	struct cw_event_change *changes = cw_arena_alloc(arena, count * sizeof(*changes));
	if (!changes)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int ret = read_change(arena, json_array_get(list, i), &changes[i], err);
		if (ret < 0)
			return ret;
	}
	event->changes = changes;
	event->nchanges = count;
	return CW_OK;
}

static int read_attr(struct cw_arena *arena, const json_t *obj, struct cw_attr *out,
		     struct cw_error *err)
{
	const char *name = json_string_value(json_object_get(obj, "name"));
	const char *kind = json_string_value(json_object_get(obj, "kind"));
	const char *value = json_string_value(json_object_get(obj, "value"));
	size_t at = 0;

	if (!name || !kind || !value)
		return bad_field("data", err);
	while (at < COUNT(attr_kinds) && strcmp(attr_kinds[at], kind) != 0)
		at++;
	if (at == COUNT(attr_kinds))
		return bad_field("data", err);
	out->kind = (enum cw_attr_kind)at;
	out->name = cw_arena_strdup(arena, name);
	out->value = cw_arena_strdup(arena, value);
	return out->name && out->value ? CW_OK : cw_fail(err, CW_ENOMEM, "out of memory");
}

static int read_data(struct cw_arena *arena, const json_t *list, struct cw_event *event,
		     struct cw_error *err)
{
	if (!json_is_array(list))
		return bad_field("data", err);
	size_t count = json_array_size(list);
	if (count == 0)
		return CW_OK;
	struct cw_attr *data = cw_arena_alloc(arena, count * sizeof(*data));
	if (!data)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int ret = read_attr(arena, json_array_get(list, i), &data[i], err);
		if (ret < 0)
			return ret;
	}
	event->data = data;
	event->ndata = count;
	return CW_OK;
}

static int read_head(const json_t *obj, struct cw_event *event, struct cw_error *err)
{
	const json_t *version = json_object_get(obj, "v");
	const json_t *time_ms = json_object_get(obj, "time_ms");
	const char *id = json_string_value(json_object_get(obj, "id"));

	if (!json_is_integer(version))
		return bad_field("v", err);
	if (json_integer_value(version) != VERSION)
		return cw_fail(err, CW_EUNSUPPORTED, "event of version %lld, this build reads %d",
			       (long long)json_integer_value(version), VERSION);
	if (!id || !*id || strlen(id) >= sizeof(event->id) || strchr(id, '.'))
		return bad_field("id", err);
	if (!json_is_integer(time_ms))
		return bad_field("time_ms", err);
	memcpy(event->id, id, strlen(id) + 1);
	event->time_ms = json_integer_value(time_ms);
	return read_severity(obj, &event->severity, err);
}

int cw_event_from_json(struct cw_arena *arena, const char *json, size_t len,
		       struct cw_event *out_event, struct cw_error *err)
{
	struct cw_event event = { 0 };
	json_error_t where;
	json_t *obj = json_loadb(json, len, JSON_REJECT_DUPLICATES, &where);

	if (!obj)
		return cw_fail(err, CW_ECORRUPT, "not an event: %s at byte %d", where.text,
			       where.position);
	int ret = json_is_object(obj) ? read_head(obj, &event, err) : bad_field("v", err);
	if (ret == CW_OK)
		ret = read_texts(arena, obj, &event, event_fields, COUNT(event_fields), err);
	if (ret == CW_OK && !event.type)
		ret = bad_field("type", err);
	if (ret == CW_OK)
		ret = read_changes(arena, json_object_get(obj, "changes"), &event, err);
	if (ret == CW_OK)
		ret = read_data(arena, json_object_get(obj, "data"), &event, err);
	if (ret == CW_OK)
		*out_event = event;
	json_decref(obj);
	return ret;
}
