// expect: or is a coroutine's reference to another type
#include <leveret/rpc/endpoint.hpp>

void f(leveret::rpc::endpoint& e)
{
    using fib = leveret::rpc::method<"fib", int(int)>;
    e.add<fib>([](const long& n) -> asio::awaitable<int> { co_return static_cast<int>(n); });
}
