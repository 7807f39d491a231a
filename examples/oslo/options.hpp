// What the four programs of this folder have in common: their command line, and running to the end.
#pragma once

#include <leveret/connect.hpp>
#include <leveret/json.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

namespace lv = leveret;

namespace oslo_example {

/// `--name value` and `--flag`.
class options {
public:
    options(int argc, char** argv, std::string_view usage)
    {
        for (int i = 1; i < argc; ++i) {
            const std::string_view word = argv[i];
            if (!word.starts_with("--")) {
                std::cerr << "usage: " << argv[0] << " " << usage << "\n";
                std::exit(2);
            }
            const bool has_value = i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--");
            values_[std::string(word.substr(2))] = has_value ? argv[++i] : "";
        }
    }
    [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
    [[nodiscard]] std::string text(const std::string& name, std::string otherwise) const
    {
        const auto at = values_.find(name);
        return at == values_.end() ? otherwise : at->second;
    }
    [[nodiscard]] double number(const std::string& name, double otherwise) const
    {
        const auto at = values_.find(name);
        return at == values_.end() ? otherwise : std::strtod(at->second.c_str(), nullptr);
    }
    [[nodiscard]] std::string url() const { return text("url", "rabbit://guest:guest@localhost:5672/"); }

private:
    std::map<std::string, std::string> values_;
};

/// Runs until nothing is left to do; the exit status.
inline int run(asio::awaitable<void> work)
{
    asio::io_context context{1};
    int status = 0;
    asio::co_spawn(context, std::move(work), [&status](std::exception_ptr e) {
        try {
            if (e)
                std::rethrow_exception(e);
        } catch (const std::exception& error) {
            std::cerr << error.what() << std::endl;
            status = 1;
        }
    });
    context.run();
    return status;
}

} // namespace oslo_example
