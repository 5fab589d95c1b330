#include "clausewatch/error.h"

#include <stdarg.h>
#include <stdio.h>

int cw_fail(struct cw_error *err, enum cw_code code, const char *fmt, ...)
{
	if (!err)
		return code;

	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	err->code = (enum cw_code)code;
	return code;
}

int cw_wrap(struct cw_error *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;

	struct cw_error inner = *err;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	/* A message too long for the buffer is cut at its end, where detail is least. */
	if (n >= 0 && (size_t)n < sizeof(err->msg) &&
	    snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", inner.msg) < 0)
		err->msg[n] = '\0';
	err->code = (enum cw_code)code;
	return code;
}
