// expect: a pattern is unreachable
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch<leveret::on<"*.#", handler>, leveret::on<"#.*", handler>> wrong;
