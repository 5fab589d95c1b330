/** @file
 * Errors: 0 or a negative code, with a message filled once where it goes wrong.
 */
#pragma once

/** Why an operation failed, in terms a caller can branch on. */
enum cw_code {
	CW_OK = 0,
	CW_EINVAL = -1, /**< the input is wrong; retrying cannot help */
	CW_ENOMEM = -2,
	CW_ENOTFOUND = -3,
	CW_EFULL = -4, /**< a configured limit was reached */
	CW_EIO = -5, /**< the system refused; retrying may help */
	CW_EUNSUPPORTED = -6, /**< a format or object this build cannot read */
	CW_ECORRUPT = -7, /**< stored or received bytes are not what they claim to be */
	CW_EDENIED = -8, /**< permission or ownership forbids it */
	CW_ETIMEOUT = -9,
	CW_ECANCELED = -10,
	CW_EENCRYPTED = -11, /**< a document that cannot be read without its password */
};

#define CW_ERROR_MSG_MAX 512

/** Caller-owned: one per operation, copied by value between threads. */
struct cw_error {
	enum cw_code code;
	char msg[CW_ERROR_MSG_MAX];
};

/** Record a failure and return its code. err may be NULL. */
int cw_fail(struct cw_error *err, enum cw_code code, const char *fmt, ...)
	__attribute__((cold, format(printf, 3, 4)));

/** Put "what: " before the message of a failure that already happened; returns code. */
int cw_wrap(struct cw_error *err, int code, const char *fmt, ...)
	__attribute__((cold, format(printf, 3, 4)));
