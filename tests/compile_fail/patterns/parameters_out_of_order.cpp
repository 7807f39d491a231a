// expect: a handler takes the delivery first, then the body, then the words
#include <leveret/dispatch.hpp>

void handler(std::string_view, const std::string&) {}
leveret::dispatch<leveret::on<"kern.*", handler>> wrong;
