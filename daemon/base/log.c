#include "clausewatch/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clausewatch/json.h"
#include "clausewatch/utf8.h"

/** Longer values are cut: a line must stay below what journals and collectors take. */
#define VALUE_MAX_BYTES ((size_t)4096)

static atomic_int the_level = CW_LOG_INFO;
static atomic_int the_format = CW_LOG_AUTO;

static const char *const level_names[] = {
	[CW_LOG_ERR] = "error", [CW_LOG_WARNING] = "warning", [CW_LOG_NOTICE] = "notice",
	[CW_LOG_INFO] = "info", [CW_LOG_DEBUG] = "debug",
};

/** Is standard error connected to the journal?  systemd names the socket's device and inode. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void cw_log_setup(enum cw_log_level level, enum cw_log_format format)
{
	if (format == CW_LOG_AUTO)
		format = is_journal() ? CW_LOG_JOURNAL : CW_LOG_TEXT;
	atomic_store(&the_level, (int)level);
	atomic_store(&the_format, (int)format);
}

bool cw_log_enabled(enum cw_log_level level)
{
	return (int)level <= atomic_load(&the_level);
}

static size_t cut_len(const char *text)
{
	size_t len = strnlen(text, VALUE_MAX_BYTES + 1);

	if (len <= VALUE_MAX_BYTES)
		return len;
	len = VALUE_MAX_BYTES;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/** Control characters of the second kind, line separators, and what turns the direction. */
static bool is_treacherous(uint32_t rune)
{
	return (rune >= 0x80 && rune < 0xa0) || (rune >= 0x2028 && rune <= 0x202e) ||
	       (rune >= 0x2066 && rune <= 0x2069);
}

/** Append text so that neither a terminal nor a parser of lines can be led astray. */
static void put_escaped(struct cw_buf *out, const char *text, size_t len, bool quoted)
{
	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t n = cw_utf8_decode(text + i, len - i, &rune);

		if (rune == '\n' && n)
			cw_buf_puts(out, "\\n");
		else if (rune == '\t' && n)
			cw_buf_puts(out, "\\t");
		else if (n == 0 || rune < 0x20 || rune == 0x7f)
			cw_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
		else if (is_treacherous(rune))
			cw_buf_printf(out, "\\u%04x", (unsigned)rune);
		else if (quoted && (rune == '"' || rune == '\\'))
			cw_buf_printf(out, "\\%c", (char)rune);
		else
			cw_buf_put(out, text + i, n);
		i += n ? n : 1;
	}
}

static bool needs_quotes(const char *text, size_t len)
{
	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || strchr("\"\\=\x7f", text[i]))
			return true;
	}
	return !cw_utf8_valid(text, len);
}

static void put_value(struct cw_buf *out, const char *text)
{
	size_t len = cut_len(text);
	bool quotes = needs_quotes(text, len);

	if (quotes)
		cw_buf_putc(out, '"');
	put_escaped(out, text, len, quotes);
	if (text[len] != '\0')
		cw_buf_puts(out, "…");
	if (quotes)
		cw_buf_putc(out, '"');
}

static void put_pairs(struct cw_buf *out, const struct cw_log_field *fields)
{
	for (; fields->key; fields++) {
		if (fields->is_text && !fields->text)
			continue;
		cw_buf_printf(out, " %s=", fields->key);
		if (fields->is_text)
			put_value(out, fields->text);
		else
			cw_buf_printf(out, "%lld", (long long)fields->number);
	}
}

static void put_json(struct cw_buf *out, const char *when, const char *level, const char *message,
		     const struct cw_log_field *fields)
{
	struct cw_json json;

	cw_json_init(&json, out);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "time", when);
	cw_json_str(&json, "level", level);
	cw_json_str(&json, "message", message);
	for (; fields->key; fields++) {
		if (!fields->is_text)
			cw_json_int(&json, fields->key, fields->number);
		else if (fields->text)
			cw_json_strn(&json, fields->key, fields->text, cut_len(fields->text));
	}
	cw_json_close(&json, '}');
}

static void format_time(char *out, size_t size, int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;
	char day[32];

	if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	(void)snprintf(out, size, "%s.%03dZ", day, (int)(time_ms % 1000));
}

void cw_log_line(struct cw_buf *out, enum cw_log_format format, enum cw_log_level level,
		 int64_t time_ms, const char *message, const struct cw_log_field *fields)
{
	char when[48];

	format_time(when, sizeof(when), time_ms);
	switch (format) {
	case CW_LOG_JSON:
		put_json(out, when, level_names[level], message, fields);
		break;
	case CW_LOG_JOURNAL:
		cw_buf_printf(out, "<%d>", (int)level);
		put_escaped(out, message, cut_len(message), false);
		put_pairs(out, fields);
		break;
	default:
		cw_buf_printf(out, "time=%s level=%s msg=", when, level_names[level]);
		put_value(out, message);
		put_pairs(out, fields);
		break;
	}
	cw_buf_putc(out, '\n');
}

static void write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* There is nobody left to tell. */
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

void cw_log_write(enum cw_log_level level, const char *message, const struct cw_log_field *fields)
{
	int saved = errno;
	struct cw_buf line = { 0 };
	struct timespec now;

	if (!cw_log_enabled(level))
		return;
	if (atomic_load(&the_format) == CW_LOG_AUTO)
		atomic_store(&the_format, is_journal() ? CW_LOG_JOURNAL : CW_LOG_TEXT);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	cw_log_line(&line, (enum cw_log_format)atomic_load(&the_format), level, ms, message,
		    fields);
	if (!line.failed)
		write_all(line.data, line.len);
	cw_buf_release(&line);
	errno = saved;
}
