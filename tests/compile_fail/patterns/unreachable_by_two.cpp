// No single pattern covers the last, but those before it do together.
// expect: a pattern is unreachable: every key that it matches is matched by patterns before it
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch<leveret::on<"a", handler>, leveret::on<"a.*.#", handler>, leveret::on<"a.#", handler>> wrong;
