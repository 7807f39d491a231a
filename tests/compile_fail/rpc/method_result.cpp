// expect: the handler returns something else than the method of the interface
#include <leveret/rpc/endpoint.hpp>

#include <string>

using add = leveret::rpc::method<"add", int(int, int)>;
void use(leveret::rpc::endpoint& e)
{
    e.add<add>([](int, int) { return std::string(); });
}
