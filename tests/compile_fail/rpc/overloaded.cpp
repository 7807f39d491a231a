// expect: a handler has one signature
#include <leveret/rpc/endpoint.hpp>

void use(leveret::rpc::endpoint& e)
{
    e.add("any", [](auto n) { return n; });
}
