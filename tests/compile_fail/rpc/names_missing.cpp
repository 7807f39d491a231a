// expect: a handler has as many names as parameters
#include <leveret/rpc/endpoint.hpp>

void use(leveret::rpc::endpoint& e)
{
    e.add<"a">("add", [](int a, int b) { return a + b; });
}
