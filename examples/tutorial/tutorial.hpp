// What the programs of the tutorial share, so that each of them shows its messaging and little else: their
// arguments, and the name by which main.cpp runs them.
#pragma once

#include <leveret/connect.hpp>

#include <asio/awaitable.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
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

/// Throws std::invalid_argument, which main answers with the usage text.
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
    std::string transport; ///< --transport URL: the broker, by default RabbitMQ on this machine
    std::uint64_t count =
        std::numeric_limits<std::uint64_t>::max(); ///< --count N: messages to wait for
    bool quick = false;                            ///< --quick
    std::vector<std::string> words;                ///< all that follow the options
    std::function<void()> is_ready;                ///< lets the next program of this process begin

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
    /// Says that messages can come now.
    void ready(std::string_view line) const
    {
        std::cout << line << std::endl;
        is_ready();
    }
};

/// A program of the tutorial: its coroutine, and the usage text that begins with its name. main.cpp has the `main` of
/// all of them, and runs those that are linked to it.
class program {
public:
    using function = asio::awaitable<void> (*)(arguments);
    program(function work, std::string_view usage);

    [[nodiscard]] asio::awaitable<void> operator()(arguments args) const { return work_(std::move(args)); }
    [[nodiscard]] std::string_view usage() const noexcept { return usage_; }
    [[nodiscard]] std::string_view name() const noexcept { return usage_.substr(0, usage_.find(' ')); }

private:
    function work_;
    std::string_view usage_;
};

} // namespace tutorial
