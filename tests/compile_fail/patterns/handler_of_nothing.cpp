// expect: a handler's parameter is neither a delivery, nor a type that lv::codec knows, nor
#include <leveret/dispatch.hpp>

struct quote {}; // without a codec
void handler(quote) {}
leveret::dispatch<leveret::on<"stock.*", handler>> wrong;
