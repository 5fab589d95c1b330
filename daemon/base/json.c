#include "clausewatch/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "clausewatch/utf8.h"

void cw_json_init(struct cw_json *json, struct cw_buf *out)
{
	*json = (struct cw_json){ .out = out };
}

static void put_text(struct cw_buf *out, const char *text, size_t len)
{
	size_t from = 0;

	cw_buf_putc(out, '"');
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t n = cw_utf8_len(text + i, len - i);
		if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += n;
			continue;
		}
		cw_buf_put(out, text + from, i - from);
		if (n == 0)
			cw_buf_puts(out, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			cw_buf_printf(out, "\\%c", c);
		else if (c == '\n')
			cw_buf_puts(out, "\\n");
		else
			cw_buf_printf(out, "\\u%04x", c);
		from = ++i;
	}
	cw_buf_put(out, text + from, len - from);
	cw_buf_putc(out, '"');
}

static void begin(struct cw_json *json, const char *key)
{
	if (json->comma)
		cw_buf_putc(json->out, ',');
	json->comma = true;
	if (key) {
		put_text(json->out, key, strlen(key));
		cw_buf_putc(json->out, ':');
	}
}

void cw_json_open(struct cw_json *json, const char *key, char bracket)
{
	begin(json, key);
	cw_buf_putc(json->out, bracket);
	json->comma = false;
}

void cw_json_close(struct cw_json *json, char bracket)
{
	cw_buf_putc(json->out, bracket);
	json->comma = true;
}

void cw_json_strn(struct cw_json *json, const char *key, const char *text, size_t len)
{
	begin(json, key);
	put_text(json->out, text, len);
}

void cw_json_str(struct cw_json *json, const char *key, const char *text)
{
	if (text)
		cw_json_strn(json, key, text, strlen(text));
	else
		cw_json_null(json, key);
}

void cw_json_int(struct cw_json *json, const char *key, int64_t n)
{
	begin(json, key);
	cw_buf_printf(json->out, "%" PRId64, n);
}

void cw_json_real(struct cw_json *json, const char *key, double n)
{
	begin(json, key);
	if (isfinite(n))
		cw_buf_printf(json->out, "%.6g", n);
	else
		cw_buf_puts(json->out, "null");
}

void cw_json_bool(struct cw_json *json, const char *key, bool yes)
{
	begin(json, key);
	cw_buf_puts(json->out, yes ? "true" : "false");
}

void cw_json_null(struct cw_json *json, const char *key)
{
	begin(json, key);
	cw_buf_puts(json->out, "null");
}

void cw_json_raw(struct cw_json *json, const char *key, const char *value)
{
	begin(json, key);
	cw_buf_puts(json->out, value);
}
