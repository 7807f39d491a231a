// expect: lv::otherwise is the last case of a dispatcher, and there is one at most
#include <leveret/dispatch.hpp>

void handler() {}
leveret::dispatch_all<leveret::on<"a", handler>, leveret::otherwise<handler>, leveret::otherwise<handler>> wrong;
