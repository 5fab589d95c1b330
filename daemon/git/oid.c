#include "git/internal.h"

#include <string.h>

#define SHA1_SIZE 20
#define SHA256_SIZE 32

void cw_oid_to_hex(const struct cw_oid *oid, char out[CW_OID_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < oid->len && i < sizeof(oid->id); i++) {
		out[n++] = digits[oid->id[i] >> 4];
		out[n++] = digits[oid->id[i] & 15];
	}
	out[n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int cw_oid_from_hex(const char *hex, size_t len, struct cw_oid *out_oid)
{
	struct cw_oid oid = { .len = (unsigned char)(len / 2) };
	bool zero = true;

	if (len != 2 * SHA1_SIZE && len != 2 * SHA256_SIZE)
		return CW_EINVAL;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return CW_EINVAL;
		oid.id[i] = (unsigned char)(high << 4 | low);
		zero = zero && oid.id[i] == 0;
	}
	if (zero)
		oid.len = 0;
	*out_oid = oid;
	return CW_OK;
}

bool cw_oid_eq(const struct cw_oid *a, const struct cw_oid *b)
{
	return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

bool cw_oid_is_none(const struct cw_oid *oid)
{
	return oid->len == 0;
}

void git_oid_to_cw(const git_oid *oid, struct cw_oid *out_oid)
{
	*out_oid = (struct cw_oid){ .len = SHA1_SIZE };
	memcpy(out_oid->id, oid->id, SHA1_SIZE);
}

int git_oid_of(const struct cw_git_repo *r, const struct cw_oid *oid, git_oid *out_oid,
	       struct cw_error *err)
{
	if (oid->len != SHA1_SIZE)
		return cw_fail(err, CW_EINVAL, "repository '%s': %s", r->path,
			       oid->len == 0 ? "no object id given"
					     : "the object id is not one of SHA-1");
	memcpy(out_oid->id, oid->id, SHA1_SIZE);
	return CW_OK;
}
