// expect: lv::otherwise is unreachable: the patterns before it match every key
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch<leveret::on<"#", handler>, leveret::otherwise<handler>> wrong;
