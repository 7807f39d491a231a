// expect: a handler is a coroutine: co_await the dispatcher instead of using call()
#include <leveret/dispatch.hpp>

asio::awaitable<void> handler()
{
    co_return;
}
void use()
{
    leveret::dispatch<leveret::on<"kern.*", handler>>().call("kern.info");
}
