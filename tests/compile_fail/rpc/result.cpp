// expect: a handler returns a type that JSON is made of, or nothing
#include <leveret/rpc/endpoint.hpp>

void use(leveret::rpc::endpoint& e)
{
    e.add("self", [&e](int) { return &e; });
}
