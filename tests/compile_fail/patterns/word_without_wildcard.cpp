// Who means the body is told how to get it.
// expect: for the body as text it takes lv::body<std::string_view> or std::string
#include <leveret/dispatch.hpp>

void handler(std::string_view) {}
leveret::dispatch<leveret::on<"kern.info", handler>> wrong;
