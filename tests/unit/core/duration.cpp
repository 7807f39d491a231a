#include <leveret/core/duration.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

using leveret::duration;
using leveret::instant;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

static_assert(std::is_trivially_copyable_v<duration> && std::is_trivially_destructible_v<duration>);
static_assert(std::is_convertible_v<std::chrono::seconds, duration>);
static_assert(!std::is_convertible_v<int, duration>); // of what?
static_assert(!std::is_convertible_v<std::int64_t, instant>);

struct options {
    duration timeout = 30s;
};
static_assert(options{.timeout = 5s}.timeout.count_ns() == 5'000'000'000);

// Exact where a nanosecond is a whole part of the unit or the other way round.
static_assert(duration(1ns).count_ns() == 1);
static_assert(duration(1us).count_ns() == 1'000);
static_assert(duration(1ms).count_ns() == 1'000'000);
static_assert(duration(1s).count_ns() == 1'000'000'000);
static_assert(duration(1min).count_ns() == 60'000'000'000);
static_assert(duration(1h).count_ns() == 3'600'000'000'000);
static_assert(duration(-3s).count_ns() == -3'000'000'000);
static_assert(duration(std::chrono::days(1)) == duration(24h));
static_assert(duration(9'007'199'254'740'993ns).count_ns() == 9'007'199'254'740'993); // not a double
static_assert(duration(std::chrono::duration<std::uint8_t>(200)) == duration(200s));

} // namespace

TEST_CASE("duration: made of any chrono duration")
{
    using third = std::chrono::duration<int, std::ratio<1, 3>>;
    CHECK(duration(third(3)).count_ns() == 1'000'000'000);
    CHECK(duration(third(1)).count_ns() == 333'333'333);
    using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    CHECK(duration(picoseconds(1'999)).count_ns() == 1);
    CHECK(duration(std::chrono::years(100)).count_ns() == 3'155'695'200'000'000'000);
}

TEST_CASE("duration: made of fractions")
{
    using seconds = std::chrono::duration<double>;
    CHECK(duration(seconds(1.5)).count_ns() == 1'500'000'000);
    CHECK(duration(seconds(0.25)).count_ns() == 250'000'000);
    CHECK(duration(seconds(-0.5)).count_ns() == -500'000'000);
    CHECK(duration(std::chrono::duration<float, std::milli>(0.5F)).count_ns() == 500'000);
    CHECK(duration(std::chrono::duration<double, std::ratio<60>>(0.5)) == duration(30s));
    CHECK(duration(1.5s) == duration(1500ms));
}

TEST_CASE("duration: what is too large is never")
{
    CHECK(duration(std::chrono::seconds::max()).is_never());
    CHECK(duration(std::chrono::nanoseconds::max()).is_never());
    CHECK(duration(std::chrono::hours::max()).is_never());
    CHECK(duration(std::chrono::years(300)).is_never());
    CHECK_FALSE(duration(std::chrono::years(290)).is_never());
    CHECK(duration(std::chrono::hours::min()).count_ns() == least);
    CHECK(duration(std::chrono::seconds::min()).count_ns() == least);
    CHECK(duration(std::chrono::duration<std::uint64_t>(0xffffffffffffffff)).is_never());
    CHECK(duration(std::chrono::duration<std::uint64_t, std::nano>(0xffffffffffffffff)).is_never());
    CHECK(duration(std::chrono::duration<int, std::peta>(1)).is_never());
    CHECK(duration(std::chrono::duration<int, std::exa>(-1)).count_ns() == least);
    CHECK(duration(std::chrono::duration<int, std::exa>(0)).count_ns() == 0);
    using seconds = std::chrono::duration<double>;
    CHECK(duration(seconds(1e300)).is_never());
    CHECK(duration(seconds(-1e300)).count_ns() == least);
    CHECK(duration(seconds(std::numeric_limits<double>::infinity())).is_never());
    CHECK(duration(seconds(std::numeric_limits<double>::quiet_NaN())).is_never());
    CHECK(duration::milliseconds(most).is_never());
    CHECK(duration::seconds(most).is_never());
    CHECK(duration::milliseconds(least).count_ns() == least);
    CHECK(duration::seconds(least).count_ns() == least);
}

TEST_CASE("duration: named units, parts and order")
{
    CHECK(duration::nanoseconds(5).count_ns() == 5);
    CHECK(duration::milliseconds(5) == duration(5ms));
    CHECK(duration::seconds(-5) == duration(-5s));
    CHECK(duration::seconds(9'199'999'999).count_ns() == 9'199'999'999'000'000'000);
    CHECK(duration(1999us).count_ms() == 1);
    CHECK(duration(-1999us).count_ms() == -1);
    CHECK(duration{} == duration(0s));
    CHECK(duration(1s) < duration(1001ms));
    CHECK(duration(290 * 8766h) < duration::never());
    CHECK(duration::never().is_never());
    CHECK_FALSE(duration(1h).is_never());
}

TEST_CASE("instant: arithmetic that ends at never")
{
    CHECK(instant(5) + duration(1us) == instant(1005));
    CHECK(instant(5) + duration(-1us) == instant(-995));
    CHECK(instant(1005) - instant(5) == duration(1us));
    CHECK(instant(0) + duration::never() == instant::never());
    CHECK(instant(5) + duration::never() == instant::never());
    CHECK(instant(most - 10) + duration::nanoseconds(9) == instant(most - 1));
    CHECK(instant(most - 10) + duration::nanoseconds(10) == instant::never());
    CHECK(instant(most - 10) + duration::nanoseconds(11) == instant::never());
    CHECK(instant::never() + duration(1s) == instant::never());
    CHECK(instant(1) < instant(2));
    CHECK(instant(most - 1) < instant::never());
    CHECK(instant{} == instant(0));
}
