// expect: a handler can be called with neither the delivery, nor a std::string_view for each wildcard of its pattern
#include <leveret/dispatch.hpp>

void use()
{
    leveret::dispatch<leveret::on<"kern.*", [](auto, auto) {}>>().call("kern.info");
}
