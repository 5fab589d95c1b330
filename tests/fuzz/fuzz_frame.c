/*
 * First line: a frame whose lexicons are letters.  Second line: a sentence, letters are hits,
 * what stands before '/' is the lead-in.  A match names hits in the order of the sentence.
 */
#include "fuzz.h"

#include "engine/frame.h"

static int letter(void *ctx, const char *name, size_t len, bool phrase, struct cw_error *err)
{
	(void)ctx;
	if (phrase)
		return 26;
	if (len != 1 || name[0] < 'a' || name[0] > 'z')
		return cw_fail(err, CW_EINVAL, "no lexicon '%.*s'", (int)len, name);
	return name[0] - 'a';
}

static size_t read_sentence(const char *s, size_t len, struct cw_path_hit *hits, uint32_t *out_own)
{
	const char *slash = memchr(s, '/', len);
	size_t n = 0;

	*out_own = slash ? (uint32_t)(slash - s) : 0;
	for (size_t i = 0; i < len && n < CW_FRAME_HITS_MAX; i++) {
		if (s[i] < 'a' || s[i] > 'z')
			continue;
		hits[n++] = (struct cw_path_hit){ .pos = (uint32_t)i,
						  .end = (uint32_t)i + 1,
						  .lexicon = (uint16_t)(s[i] - 'a'),
						  .own = i >= *out_own,
						  .tok = (uint32_t)i,
						  .len = 1 };
	}
	return n;
}

static void match(const struct cw_frame *frame, const char *sentence, size_t len)
{
	static struct cw_path_hit hits[CW_FRAME_HITS_MAX];
	struct cw_frame_match m = { 0 };
	uint64_t seen[1] = { 0 };
	struct cw_path path = { .hits = hits, .seen = { seen, seen, seen, seen } };

	path.nhits = read_sentence(sentence, len, hits, &path.own_start);
	for (size_t i = 0; i < path.nhits; i++)
		seen[0] |= UINT64_C(1) << hits[i].lexicon;
	bool found = cw_frame_match(frame, &path, &m);
	expect(found == cw_frame_match(frame, &path, NULL));
	expect(!found || m.nhits <= CW_FRAME_ELEMS_MAX);
	for (size_t i = 0; found && i < m.nhits; i++) {
		expect(m.hits[i] < path.nhits);
		expect(i == 0 || hits[m.hits[i - 1]].end <= hits[m.hits[i]].pos);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_arena arena = { 0 };
	struct cw_error err = { 0 };
	struct cw_frame frame = { 0 };
	const uint8_t *nl = size ? memchr(data, '\n', size) : NULL;
	size_t len = nl ? (size_t)(nl - data) : size;
	char *text = exact_copy(data, len + (nl != NULL));

	if (nl && !memchr(text, 0, len)) {
		text[len] = '\0';
		if (cw_frame_parse(&arena, text, data[0] != '&', letter, NULL, &frame, &err) ==
		    CW_OK) {
			expect(frame.nelems > 0 && frame.nelems <= CW_FRAME_ELEMS_MAX);
			match(&frame, (const char *)nl + 1, size - len - 1);
		} else {
			expect(err.msg[0]);
		}
	}
	cw_arena_release(&arena);
	free(text);
	return 0;
}
