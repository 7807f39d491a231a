// Random patterns, keys and header tables that match each other often enough to say something.
#pragma once

#include "leveret/core/table.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace leveret::test {

class random_routes {
public:
    explicit random_routes(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::size_t below(std::size_t n) { return random_() % n; }

    /// Up to seven words of a few, with what is special about words: none, empty ones, long ones, wildcards in
    /// keys.
    [[nodiscard]] std::string key()
    {
        return words(
            7, {"a", "b", "c", "stock", "nyse", "", "*", "a-word-that-is-longer-than-others"});
    }
    /// Up to six words, with any number of wildcards anywhere.
    [[nodiscard]] std::string pattern()
    {
        return words(6, {"a", "b", "c", "stock", "nyse", "", "*", "*", "*", "#", "#",
                         "a-word-that-is-longer-than-others", "a#", "**"});
    }
    /// Headers of a message.
    [[nodiscard]] table headers()
    {
        table t;
        for (const char* name : {"a", "b", "c", "x-a", "x-b"})
            if (below(2) == 0)
                t.set(name, below(10) == 0 ? field_value() : value());
        return t;
    }
    /// Arguments of a binding: x-match of every kind or none, values and void ones.
    [[nodiscard]] table arguments()
    {
        table t;
        for (const char* name : {"a", "b", "c", "x-a"})
            if (below(3) == 0)
                t.set(name, below(5) == 0 ? field_value() : value());
        switch (below(5)) {
        case 0: t.set("x-match", "all"); break;
        case 1: t.set("x-match", "any"); break;
        case 2: t.set("x-match", "all-with-x"); break;
        case 3: t.set("x-match", "any-with-x"); break;
        default: break;
        }
        return t;
    }

private:
    [[nodiscard]] std::string words(std::size_t most,
                                    std::initializer_list<std::string_view> alphabet)
    {
        std::string text;
        const std::size_t count = below(most + 1);
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0)
                text += '.';
            text += alphabet.begin()[below(alphabet.size())];
        }
        return text;
    }
    [[nodiscard]] field_value value()
    {
        switch (below(14)) {
        case 0: return static_cast<std::int32_t>(below(2));
        case 1: return static_cast<std::int64_t>(below(2));
        case 2: return static_cast<std::int8_t>(below(2));
        case 3: return "0";
        case 4: return "1";
        case 5: return below(2) == 0;
        case 6: return static_cast<double>(below(2));
        case 7: return timestamp{below(2)};
        case 8: return table{{"deep", static_cast<std::int32_t>(below(2))}};
        case 9: return field_array{static_cast<std::int32_t>(below(2))};
        case 10: return static_cast<float>(below(2));
        case 11: return decimal{1, static_cast<std::int32_t>(below(2))};
        case 12: return byte_array("1");
        default: return "text";
        }
    }

    std::mt19937_64 random_;
};

} // namespace leveret::test
