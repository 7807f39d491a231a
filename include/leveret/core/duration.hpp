#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace leveret {

namespace detail {
template <class T>
concept chrono_duration = requires(T d) {
    typename T::rep;
    typename T::period;
    d.count();
};
} // namespace detail

/// A span of time in nanoseconds, made implicitly from any std::chrono duration, so that options can
/// say `{.timeout = 5s}` while the lower layers stay free of <chrono> (which costs a tenth of a second
/// to compile). Conversions saturate; a value of `never` means "no limit".
class duration {
    // First, for clang wants it before a constant expression uses it.
    /// `count` units of num / den seconds in nanoseconds; what is not a number becomes `never`.
    template <class Rep>
    static constexpr std::int64_t scaled(Rep count, std::int64_t num, std::int64_t den) noexcept
    {
        constexpr std::int64_t second = 1'000'000'000;
        const double approximate =
            static_cast<double>(count) * static_cast<double>(num) * 1e9 / static_cast<double>(den);
        if (!(approximate < 9.2e18))
            return std::numeric_limits<std::int64_t>::max();
        if (approximate <= -9.2e18)
            return std::numeric_limits<std::int64_t>::min();
        // Exact for a whole number of units that are each a whole number of nanoseconds. The product
        // fits, since the approximation does.
        constexpr bool is_integer = static_cast<Rep>(1) / static_cast<Rep>(2) == static_cast<Rep>(0);
        if (is_integer && count != Rep{} && second % den == 0)
            return static_cast<std::int64_t>(count) * (second / den * num);
        return static_cast<std::int64_t>(approximate);
    }

public:
    constexpr duration() noexcept = default;

    /// Made by `5s`, `200ms` and the like. Throws nothing; too large a value becomes `never`.
    template <detail::chrono_duration D>
    constexpr duration(D d) noexcept // NOLINT: implicit on purpose
        : ns_(scaled(d.count(), D::period::num, D::period::den))
    {
    }

    [[nodiscard]] static constexpr duration nanoseconds(std::int64_t n) noexcept
    {
        duration d;
        d.ns_ = n;
        return d;
    }
    [[nodiscard]] static constexpr duration milliseconds(std::int64_t n) noexcept
    {
        return nanoseconds(scaled(n, 1, 1000));
    }
    [[nodiscard]] static constexpr duration seconds(std::int64_t n) noexcept
    {
        return nanoseconds(scaled(n, 1, 1));
    }
    [[nodiscard]] static constexpr duration never() noexcept
    {
        return nanoseconds(std::numeric_limits<std::int64_t>::max());
    }

    [[nodiscard]] constexpr std::int64_t count_ns() const noexcept { return ns_; }
    [[nodiscard]] constexpr std::int64_t count_ms() const noexcept { return ns_ / 1'000'000; }
    [[nodiscard]] constexpr bool is_never() const noexcept { return *this == never(); }

    friend constexpr auto operator<=>(duration, duration) noexcept = default;

private:
    std::int64_t ns_ = 0;
};

/// A moment on a monotonic clock, in nanoseconds from an origin that does not matter. The layers
/// without I/O receive it as an argument and never ask for it.
class instant {
public:
    constexpr instant() noexcept = default;
    constexpr explicit instant(std::int64_t ns) noexcept : ns_(ns) {}

    /// The moment that never comes.
    [[nodiscard]] static constexpr instant never() noexcept
    {
        return instant(std::numeric_limits<std::int64_t>::max());
    }
    [[nodiscard]] constexpr std::int64_t count_ns() const noexcept { return ns_; }

    friend constexpr instant operator+(instant t, duration d) noexcept
    {
        const std::int64_t most = std::numeric_limits<std::int64_t>::max();
        if (d.count_ns() > 0 && t.ns_ > most - d.count_ns())
            return never();
        return instant(t.ns_ + d.count_ns());
    }
    friend constexpr duration operator-(instant a, instant b) noexcept
    {
        return duration::nanoseconds(a.ns_ - b.ns_);
    }
    friend constexpr auto operator<=>(instant, instant) noexcept = default;

private:
    std::int64_t ns_ = 0;
};

} // namespace leveret
