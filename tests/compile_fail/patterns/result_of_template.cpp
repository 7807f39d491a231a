// expect: a handler returns void or asio::awaitable<void>
#include <leveret/dispatch.hpp>

void use()
{
    leveret::dispatch<leveret::on<"kern.*", [](auto word) { return word.size(); }>>().call("kern.info");
}
