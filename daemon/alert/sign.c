#include "clausewatch/alert.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_PREFIX "whsec_"
#define SECRET_MIN 24
#define MAC_SIZE 32
#define MAC_TEXT_SIZE 45 /* base64 with NUL */

/** Strict base64: whole groups of four, padding only at the end.  -1 when it is not. */
static int decode64(const char *text, size_t len, unsigned char *out, size_t size)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t pad = 0;

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len == 0 || len % 4 != 0 || len / 4 * 3 > size || strspn(text, letters) != len - pad)
		return -1;
	int n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	return n < 0 ? -1 : n - (int)pad;
}

int cw_secret_parse(const char *text, struct cw_secret *out, struct cw_error *err)
{
	unsigned char key[CW_SECRET_MAX + 3];
	const char *body = text + sizeof(SECRET_PREFIX) - 1;

	if (strncmp(text, SECRET_PREFIX, sizeof(SECRET_PREFIX) - 1) != 0)
		return cw_fail(err, CW_EINVAL, "secret does not begin with '" SECRET_PREFIX "'");
	int n = decode64(body, strlen(body), key, sizeof(key));
	if (n < 0)
		return cw_fail(err, CW_EINVAL,
			       "secret is not base64 of %d to %d bytes behind '" SECRET_PREFIX "'",
			       SECRET_MIN, CW_SECRET_MAX);
	if (n < SECRET_MIN || n > CW_SECRET_MAX)
		return cw_fail(err, CW_EINVAL, "secret has %d bytes, expected %d to %d", n,
			       SECRET_MIN, CW_SECRET_MAX);
	memcpy(out->key, key, (size_t)n);
	out->len = (size_t)n;
	OPENSSL_cleanse(key, sizeof(key));
	return CW_OK;
}

/** The bytes that are signed. */
static int put_signed(struct cw_buf *out, const char *id, const char *timestamp, const void *body,
		      size_t len, struct cw_error *err)
{
	cw_buf_printf(out, "%s.%s.", id, timestamp);
	cw_buf_put(out, body, len);
	return cw_buf_ok(out, err);
}

/** Base64 of the HMAC. */
static int mac_text(const struct cw_secret *secret, const struct cw_buf *data,
		    char out[MAC_TEXT_SIZE], struct cw_error *err)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (!HMAC(EVP_sha256(), secret->key, (int)secret->len, (const unsigned char *)data->data,
		  data->len, mac, &n) ||
	    n != MAC_SIZE)
		return cw_fail(err, CW_EIO, "cannot compute HMAC-SHA256");
	EVP_EncodeBlock((unsigned char *)out, mac, MAC_SIZE);
	return CW_OK;
}

int cw_sign(const struct cw_secret *secrets, size_t nsecrets, const char *id, int64_t timestamp_s,
	    const void *body, size_t len, struct cw_buf *out, struct cw_error *err)
{
	struct cw_buf data = { 0 };
	char timestamp[24], text[MAC_TEXT_SIZE];

	(void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, timestamp_s);
	int ret = put_signed(&data, id, timestamp, body, len, err);
	for (size_t i = 0; ret == CW_OK && i < nsecrets; i++) {
		ret = mac_text(&secrets[i], &data, text, err);
		if (ret == CW_OK)
			cw_buf_printf(out, "%sv1,%s", i ? " " : "", text);
	}
	if (ret == CW_OK)
		ret = cw_buf_ok(out, err);
	cw_buf_release(&data);
	return ret;
}

static int check_time(const char *timestamp, int64_t now_s, int64_t tolerance_s,
		      struct cw_error *err)
{
	size_t len = strlen(timestamp);

	/* More digits than a date needs could overflow. */
	if (len == 0 || len > 12 || strspn(timestamp, "0123456789") != len)
		return cw_fail(err, CW_EINVAL, "webhook-timestamp is not a number of seconds");
	int64_t off = now_s - strtoll(timestamp, NULL, 10);
	if (off > tolerance_s || off < -tolerance_s)
		return cw_fail(err, CW_EDENIED, "webhook-timestamp is %lld s %s", llabs(off),
			       off > 0 ? "old" : "ahead");
	return CW_OK;
}

/** Whether any signature of the list is the expected one; looks at all of them. */
static bool any_equal(const char *list, const char expected[MAC_TEXT_SIZE])
{
	bool found = false;

	while (*list) {
		size_t len = strcspn(list, " ");
		if (len == 3 + MAC_TEXT_SIZE - 1 && strncmp(list, "v1,", 3) == 0)
			found |= CRYPTO_memcmp(list + 3, expected, MAC_TEXT_SIZE - 1) == 0;
		list += len;
		list += strspn(list, " ");
	}
	return found;
}

int cw_verify(const struct cw_secret *secrets, size_t nsecrets, const char *id,
	      const char *timestamp, const char *signature, const void *body, size_t len,
	      int64_t now_s, int64_t tolerance_s, struct cw_error *err)
{
	struct cw_buf data = { 0 };
	char expected[MAC_TEXT_SIZE];
	bool found = false;

	if (!*id || strchr(id, '.'))
		return cw_fail(err, CW_EINVAL, "webhook-id is empty or has a '.'");
	int ret = check_time(timestamp, now_s, tolerance_s, err);
	if (ret < 0)
		return ret;
	ret = put_signed(&data, id, timestamp, body, len, err);
	for (size_t i = 0; ret == CW_OK && i < nsecrets; i++) {
		ret = mac_text(&secrets[i], &data, expected, err);
		if (ret == CW_OK)
			found |= any_equal(signature, expected);
	}
	if (ret == CW_OK && !found)
		ret = cw_fail(err, CW_EDENIED, "webhook-signature fits no secret");
	cw_buf_release(&data);
	return ret;
}
