#pragma once

#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace leveret::rpc {

/// The version of an interface: `major.minor[.revision]`.
struct version {
    std::uint32_t major = 1, minor = 0, revision = 0;

    /// Empty text is 1.0. Nothing if it is no version.
    [[nodiscard]] static std::optional<version> parse(std::string_view text) noexcept
    {
        if (text.empty())
            return version{};
        version v{0, 0, 0};
        std::uint32_t* const parts[] = {&v.major, &v.minor, &v.revision};
        for (std::size_t i = 0; i < 3; ++i) {
            const char* const end = text.data() + text.size();
            const auto [at, ec] = std::from_chars(text.data(), end, *parts[i]);
            if (ec != std::errc())
                return std::nullopt;
            text.remove_prefix(static_cast<std::size_t>(at - text.data()));
            if (text.empty())
                return i == 0 ? std::nullopt : std::optional(v);
            if (text.front() != '.')
                return std::nullopt;
            text.remove_prefix(1);
        }
        return std::nullopt;
    }

    friend auto operator<=>(const version&, const version&) = default;
};

/// Whether a server that offers `offered` can serve who wants `wanted`: the same major version, and what was added
/// since is no hindrance.
[[nodiscard]] constexpr bool is_compatible(const version& offered, const version& wanted) noexcept
{
    return offered.major == wanted.major && wanted <= offered;
}

} // namespace leveret::rpc
