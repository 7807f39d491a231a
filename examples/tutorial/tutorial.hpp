// What the programs of the tutorial share, so that each of them shows its AMQP and little else: their
// arguments, and a `run` that gives their coroutine an io_context, ends it in order on Ctrl-C, and makes
// an exit status of how it ended.
#pragma once

#include <leveret.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lv = leveret;

namespace tutorial {

/// The broker: RabbitMQ on this machine, unless the environment names another.
inline std::string uri()
{
    const char* given = std::getenv("LEVERET_URI");
    return given != nullptr ? given : "amqp://guest:guest@localhost/";
}

/// Throws std::invalid_argument, which `run` answers with the usage text.
[[noreturn]] inline void refuse(std::string_view why)
{
    throw std::invalid_argument(std::string(why));
}

/// The whole of `text` as a number.
inline std::uint64_t number(std::string_view text)
{
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end)
        refuse("not a number: '" + lv::escaped(text) + "'");
    return value;
}

/// The severities of tutorial 4.
inline void check_severity(std::string_view s)
{
    if (s != "info" && s != "warning" && s != "error")
        refuse("no such severity: '" + lv::escaped(s) + "'");
}

struct arguments {
    std::uint64_t count =
        std::numeric_limits<std::uint64_t>::max(); ///< --count N: messages to wait for
    bool quick = false;                            ///< --quick
    std::vector<std::string> words;                ///< all that follow the options

    /// Word `i`, or `otherwise` if there are not so many.
    std::string word(std::size_t i, std::string_view otherwise) const
    {
        return i < words.size() ? words[i] : std::string(otherwise);
    }
    /// Word `i` and those behind it as one text, or `otherwise`.
    std::string text_from(std::size_t i, std::string_view otherwise) const
    {
        std::string text = word(i, otherwise);
        while (++i < words.size())
            text += " " + words[i];
        return text;
    }
};

/// Reads the options that `usage` names, and the words behind them if it has any.
inline arguments parse(int argc, char** argv, std::string_view usage)
{
    arguments args;
    std::vector<std::string> all(argv + 1, argv + argc);
    std::size_t i = 0;
    for (; i < all.size() && all[i].starts_with("--"); ++i) {
        if (usage.find("[" + all[i]) == usage.npos)
            refuse("no such option: " + all[i]);
        if (all[i] == "--quick")
            args.quick = true;
        else if (++i == all.size() || (args.count = number(all[i])) == 0)
            refuse("--count needs a number above 0");
    }
    args.words.assign(all.begin() + static_cast<std::ptrdiff_t>(i), all.end());
    return args;
}

/// Runs `work` until it returns, fails, or is interrupted by Ctrl-C, which cancels what it awaits. Then
/// its connection closes in the background, and what it had not acknowledged goes back to its queue.
inline int run(asio::awaitable<void> (*work)(arguments), int argc, char** argv,
               std::string_view usage)
try {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // each line is seen when it is printed
    asio::io_context context(1);
    asio::cancellation_signal interrupt;
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](asio::error_code ec, int) {
        if (ec)
            return;
        signals.clear(); // a second Ctrl-C does not ask
        interrupt.emit(asio::cancellation_type::terminal);
    });
    std::exception_ptr failure;
    const auto done = [&](std::exception_ptr e) {
        failure = e;
        signals.cancel();
    };
    asio::co_spawn(context, work(parse(argc, argv, usage)),
                   asio::bind_cancellation_slot(interrupt.slot(), done));
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return 0;
} catch (const std::invalid_argument& e) {
    std::cerr << e.what() << "\nUsage: " << usage << '\n';
    return 2;
} catch (const std::system_error& e) {
    if (e.code() == asio::error::operation_aborted) {
        std::cout << "Interrupted\n";
        return 0;
    }
    std::cerr << "Error: " << e.what() << '\n';
    return 1;
} catch (const std::exception& e) {
    std::cerr << "Error: " << e.what() << '\n';
    return 1;
}

} // namespace tutorial
