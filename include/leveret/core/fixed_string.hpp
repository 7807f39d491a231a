#pragma once

#include <cstddef>
#include <string_view>

namespace leveret {

/// A text as a template argument: `topic_pattern<"*.orange.#">`. Structural: equal texts are the same argument.
template <std::size_t N>
struct fixed_string {
    consteval fixed_string(const char (&text)[N + 1]) noexcept // NOLINT: a literal becomes one
    {
        for (std::size_t i = 0; i <= N; ++i)
            characters[i] = text[i];
    }
    [[nodiscard]] static constexpr std::size_t size() noexcept { return N; }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, N}; }
    template <std::size_t M>
    friend constexpr bool operator==(const fixed_string& a, const fixed_string<M>& b) noexcept
    {
        return a.view() == b.view();
    }

    char characters[N + 1] = {}; ///< with the terminating zero
};
template <std::size_t N>
fixed_string(const char (&)[N]) -> fixed_string<N - 1>;

} // namespace leveret
