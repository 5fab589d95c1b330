#include "clausewatch/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cw_buf_release(struct cw_buf *buf)
{
	if (!buf)
		return;
	free(buf->data);
	*buf = (struct cw_buf){ 0 };
}

void cw_buf_clear(struct cw_buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

char *cw_buf_reserve(struct cw_buf *buf, size_t more)
{
	if (buf->failed)
		return NULL;
	if (buf->data && buf->cap - buf->len > more)
		return buf->data + buf->len;
	if (more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
		buf->failed = true;
		return NULL;
	}

	size_t cap = buf->cap ? buf->cap : 64;
	while (cap - buf->len <= more)
		cap *= 2;
	char *data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return NULL;
	}
	buf->data = data;
	buf->cap = cap;
	return data + buf->len;
}

void cw_buf_put(struct cw_buf *buf, const void *bytes, size_t len)
{
	char *at = cw_buf_reserve(buf, len);

	if (!at)
		return;
	if (len > 0)
		memcpy(at, bytes, len);
	at[len] = '\0';
	buf->len += len;
}

void cw_buf_puts(struct cw_buf *buf, const char *text)
{
	cw_buf_put(buf, text, strlen(text));
}

void cw_buf_putc(struct cw_buf *buf, char c)
{
	cw_buf_put(buf, &c, 1);
}

void cw_buf_vprintf(struct cw_buf *buf, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *at = n < 0 ? NULL : cw_buf_reserve(buf, (size_t)n);
	if (at) {
		(void)vsnprintf(at, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	} else {
		buf->failed = true;
	}
	va_end(again);
}

void cw_buf_printf(struct cw_buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cw_buf_vprintf(buf, fmt, ap);
	va_end(ap);
}

int cw_buf_ok(const struct cw_buf *buf, struct cw_error *err)
{
	return buf->failed ? cw_fail(err, CW_ENOMEM, "out of memory") : CW_OK;
}

char *cw_buf_take(struct cw_buf *buf)
{
	if (!cw_buf_reserve(buf, 0))
		return NULL;
	buf->data[buf->len] = '\0';

	char *data = buf->data;
	*buf = (struct cw_buf){ 0 };
	return data;
}

const char *cw_buf_str(const struct cw_buf *buf)
{
	return buf->data ? buf->data : "";
}
