/*
 * Any bytes as a stored event: refused, or written and read again without a change.
 */
#include "fuzz.h"

#include "clausewatch/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_arena arena = { 0 };
	struct cw_error err = { 0 };
	struct cw_event event = { 0 }, again = { 0 };
	struct cw_buf first = { 0 }, second = { 0 };
	char *json = exact_copy(data, size);

	if (cw_event_from_json(&arena, json, size, &event, &err) == CW_OK) {
		const struct cw_event *copy = cw_event_copy(&arena, &event);

		expect(copy && event.type && strlen(event.id) < sizeof(event.id));
		cw_event_to_json(&event, &first);
		expect(cw_event_from_json(&arena, first.data, first.len, &again, &err) == CW_OK);
		cw_event_to_json(&again, &second);
		expect(strcmp(cw_buf_str(&first), cw_buf_str(&second)) == 0);
		cw_buf_clear(&second);
		cw_event_to_json(copy, &second);
		expect(strcmp(cw_buf_str(&first), cw_buf_str(&second)) == 0);
	} else {
		expect(err.msg[0]);
	}
	cw_buf_release(&first);
	cw_buf_release(&second);
	cw_arena_release(&arena);
	free(json);
	return 0;
}
