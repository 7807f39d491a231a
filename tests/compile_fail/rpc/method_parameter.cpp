// expect: a parameter of the handler does not hold all values of that of the interface
#include <leveret/rpc/endpoint.hpp>

void f(leveret::rpc::endpoint& e)
{
    using fib = leveret::rpc::method<"fib", int(int)>;
    e.add<fib>([](const leveret::rpc::request&, short n) { return n + 1; });
}
