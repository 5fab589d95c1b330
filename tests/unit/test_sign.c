#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "clausewatch/alert.h"

/* The vector of the Standard Webhooks specification. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define STAMP 1614265330

static struct cw_secret secret_of(const char *text)
{
	struct cw_secret secret = { 0 };

	assert_int_equal(cw_secret_parse(text, &secret, NULL), CW_OK);
	return secret;
}

static const struct {
	const char *name, *text;
	int ret;
	size_t len;
	const char *msg;
} secret_cases[] = {
	{ "24 bytes", SECRET, CW_OK, 24, NULL },
	{ "32 bytes", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", CW_OK, 32, NULL },
	{ "no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CW_EINVAL, 0, "begin with" },
	{ "asymmetric", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CW_EINVAL, 0, "begin with" },
	{ "empty", "whsec_", CW_EINVAL, 0, "base64" },
	{ "too short", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", CW_EINVAL, 0, "has 21 bytes" },
	{ "bad letter", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w", CW_EINVAL, 0, "base64" },
	{ "padding inside", "whsec_MfKQ9r8GKYq=TwjUPD8ILPZIo2LaLaSw", CW_EINVAL, 0, "base64" },
	{ "no padding", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", CW_EINVAL, 0,
	  "base64" },
	{ "too long",
	  "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	  "AAAAAAAAAAAA",
	  CW_EINVAL, 0, "base64 of 24 to 64" },
};

static void test_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(secret_cases) / sizeof(*secret_cases); i++) {
		struct cw_secret secret = { 0 };
		struct cw_error err = { 0 };
		print_message("  %s\n", secret_cases[i].name);
		assert_int_equal(cw_secret_parse(secret_cases[i].text, &secret, &err),
				 secret_cases[i].ret);
		assert_int_equal(secret.len, secret_cases[i].len);
		if (secret_cases[i].msg)
			assert_non_null(strstr(err.msg, secret_cases[i].msg));
	}
}

static void test_vector(void **state)
{
	struct cw_secret secret = secret_of(SECRET);
	struct cw_buf out = { 0 };

	(void)state;
	assert_int_equal(cw_sign(&secret, 1, ID, STAMP, BODY, strlen(BODY), &out, NULL), CW_OK);
	assert_string_equal(out.data, SIGNATURE);
	cw_buf_release(&out);
}

static void test_rotation(void **state)
{
	struct cw_secret both[2] = {
		secret_of("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
		secret_of(SECRET),
	};
	struct cw_buf out = { 0 };

	(void)state;
	assert_int_equal(cw_sign(both, 2, ID, STAMP, BODY, strlen(BODY), &out, NULL), CW_OK);
	assert_non_null(strstr(out.data, " " SIGNATURE));
	/* A receiver that knows either one accepts it. */
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cw_verify(&both[i], 1, ID, "1614265330", out.data, BODY,
					   strlen(BODY), STAMP, CW_SIGNATURE_TOLERANCE_S, NULL),
				 CW_OK);
	cw_buf_release(&out);
}

static const struct {
	const char *name, *id, *timestamp, *signature, *body;
	int64_t now;
	int ret;
} verify_cases[] = {
	{ "good", ID, "1614265330", SIGNATURE, BODY, STAMP, CW_OK },
	{ "good among others", ID, "1614265330", "v1a,xx v1,short " SIGNATURE, BODY, STAMP, CW_OK },
	{ "four minutes late", ID, "1614265330", SIGNATURE, BODY, STAMP + 240, CW_OK },
	{ "six minutes late", ID, "1614265330", SIGNATURE, BODY, STAMP + 360, CW_EDENIED },
	{ "six minutes early", ID, "1614265330", SIGNATURE, BODY, STAMP - 360, CW_EDENIED },
	{ "other time", ID, "1614265331", SIGNATURE, BODY, STAMP, CW_EDENIED },
	{ "other id", "msg_x", "1614265330", SIGNATURE, BODY, STAMP, CW_EDENIED },
	{ "other body", ID, "1614265330", SIGNATURE, BODY " ", STAMP, CW_EDENIED },
	{ "no signature", ID, "1614265330", "", BODY, STAMP, CW_EDENIED },
	{ "other version", ID, "1614265330",
	  "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY, STAMP, CW_EDENIED },
	{ "dot in the id", "msg.x", "1614265330", SIGNATURE, BODY, STAMP, CW_EINVAL },
	{ "no id", "", "1614265330", SIGNATURE, BODY, STAMP, CW_EINVAL },
	{ "time is no number", ID, "-1614265330", SIGNATURE, BODY, STAMP, CW_EINVAL },
	{ "time too long", ID, "99999999999999999999", SIGNATURE, BODY, STAMP, CW_EINVAL },
};

static void test_verify(void **state)
{
	struct cw_secret secret = secret_of(SECRET);

	(void)state;
	for (size_t i = 0; i < sizeof(verify_cases) / sizeof(*verify_cases); i++) {
		print_message("  %s\n", verify_cases[i].name);
		assert_int_equal(cw_verify(&secret, 1, verify_cases[i].id,
					   verify_cases[i].timestamp, verify_cases[i].signature,
					   verify_cases[i].body, strlen(verify_cases[i].body),
					   verify_cases[i].now, CW_SIGNATURE_TOLERANCE_S, NULL),
				 verify_cases[i].ret);
	}
	assert_int_equal(cw_verify(NULL, 0, ID, "1614265330", SIGNATURE, BODY, strlen(BODY), STAMP,
				   CW_SIGNATURE_TOLERANCE_S, NULL),
			 CW_EDENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_verify),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
