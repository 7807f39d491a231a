#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace leveret::notify {

/// How urgent a notification is; `sample` is for measurements. Each has a queue of its own.
enum class priority : std::uint8_t { audit, debug, info, warn, error, critical, sample };

inline constexpr std::array priorities = {priority::audit, priority::debug,    priority::info,  priority::warn,
                                          priority::error, priority::critical, priority::sample};

/// As in the name of its queue; in a message it is written in capitals.
[[nodiscard]] constexpr std::string_view name(priority p) noexcept
{
    constexpr std::string_view names[] = {"audit", "debug", "info", "warn", "error", "critical", "sample"};
    return names[static_cast<std::size_t>(p)];
}
/// In any case of letters; empty if it is none.
[[nodiscard]] constexpr std::optional<priority> parse_priority(std::string_view text) noexcept
{
    for (const priority p : priorities) {
        const std::string_view wanted = name(p);
        bool is_same = text.size() == wanted.size();
        for (std::size_t i = 0; is_same && i < text.size(); ++i)
            is_same = (text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 0x20) : text[i]) == wanted[i];
        if (is_same)
            return p;
    }
    return std::nullopt;
}

} // namespace leveret::notify
