// expect: lv::otherwise is the last case of a dispatcher
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch<leveret::otherwise<handler>, leveret::on<"a", handler>> wrong;
