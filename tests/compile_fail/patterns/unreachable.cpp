// expect: a pattern is unreachable: every key that it matches is matched by patterns before it
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch<leveret::on<"lazy.#", handler>, leveret::on<"lazy.*.rabbit", handler>> wrong;
