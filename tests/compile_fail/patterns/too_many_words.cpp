// expect: a handler takes a std::string_view for each wildcard of its pattern, or none
#include <leveret/dispatch.hpp>

void handler(std::string_view, std::string_view) {}
leveret::dispatch<leveret::on<"kern.*", handler>> wrong;
