// What the programs of this folder have in common: their command line, and running to the end.
#pragma once

#include <leveret/connect.hpp>
#include <leveret/json.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lv = leveret;

namespace oslo_example {

/// `--name value` and `--flag`: those that the usage names, with a value where it has a word in capitals behind the name.
/// Others end the program with the status 2.
class options {
public:
    options(int argc, char** argv, std::string_view usage)
    {
        usage_ = std::string(argv[0]) + " " + std::string(usage);
        const auto takes_value = names_in(usage);
        for (int i = 1; i < argc; ++i) {
            const std::string word = argv[i];
            const auto known = takes_value.find(word);
            if (known == takes_value.end())
                refuse("no such option: " + word);
            const bool has_value = i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--");
            if (known->second && !has_value)
                refuse(word + " needs a value");
            values_[word.substr(2)] = known->second ? argv[++i] : "";
        }
    }
    [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
    [[nodiscard]] std::string text(const std::string& name, std::string otherwise) const
    {
        const auto at = values_.find(name);
        return at == values_.end() ? otherwise : at->second;
    }
    /// 0 or more.
    [[nodiscard]] double number(const std::string& name, double otherwise) const { return read(name, otherwise); }
    [[nodiscard]] std::uint64_t count(const std::string& name, std::uint64_t otherwise) const { return read(name, otherwise); }
    [[noreturn]] void refuse(const std::string& why) const
    {
        std::cerr << why << "\nusage: " << usage_ << "\n";
        std::exit(2);
    }
    [[nodiscard]] std::string url() const { return text("url", "rabbit://guest:guest@localhost:5672/"); }

private:
    template <class T>
    [[nodiscard]] T read(const std::string& name, T otherwise) const
    {
        const auto at = values_.find(name);
        if (at == values_.end())
            return otherwise;
        T value{};
        const char* const last = at->second.data() + at->second.size();
        const auto [end, e] = std::from_chars(at->second.data(), last, value);
        if (e != std::errc() || end != last || !(value >= T{}))
            refuse("--" + name + " is a number of 0 or more");
        return value;
    }
    /// The options of a usage, and whether each takes a value.
    static std::map<std::string, bool> names_in(std::string_view usage)
    {
        std::map<std::string, bool> names;
        for (std::size_t at = usage.find("--"); at != usage.npos; at = usage.find("--", at)) {
            usage.remove_prefix(at);
            at = usage.find_first_of(" ]");
            const std::string_view rest = usage.substr(at == usage.npos ? usage.size() : at);
            names.emplace(usage.substr(0, at), rest.size() > 1 && rest[0] == ' ' && rest[1] >= 'A' && rest[1] <= 'Z');
        }
        return names;
    }

    std::map<std::string, std::string> values_;
    std::string usage_;
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
