// What a user's first build needs: our headers, Asio with coroutines, threads.
#if __has_include(<leveret.hpp>)
#include <leveret.hpp>
#else
#include <leveret/io/config.hpp>
#endif

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <thread>

asio::awaitable<void> work(bool& done)
{
    done = true;
    co_return;
}

int main()
{
    bool done = false;
    asio::io_context context;
    asio::co_spawn(context, work(done), [](std::exception_ptr) {});
    std::thread([&] { context.run(); }).join();
    return done ? 0 : 1;
}
