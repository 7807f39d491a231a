// expect: a handler's parameter is neither const lv::rpc::request& (the first), nor a type that JSON is read to
#include <leveret/rpc/endpoint.hpp>

void use(leveret::rpc::endpoint& e)
{
    e.add("print", [](const char*) {});
}
