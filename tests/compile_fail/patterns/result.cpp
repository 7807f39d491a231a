// expect: a handler returns void or asio::awaitable<void>
#include <leveret/dispatch.hpp>

bool handler(std::string_view)
{
    return true;
}
leveret::dispatch<leveret::on<"kern.*", handler>> wrong;
