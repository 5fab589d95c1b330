/*
 * Any bytes as the standard input of pre-receive: refused with a line number or a limit, or read
 * into references that are names and objects of which one is there.
 */
#include "fuzz.h"

#include "clausewatch/git.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_arena arena = { 0 };
	struct cw_error err = { 0 };
	struct cw_git_updates updates = { 0 };
	char *text = exact_copy(data, size);

	if (cw_git_parse_updates(&arena, text, size, &updates, &err) == CW_OK) {
		for (size_t i = 0; i < updates.count; i++) {
			const char *ref = updates.items[i].ref;

			expect(ref && ref[0] && !strchr(ref, '\n'));
		}
	} else {
		expect(err.msg[0] && updates.count == 0);
	}
	cw_arena_release(&arena);
	free(text);
	return 0;
}
